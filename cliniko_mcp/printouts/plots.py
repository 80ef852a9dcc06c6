"""Plots of a breakdown as SVG within a page: columns over time, and a bar for a name. No script, no outside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum, auto
from html import escape
from math import ceil, floor, log10
from typing import Final

from cliniko_mcp.frontdesk.reports.figures import Figure, Group
from cliniko_mcp.printouts.answer import number_words

_WEEK: Final = timedelta(days=7)
_LEFT, _TOP, _BOTTOM, _RIGHT = 58, 22, 28, 8
"""Pixels around the columns, for the letters."""
_HEIGHT: Final = 240
_LETTER: Final = 8
"""Pixels of a letter at the most."""
_MAX_STEPS: Final = 4


class Shows(Enum):
    """What the length of a bar stands for."""

    COUNT = auto()
    RATE = auto()
    MONEY = auto()

    @staticmethod
    def of(rows: Sequence[Group]) -> "Shows":
        """Money where there is some; a rate where it is one of the row's own, and not its part of all rows."""
        if any(row.total is not None for row in rows):
            return Shows.MONEY
        whole = round(sum(row.count or 0 for row in rows), 2)
        if any(row.rate is not None and row.of != whole for row in rows):
            return Shows.RATE
        return Shows.COUNT

    def length(self, figure: Figure) -> float | None:
        """The length of a figure's bar in the unit of the axis; None where it has none."""
        match self:
            case Shows.COUNT:
                return figure.count
            case Shows.RATE:
                return float(figure.rate.removesuffix("%")) if figure.rate else None
            case Shows.MONEY:
                return float(Decimal(figure.total)) if figure.total is not None else None

    def over_column(self, value: float) -> str:
        """The value of a column with its unit; of money without cents, which the table beneath has."""
        return self.words(round(value) if self is Shows.MONEY else value)

    def words(self, value: float) -> str:
        """A value of the axis with its unit."""
        return f"{number_words(value)}%" if self is Shows.RATE else number_words(value)


@dataclass(frozen=True, slots=True)
class Column:
    """A week or a month with its value; None where nothing was counted that a rate could be of."""

    label: str
    value: float | None


def columns(name: str, rows: Sequence[Group]) -> list[Column]:
    """The weeks or months from the first row to the last; one without a row counts 0, and has no rate.

    Rows that belong to no day are left out.
    """
    shows = Shows.of(rows)
    found = {day: row for row in rows if (day := _day(row.name)) is not None}
    if not found:
        return []
    day, last = min(found), max(found)
    made: list[Column] = []
    while day <= last:
        row = found.get(day)
        empty = None if shows is Shows.RATE else 0.0
        label = f"{day:%b %Y}" if name == "month" else f"{day.day} {day:%b}"
        made.append(Column(label, shows.length(row) if row else empty))
        day = (day.replace(day=1) + 5 * _WEEK).replace(day=1) if name == "month" else day + _WEEK
    return made


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(name if len(name) > len("2026-11") else f"{name}-01")
    except ValueError:
        return None


def trend(made: Sequence[Column], shows: Shows, level: float | None, title: str, width: int) -> str:
    """Columns over time as SVG so many pixels wide, with an axis, and a line at the level of the whole."""
    top, step = _axis(max([0.0, level or 0.0, *(column.value or 0.0 for column in made)]))
    room, across = _HEIGHT - _TOP - _BOTTOM, (width - _LEFT - _RIGHT) / len(made)

    def height(value: float) -> float:
        return room * max(value, 0.0) / top

    drawn = ""
    for number in range(round(top / step) + 1):
        y = _HEIGHT - _BOTTOM - height(number * step)
        drawn += (
            f'<path class=grid d="M{_LEFT} {y:.1f}H{width - _RIGHT}"/>'
            f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor=end>{shows.words(number * step)}</text>'
        )
    letters = max(len(column.label) for column in made)
    every = max(1, ceil((letters + 1) * _LETTER / across))
    words_over = ""
    told = (max(len(shows.over_column(column.value or 0)) for column in made) + 1) * _LETTER <= across
    for place, column in enumerate(made):
        middle = _LEFT + across * (place + 0.5)
        if place % every == 0 and middle + letters * _LETTER / 2 <= width:
            drawn += f'<text x="{middle:.1f}" y="{_HEIGHT - 8}" text-anchor=middle>{escape(column.label)}</text>'
        if column.value is None:
            continue
        tall, broad = height(column.value), min(across * 0.7, 64)
        y = _HEIGHT - _BOTTOM - tall
        drawn += f'<rect class=bar x="{middle - broad / 2:.1f}" y="{y:.1f}" width="{broad:.1f}" height="{tall:.1f}"/>'
        if told:
            words = shows.over_column(column.value)
            words_over += f'<text class=value x="{middle:.1f}" y="{y - 5:.1f}" text-anchor=middle>{words}</text>'
    if level is not None:
        y = _HEIGHT - _BOTTOM - height(level)
        drawn += f'<path class=level d="M{_LEFT} {y:.1f}H{width - _RIGHT}"/>'
    return (
        f'<svg role=img aria-label="{escape(title)}" viewBox="0 0 {width} {_HEIGHT}" width="{width}" '
        f'height="{_HEIGHT}">{drawn}{words_over}</svg>'
    )


def bar(value: float | None, most: float, level: float | None) -> str:
    """A bar as SVG as wide as its cell: the share of the longest, with a line at the level of the whole."""
    long = 100 * max(value or 0.0, 0.0) / most if most > 0 else 0.0
    line = f'<rect class=level x="{100 * level / most:.2f}%" y=0 width=2 height=14 />' if level and most > 0 else ""
    return (
        '<svg class=across aria-hidden=true width="100%" height=14><rect class=track y=2 width="100%" height=10 rx=3 />'
        f'<rect class=bar y=2 width="{long:.2f}%" height=10 rx=3 />{line}</svg>'
    )


def _axis(most: float) -> tuple[float, float]:
    """Where an axis ends, and the round step of its lines."""
    rough = max(most, 1.0) / _MAX_STEPS
    size = 10.0 ** floor(log10(rough))
    step = next(size * part for part in (1, 2, 2.5, 5, 10) if size * part >= rough)
    step = max(step, 1.0) if step != 2.5 else step
    return step * max(1, ceil(most / step)), step
