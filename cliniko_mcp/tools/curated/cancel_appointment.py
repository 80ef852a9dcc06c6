"""cancel_appointment: a patient's appointment, or their place in a class, cancelled with a reason after a person's yes.

Requests: 5 for the roster, those that find the appointment, one for its patients, for a class one for the patient's
place; then the question to a person, for which the guard reads the booking and those it names, and the cancellation. A
client that is asked in rounds has all of this read again when it answers.
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, WithJsonSchema

from cliniko_mcp.cliniko.codes import CANCELLATION_REASONS
from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.cliniko.resources.attendees import AttendeeCancellation, Attendees
from cliniko_mcp.cliniko.resources.individual_appointments import (
    IndividualAppointmentCancellation,
    IndividualAppointments,
)
from cliniko_mcp.cliniko.resources.patients import Patient
from cliniko_mcp.errors import Ambiguous, InvalidArguments, NotFound
from cliniko_mcp.frontdesk import find_booking, patients, visit_choices
from cliniko_mcp.frontdesk.answer_rows import PatientRow
from cliniko_mcp.frontdesk.booking_answers import BookingRow
from cliniko_mcp.frontdesk.bookings import Entry
from cliniko_mcp.frontdesk.clock_text import end_of
from cliniko_mcp.frontdesk.notices import cancelling_notices
from cliniko_mcp.frontdesk.reasons import read_reason
from cliniko_mcp.frontdesk.roster import (
    ROSTER_NEEDS,
    Known,
    Roster,
    candidate,
    named,
    patient_row,
    remarks,
    with_birth_year,
)
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.results.rows import local_text
from cliniko_mcp.sanitize import clean
from cliniko_mcp.tools.tool import curated

_REASONS: Final = [reason.casefold() for reason in CANCELLATION_REASONS.values()]


class CancelAppointment(Body):
    """What to cancel and why; `patient` says whose place in a class, `series` takes the later repeats along.

    A `reason` that is none of Cliniko's, as earlier versions took it, is kept as a note to Other.
    """

    appointment: str = Field(description="Id, or patient with one coming.")
    # Only the schema is closed: Cliniko has no word for every reason, and none may be refused or turned round.
    reason: Annotated[str, WithJsonSchema({"type": "string", "enum": _REASONS})]
    note: str | None = Field(default=None, description="In their words.")
    patient: str | None = Field(default=None, description="Whose place in a class.")
    series: bool = Field(default=False, description="Later repeats too.")


class Cancelled(AnswerModel):
    """What was cancelled and why."""

    done: str = Field(description="What was changed.")
    item: BookingRow = Field(description="The appointment, or the patient's place in a class.")
    reason: str = Field(description="The reason that Cliniko keeps.")
    note: str | None = Field(default=None, description="What was kept beside the reason, in their words.")


async def cancel_appointment(clinic: GuardedClinic, arguments: CancelAppointment) -> Answer:
    """What was cancelled and who could be offered the gap. A person is asked first; see the confirm layer."""
    roster = await Roster.load(clinic)
    which = await find_booking.which_visit(clinic, roster, arguments.appointment, find_booking.Looking.COMING)
    entry, patient = which.entry, which.patient
    if entry.kind == "block":
        raise InvalidArguments(
            f"{entry.id} is blocked-out time, not an appointment.",
            "Use archive_unavailable_block.",
            field="appointment",
        )
    code, words = read_reason(arguments.reason)
    note = ". ".join(part for part in (words, arguments.note) if part)
    if entry.kind == "group":
        patient = patient or await _patient_in_class(clinic, entry, arguments.patient, roster)
        place = await _place(clinic, entry, patient)
        cancellation = AttendeeCancellation(cancellation_reason=code)
        _complete(cancellation, note, series=arguments.series)
        await clinic.perform(Attendees.cancel_attendee, cancellation, id=place)
    else:
        patient = patient or next(iter(await visit_choices.patients_of(clinic, entry)), None)
        if arguments.patient and patient is not None:
            await _check_patient(clinic, entry, arguments.patient, patient)
        cancellation = IndividualAppointmentCancellation(cancellation_reason=code)
        _complete(cancellation, note, series=arguments.series)
        await clinic.perform(IndividualAppointments.cancel_individual_appointment, cancellation, id=entry.id)
    body = Cancelled(
        done="Cancelled.",
        item=_row(entry, roster, patient),
        reason=CANCELLATION_REASONS[code],
        note=clean(note, lines=True) if note else None,
    )
    notes = _remarks(clinic, entry, patient, roster, series=arguments.series)
    return Answer(body, notes, roster.zone(entry.business_id))


def _complete(
    cancellation: AttendeeCancellation | IndividualAppointmentCancellation, note: str, *, series: bool
) -> None:
    if note:
        cancellation.cancellation_note = note
    if series:
        cancellation.apply_to_repeats = True


async def _patient_in_class(clinic: GuardedClinic, entry: Entry, name: str | None, roster: Roster) -> Known[Patient]:
    """The patient whose place in a class is meant. Raises InvalidArguments where nobody is named."""
    if name is None:
        type_name = roster.name("appointment_type_id", entry.type_id) or "This"
        raise InvalidArguments(
            f"{type_name} is a class with {len(entry.patient_ids)} of {entry.places} places taken.",
            "Say whose place to cancel in patient. To call off the whole class use archive_group_appointment.",
            field="patient",
        )
    return await patients.patient(clinic, name)


async def _check_patient(clinic: GuardedClinic, entry: Entry, name: str, patient: Known[Patient]) -> None:
    """Raise Ambiguous where an appointment is not for the patient who was named beside its id."""
    other = await patients.patient(clinic, name)
    if other.id != patient.id:
        raise Ambiguous(
            f"The appointment {entry.id} is for {with_birth_year(patient)}, not for {with_birth_year(other)}.",
            "Ask whose appointment is meant; show_diary has the ids.",
            candidates=[candidate(patient), candidate(other)],
        )


async def _place(clinic: GuardedClinic, entry: Entry, patient: Known[Patient]) -> str:
    """The id of a patient's live place in a class: one request."""
    rows = await clinic.collect(Attendees.list_attendees, booking_id=entry.id, patient_id=patient.id)
    if not rows:
        raise NotFound(
            f"{named(patient)} has no place in that class, or it is cancelled already.",
            "show_diary says who is in it.",
        )
    return rows[0].id


