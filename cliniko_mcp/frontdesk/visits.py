"""Visits: a patient's place in an appointment or a class, with arrival, bill and note, which attendees hold.

The bookings of a span come in one list (a request a hundred), the attendees of its classes in another (a request for
each 95 classes and each further hundred attendees). Nothing is asked visit by visit.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.errors import Ambiguous, JsonValue, NotFound
from cliniko_mcp.frontdesk.bookings import EVER, MOST_IDS, Entry, bookings, entry_of
from cliniko_mcp.frontdesk.concurrency import gathered, together
from cliniko_mcp.frontdesk.people import MOST_CANDIDATES, Known, Roster
from cliniko_mcp.frontdesk.spans import Span
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.rows import local_text

NEEDS: Final = ("list_bookings", "list_attendees")

_MOMENT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Visit:
    """One patient's place in one booking. Times are UTC; `arrived` is None while nobody has said; `cancelled` and
    `reason` tell when and why the place was given up; `billed` and `written` are the codes of invoice and note."""

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

    def row(self, roster: Roster) -> dict[str, JsonValue]:
        """The visit in its site's local time, with names."""
        row: dict[str, JsonValue] = {
            "appointment_id": self.booking_id,
            "starts_at": local_text(self.starts, roster.zone(self.business_id)),
            "practitioner": roster.name("practitioner_id", self.practitioner_id),
            "type": roster.name("appointment_type_id", self.type_id),
            "business": roster.name("business_id", self.business_id),
        }
        return row


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
        clinic, starts, ends, practitioners=practitioners, businesses=businesses, patient=patient, cancelled=cancelled
    )
    inside = {site: list(span.windows(site)) for site in {each.business_id for each in entries}}
    kept = [
        each
        for each in entries
        if each.kind != "block" and any(low <= each.starts < high for low, high in inside[each.business_id])
    ]
    return await with_places(clinic, kept, patient=patient, cancelled=cancelled)


async def visits_since(clinic: GuardedClinic, starts: datetime, *, cancelled: bool = False) -> list[Visit]:
    """Every visit of the clinic from this moment on, however far ahead."""
    entries = await bookings(clinic, starts - _MOMENT, EVER, cancelled=cancelled)
    kept = [each for each in entries if each.kind != "block" and each.starts >= starts]
    return await with_places(clinic, kept, cancelled=cancelled)


async def with_places(
    clinic: GuardedClinic, entries: Sequence[Entry], *, patient: str | None = None, cancelled: bool = False
) -> list[Visit]:
    """These appointments as they are, and each class as the places that its attendees hold."""
    classes = {each.id: _empty(each) for each in entries if each.kind == "group"}
    found = [_of_appointment(each) for each in entries if each.kind == "appointment" and each.patient_ids]
    who: dict[str, object] = {"patient_id": patient} if patient else {}
    if cancelled:
        who["cancelled_at"] = "all"
    ids = list(classes)
    batches = [",".join(ids[begin : begin + MOST_IDS]) for begin in range(0, len(ids), MOST_IDS)]
    for rows in await together([partial(_attendees, clinic, batch, who) for batch in batches]):
        found += [
            _seated(classes[booking], row)
            for row in rows
            if (booking := str(getattr(row, "booking_id", ""))) in classes
        ]
    return sorted(found, key=lambda each: (each.starts, each.booking_id, each.patient_id))


def of_patient(entries: Iterable[Entry], attendees: Iterable[Record]) -> list[Visit]:
    """One patient's visits, by start, from their bookings and attendees; what has no attendee stands by itself."""
    # Who gave a place up and took one again has two attendees there: the live one counts.
    ordered = sorted(attendees, key=lambda each: getattr(each, "cancelled_at", None) is None)
    mine = {str(getattr(each, "booking_id", "")): each for each in ordered}
    found: list[Visit] = []
    for entry in entries:
        attendee = mine.get(entry.id)
        if attendee is not None:
            found.append(_seated(_empty(entry), attendee))
        elif entry.kind == "appointment" and entry.patient_ids:
            found.append(_of_appointment(entry))
    return sorted(found, key=lambda each: (each.starts, each.booking_id))


async def _attendees(clinic: GuardedClinic, booking_ids: str, who: dict[str, object]) -> list[Record]:
    return await gathered(clinic.all_named("list_attendees", booking_id=booking_ids, **who))


def _of_appointment(entry: Entry) -> Visit:
    record = entry.record
    arrived = True if getattr(record, "patient_arrived", None) is True else None
    if getattr(record, "did_not_arrive", None) is True:
        arrived = False
    return replace(_held(_empty(entry), record), patient_id=entry.patient_ids[0], arrived=arrived)


