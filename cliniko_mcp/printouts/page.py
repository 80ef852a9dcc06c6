"""A report as one HTML page that stands by itself: no script, nothing from outside, readable by ear and on paper."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.frontdesk.reports.figures import Breakdown, Figure, Group
from cliniko_mcp.house_look import ICON, letterhead
from cliniko_mcp.printouts.answer import (
    ReportAnswer,
    change_words,
    columns_of,
    figure_words,
    is_numeric,
    money_words,
    number_words,
    of_ids,
    value_words,
    words_of,
)
from cliniko_mcp.printouts.page_style import STYLE
from cliniko_mcp.printouts.plots import Shows, bar, columns, trend
from cliniko_mcp.sanitize import clean

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
"""Should a text ever be taken for markup, the browser still loads and runs nothing."""
_IN_TIME: Final = ("week", "month")
_WIDE, _NARROW = 880, 326
"""Pixels of a plot on a wide window and on a phone: letters keep their size on both."""
_OPEN_UP_TO: Final = 16
"""Rows of a plot's table beyond which it is folded up."""
_MAX_COLUMNS: Final = 6
_LONG: Final = re.compile(r"\S{24}(?=\S)")
_AGE: Final = "age"
_LATE: Final = "over 90 days"


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Whose clinic the page is about: its name, empty where it cannot be read, and whether it is the demo clinic."""

    clinic: str
    demo: bool


def report_page(answer: ReportAnswer, head: Letterhead) -> str:
    """The page as HTML: the figures, a plot with its table for each breakdown, the rows, and what is counted."""
    scope = "".join(f"<p class=scope>{_text(line)}</p>" for line in answer.scope)
    ordered = sorted(answer.by.items(), key=lambda one: one[0] != _AGE)  # how old debts are comes before whose they are
    plots = "".join(_plot(number, name, answer, found) for number, (name, found) in enumerate(ordered))
    body = f"<h1>{_text(answer.title)}</h1>{scope}{_figures(answer)}{plots}{_rows(answer)}{_notes(answer)}"
    title = f"{answer.title}, {answer.when}" + (f" - {head.clinic}" if head.clinic else "")
    return (
        f"<!doctype html><html lang=en><head><meta charset=utf-8><meta http-equiv=Content-Security-Policy "
        f'content="{_POLICY}"><title>{_text(title)}</title>'
        f'<meta name=viewport content="width=device-width, initial-scale=1"><link rel=icon href="{ICON}">'
        f"<style>{STYLE}</style></head><body>{letterhead(head.clinic, 'From Cliniko', demo=head.demo)}"
        f"<main>{body}</main><footer><p>Made on {_text(answer.made)}, the clinic's time.</p></footer></body></html>\n"
    )


def _text(text: str) -> str:
    return escape(clean(text))


def _breakable(text: str) -> str:
    """A text as HTML in which a line may end within a very long word."""
    return "<wbr>".join(escape(part) for part in _LONG.sub("\\g<0>\n", text).split("\n"))


def _figures(answer: ReportAnswer) -> str:
    made = ""
    for name, figure in answer.summary.items():
        large, small = _large(figure)
        lines = [f"<dd class=large>{large}</dd>"] + ([f"<dd class=soft>{small}</dd>"] if small else [])
        if answer.compared is not None and (before := answer.compared.summary.get(name)) is not None:
            change = answer.compared.change.get(name)
            told = f" ({change_words(change)})" if change else ""
            lines.append(f"<dd class=soft>before: {figure_words(before)}{told}</dd>")
        made += f"<div><dt>{_text(words_of(name))}</dt>{''.join(lines)}</div>"
    compared = f"<p class=soft>Before is {_text(answer.compared.when)}.</p>" if answer.compared else ""
    return f"<h2 hidden>Figures</h2><dl class=figures>{made}</dl>{compared}" if made else ""


def _large(figure: Figure) -> tuple[str, str]:
    """What of a figure is read first, and the rest of it."""
    if figure.rate is not None:
        return figure.rate, f"{number_words(figure.count or 0)} of {number_words(figure.of or 0)}"
    if figure.total is not None:
        return money_words(figure.total), f"in {number_words(figure.count)}" if figure.count is not None else ""
    of = f"of {number_words(figure.of)}" if figure.of is not None else ""
    return number_words(figure.count or 0), of


def _plot(number: int, name: str, answer: ReportAnswer, found: Breakdown) -> str:
    heading = f"{answer.first} by {words_of(name).lower()}"
    shows = Shows.of(found.rows)
    whole = next(iter(answer.summary.values()), None)
    level = shows.length(whole) if whole is not None and shows is Shows.RATE else None
    told = f" The line marks {shows.words(level)}, the rate of all." if level is not None else ""
    drawn = columns(name, found.rows) if name in _IN_TIME else []
    table = _groups(number, found, shows, level, bars=not drawn)
    if drawn:
        title = f"{heading}: a column each, {len(drawn)} in all; the table beneath has the figures"
        narrow, wide = (trend(drawn, shows, level, title, width) for width in (_NARROW, _WIDE))
        part = " The first and the last may be in part outside the time." if len(drawn) > 1 else ""
        opened = " open" if len(found.rows) <= _OPEN_UP_TO else ""
        plot = (
            f"<figure class=plot><div class=wide>{wide}</div><div class=narrow>{narrow}</div></figure>"
            f"<p class=soft>Sorted {_text(found.sorted)}.{part}{told}</p>"
            f"<details{opened}><summary>The figures of the plot</summary>{table}</details>"
        )
    else:
        plot = f"<p class=soft>Sorted {_text(found.sorted)}.{told}</p>{table}"
    return f'<section class=card><h2 id="by{number}">{_text(heading)}</h2>{plot}</section>'


def _groups(number: int, found: Breakdown, shows: Shows, level: float | None, *, bars: bool) -> str:
    """The rows of a breakdown as a table; with bars under the names where they have no other plot."""
    kept = [(heading, words) for heading, words in _COLUMNS if any(words(row) for row in found.rows)]
    values = [shows.length(row) for row in found.rows]
    most = max([level or 0.0, *(value or 0.0 for value in values)], default=0.0)
    head = "".join(f"<th scope=col class=number>{heading}</th>" for heading, _ in kept)
    rows = ""
    for row, value in zip(found.rows, values, strict=True):
        drawn = bar(value, most, level) if bars else ""
        late = " class=late" if row.name == _LATE else ""
        cells = "".join(f"<td class=number>{words(row)}</td>" for _, words in kept)
        rows += f"<tr{late}><th scope=row>{_breakable(clean(row.name))}{drawn}</th>{cells}</tr>"
    return (
        f'<table class=groups aria-labelledby="by{number}"><thead><tr><th scope=col>Name</th>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _count(row: Group) -> str:
    return number_words(row.count) if row.count is not None else ""


def _of(row: Group) -> str:
    return number_words(row.of) if row.of is not None else ""


def _rate(row: Group) -> str:
    return row.rate or ""


def _total(row: Group) -> str:
    return money_words(row.total) if row.total is not None else ""


_COLUMNS: Final = (("Count", _count), ("Of", _of), ("Rate", _rate), ("Total", _total))


def _rows(answer: ReportAnswer) -> str:
    """The rows as a table, which on a phone stacks; as a list where they have many fields. Ids are for programs."""
    names = [name for name in columns_of(answer.items) if not of_ids(name)]
    if not names:
        return ""
    made = _table(answer, names) if len(names) <= _MAX_COLUMNS else _list(answer, names)
    return f"<section class=card><h2 id=rows>Rows, {answer.shown}</h2>{made}</section>"


def _table(answer: ReportAnswer, names: Sequence[str]) -> str:
    sides = [" class=number" if is_numeric([row.get(name) for row in answer.items]) else "" for name in names]
    head = "".join(
        f"<th role=columnheader scope=col{side}>{_text(words_of(name))}</th>"
        for name, side in zip(names, sides, strict=True)
    )
    rows = ""
    for row in answer.items:
        cells = "".join(
            f'<td role=cell{side} data-label="{_text(words_of(name))}">{_value(row.get(name))}</td>'
            for name, side in zip(names[1:], sides[1:], strict=True)
        )
        rows += f"<tr role=row><th role=rowheader scope=row>{_value(row.get(names[0]))}</th>{cells}</tr>"
    return (
        f"<table class=stacks role=table aria-labelledby=rows><thead role=rowgroup><tr role=row>{head}</tr></thead>"
        f"<tbody role=rowgroup>{rows}</tbody></table>"
    )


def _list(answer: ReportAnswer, names: Sequence[str]) -> str:
    items = ""
    for row in answer.items:
        facts = "".join(
            f"<div><dt>{_text(words_of(name))}</dt><dd>{words}</dd></div>"
            for name in names[1:]
            if (words := _value(row.get(name)))
        )
        items += f"<li><strong>{_value(row.get(names[0]))}</strong><dl>{facts}</dl></li>"
    return f"<ul class=rows aria-labelledby=rows>{items}</ul>"


def _value(value: JsonValue) -> str:
    return _breakable(value_words(value))


def _notes(answer: ReportAnswer) -> str:
    told = "".join(f"<p>{_text(text)}</p>" for text in [answer.definition, *answer.notes] if text)
    return f"<section class=card><h2>What is counted</h2>{told}</section>" if told else ""
