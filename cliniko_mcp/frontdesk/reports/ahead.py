"""The report on bookings ahead: how many weeks each practitioner is booked, and the next free first consult with each.

Requests: two for working hours, one a hundred diary entries of the time, and one for each type of first consult.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Literal

from pydantic import Field

from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.cliniko.resources.appointment_types import AppointmentType
from cliniko_mcp.errors import NotUnderstood
from cliniko_mcp.frontdesk import appointment_offers, working_hours
from cliniko_mcp.frontdesk.answer_rows import LocalTime, Percent, Rate, rate
from cliniko_mcp.frontdesk.availability import Slot, free_slots, in_order, next_start
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.reports import figures
from cliniko_mcp.frontdesk.reports.facts import Fact, Facts, Measure
from cliniko_mcp.frontdesk.reports.hours import PractitionerHours
from cliniko_mcp.frontdesk.reports.question import Finding, ReportQuestion
from cliniko_mcp.frontdesk.roster import Known, Roster
from cliniko_mcp.frontdesk.spans import Span
from cliniko_mcp.frontdesk.working_hours import Diary, read_diary
from cliniko_mcp.phrases import When, local_day
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.results.rows import local_text
from cliniko_mcp.sanitize import first_few

NEEDS: Final[tuple[Operation, ...]] = (*working_hours.NEEDS, *appointment_offers.NEEDS)

_FULL: Final = 0.9
"""The share of open hours from which a week counts as booked."""
_DAYS: Final = 7
_HOUR_MINUTES: Final = 60
_FIRST: Final = (
    re.compile(r"\b(?:initial|first|new|intake)\b", re.IGNORECASE),
    re.compile(r"\b(?:assessment|evaluation)\b", re.IGNORECASE),
)
"""What types of first consult are called, the surest words first."""
_MAX_NAMED: Final = 4


class AheadRow(AnswerModel):
    """How far ahead one practitioner is booked."""

    practitioner: str = Field(description="The practitioner's name.")
    weeks_booked: int = Field(
        description="Weeks, one after another from the first, that are booked; see the definition."
    )
    weeks: list[Percent | Literal["away"]] = Field(description="Share of open hours booked, week by week.")
    booked_hours: Rate = Field(description="Booked hours within open hours, of open hours.")
    next_first_consult: LocalTime | None = Field(default=None, description="The next free start for a first consult.")
    days_away: int | None = Field(default=None, description="Days from today to that start.")
    type: str | None = Field(default=None, description="Its appointment type's name.")
    business: str | None = Field(default=None, description="Its site's name.")


@dataclass(frozen=True, slots=True)
class _Ahead:
    """The open time of one practitioner from now on, in minutes by day, and the next free first consult."""

    name: str
    facts: Sequence[Fact]
    weeks: Sequence[float | None]
    """The share of open time that is booked, by week; None for a week without any."""
    offers: bool
    slot: Slot | None
    type_id: str

    @property
    def weeks_booked(self) -> int:
        """The booked weeks before the first that is not; weeks without open time are passed over."""
        booked = 0
        for share in self.weeks:
            if share is not None and share < _FULL:
                break
            booked += share is not None
        return booked

    @property
    def hours(self) -> Rate:
        """Booked hours of open hours."""
        part, whole = sum(fact.part for fact in self.facts), sum(fact.whole for fact in self.facts)
        return rate(part / _HOUR_MINUTES, whole / _HOUR_MINUTES)


async def ahead(question: ReportQuestion) -> Finding:
    """How far ahead everyone who is at work in the time is booked, who is booked longest first.

    Raises NotUnderstood for a time that is over.
    """
    coming = question.at(_still_to_come(question))
    kinds, how = _first_consults(question.roster)
    starts, ends = coming.time.bounds
    diary = await read_diary(question.clinic, question.roster, starts, ends, question.practitioners)
    offering = await run_concurrently(
        *(partial(appointment_offers.practitioners_offering, question.clinic, kind) for kind in kinds)
    )
    offers = dict(zip([kind.id for kind in kinds], offering, strict=True))
    people = sorted({who for who, _ in diary.work})
    found = [one for who in people if (one := _of(coming, diary, who, kinds, offers)) is not None]
    found.sort(key=lambda one: (-one.weeks_booked, -one.hours.count / one.hours.of, one.name))
    facts = Facts(Measure.HOURS, [fact for one in found for fact in one.facts])
    waits = [one.slot.starts for one in found if one.slot]
    return Finding(
        f"From now on. A week is seven days from the first day still to come, and counts as booked where {_FULL:.0%} "
        "or more of the open hours are (working hours and one-off openings less blocked-out time; classes and "
        "appointments count as booked, as in utilisation); weeks booked are those before the first that is not, weeks "
        f"away passed over. First consult: {how}. Its next free start is in the diary, whatever online booking shows. "
        "Booked longest first.",
        {
            "open_hours_booked": facts.figure,
            "practitioners": figures.count(len(found)),
            "weeks_booked_on_average": figures.count(
                sum(one.weeks_booked for one in found) / len(found) if found else 0
            ),
            "with_a_free_first_consult": figures.share(len(waits), sum(one.offers for one in found)),
        },
        [_row(question, one) for one in found],
        facts,
    )


def _still_to_come(question: ReportQuestion) -> Span:
    """The time from the next five minutes on."""
    span, now = question.time, next_start(question.now)
    if span.bounds[1] <= now:
        raise NotUnderstood(
            f"That time is over: {span.description}.",
            "This report looks ahead; utilisation tells how full a time was.",
            examples=["next 8 weeks", "next month", "this quarter"],
        )

    def rest(whens: Mapping[str, When]) -> dict[str, When]:
        return {key: _from(when, now) for key, when in whens.items()}

    return Span(rest(span.places), _from(span.home, now), span.names, rest(span.closed))


def _from(when: When, now: datetime) -> When:
    starts = max(when.start, min(now, when.end)).astimezone(when.start.tzinfo)
    return replace(when, start=starts)


def _first_consults(roster: Roster) -> tuple[list[Known[AppointmentType]], str]:
    """The types that are first consults by their names, and how that was told, in words."""
    own = [kind for kind in roster.types.values() if not kind.gone and not appointment_offers.is_group(kind)]
    for words in _FIRST:
        if found := [kind for kind in own if words.search(kind.name)]:
            names = [roster.name("appointment_type_id", kind.id) for kind in found]
            return found, f"by its name, {first_few(names, _MAX_NAMED)}"
    return [], "no type is named as one; find_times finds the next start of any type"


def _of(
    question: ReportQuestion,
    diary: Diary,
    who: str,
    kinds: Collection[Known[AppointmentType]],
    offers: Mapping[str, Collection[str]],
) -> _Ahead | None:
    """The practitioner's time ahead; None where they are not at work in it."""
    hours = PractitionerHours(question, diary, who)
    facts = list(hours.facts())
    if not facts:
        return None
    slots: list[tuple[Slot, str]] = []
    for kind in kinds:
        if who not in offers[kind.id]:
            continue
        sites = [site.id for site in appointment_offers.sites_offering(question.roster, kind)]
        places = [(who, site) for site in sites if not question.businesses or site in question.businesses]
        length = timedelta(minutes=appointment_offers.minutes_of(kind))
        slots += [(slot, kind.id) for slot in free_slots(diary, question.time, places, length, question.now)[:1]]
    first = in_order(slot for slot, _ in slots)[:1]
    return _Ahead(
        hours.name,
        facts,
        _weeks(question, facts),
        any(who in offers[kind.id] for kind in kinds),
        first[0] if first else None,
        next((type_id for slot, type_id in slots if first and slot is first[0]), ""),
    )