def _seated(visit: Visit, attendee: Record) -> Visit:
    arrived = getattr(attendee, "arrived", None)
    return replace(
        _held(visit, attendee),
        patient_id=str(getattr(attendee, "patient_id", "")),
        arrived=arrived if isinstance(arrived, bool) else None,
        attendee_id=str(getattr(attendee, "id", "")),
    )


def _empty(entry: Entry) -> Visit:
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


def _held(visit: Visit, holder: Record) -> Visit:
    """The place with what an appointment, or an attendee, says of it."""
    cancelled = getattr(holder, "cancelled_at", None)
    billed, written = getattr(holder, "invoice_status", None), getattr(holder, "treatment_note_status", None)
    case = getattr(holder, "patient_case_id", None)
    return replace(
        visit,
        cancelled=cancelled.astimezone(UTC) if isinstance(cancelled, datetime) and cancelled.tzinfo else None,
        reason=str(getattr(holder, "cancellation_reason_description", None) or ""),
        billed=billed if isinstance(billed, int) else None,
        written=written if isinstance(written, int) else None,
        case_id=case if isinstance(case, str) else "",
    )


async def visit_by_id(clinic: GuardedClinic, said: str, patient: Known | None) -> Visit:
    """The visit of an appointment's or an attendee's id; in a class `patient` says whose place is meant.

    Two to four requests. Raises NotFound, and Ambiguous with the patients of a class where none of them is named.
    """
    record = (await clinic.by_id_named("list_bookings", [said])).get(said)
    holder = None
    if record is None:
        holder = (await clinic.by_id_named("list_attendees", [said])).get(said)
        booking = str(getattr(holder, "booking_id", ""))
        record = (await clinic.by_id_named("list_bookings", [booking])).get(booking) if holder is not None else None
    entry = entry_of(record) if record is not None else None
    if entry is None or entry.kind == "block":
        raise NotFound(f"There is no appointment with the id {said}.", "show_diary lists appointments with their ids.")
    if getattr(entry.record, "archived_at", None) is not None:
        raise NotFound(f"The appointment {said} is archived.", "Take one that is in the diary; show_diary lists them.")
    places = await places_of(clinic, _empty(entry))
    if holder is not None:
        places = [each for each in places if each.attendee_id == said]
    return _whose(entry, places, patient)


async def places_of(clinic: GuardedClinic, visit: Visit) -> list[Visit]:
    """The places in a visit's booking as its attendees stand now, cancelled ones too: one request."""
    return [_seated(visit, row) for row in await _attendees(clinic, visit.booking_id, {"cancelled_at": "all"})]


def _whose(entry: Entry, places: Sequence[Visit], patient: Known | None) -> Visit:
    mine = [each for each in places if patient is None or each.patient_id == patient.id]
    live = [each for each in mine if each.cancelled is None] or mine
    if len(live) == 1:
        return live[0]
    if not live:
        who = patient.name if patient else "Anyone"
        raise NotFound(
            f"{who} has no place in the appointment {entry.id}.", "show_diary lists who is booked in, with ids."
        )
    candidates: list[JsonValue] = [
        {"patient_id": each.patient_id, "attendee_id": each.attendee_id} for each in live[:MOST_CANDIDATES]
    ]
    raise Ambiguous(
        f"{len(live)} patients hold a place in that class.",
        "Say whose is meant: give the patient as well, or the attendee's id.",
        candidates=candidates,
    )


def one_of(found: Iterable[Visit], roster: Roster, said: str, whose: str) -> Visit:
    """The only live visit among these. Raises NotFound and Ambiguous, with candidates; cancelled ones are named."""
    every = list(found)
    live = [each for each in every if each.cancelled is None]
    if len(live) == 1:
        return live[0]
    shown = [candidate(each, roster) for each in (live or every)[:MOST_CANDIDATES]]
    if live:
        raise Ambiguous(
            f"{whose} has {len(live)} appointments: {said}.",
            "Ask which one is meant, then call again with appointment: its id.",
            candidates=shown,
        )
    if every:
        raise NotFound(
            f"{whose} has only cancelled appointments: {said}.",
            "Nothing can be done with a cancelled appointment; book a new one, or say another time.",
            candidates=shown,
        )
    raise NotFound(
        f"{whose} has no appointment: {said}.", "Say another time in `when`; show_diary lists what is booked."
    )


def candidate(visit: Visit, roster: Roster) -> JsonValue:
    """A visit to choose: the appointment's id, when, with whom."""
    row = visit.row(roster)
    row.pop("business", None)
    if visit.cancelled is not None:
        row["is"] = "cancelled"
    return row