def _row(entry: Entry, roster: Roster, patient: Known[Patient] | None) -> BookingRow:
    zone = roster.zone(entry.business_id)
    whose = patient_row(patient) if patient else PatientRow()
    return BookingRow(
        id=entry.id,
        starts_at=local_text(entry.starts, zone),
        ends_at=end_of(entry.starts, entry.ends, zone),
        patient=whose.patient,
        patient_id=whose.patient_id,
        born=whose.born,
        practitioner=roster.name("practitioner_id", entry.practitioner_id),
        business=roster.name("business_id", entry.business_id),
        type=roster.name("appointment_type_id", entry.type_id),
    )


def _remarks(
    clinic: GuardedClinic, entry: Entry, patient: Known[Patient] | None, roster: Roster, *, series: bool
) -> list[str]:
    notes = [cancelling_notices(patient), *remarks(patient)] if patient else []
    if visit_choices.in_series(entry):
        rest = "The later ones of its series are cancelled too." if series else None
        notes.append(rest or "It was one of a series; the later ones stay.")
    if entry.starts > clinic.now:
        zone = roster.zone(entry.business_id)
        freed, fills = "time", "fill_gap finds patients who could take it"
        if entry.kind == "group":
            freed, fills = "place", "create_attendee gives it to another patient"
        notes.append(f"The {freed} on {local_text(entry.starts, zone)} is free again: {fills}.")
    return notes


tool = curated(
    "cancel_appointment",
    "Cancel a patient's appointment, or their place in a class, with the reason. A person is asked first. It cannot be "
    "undone. For another time use move_appointment; to remove one booked by mistake archive_individual_appointment; "
    "for a whole class archive_group_appointment.",
    CancelAppointment,
    cancel_appointment,
    answer=Cancelled,
    risk=Risk.DESTRUCTIVE,
    needs=[
        IndividualAppointments.cancel_individual_appointment,
        Attendees.cancel_attendee,
        Attendees.list_attendees,
        *find_booking.NEEDS,
        *ROSTER_NEEDS,
    ],
)