def _weeks(question: ReportQuestion, facts: Sequence[Fact]) -> list[float | None]:
    """The share of open time that is booked, week by week from the first day still to come to the end of the time."""
    home = question.time.home
    first, last = home.start.date(), (home.end - timedelta(minutes=1)).date()
    weeks: list[list[Fact]] = [[] for _ in range((last - first).days // _DAYS + 1)]
    for fact in facts:
        if fact.day is not None:
            weeks[min(max((fact.day - first).days, 0) // _DAYS, len(weeks) - 1)].append(fact)
    return [sum(fact.part for fact in week) / sum(fact.whole for fact in week) if week else None for week in weeks]


def _row(question: ReportQuestion, one: _Ahead) -> AheadRow:
    roster, slot = question.roster, one.slot
    zone = roster.zone(slot.business_id) if slot else roster.home
    return AheadRow(
        practitioner=one.name,
        weeks_booked=one.weeks_booked,
        weeks=["away" if share is None else f"{100 * share:.1f}%" for share in one.weeks],
        booked_hours=one.hours,
        next_first_consult=local_text(slot.starts, zone) if slot else None,
        days_away=(local_day(slot.starts, zone) - local_day(question.now, zone)).days if slot else None,
        type=roster.name("appointment_type_id", one.type_id) if slot else None,
        business=roster.name("business_id", slot.business_id) if slot else None,
    )
