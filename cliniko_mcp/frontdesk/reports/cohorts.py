"""How soon new patients came back, by the month of their first visit: a cohort a month."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from pydantic import Field

from cliniko_mcp.frontdesk.reports import figures
from cliniko_mcp.frontdesk.reports.figures import Figure
from cliniko_mcp.results.models import AnswerModel

WITHIN: Final = (14, 30, 60, 90, 180)
"""Days after the first visit by which patients are looked for again."""


class Cohort(AnswerModel):
    """The patients whose first visit was in one month, and how many of them came back how soon."""

    name: str = Field(description="The month of the first visit.")
    new_patients: int = Field(description="Patients whose first visit was then.")
    came_back: dict[str, Figure] = Field(
        description="By number of days who came back within them, as far as these have passed for all."
    )


@dataclass(frozen=True, slots=True)
class FirstDays:
    """The local day of a patient's first kept visit, and of the next one on a later day; None where there is none."""

    first: date
    again: date | None


def first_days(days: Iterable[date]) -> FirstDays:
    """The first of the days on which a patient came, in the order of the visits, and the next later one."""
    first, *others = days
    return FirstDays(first, min((day for day in others if day > first), default=None))


def cohorts(people: Iterable[FirstDays], today: date) -> list[Cohort]:
    """A cohort for each month in which somebody came first, the earliest first."""
    months: dict[str, list[FirstDays]] = {}
    for person in people:
        months.setdefault(f"{person.first:%Y-%m}", []).append(person)
    return [
        Cohort(name=name, new_patients=len(some), came_back=_came_back(some, today))
        for name, some in sorted(months.items())
    ]


def _came_back(some: Sequence[FirstDays], today: date) -> dict[str, Figure]:
    """The shares by number of days, without those for which it is too early for one of them."""
    found: dict[str, Figure] = {}
    latest = max(person.first for person in some)
    for within in (timedelta(days=number) for number in WITHIN):
        if today - latest >= within:
            back = sum(person.again is not None and person.again - person.first <= within for person in some)
            found[str(within.days)] = figures.share(back, len(some))
    return found
