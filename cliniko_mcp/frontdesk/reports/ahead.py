"""The report on what lies ahead: how many weeks each practitioner is booked, and their next free first consult.

Requests: those of the diary of the time, and one for each type of first consult.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Final

from pydantic import Field

from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.cliniko.resources.appointment_types import AppointmentType
from cliniko_mcp.errors import NotUnderstood
from cliniko_mcp.frontdesk import appointment_offers
from cliniko_mcp.frontdesk.answer_rows import LocalTime
from cliniko_mcp.frontdesk.appointment_offers import is_group, minutes_of, practitioners_offering, sites_offering
from cliniko_mcp.frontdesk.availability import Slot, free_slots
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.matching import words
from cliniko_mcp.frontdesk.reports import figures, hours
from cliniko_mcp.frontdesk.reports.facts import Facts, Measure
from cliniko_mcp.frontdesk.reports.hours import Hours
from cliniko_mcp.frontdesk.reports.question import Finding, ReportQuestion
from cliniko_mcp.frontdesk.roster import Known
from cliniko_mcp.frontdesk.working_hours import Diary, read_diary
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.results.rows import local_text

NEEDS: Final[tuple[Operation, ...]] = (*hours.NEEDS, *appointment_offers.NEEDS)

_WEEK: Final = timedelta(days=7)
_FIRST: Final = frozenset(("initial", "first", "new"))
"""Words in the name of a type for a first visit."""


class AheadRow(AnswerModel):
    """How far ahead one practitioner is booked."""

    practitioner: str = Field(description="The practitioner's name.")
    weeks_booked: float | None = Field(default=None, description="Weeks of their open hours that are booked.")
    booked_hours: float = Field(description="Booked hours within open hours, from now on.")
    open_hours_a_week: float = Field(description="Open hours a week on average, from now on.")
    next_first_consult: LocalTime | None = Field(default=None, description="The earliest free start, if any.")
    type: str | None = Field(default=None, description="Its type.")
    business: str | None = Field(default=None, description="Its site.")


async def ahead(question: ReportQuestion) -> Finding:
    """How many weeks each practitioner is booked, the most first, with the next free first consult."""
    starts, ends = question.time.bounds
    since = max(starts, question.now.replace(second=0, microsecond=0))
    if ends <= since:
        raise NotUnderstood(
            f"That is over, and this looks ahead: {question.time.description}.",
            "Name a time that is still to come.",
            examples=["next 12 weeks", "next month", "this week"],
        )
    first = [
        kind
        for kind in question.roster.types.values()
        if not kind.gone and not is_group(kind) and _FIRST.intersection(words(kind.name))
    ]
    diary, offering = await _read(question, first)
    weeks = (ends - since) / _WEEK
    found = [Hours(question, diary, who, since) for who in sorted({who for who, _ in diary.work})]
    kept = [one for one in found if one.open or one.booked]
    slots = _next_slots(question, diary, first, offering)
    rows = [_row(question, one, weeks, slots.get(one.who)) for one in kept]
    rows.sort(key=lambda row: (-(row.weeks_booked or 0), row.practitioner))
    facts = Facts(Measure.HOURS, [fact for one in kept for fact in one.facts()])
    names = ", ".join(kind.name for kind in first)
    return Finding(
        "Hours are those of utilisation, from now to the end of that time. Weeks booked is booked hours within open "
        "hours over open hours a week: how many full weeks they would fill. A first consult is a type whose name says "
        f"initial, first or new ({names or 'there is none'}); its next start is free in the diary, whether it can be "
        "booked online or not.",
        {
            "booked_hours_within_open_hours": facts.figure,
            "practitioners": figures.count(len(kept)),
            "with_a_first_consult_free": figures.share(sum(one.who in slots for one in kept), len(kept)),
        },
        rows,
        facts,
    )


async def _read(
    question: ReportQuestion, first: Sequence[Known[AppointmentType]]
) -> tuple[Diary, Mapping[str, frozenset[str]]]:
    """The diary of the time, and who offers each of these types, by the type's id."""
    starts, ends = question.time.bounds
    diary, offering = await run_concurrently(
        partial(read_diary, question.clinic, question.roster, starts, ends, question.practitioners),
        lambda: run_concurrently(*(partial(practitioners_offering, question.clinic, kind) for kind in first)),
    )
    return diary, {kind.id: people for kind, people in zip(first, offering, strict=True)}


def _next_slots(
    question: ReportQuestion,
    diary: Diary,
    first: Sequence[Known[AppointmentType]],
    offering: Mapping[str, frozenset[str]],
) -> dict[str, tuple[Slot, str]]:
    """The earliest free start of a first consult with each practitioner who offers one, and its type's id."""
    found: dict[str, tuple[Slot, str]] = {}
    for kind in first:
        sites = [site.id for site in sites_offering(question.roster, kind)]
        sites = [site for site in sites if not question.businesses or site in question.businesses]
        places = [(who, site) for who in sorted(offering[kind.id]) for site in sites]
        length = timedelta(minutes=minutes_of(kind))
        for slot in free_slots(diary, question.time, places, length, question.now):
            who = slot.practitioner_id
            if who not in found or slot.starts < found[who][0].starts:
                found[who] = slot, kind.id
    return found


def _row(question: ReportQuestion, one: Hours, weeks: float, slot: tuple[Slot, str] | None) -> AheadRow:
    roster = question.roster
    a_week = one.open / weeks if weeks > 0 else timedelta()
    free, kind = slot or (None, "")
    return AheadRow(
        practitioner=one.name,
        weeks_booked=round(one.inside / a_week, 1) if a_week else None,
        booked_hours=hours.in_hours(one.inside),
        open_hours_a_week=hours.in_hours(a_week),
        next_first_consult=local_text(free.starts, roster.zone(free.business_id)) if free else None,
        type=roster.name("appointment_type_id", kind) or None,
        business=roster.name("business_id", free.business_id) if free else None,
    )
