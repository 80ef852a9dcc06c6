"""One booking by its id, or as the coming one of a patient.

An id takes one request; a name those of the patient's name and one for each hundred coming bookings of the patient.
"""

from datetime import timedelta
from typing import Final

from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.cliniko.resources.bookings import Bookings
from cliniko_mcp.cliniko.resources.patients import Patient, Patients
from cliniko_mcp.errors import Ambiguous, JsonValue, NotFound
from cliniko_mcp.frontdesk.bookings import Entry, bookings, entry_of
from cliniko_mcp.frontdesk.patients import known_patient, patient
from cliniko_mcp.frontdesk.roster import MAX_CANDIDATES, Known, Roster, gone, is_id, with_birth_year
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.rows import local_text

NEEDS: Final[tuple[Operation, ...]] = (Bookings.get_booking, Bookings.list_bookings, Patients.list_patients)
AHEAD: Final = timedelta(days=730)
"""How far ahead a patient's bookings are looked for."""


async def booking_of(clinic: GuardedClinic, roster: Roster, query: str) -> tuple[Entry, Known[Patient] | None]:
    """The live booking of this id, or the one coming booking of the patient of this name, and then the patient.

    Blocked-out times are given back too. Raises NotFound where it does not exist, is archived or cancelled, or nothing
    is coming, and Ambiguous, with the next five, where several are.
    """
    query = query.strip()
    if is_id(query):
        return await _by_id(clinic, roster, query), None
    who = await patient(clinic, query)
    coming = await bookings(clinic, clinic.now, clinic.now + AHEAD, patient=who.id)
    name = with_birth_year(who)
    if not coming:
        raise NotFound(
            f"{name} has no coming appointment in the next two years.",
            "For a past one give its id; show_diary or list_individual_appointments has it.",
        )
    if len(coming) > 1:
        raise Ambiguous(
            f"{name} has {len(coming)} coming appointments.",
            "Ask which one is meant, then call again with its id.",
            candidates=[_row(entry, roster) for entry in coming[:MAX_CANDIDATES]],
        )
    return coming[0], who


async def _by_id(clinic: GuardedClinic, roster: Roster, booking_id: str) -> Entry:
    fix = "Look for it with show_diary, or give the patient's name."
    try:
        record = await clinic.perform(Bookings.get_booking, include_archived=True, id=booking_id)
    except NotFound:
        raise NotFound(f"There is no appointment with the id {booking_id}.", fix) from None
    entry = entry_of(record)
    if entry is None:
        raise NotFound(f"The appointment {booking_id} has no time.", fix)
    if entry.cancelled or gone(entry.record):
        state = "cancelled" if entry.cancelled else "archived"
        when = local_text(entry.starts, roster.zone(entry.business_id))
        raise NotFound(f"The appointment {booking_id} on {when} is {state} already.", "It stays so; book a new one.")
    return entry


def _row(entry: Entry, roster: Roster) -> JsonValue:
    return {
        "id": entry.id,
        "starts_at": local_text(entry.starts, roster.zone(entry.business_id)),
        "type": roster.name("appointment_type_id", entry.type_id),
        "practitioner": roster.name("practitioner_id", entry.practitioner_id),
    }


async def patients_of(clinic: GuardedClinic, entry: Entry) -> tuple[Known[Patient], ...]:
    """Everyone booked into an entry, in one request for each 95 of them."""
    found = await clinic.by_id(Patients.list_patients, entry.patient_ids)
    return tuple(known_patient(found[patient_id]) for patient_id in entry.patient_ids if patient_id in found)


def in_series(entry: Entry) -> bool:
    """Whether a booking is one of a series: a repeat, or the first that has some."""
    rule = entry.record.repeat_rule
    return bool(entry.record.repeated_from_id or (rule and rule.repeat_type))
