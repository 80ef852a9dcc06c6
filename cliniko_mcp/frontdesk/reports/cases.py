"""The report on open cases: sessions used, booked and left, and what runs out soon.

Requests: one a hundred open cases; for each 95 of them one a hundred visits that count towards them, and one each 95
of those visits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from pydantic import Field

from cliniko_mcp.cliniko.filters import MAX_IDS, Hidden, OneOf
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.cliniko.resources.attendees import Attendee, Attendees
from cliniko_mcp.cliniko.resources.bookings import Booking, Bookings
from cliniko_mcp.cliniko.resources.patient_cases import PatientCase, PatientCases
from cliniko_mcp.frontdesk.answer_rows import Date
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.reports import figures
from cliniko_mcp.frontdesk.reports.figures import Findable
from cliniko_mcp.frontdesk.reports.question import Finding, ReportQuestion
from cliniko_mcp.frontdesk.roster import name_text

NEEDS: Final[tuple[Operation, ...]] = (
    PatientCases.list_active_patient_cases,
    Attendees.list_attendees,
    Bookings.list_bookings,
)

_FEW: Final = 2
_SOON: Final = timedelta(days=30)
_NO_LIMIT: Final = 10**6


class OpenCaseRow(Findable):
    """An open case."""

    case_id: str = Field(description="The case's id.")
    case: str = Field(description="The case's name.")
    max_sessions: int | None = Field(default=None, description="Sessions that it allows, where it has a limit.")
    used: int = Field(description="Visits so far that count.")
    booked: int = Field(description="Visits to come that count.")
    left: int | None = Field(default=None, description="Sessions neither used nor booked; below 0 where it is over.")
    expiry_date: Date | None = Field(default=None, description="Its last day.")
    days_left: int | None = Field(default=None, description="Days until then.")


@dataclass(frozen=True, slots=True)
class _Open:
    """An open case with the visits that count towards it: those begun, and those to come."""

    case: PatientCase
    used: int
    booked: int

    @property
    def left(self) -> int | None:
        most = self.case.max_sessions
        return None if most is None else most - self.used - self.booked


async def cases(question: ReportQuestion) -> Finding:
    """Open cases, those that run out first before the others."""
    listed = await question.clinic.collect(PatientCases.list_active_patient_cases)
    inside = [
        case
        for case in listed
        if question.span is None or (case.expiry_date is not None and question.holds_day(case.expiry_date))
    ]
    counting = await _counting(question, inside)
    starts = await question.clinic.by_id(
        Bookings.list_bookings, sorted({place.booking_id for places in counting.values() for place in places})
    )
    found = [_open(question, case, counting[case.id], starts) for case in inside]
    if question.practitioner or question.business:
        found = [one for one in found if _theirs(question, counting[one.case.id], starts)]
    found.sort(key=lambda one: (_left(one), str(one.case.expiry_date or "9999"), one.case.id))
    limited = [one for one in found if one.left is not None]
    soon = [one for one in found if one.case.expiry_date and one.case.expiry_date - question.today <= _SOON]
    return Finding(
        "Open is a case that is neither closed nor expired nor archived; with a time, those whose last day is in it. "
        "Used are its visits that have begun, booked those to come: not cancelled and no no-shows, unless the case "
        "itself counts them. Left is its limit less both. With a practitioner or site, cases with a visit there.",
        {
            "open_cases": figures.count(len(found)),
            "with_a_session_limit": figures.share(len(limited), len(found)),
            "without_a_session_left": figures.share(_within(limited, None, 0), len(limited)),
            "with_one_or_two_sessions_left": figures.share(_within(limited, 1, _FEW), len(limited)),
            "over_their_limit": figures.share(_within(limited, None, -1), len(limited)),
            "expiring_within_30_days": figures.share(len(soon), len(found)),
        },
        [_row(question, one) for one in found],
    )


async def _counting(question: ReportQuestion, found: Sequence[PatientCase]) -> dict[str, list[Attendee]]:
    """The places that count towards each of these cases by its own rule, by the case's id."""
    ids = [case.id for case in found]
    batches = [ids[begin : begin + MAX_IDS] for begin in range(0, len(ids), MAX_IDS)]
    listing = partial(question.clinic.collect, Attendees.list_attendees, cancelled_at=Hidden.INCLUDED)
    read = await run_concurrently(*(partial(listing, patient_case_id=OneOf(batch)) for batch in batches))
    places = {place.id: place for some in read for place in some}
    named = {place_id for case in found for place_id in case.attendee_ids or ()} - places.keys()
    linked = {**places, **await question.clinic.by_id(Attendees.list_attendees, sorted(named))}
    of_case: dict[str, list[Attendee]] = {case.id: [] for case in found}
    for place in places.values():
        of_case.setdefault(place.patient_case_id or "", []).append(place)
    return {
        case.id: [
            place
            for place in {
                **{place.id: place for place in of_case[case.id]},
                **{place_id: linked[place_id] for place_id in case.attendee_ids or () if place_id in linked},
            }.values()
            if _counts(case, place)
        ]
        for case in found
    }


def _counts(case: PatientCase, place: Attendee) -> bool:
    return (
        place.archived_at is None
        and (place.cancelled_at is None or bool(case.include_cancelled_attendees))
        and (place.arrived is not False or bool(case.include_dna_attendees))
    )


def _open(
    question: ReportQuestion, case: PatientCase, places: Sequence[Attendee], starts: Mapping[str, Booking]
) -> _Open:
    bookings = [starts.get(place.booking_id) for place in places]
    ahead = sum(
        booking is not None and booking.starts_at is not None and booking.starts_at > question.now
        for booking in bookings
    )
    return _Open(case, len(places) - ahead, ahead)


def _theirs(question: ReportQuestion, places: Sequence[Attendee], starts: Mapping[str, Booking]) -> bool:
    """Whether any of these visits is with the practitioner and at the site asked about."""
    found = [booking for place in places if (booking := starts.get(place.booking_id)) is not None]
    return any(
        (not question.practitioners or booking.practitioner_id in question.practitioners)
        and (not question.businesses or booking.business_id in question.businesses)
        for booking in found
    )


def _left(one: _Open) -> int:
    return _NO_LIMIT if one.left is None else one.left


def _within(found: Sequence[_Open], least: int | None, most: int) -> int:
    return sum((least is None or _left(one) >= least) and _left(one) <= most for one in found)


def _row(question: ReportQuestion, one: _Open) -> OpenCaseRow:
    expiry = one.case.expiry_date
    return OpenCaseRow(
        patient_id=one.case.patient_id or None,
        case_id=one.case.id,
        case=name_text(one.case.name) or one.case.id,
        max_sessions=one.case.max_sessions,
        used=one.used,
        booked=one.booked,
        left=one.left,
        expiry_date=expiry.isoformat() if expiry else None,
        days_left=(expiry - question.today).days if expiry else None,
    )
