"""Reports on what was done in a time, whenever the visits are: bookings made, and cancellations made.

Requests: for bookings one a hundred made in the time; for cancellations the same, one a hundred places given up, and
what `visits_of` takes for the next visit of each patient who cancelled.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Final, Literal

from pydantic import Field

from cliniko_mcp.cliniko.filters import Between, FilterValue, Given, Hidden
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.cliniko.resources.attendees import Attendees
from cliniko_mcp.cliniko.resources.bookings import Bookings
from cliniko_mcp.frontdesk import visits
from cliniko_mcp.frontdesk.answer_rows import LocalTime
from cliniko_mcp.frontdesk.bookings import Entry, entry_of
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.reports import attendance, figures
from cliniko_mcp.frontdesk.reports.attendance import Attendance, visit_row
from cliniko_mcp.frontdesk.reports.facts import Fact, Facts, Measure, parts
from cliniko_mcp.frontdesk.reports.figures import ReportVisitRow
from cliniko_mcp.frontdesk.reports.question import Finding, ReportQuestion
from cliniko_mcp.frontdesk.visits import Visit, appointments_of, places_in
from cliniko_mcp.results.rows import local_text

NEEDS: Final[tuple[Operation, ...]] = visits.NEEDS
CANCELLATIONS_NEEDS: Final[tuple[Operation, ...]] = attendance.NEEDS

Channel = Literal["website", "desk"]
_DAY_SECONDS: Final = 86_400


class BookingMadeRow(ReportVisitRow):
    """A booking that was made."""

    made_at: LocalTime = Field(description="When it was made.")
    made_on: Channel = Field(description="Where, as its address tells.")
    cancelled: bool | None = Field(default=None, description="True where it was cancelled since.")


async def bookings_made(question: ReportQuestion) -> Finding:
    """Appointments and classes that were made in the time, the latest first."""
    found = [
        (entry, made)
        for entry in await _entries(question, "created_at")
        if (made := entry.record.created_at) is not None and question.holds_moment(made, entry.business_id)
    ]
    found.sort(key=lambda one: (one[1], one[0].id), reverse=True)
    facts = Facts(Measure.COUNT, [_fact(question, entry, made) for entry, made in found])
    channels: dict[str, list[Fact]] = {"website": [], "desk": []}
    for (entry, _), fact in zip(found, facts.found, strict=True):
        channels[_channel(entry)].append(fact)
    ahead = [(entry.starts - made).total_seconds() / _DAY_SECONDS for entry, made in found]
    return Finding(
        "Appointments and classes that were made in that time, whenever they take place, cancelled ones too; a class "
        "counts once, and archived ones are left out. Website or desk is inferred: bookings with an internet address "
        "were made on the website. Groupings by day and hour are those at which bookings were made.",
        {
            "bookings_made": facts.figure,
            "made_on_the_website": figures.share(len(channels["website"]), len(found)),
            "appointments_made": figures.share(sum(entry.kind == "appointment" for entry, _ in found), len(found)),
            "classes_made": figures.share(sum(entry.kind == "group" for entry, _ in found), len(found)),
            "cancelled_since": figures.share(sum(entry.cancelled for entry, _ in found), len(found)),
            **figures.mean("days_ahead_on_average", sum(ahead), len(ahead)),
        },
        [_made(question, entry, made) for entry, made in found],
        facts,
        by={"made_on": parts(channels, facts)},
    )


async def _entries(question: ReportQuestion, stamp: str) -> list[Entry]:
    """The appointments and classes of whom and where, cancelled ones too, whose stamp lies about in the time."""
    low, high = question.time.bounds
    filters: dict[str, FilterValue] = {
        "cancelled_at": Hidden.INCLUDED,
        "appointment_type_id": Given.YES,
        stamp: Between(low, high),
    }
    if question.practitioner:
        filters["practitioner_id"] = question.practitioner.id
    if question.business:
        filters["business_id"] = question.business.id
    found = map(entry_of, await question.clinic.collect(Bookings.list_bookings, **filters))
    return [entry for entry in found if entry is not None]


def _channel(entry: Entry) -> Channel:
    return "website" if (entry.record.booking_ip_address or "").strip() else "desk"


def _fact(question: ReportQuestion, entry: Entry, made: datetime) -> Fact:
    return question.fact(visits.empty(entry), at=made)


def _made(question: ReportQuestion, entry: Entry, made: datetime) -> BookingMadeRow:
    row = visit_row(question, visits.empty(entry))
    patient = entry.patient_ids[0] if entry.kind == "appointment" and entry.patient_ids else None
    more = {
        "patient_id": patient,
        "made_at": local_text(made, question.roster.zone(entry.business_id)),
        "made_on": _channel(entry),
        "cancelled": True if entry.cancelled else None,
    }
    return BookingMadeRow.model_validate({**dict(row), **more})


async def cancellations_made(question: ReportQuestion) -> Finding:
    """Visits that were cancelled in the time, whenever they were to be, the latest cancelling first."""
    cancelled = [
        visit
        for visit in await _given_up(question)
        if visit.cancelled is not None
        and question.holds_moment(visit.cancelled, visit.business_id)
        and question.keeps(visit)
    ]
    cancelled.sort(key=lambda visit: (visit.cancelled or visit.starts, visit.booking_id, visit.patient_id))
    since = min((visit.starts for visit in cancelled), default=None)
    patients = {visit.patient_id for visit in cancelled}
    found = Attendance(question, await question.visits_of(patients, since) if since is not None else [], cancelled)
    facts = Facts(Measure.COUNT, [question.fact(visit, at=visit.cancelled) for visit in cancelled])
    return Finding(
        "Appointments, and places in classes, that were cancelled in that time, whenever they were to take place; "
        "archived ones are not counted. Late is less than 24 hours before the start or after it. Lost is a cancelled "
        "visit after which the patient has no other. Groupings by day and hour are those of the cancelling.",
        {
            "cancellations_made": facts.figure,
            "cancelled_late": figures.share(len(found.late), len(cancelled)),
            **attendance.after_cancelling(found),
        },
        [attendance.cancelled_row(found, visit) for visit in reversed(cancelled)],
        facts,
        by=attendance.why_and_when(found),
    )


async def _given_up(question: ReportQuestion) -> Sequence[Visit]:
    """The appointments, and the places in classes, that were cancelled about the time."""
    low, high = question.time.bounds
    clinic = question.clinic
    entries, places = await run_concurrently(
        partial(_entries, question, "cancelled_at"),
        partial(clinic.collect, Attendees.list_attendees, cancelled_at=Between(low, high)),
    )
    known = {entry.id for entry in entries}
    others = await clinic.by_id(Bookings.list_bookings, sorted({row.booking_id for row in places} - known))
    classes = [
        entry
        for record in others.values()
        if (entry := entry_of(record)) is not None and entry.kind == "group" and record.archived_at is None
    ]
    return [*appointments_of(entries), *places_in(classes, places)]
