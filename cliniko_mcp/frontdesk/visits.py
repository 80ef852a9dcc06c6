"""Visits: a patient's place in an appointment or a class, with arrival, bill and note, which attendees hold.

The bookings of a span come in one list (a request a hundred), the attendees of its classes in another (a request for
each 95 classes and each further hundred attendees). Nothing is asked visit by visit.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from cliniko_mcp.cliniko.filters import MAX_IDS, FilterValue, From, Given, Hidden, OneOf
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.cliniko.resources.attendees import Attendee, Attendees
from cliniko_mcp.cliniko.resources.bookings import Booking, Bookings
from cliniko_mcp.cliniko.resources.group_appointments import GroupAppointment, GroupAppointments
from cliniko_mcp.cliniko.resources.individual_appointments import IndividualAppointment, IndividualAppointments
from cliniko_mcp.cliniko.resources.patients import Patient
from cliniko_mcp.errors import Ambiguous, JsonValue, NotFound
from cliniko_mcp.frontdesk.answer_rows import VisitRow
from cliniko_mcp.frontdesk.bookings import EVER, Entry, bookings, entry_of
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.find_booking import WhichVisit
from cliniko_mcp.frontdesk.roster import MAX_CANDIDATES, Known, Roster
from cliniko_mcp.frontdesk.spans import Span
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.rows import local_text

NEEDS: Final[tuple[Operation, ...]] = (Bookings.list_bookings, Attendees.list_attendees)
LATER_NEEDS: Final[tuple[Operation, ...]] = (
    IndividualAppointments.list_individual_appointments,
    GroupAppointments.list_group_appointments,
)
"""What `visits_of` reads besides."""

_MOMENT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Visit:
    """One patient's place in one booking. Times are UTC; `arrived` is None until it is marked; `cancelled` and `reason`
    say when and why the place was given up; `billed` and `written` are the status codes of invoice and note."""

    booking_id: str
    starts: datetime
    ends: datetime
    practitioner_id: str
    business_id: str
    type_id: str
    patient_id: str
    group: bool
    arrived: bool | None = None
    cancelled: datetime | None = None
    reason: str = ""
    billed: int | None = None
    written: int | None = None
    attendee_id: str = ""
    case_id: str = ""

    def begun(self, now: datetime) -> bool:
        """Whether it should have begun by now."""
        return self.starts <= now

    def row(self, roster: Roster) -> VisitRow:
        """The visit as a row, in its site's local time, with names; whose it is stands in no row of itself."""
        return VisitRow(
            appointment_id=self.booking_id,
            starts_at=local_text(self.starts, roster.zone(self.business_id)),
            practitioner=roster.name("practitioner_id", self.practitioner_id),
            type=roster.name("appointment_type_id", self.type_id),
            business=roster.name("business_id", self.business_id),
        )


async def visits(
    clinic: GuardedClinic,
    span: Span,
    *,
    practitioners: Collection[str] = (),
    businesses: Collection[str] = (),
    patient: str | None = None,
    cancelled: bool = False,
) -> list[Visit]:
    """The visits that begin in the span by the clock of their site, by start: appointments and places in classes.

    Archived ones never count, cancelled ones only with `cancelled`. No ids mean everyone and everywhere.
    """
    starts, ends = span.bounds
    entries = await bookings(
        clinic,
        starts,
        ends,
        practitioners=practitioners,
        businesses=businesses,
        patient=patient,
        cancelled=cancelled,
        blocks=False,
    )
    inside = {site: list(span.windows(site)) for site in {entry.business_id for entry in entries}}
    kept = [entry for entry in entries if any(low <= entry.starts < high for low, high in inside[entry.business_id])]
    return await with_places(clinic, kept, patient=patient, cancelled=cancelled)


