"""A report as lines of text: for a terminal of some width, or whole lines for a pipe."""

from collections.abc import Iterator, Sequence
from typing import Final

from cliniko_mcp.frontdesk.reports.cohorts import WITHIN, Cohort
from cliniko_mcp.frontdesk.reports.figures import Comparison, Figure, Group
from cliniko_mcp.printouts.answer import (
    ReportAnswer,
    change_words,
    group_words,
    money_words,
    number_words,
    words_of,
)
from cliniko_mcp.printouts.lines import Bold, table, wrapped
from cliniko_mcp.printouts.rows import row_lines
from cliniko_mcp.sanitize import clean


def report_lines(answer: ReportAnswer, columns: int | None, bold: Bold) -> Iterator[str]:
    """The report, a line each: the figures, the breakdowns, the rows, what is counted.

    `columns` is the width of the terminal; without it, as in a pipe, no line is wrapped.
    """
    yield bold(answer.title)
    yield from (line for text in answer.scope for line in wrapped(text, columns))
    yield ""
    yield from _figures(answer.summary, answer.compared, columns, bold)
    for name, breakdown in ((name, found) for name, found in answer.by.items() if found.rows):
        yield ""
        yield from wrapped(f"{bold(f'By {words_of(name).lower()}')}, sorted {breakdown.sorted}", columns)
        yield from table([("", *_OF_GROUPS), *(_group(row) for row in breakdown.rows)], columns, bold)
    if answer.cohorts:
        yield ""
        yield from _cohorts(answer.cohorts, columns, bold)
    if answer.items:
        yield ""
        yield from row_lines(answer.items, "Rows", answer.shown, columns, bold)
    for text in [answer.definition, *answer.notes]:
        if text:
            yield ""
            yield from wrapped(clean(text), columns)


def _cohorts(cohorts: Sequence[Cohort], columns: int | None, bold: Bold) -> Iterator[str]:
    """How soon new patients came back, a line a month; empty where it is too early to tell."""
    within = [number for number in map(str, WITHIN) if any(number in cohort.came_back for cohort in cohorts)]
    yield from wrapped(f"{bold('Came back within so many days')}, by month of the first visit", columns)
    rows = [("", "new patients", *within)]
    for cohort in cohorts:
        shares = (cohort.came_back[number].rate or "" if number in cohort.came_back else "" for number in within)
        rows.append((group_words(cohort.name), number_words(cohort.new_patients), *shares))
    yield from table(rows, columns, bold)


_HEADINGS: Final = ("count", "of", "rate", "total")
_OF_GROUPS: Final = (*_HEADINGS, "visits", "average")


def _group(row: Group) -> tuple[str, ...]:
    visits = number_words(row.visits) if row.visits is not None else ""
    average = money_words(row.average) if row.average is not None else ""
    return (group_words(row.name), *_parts(row), visits, average)


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
    yield from table(rows, columns, bold)
    if compared is not None:
        yield ""
        yield from wrapped(f"{bold('Before')}, {compared.when}", columns)
        before: list[tuple[str, ...]] = [("", *_HEADINGS, "change")]
        for name, figure in compared.summary.items():
            change = compared.change.get(name)
            before.append((words_of(name), *_parts(figure), change_words(change) if change else ""))
        yield from table(before, columns, bold)
