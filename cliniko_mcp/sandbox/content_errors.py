"""Errors in structured content: one sentence that names the part and its location (choices 56)."""

from collections.abc import Sequence
from typing import Final

from pydantic_core import ErrorDetails

from cliniko_mcp.cliniko.models import field_path

STRUCTURED: Final = frozenset({"content", "custom_fields"})
"""Fields whose errors name the part that is wrong; the errors of all others speak of the whole field."""

EMPTY: Final = "must not be empty"


def sentence(error: ErrorDetails, plain: str) -> str:
    """The sentence for an error inside such a field; `plain` is the sentence for the same error in a simple field."""
    location = error["loc"][1:]
    problem = _problem(error, plain)
    if not location:
        return f"'sections' {EMPTY}" if problem == EMPTY else problem
    return about(location, problem)


def about(location: Sequence[int | str], problem: str) -> str:
    """`'answers' must not be empty in sections[0].questions[1]`; a list item is named by its location alone."""
    *holder, last = location
    if isinstance(last, int):
        return f"{field_path(location)} {problem}"
    return f"'{last}' {problem} in {field_path(holder)}" if holder else f"'{last}' {problem}"


def _problem(error: ErrorDetails, plain: str) -> str:
    match error["type"]:
        case "value_error":
            # After the semicolon stands advice for the caller; Cliniko gives none.
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
