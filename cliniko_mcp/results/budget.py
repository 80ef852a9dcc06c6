"""What an answer may cost a model, counted in bytes of JSON, and how a record or a text is cut to fit."""

from typing import Final

from pydantic_core import to_json

from cliniko_mcp.errors import JsonValue

Row = dict[str, JsonValue]

_BYTES_A_TOKEN: Final = 2.6
"""Rows are full of ids and times, where o200k_base makes a token of 2.7 bytes at the least and 3.1 as a rule."""
USUAL_BYTES: Final = int(2_000 * _BYTES_A_TOKEN)
"""Bytes of an answer whose length nobody chose."""
MAX_RESULT_BYTES: Final = int(8_000 * _BYTES_A_TOKEN)
"""Bytes of any answer."""
ENVELOPE_BYTES: Final = 600
"""Bytes of an answer around its rows: page, notes, time and zone."""
MAX_ERROR_BYTES: Final = 300 * 4
"""Bytes of an error. Errors are sentences, where a token is 4 bytes and more."""
_WHOLE: Final = 60
"""Text of so many characters, such as an id, a name or a time, is never cut."""
_LONGEST: Final = 2_000
"""Characters of a text from which on it is cut first."""
CUT: Final = "Texts that end in … were cut to fit into one answer: never send them back in an update."


def size(value: object) -> int:
    """The bytes that a value costs in a result."""
    return len(to_json(value))


def fitted(item: Row, room: int = MAX_RESULT_BYTES - ENVELOPE_BYTES) -> tuple[Row, bool]:
    """One record within `room` bytes, the hard limit if left out, and whether it was cut: its longest texts are cut
    until it fits."""
    cut = False
    longest = _LONGEST
    while size(item) > room and longest > _WHOLE:
        item = {name: _cut(value, longest) for name, value in item.items()}
        cut, longest = True, longest // 2
    return item, cut


def _cut(value: JsonValue, longest: int) -> JsonValue:
    if isinstance(value, str):
        return value if len(value) <= longest else value[: longest - 1] + "…"
    if isinstance(value, list):
        return [_cut(item, longest) for item in value[: max(longest // 4, 1)]]
    if isinstance(value, dict):
        return {name: _cut(item, longest) for name, item in value.items()}
    return value


def shortened(text: str, room: int) -> str:
    """The text in at most `room` bytes of JSON, cut between words."""
    while size(text) - len('""') > room:
        text = text[: len(text) * room // size(text)].rpartition(" ")[0] + " …"
    return text
