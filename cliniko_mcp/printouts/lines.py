"""Lines of text for a terminal of some width: tables in columns, and texts that are wrapped."""

import io
from collections.abc import Callable, Iterator, Sequence
from textwrap import wrap
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

GAP: Final = "  "
"""What stands between two columns."""
_AS_WIDE_AS_IT_IS: Final = 100_000
Bold = Callable[[str], str]
"""How a heading is marked where it is shown."""


def table(
    rows: Sequence[tuple[str, ...]],
    columns: int | None,
    bold: Bold,
    right: Sequence[bool] | None = None,
    *,
    wraps: int = 0,
) -> Iterator[str]:
    """Rows under a heading in columns, those of numbers to the right; columns in which nothing stands are left out.

    On a narrow terminal the column at the place `wraps` goes on over more lines.
    """
    sides = right or [False, *[True] * (len(rows[0]) - 1)]
    shown = Table(box=None, pad_edge=False, padding=(0, len(GAP), 0, 0), header_style="")
    kept = [place for place in range(len(rows[0])) if place == 0 or any(row[place] for row in rows[1:])]
    for place in kept:
        shown.add_column(
            Text(rows[0][place]), justify="right" if sides[place] else "left", no_wrap=place != wraps, overflow="fold"
        )
    for row in rows[1:]:
        shown.add_row(*(Text(row[place]) for place in kept))
    page = io.StringIO()
    Console(file=page, width=columns or _AS_WIDE_AS_IT_IS, color_system=None, legacy_windows=False).print(shown)
    for number, line in enumerate(page.getvalue().splitlines()):
        yield bold(line.rstrip()) if number == 0 else line.rstrip()


def widths_of(rows: Sequence[tuple[str, ...]]) -> list[int]:
    """The places that the widest cell of each column takes."""
    return [max(cell_len(row[place]) for row in rows) for place in range(len(rows[0]))]


def wrapped(text: str, columns: int | None, *, hanging: bool = False) -> list[str]:
    """The lines of a text, one where there is no width; with `hanging` those after the first further in."""
    if columns is None:
        return [text]
    return wrap(text, columns, subsequent_indent="    " if hanging else "", break_on_hyphens=False) or [""]
