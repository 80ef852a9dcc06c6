"""Where an answer of several pages begins, and the cursor of the page that follows: one reading for every tool."""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cliniko_mcp.errors import InvalidArguments, JsonValue
from cliniko_mcp.results.cursor import MAX_ANCHORS, Cursors, Position, Query

MOVED: Final = (
    "Rows came or went before this place meanwhile. This goes on right after the last one given; what is new before it "
    "shows only in a list that is started again."
)
LOST: Final = "The list changed so much that rows may be missing or repeated here; start it again to be sure."
_OURS: Final = ("limit", "cursor")


def opened(
    tool: str,
    arguments: Mapping[str, JsonValue],
    cursors: Cursors,
    principal: str,
    begun: Mapping[str, JsonValue] | None = None,
) -> Position:
    """Where the rows of this tool begin for these arguments: at the cursor among them, or at the start.

    `begun` is kept with the arguments of a start, for the pages that follow. Raises InvalidArguments for a cursor that
    is no text, or that comes with other arguments than it was given for, and InvalidCursor for one not given here.
    """
    cursor = arguments.get("cursor")
    chosen = {name: value for name, value in arguments.items() if name not in _OURS}
    if cursor is None or cursor == "":
        return Position(Query.of(tool, {**chosen, **(begun or {})}))
    if not isinstance(cursor, str):
        raise InvalidArguments(
            "cursor must be the text that the last answer gave.",
            "Give its next_cursor as it stands, or leave cursor out to start the list.",
            field="cursor",
        )
    position = cursors.open(cursor, tool, principal)
    if any(position.query.arguments.get(name) != value for name, value in chosen.items()):
        raise InvalidArguments(
            "With a cursor, the other arguments are left out or repeated exactly; only limit may differ.",
            "Give the cursor alone, or start a new list without it.",
            field="cursor",
        )
    return position


def mark(text: str) -> int:
    """The mark of a row, by which it is found again: of its id, or of the whole row where it has none."""
    return zlib.crc32(text.encode())


def following(position: Position, start: int, marks: Sequence[int]) -> Position:
    """The place after the rows with these marks, so many rows from the beginning."""
    return Position(position.query, start, (*position.anchors, *marks)[-MAX_ANCHORS:] if start > 0 else ())


@dataclass(frozen=True)
class Paging:
    """The rows of a curated tool, page by page: all are made anew for each page, which begins where the last ended."""

    position: Position
    begun_at: datetime
    """The moment of the first page: all pages are of that moment, so that they are pages of one answer."""
    seal: Callable[[Position], str]

    @property
    def tokens(self) -> int:
        """What a cursor takes in an answer, where three tokens make four characters of base64."""
        return self.position.query.cursor_length * 3 // 4

    @property
    def continued(self) -> bool:
        """Whether the page comes after another."""
        return self.position.start > 0

    def begin(self, rows: Sequence[str]) -> tuple[int, list[str]]:
        """The number of the first row of the page, and a remark where rows came or went before it meanwhile."""
        start, anchors = self.position.start, self.position.anchors
        if not anchors or (0 < start <= len(rows) and mark(rows[start - 1]) == anchors[-1]):
            return start, []
        places = {mark(row): place for place, row in enumerate(rows)}
        for anchor in reversed(anchors):
            if anchor in places:
                return places[anchor] + 1, [MOVED]
        return start, [LOST]

    def next_cursor(self, rows: Sequence[str], end: int) -> str:
        """The cursor of the page that begins after so many of these rows."""
        marks = [mark(row) for row in rows[max(end - MAX_ANCHORS, 0) : end]]
        return self.seal(following(self.position, end, marks))
