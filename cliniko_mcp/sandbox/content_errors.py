"""What is said of structured content that is refused: one sentence, with the part and its place (choices 56)."""

from collections.abc import Sequence
from typing import Final

from pydantic_core import ErrorDetails

from cliniko_mcp.cliniko.models import field_path

STRUCTURED: Final = frozenset({"content", "custom_fields"})
"""Fields whose parts are worth naming; everything else is spoken of as a whole."""

EMPTY: Final = "must not be empty"


def sentence(error: ErrorDetails, plain: str) -> str:
    """The sentence for an error inside such a field; `plain` is what is said of a simple field that is wrong so."""
    place = error["loc"][1:]
    what = _what(error, plain)
    if not place:
        return f"'sections' {EMPTY}" if what == EMPTY else what
    return about(place, what)


def about(place: Sequence[int | str], what: str) -> str:
    """`'answers' must not be empty in sections[0].questions[1]`; an element of a list is named by its place alone."""
    *holder, last = place
    if isinstance(last, int):
        return f"{field_path(place)} {what}"
    return f"'{last}' {what} in {field_path(holder)}" if holder else f"'{last}' {what}"


def _what(error: ErrorDetails, plain: str) -> str:
    match error["type"]:
        case "value_error":
            # After the semicolon stands advice for whoever writes the call; Cliniko gives none.
            return str(error.get("ctx", {}).get("error", plain)).partition(";")[0]
        case "missing":
            return "can’t be blank"
        case "list_type":
            return "must be an array"
        case "string_type":
            return "must be a string"
        case "bool_type":
            return "must be true or false"
        case _:
            return plain
