"""The numbers of a report, each with what it is of or the money it stands for, and the rows that break them down.

Money is added up in Decimal; shares are in percent with one decimal; hours are numbers with two.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from pydantic import Field

from cliniko_mcp.frontdesk.answer_rows import Money, Number, PatientRow, Percent, VisitRow, rate
from cliniko_mcp.results.models import AnswerModel

_HOUR: Final = timedelta(hours=1)
_CENT: Final = Decimal("0.01")


class Figure(AnswerModel):
    """A number that a report gives."""

    count: Number | None = Field(default=None, description="How many; hours where the name says so.")
    of: Number | None = Field(default=None, description="Of how many.")
    rate: Percent | None = Field(default=None, description="count of `of`, in percent; left out where that is 0.")
    total: Money | None = Field(default=None, description="What they come to, in the account's currency.")


class _Named(AnswerModel):
    name: str = Field(description="What the row is of.")


class Group(Figure, _Named):
    """The part of a figure that belongs to one practitioner, type, week or the like."""

    visits: Number | None = Field(default=None, description="Visits that were billed, where money is of visits.")
    average: Money | None = Field(default=None, description="The invoices of those visits, for each of them.")


class Breakdown(AnswerModel):
    """The parts of the first figure of the summary, of which they are the sum."""

    sorted: str = Field(description="How the rows are sorted.")
    rows: list[Group] = Field(description="The parts.")


class Change(AnswerModel):
    """How far a figure is from what it was before; below 0 where it is less now."""

    count: Number | None = Field(default=None, description="Difference of the counts.")
    points: Number | None = Field(default=None, description="Difference of the rates, in percentage points.")
    total: Money | None = Field(default=None, description="Difference of the totals.")


class Comparison(AnswerModel):
    """The same figures of an earlier span, and how far from them those of the summary are."""

    when: str = Field(description="The earlier span.")
    summary: dict[str, Figure] = Field(description="Its figures.")
    change: dict[str, Change] = Field(description="The figures of the report less these.")


class Findable(PatientRow):
    """A patient, with a way to reach them."""

    phone: str | None = Field(default=None, description="Their phone number, a mobile first, where phones is true.")


class ReportVisitRow(Findable, VisitRow):
    """A visit, with a way to reach the patient."""


def count(number: float) -> Figure:
    """A number of things, or an average of them."""
    return Figure(count=round(number, 2))


def share(part: float, whole: float) -> Figure:
    """A part of a whole, both in the same unit."""
    found = rate(part, whole)
    return Figure(count=found.count, of=found.of, rate=found.rate)


def hours(length: timedelta) -> Figure:
    """A length of time in hours."""
    return count(length / _HOUR)


def share_of_time(part: timedelta, whole: timedelta) -> Figure:
    """A part of a length of time, both in hours."""
    return share(part / _HOUR, whole / _HOUR)


def money(amounts: Iterable[Decimal]) -> Figure:
    """Amounts, with their number."""
    every = list(amounts)
    return Figure(count=len(every), total=money_text(sum(every, Decimal())))


def mean(name: str, whole: float, number: int) -> dict[str, Figure]:
    """An average for each of a number of things, under its name; nothing where there are none."""
    return {name: count(whole / number)} if number else {}


def average(amounts: Iterable[Decimal], number: int) -> str | None:
    """What amounts come to for each of a number of things; None where there are none."""
    return money_text((sum(amounts, Decimal()) / number).quantize(_CENT, ROUND_HALF_UP)) if number else None


def money_text(amount: Decimal) -> str:
    """An amount as text with two decimals."""
    return format(amount, ".2f")


def amount(text: str | None) -> Decimal:
    """The amount that a money field holds; zero where it holds none."""
    return Decimal(text or 0)


def changes(now: Mapping[str, Figure], before: Mapping[str, Figure]) -> dict[str, Change]:
    """How far the figures of now are from those of before, by name."""
    return {name: _change(figure, before[name]) for name, figure in now.items() if name in before}


def _change(now: Figure, before: Figure) -> Change:
    totals = now.total is not None and before.total is not None
    return Change(
        count=_less(now.count, before.count),
        points=_less(_points(now.rate), _points(before.rate)),
        total=money_text(amount(now.total) - amount(before.total)) if totals else None,
    )


def _less(now: float | None, before: float | None) -> float | None:
    return round(now - before, 2) if now is not None and before is not None else None


def _points(percent: str | None) -> float | None:
    return float(percent.removesuffix("%")) if percent else None
