"""A report as lines of text: for a terminal of some width, or whole lines for a pipe."""

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from textwrap import wrap
from typing import Final

from cliniko_mcp.frontdesk.reports.figures import Comparison, Figure, Group
from cliniko_mcp.printouts.answer import (
    ReportAnswer,
    Row,
    change_words,
    columns_of,
    is_numeric,
    money_words,
    number_words,
    of_ids,
    value_words,
    words_of,
)
from cliniko_mcp.sanitize import clean

_GAP: Final = "  "
_WIDE: Final = ("W", "F")
Bold = Callable[[str], str]
"""How a heading is marked where it is shown."""


def report_lines(answer: ReportAnswer, columns: int | None, bold: Bold) -> Iterator[str]:
    """The report, a line each: the figures, the breakdowns, the rows, what is counted.

    `columns` is the width of the terminal; without it, as in a pipe, no line is wrapped.
    """
    yield bold(answer.title)
    yield from (line for text in answer.scope for line in _wrapped(text, columns))
    yield ""
    yield from _figures(answer.summary, answer.compared, columns, bold)
    for name, breakdown in answer.by.items():
        yield ""
        yield from _wrapped(f"{bold(f'By {words_of(name).lower()}')}, sorted {breakdown.sorted}", columns)
        yield from _table([("", *_HEADINGS), *(_group(row) for row in breakdown.rows)], columns, bold)
    if answer.items:
        yield ""
        yield from _rows(answer, columns, bold)
    for text in [answer.definition, *answer.notes]:
        if text:
            yield ""
            yield from _wrapped(clean(text), columns)


_HEADINGS: Final = ("count", "of", "rate", "total")


def _group(row: Group) -> tuple[str, ...]:
    return (clean(row.name), *_parts(row))


def _parts(figure: Figure) -> tuple[str, str, str, str]:
    """A figure in the columns of the headings, empty where it has nothing."""
    return (
        number_words(figure.count) if figure.count is not None else "",
        number_words(figure.of) if figure.of is not None else "",
        figure.rate or "",
        money_words(figure.total) if figure.total is not None else "",
    )


def _figures(summary: dict[str, Figure], compared: Comparison | None, columns: int | None, bold: Bold) -> Iterator[str]:
    rows = [("", *_HEADINGS), *((words_of(name), *_parts(figure)) for name, figure in summary.items())]
    yield from _table(rows, columns, bold)
    if compared is not None:
        yield ""
        yield from _wrapped(f"{bold('Before')}, {compared.when}", columns)
        before: list[tuple[str, ...]] = [("", *_HEADINGS, "change")]
        for name, figure in compared.summary.items():
            change = compared.change.get(name)
            before.append((words_of(name), *_parts(figure), change_words(change) if change else ""))
        yield from _table(before, columns, bold)


def _rows(answer: ReportAnswer, columns: int | None, bold: Bold) -> Iterator[str]:
    """The rows as a table where it fits; else each as lines of its own. Ids are left out: they are for programs."""
    names = [name for name in columns_of(answer.items) if not of_ids(name)]
    yield from _wrapped(f"{bold('Rows')}, {answer.shown}", columns)
    cells = [tuple(value_words(row.get(name)) for name in names) for row in answer.items]
    table = [tuple(words_of(name) for name in names), *cells]
    if columns is None or sum(_widths(table)) + len(_GAP) * (len(names) - 1) <= columns:
        right = [is_numeric([row.get(name) for row in answer.items]) for name in names]
        yield from _table(table, columns, bold, right)
        return
    for row in answer.items:
        yield from _wrapped(_on_one_line(row, names), columns, hanging=True)


def _on_one_line(row: Row, names: Sequence[str]) -> str:
    first, *others = [name for name in names if row.get(name) is not None] or [""]
    told = (f"{words_of(name).lower()}: {value_words(row[name])}" for name in others)
    return f"{value_words(row.get(first))}  {', '.join(told)}"


def _table(
    rows: Sequence[tuple[str, ...]], columns: int | None, bold: Bold, right: Sequence[bool] | None = None
) -> Iterator[str]:
    """Rows under a heading in columns, those of numbers to the right; columns in which nothing stands are left out.

    On a narrow terminal the first column is cut to what the others leave.
    """
    kept = [place for place in range(len(rows[0])) if place == 0 or any(row[place] for row in rows[1:])]
    sides = right or [False, *[True] * (len(rows[0]) - 1)]
    widths = _widths(rows)
    others = sum(widths[place] + len(_GAP) for place in kept[1:])
    if columns is not None and widths[0] + others > columns:
        widths[0] = max(columns - others, 12)
    for number, row in enumerate(rows):
        cells = (_cell(row[place], widths[place], right=sides[place]) for place in kept)
        line = _GAP.join(cells).rstrip()
        yield bold(line) if number == 0 else line


def _widths(rows: Sequence[tuple[str, ...]]) -> list[int]:
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


def _wrapped(text: str, columns: int | None, *, hanging: bool = False) -> list[str]:
    if columns is None:
        return [text]
    return wrap(text, columns, subsequent_indent="    " if hanging else "", break_on_hyphens=False) or [""]
