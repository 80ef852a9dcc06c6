"""set_attendance: arrived, did not arrive, or cleared, on the attendee in whom Cliniko keeps it
(cliniko-api.md#appointments).

Requests: 12 cold, 7 warm (with the set-up in memory) for a usual call. In general 5 for the roster where memory has
none, what finding the patient takes (1 by id, up to 13 by name), one a hundred bookings of the time said (2 or 3 by
id), one for the attendees of the booking, and the change.
"""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from cliniko_mcp.cliniko.labels import name_of
from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.cliniko.resources.attendees import AttendeeChanges, Attendees
from cliniko_mcp.cliniko.resources.patients import Patients
from cliniko_mcp.errors import InvalidArguments, NotAllowed
from cliniko_mcp.frontdesk import visits
from cliniko_mcp.frontdesk.answer_rows import ATTENDANCE, Attendance, VisitRow
from cliniko_mcp.frontdesk.find_booking import NEEDS as BOOKING_NEEDS
from cliniko_mcp.frontdesk.find_booking import Looking, which_visit
from cliniko_mcp.frontdesk.notices import attendance_notices
from cliniko_mcp.frontdesk.patients import NEEDS as PATIENT_NEEDS
from cliniko_mcp.frontdesk.patients import patient as find_patient
from cliniko_mcp.frontdesk.roster import ROSTER_NEEDS, Roster, remarks
from cliniko_mcp.frontdesk.visit_phrase import VisitPhrase
from cliniko_mcp.frontdesk.visits import Visit
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.phrases import local_day
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.tools.tool import curated

State = Literal["arrived", "did_not_arrive", "cleared"]
_ARRIVED: Final[dict[State, bool | None]] = {"arrived": True, "did_not_arrive": False, "cleared": None}


class SetAttendance(Body):
    """What is true of which visit, said in `appointment` whole, or by patient or practitioner and time."""

    state: State
    patient: str | None = Field(default=None, description="Name or id.")
    when: str = Field(default="today", description="E.g. today at 9.")
    practitioner: str | None = None
    appointment: str | None = Field(default=None, description="Id, or Faye's 9:15 on Monday.")


class MarkedRow(VisitRow):
    """The visit as it is marked now."""

    attendee_id: str = Field(description="Id of the patient's place, which holds the mark.")
    was: Attendance = Field(description="How it was marked before.")


class Marked(AnswerModel):
    """The visit whose attendance was set."""

    item: MarkedRow = Field(description="The visit.")
    when: str | None = Field(default=None, description="The time as it was understood.")


async def set_attendance(clinic: GuardedClinic, arguments: SetAttendance) -> Answer:
    """What was set, and what it was before."""
    roster = await Roster.load(clinic)
    practitioner = roster.practitioner(arguments.practitioner) if arguments.practitioner else None
    name = arguments.patient
    # only a time that was said tells namesakes apart
    patient = await find_patient(clinic, name) if name and "when" not in arguments.model_fields_set else name
    which = await which_visit(clinic, roster, _phrase(arguments), Looking.PAST, patient, practitioner)
    patient = which.patient
    visit = await visits.visit_of(clinic, which)
    name = patient.name if patient else await _name(clinic, visit.patient_id)
    _check_possible(clinic, arguments, roster, visit, name)
    arrived = _ARRIVED[arguments.state]
    row = visit.row(roster)
    item = MarkedRow(
        patient=name,
        patient_id=visit.patient_id,
        starts_at=row.starts_at,
        practitioner=row.practitioner,
        type=row.type,
        business=row.business,
        appointment_id=row.appointment_id,
        attendee_id=visit.attendee_id,
        was=ATTENDANCE[visit.arrived],
        attendance=ATTENDANCE[arrived],
    )
    notes = [which.note] if which.note else []
    notes += remarks(patient, practitioner)
    if visit.arrived is arrived:
        notes.append("It was set so already; nothing was changed.")
    else:
        changes = AttendeeChanges.partial(arrived=arrived)
        await clinic.perform(Attendees.update_attendee, changes, id=visit.attendee_id)
        notes.append(attendance_notices(roster.types.get(visit.type_id)))
    return Answer(Marked(item=item, when=which.when or None), notes, roster.zone(visit.business_id))


def _phrase(arguments: SetAttendance) -> str | VisitPhrase:
    """The visit in words: `appointment`, else the time of the patient or practitioner."""
    if arguments.appointment is not None:
        return arguments.appointment
    if arguments.patient or arguments.practitioner:
        return VisitPhrase(when=arguments.when)
    raise InvalidArguments(
        "The visit is missing: whose attendance should be set?",
        "Give the appointment, or the patient or practitioner and the time.",
    )


async def _name(clinic: GuardedClinic, patient_id: str) -> str:
    patient = (await clinic.by_id(Patients.list_patients, [patient_id])).get(patient_id)
    return (name_of(patient) if patient else "") or f"patient {patient_id}"


def _check_possible(clinic: GuardedClinic, arguments: SetAttendance, roster: Roster, visit: Visit, name: str) -> None:
    """Raise NotAllowed for what has not come yet: an arrival on a later day, a no-show before the start."""
    zone = roster.zone(visit.business_id)
    early = local_day(visit.starts, zone) > local_day(clinic.now, zone)
    if early and arguments.state == "arrived":
        raise NotAllowed(
            f"{name}'s appointment is on a later day: {visit.row(roster).starts_at}.",
            "Check the day; an arrival is marked on the day of the appointment.",
            appointment_id=visit.booking_id,
        )
    if visit.starts > clinic.now and arguments.state == "did_not_arrive":
        raise NotAllowed(
            f"{name}'s appointment has not begun: {visit.row(roster).starts_at}.",
            "A patient who is not coming cancels; a no-show is marked once the appointment has begun.",
            appointment_id=visit.booking_id,
        )


tool = curated(
    "set_attendance",
    "Mark a patient as arrived (checked in) or a no-show (DNA), or clear it, for an appointment or a place in a class. "
    "Calling off: cancel_appointment; a visit's case or notes: update_attendee.",
    SetAttendance,
    set_attendance,
    answer=Marked,
    risk=Risk.WRITE,
    repeatable=True,
    needs=[*ROSTER_NEEDS, *PATIENT_NEEDS, *visits.NEEDS, *BOOKING_NEEDS, Attendees.update_attendee],
)
