"""cancel_appointment: a patient's appointment, or their place in a class, cancelled with a reason after a person's yes.

Requests: 5 for the roster, those that find the appointment, one for its patients, for a class one for the patient's
place; then the question to a person, for which the guard reads the booking and those it names, and the cancellation. A
client that is asked in rounds has all of this read again when it answers.
"""

from typing import cast

from pydantic import Field

from cliniko_mcp.cliniko.codes import CANCELLATION_REASONS
from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.errors import Ambiguous, InvalidArguments, JsonValue, NotFound
from cliniko_mcp.frontdesk import find_booking, patients
from cliniko_mcp.frontdesk.bookings import Entry
from cliniko_mcp.frontdesk.clock_text import end_of
from cliniko_mcp.frontdesk.notices import cancelling_notices
from cliniko_mcp.frontdesk.reasons import read_reason
from cliniko_mcp.frontdesk.roster import ROSTER_NEEDS, Known, Roster, candidate, named, remarks, with_birth_year
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.rows import local_text
from cliniko_mcp.sanitize import clean
from cliniko_mcp.tools.tool import curated


class CancelAppointment(Body):
    appointment: str = Field(description="Id, or patient with one coming.")
    reason: str = Field(description="Sick, away, work, better, worse, other.")
    note: str | None = None
    patient: str | None = Field(default=None, description="Whose place in a class.")
    series: bool = Field(default=False, description="Later repeats too.")


async def work(clinic: GuardedClinic, given: CancelAppointment) -> Answer:
    """What was cancelled and who could be offered the gap. A person is asked first; see the confirm layer."""
    roster = await Roster.load(clinic)
    entry, who = await find_booking.booking_of(clinic, roster, given.appointment)
    if entry.kind == "block":
        raise InvalidArguments(
            f"{entry.id} is blocked-out time, not an appointment.",
            "Use archive_unavailable_block.",
            field="appointment",
        )
    code, kept = read_reason(given.reason)
    note = ". ".join(each for each in (kept, given.note) if each)
    arguments: dict[str, object] = {"cancellation_reason": code}
    if note:
        arguments["cancellation_note"] = note
    if given.series:
        arguments["apply_to_repeats"] = True
    if entry.kind == "group":
        who = who or await _one_of(clinic, entry, given.patient, roster)
        place = await _place(clinic, entry, who)
        call = clinic.call("cancel_attendee", id=place, **arguments)
    else:
        who = who or next(iter(await find_booking.patients_of(clinic, entry)), None)
        if given.patient and who is not None:
            await _same(clinic, entry, given.patient, who)
        call = clinic.call("cancel_individual_appointment", id=entry.id, **arguments)
    await clinic.perform(call)
    body: dict[str, JsonValue] = {
        "done": "Cancelled.",
        "item": _row(entry, roster, who),
        "reason": CANCELLATION_REASONS[code],
    }
    if note:
        body["note"] = clean(note, lines=True)
    return Answer(body, _remarks(clinic, entry, who, roster, given.series), roster.zone(entry.business_id))


async def _one_of(clinic: GuardedClinic, entry: Entry, said: str | None, roster: Roster) -> Known:
    """The patient in a class whose place is meant. Raises InvalidArguments where nobody is named."""
    if said is None:
        name = roster.name("appointment_type_id", entry.type_id) or "This"
        raise InvalidArguments(
            f"{name} is a class with {len(entry.patient_ids)} of {entry.places} places taken.",
            "Say whose place to cancel in patient. To call off the whole class use archive_group_appointment.",
            field="patient",
        )
    return await patients.patient(clinic, said)


async def _same(clinic: GuardedClinic, entry: Entry, said: str, who: Known) -> None:
    other = await patients.patient(clinic, said)
    if other.id != who.id:
        raise Ambiguous(
            f"The appointment {entry.id} is for {with_birth_year(who)}, not for {with_birth_year(other)}.",
            "Ask whose appointment is meant; show_diary has the ids.",
            candidates=[candidate(who), candidate(other)],
        )


async def _place(clinic: GuardedClinic, entry: Entry, who: Known) -> str:
    """The id of a patient's live place in a class: one request."""
    rows = [row async for row in clinic.all_named("list_attendees", booking_id=entry.id, patient_id=who.id)]
    if not rows:
        raise NotFound(
            f"{named(who)} has no place in that class, or it is cancelled already.",
            "show_diary says who is in it.",
        )
    return cast("str", getattr(rows[0], "id", ""))


def _row(entry: Entry, roster: Roster, who: Known | None) -> JsonValue:
    zone = roster.zone(entry.business_id)
    whose: dict[str, JsonValue] = {"patient": with_birth_year(who), "patient_id": who.id} if who else {}
    return {
        "id": entry.id,
        "starts_at": local_text(entry.starts, zone),
        "ends_at": end_of(entry.starts, entry.ends, zone),
        **whose,
        "practitioner": roster.name("practitioner_id", entry.practitioner_id),
        "business": roster.name("business_id", entry.business_id),
        "appointment_type": roster.name("appointment_type_id", entry.type_id),
    }


def _remarks(clinic: GuardedClinic, entry: Entry, who: Known | None, roster: Roster, series: bool) -> list[str]:
    told = [cancelling_notices(who), *remarks(who)] if who else []
    if find_booking.in_series(entry):
        rest = "The later ones of its series are cancelled too." if series else None
        told.append(rest or "It was one of a series; the later ones stay.")
    if entry.starts > clinic.now:
        zone = roster.zone(entry.business_id)
        freed, fills = "time", "fill_gap finds patients who could take it"
        if entry.kind == "group":
            freed, fills = "place", "create_attendee gives it to another patient"
        told.append(f"The {freed} on {local_text(entry.starts, zone)} is free again: {fills}.")
    return told


tool = curated(
    "cancel_appointment",
    "Cancel a patient's appointment, or their place in a class, with the reason in words. A person is asked first. "
    "It cannot be undone; to change the time use move_appointment.",
    CancelAppointment,
    work,
    risk=Risk.DESTRUCTIVE,
    needs=("cancel_individual_appointment", "cancel_attendee", "list_attendees", *find_booking.NEEDS, *ROSTER_NEEDS),
    synonyms="call off not coming cannot make it sick drop out withdraw cancellation free the slot",
)