async def visits_since(
    clinic: GuardedClinic, starts: datetime, until: datetime = EVER, *, cancelled: bool = False
) -> list[Visit]:
    """Every visit of the clinic that begins from this moment on and before `until`, by start."""
    entries = await entries_since(clinic, starts, until, cancelled=cancelled)
    kept = [entry for entry in entries if entry.starts >= starts]
    return await with_places(clinic, kept, cancelled=cancelled)


async def entries_since(clinic: GuardedClinic, starts: datetime, until: datetime, *, cancelled: bool) -> list[Entry]:
    """The appointments and classes of the clinic that are on at some time from this moment on and before `until`."""
    return await bookings(clinic, starts - _MOMENT, until, cancelled=cancelled, blocks=False)


async def visits_of(clinic: GuardedClinic, patients: Collection[str], starts: datetime) -> list[Visit]:
    """The live visits of these patients from this moment on, however far ahead, by start.

    A request a hundred appointments of each 95 patients, one a hundred classes of anyone from then on, and what
    `with_places` takes for those that the patients are in.
    """
    who = frozenset(patients) - {""}
    if not who:
        return []
    since: Mapping[str, FilterValue] = {"starts_at": From(starts), "appointment_type_id": Given.YES}
    own = IndividualAppointments.list_individual_appointments
    batches = [partial(clinic.collect, own, patient_id=OneOf(batch), **since) for batch in _batches(sorted(who))]

    async def of_groups() -> Sequence[GroupAppointment]:
        return await clinic.collect(GroupAppointments.list_group_appointments, **since)

    groups, own_rows = await run_concurrently(of_groups, partial(run_concurrently, *batches))
    rows: list[IndividualAppointment | GroupAppointment] = [row for batch in own_rows for row in batch]
    rows += [row for row in groups if row.patient_ids is None or not who.isdisjoint(row.patient_ids)]
    # A booking is the same record as the appointment or the class (cliniko-api.md#calendar).
    entries = [entry_of(Booking.model_validate(row, from_attributes=True)) for row in rows]
    found = await with_places(clinic, [entry for entry in entries if entry is not None])
    return [visit for visit in found if visit.patient_id in who]


async def with_places(
    clinic: GuardedClinic, entries: Sequence[Entry], *, patient: str | None = None, cancelled: bool = False
) -> list[Visit]:
    """These appointments as they are, and each class as the places that its attendees hold."""
    classes = {entry.id: empty(entry) for entry in entries if entry.kind == "group"}
    found = appointments_of(entries)
    who: dict[str, FilterValue] = {"patient_id": patient} if patient else {}
    if cancelled:
        who["cancelled_at"] = Hidden.INCLUDED
    batches = _batches(list(classes))
    for attendees in await run_concurrently(*(partial(_attendees, clinic, batch, who) for batch in batches)):
        found += [_place(classes[row.booking_id], row) for row in attendees if row.booking_id in classes]
    return sorted(found, key=lambda visit: (visit.starts, visit.booking_id, visit.patient_id))


def _batches(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[begin : begin + MAX_IDS] for begin in range(0, len(ids), MAX_IDS)]


def appointments_of(entries: Iterable[Entry]) -> list[Visit]:
    """The appointments of one patient each among these, as they are; no request."""
    return [_of_appointment(entry) for entry in entries if entry.kind == "appointment" and entry.patient_ids]


def places_in(entries: Iterable[Entry], attendees: Iterable[Attendee]) -> list[Visit]:
    """The places that these attendees hold in these bookings; no request."""
    found = {entry.id: empty(entry) for entry in entries}
    return [_place(found[row.booking_id], row) for row in attendees if row.booking_id in found]


