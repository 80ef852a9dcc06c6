"""Lines of text for a terminal of some width: tables in columns, and texts that are wrapped."""

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from textwrap import wrap
from typing import Final

GAP: Final = "  "
"""What stands between two columns."""
_WIDE: Final = ("W", "F")
Bold = Callable[[str], str]
"""How a heading is marked where it is shown."""


def table(
    rows: Sequence[tuple[str, ...]], columns: int | None, bold: Bold, right: Sequence[bool] | None = None
) -> Iterator[str]:
    """Rows under a heading in columns, those of numbers to the right; columns in which nothing stands are left out.

    On a narrow terminal the first column is cut to what the others leave.
    """
    kept = [place for place in range(len(rows[0])) if place == 0 or any(row[place] for row in rows[1:])]
    sides = right or [False, *[True] * (len(rows[0]) - 1)]
    widths = widths_of(rows)
    others = sum(widths[place] + len(GAP) for place in kept[1:])
    if columns is not None and widths[0] + others > columns:
        widths[0] = max(columns - others, 12)
    for number, row in enumerate(rows):
        cells = (_cell(row[place], widths[place], right=sides[place]) for place in kept)
        line = GAP.join(cells).rstrip()
        yield bold(line) if number == 0 else line


def widths_of(rows: Sequence[tuple[str, ...]]) -> list[int]:
    """The places that the widest cell of each column takes."""
    return [max(_width(row[place]) for row in rows) for place in range(len(rows[0]))]


def _cell(text: str, width: int, *, right: bool) -> str:
    while _width(text) > width:
        text = f"{text.rstrip('…')[:-1].rstrip()}…"
    blank = " " * (width - _width(text))
    return blank + text if right else text + blank


def _width(text: str) -> int:
    """The places that a text takes on a terminal: two for a wide character, none for a mark on another."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in _WIDE else 1
        for character in text
    )


def wrapped(text: str, columns: int | None, *, hanging: bool = False) -> list[str]:
    """The lines of a text, one where there is no width; with `hanging` those after the first further in."""
    if columns is None:
        return [text]
    return wrap(text, columns, subsequent_indent="    " if hanging else "", break_on_hyphens=False) or [""]
