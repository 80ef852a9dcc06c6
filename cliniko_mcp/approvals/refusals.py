"""What Cliniko is known to refuse: said before a person is asked about something that cannot come about."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Final

from cliniko_mcp.approvals.facts import Facts
from cliniko_mcp.approvals.losses import as_json, changed, check_shown_whole, leaves
from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.time_zones import local_instant
from cliniko_mcp.errors import Rejected

if TYPE_CHECKING:  # resource modules are imported when a call needs them
    from cliniko_mcp.cliniko.resources.bookings import Booking
    from cliniko_mcp.cliniko.shapes.bookings import BookingStamps

_SPAN: Final = frozenset({"starts_at", "ends_at"})
_MEMO: Final = 12
"""The category code of memos."""


async def check_possible(facts: Facts, call: Call, record: Record) -> None:
    """Raise Rejected where Cliniko would refuse this call on this record, whoever says yes to it.

    Raises InvalidArguments where it would write more text than a person can be shown.
    Sources: cliniko-api.md#appointments, #treatment-note, #communications-phones-zones.
    """
    from cliniko_mcp.cliniko.resources.communications import AnyCommunication
    from cliniko_mcp.cliniko.resources.treatment_notes import TreatmentNote
    from cliniko_mcp.cliniko.shapes.bookings import AppointmentStamps, BookingStamps

    updates = call.operation.shape == "update"
    check_shown_whole(sum(map(len, leaves(as_json([*changed(call).values()])))))
    match record:
        case AnyCommunication(category_code=int(code)) if code != _MEMO:
            raise _refused(
                call, "only memos can be changed or archived; this is a message that was sent or received", "Leave it."
            )
        case TreatmentNote(draft=False) if updates:
            raise _refused(call, "a final note cannot be changed", "Write a new note for the patient instead.")
        case BookingStamps() if updates:
            if isinstance(record, AppointmentStamps):
                await _check_patient(facts, call)
            await _check_span(facts, call, record)
        case _:
            return


def check_place(call: Call, booking: Booking) -> None:
    """Raise Rejected where this cancels a place that is the whole of one patient's appointment."""
    if call.operation.shape == "cancel" and booking.max_attendees is None:
        raise _refused(
            call,
            "the place belongs to the appointment of one patient, not to a group",
            f"Cancel the appointment itself: cancel_individual_appointment with id {booking.id}.",
        )


async def _check_patient(facts: Facts, call: Call) -> None:
    from cliniko_mcp.cliniko.resources.patients import Patients

    chosen = changed(call).get("patient_id")
    if not isinstance(chosen, str):
        return
    patient = await facts.linked(Patients.get_patient, chosen)
    if patient is not None and patient.archived_at is not None:
        raise _refused(call, f"patient {chosen} is archived, and archived patients cannot be booked", "Choose another.")


async def _check_span(facts: Facts, call: Call, record: BookingStamps) -> None:
    sent = changed(call)
    starts, ends = sent.get("starts_at", record.starts_at), sent.get("ends_at", record.ends_at)
    if not isinstance(starts, datetime) or not isinstance(ends, datetime) or sent.keys().isdisjoint(_SPAN):
        return
    site = sent.get("business_id") or record.business_id
    zone = await facts.zone(site if isinstance(site, str) else None)
    if _instant(starts, zone) >= _instant(ends, zone):
        raise _refused(call, "it would end before it starts", "With a new starts_at give ends_at too, or clear it.")


def _instant(moment: datetime, zone: tzinfo) -> datetime:
    return moment if moment.tzinfo is not None else local_instant(moment, zone)


def _refused(call: Call, why: str, fix: str) -> Rejected:
    return Rejected(
        f"{call.operation.title}: Cliniko refuses this: {why}.",
        f"{fix} Nothing was changed, and nobody was asked.",
        operation=call.operation.name,
    )