def of_patient(entries: Iterable[Entry], attendees: Iterable[Attendee]) -> list[Visit]:
    """One patient's visits, by start, from their bookings and attendees; what has no attendee stands by itself."""
    # Who gave a place up and took one again has two attendees there: the live one counts.
    ordered = sorted(attendees, key=lambda attendee: attendee.cancelled_at is None)
    mine = {attendee.booking_id: attendee for attendee in ordered}
    found: list[Visit] = []
    for entry in entries:
        attendee = mine.get(entry.id)
        if attendee is not None:
            found.append(_place(empty(entry), attendee))
        elif entry.kind == "appointment" and entry.patient_ids:
            found.append(_of_appointment(entry))
    return sorted(found, key=lambda visit: (visit.starts, visit.booking_id))


async def _attendees(
    clinic: GuardedClinic, booking_ids: Sequence[str], who: Mapping[str, FilterValue]
) -> list[Attendee]:
    return await clinic.collect(Attendees.list_attendees, booking_id=OneOf(booking_ids), **who)


def _of_appointment(entry: Entry) -> Visit:
    arrived = True if entry.record.patient_arrived is True else None
    if entry.record.did_not_arrive is True:
        arrived = False
    return replace(_held(empty(entry), entry.record), patient_id=entry.patient_ids[0], arrived=arrived)


def _place(visit: Visit, attendee: Attendee) -> Visit:
    return replace(
        _held(visit, attendee),
        patient_id=attendee.patient_id,
        arrived=attendee.arrived,
        attendee_id=attendee.id,
    )


def empty(entry: Entry) -> Visit:
    """A booking as a visit of nobody."""
    return Visit(
        booking_id=entry.id,
        starts=entry.starts,
        ends=entry.ends,
        practitioner_id=entry.practitioner_id,
        business_id=entry.business_id,
        type_id=entry.type_id,
        patient_id="",
        group=entry.kind == "group",
    )


def _held(visit: Visit, holder: Booking | Attendee) -> Visit:
    """The visit with the fields that an appointment and an attendee have in common."""
    return replace(
        visit,
        cancelled=holder.cancelled_at.astimezone(UTC) if holder.cancelled_at else None,
        reason=holder.cancellation_reason_description or "",
        billed=holder.invoice_status,
        written=holder.treatment_note_status,
        case_id=holder.patient_case_id or "",
    )


async def visit_of(clinic: GuardedClinic, which: WhichVisit) -> Visit:
    """The place of the patient in the booking that is meant, with its attendee as it stands now: one request.

    Raises NotFound where the place is cancelled or there is none, and Ambiguous for a class where nobody is named.
    """
    places = await places_of(clinic, empty(which.entry))
    if which.attendee_id:
        places = [place for place in places if place.attendee_id == which.attendee_id]
    visit = _whose(which.entry, places, which.patient)
    if visit.cancelled is not None:
        who = which.patient.name if which.patient else "That place"
        raise NotFound(
            f"{who} is cancelled in the appointment {which.entry.id}.",
            "Nothing can be done with a cancelled place; show_diary lists who is booked in.",
        )
    return visit


async def places_of(clinic: GuardedClinic, visit: Visit) -> list[Visit]:
    """The places in a visit's booking as its attendees stand now, cancelled ones too: one request."""
    return [
        _place(visit, row) for row in await _attendees(clinic, [visit.booking_id], {"cancelled_at": Hidden.INCLUDED})
    ]


def _whose(entry: Entry, places: Sequence[Visit], patient: Known[Patient] | None) -> Visit:
    mine = [place for place in places if patient is None or place.patient_id == patient.id]
    live = [place for place in mine if place.cancelled is None] or mine
    if len(live) == 1:
        return live[0]
    if not live:
        who = patient.name if patient else "Anyone"
        raise NotFound(
            f"{who} has no place in the appointment {entry.id}.", "show_diary lists who is booked in, with ids."
        )
    candidates: list[JsonValue] = [
        {"patient_id": place.patient_id, "attendee_id": place.attendee_id} for place in live[:MAX_CANDIDATES]
    ]
    raise Ambiguous(
        f"{len(live)} patients hold a place in that class.",
        "Say whose is meant: give the patient as well, or the attendee's id.",
        candidates=candidates,
    )
