"""set_attendance: arrived, did not arrive, or cleared, on the attendee in whom Cliniko keeps it
(cliniko-api.md#appointments).

Requests: 5 for the roster, what finding the patient takes (1 by id, up to 13 by name), one a hundred bookings of the
time said (2 or 3 by id), one for the attendees of the booking, and the change.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from pydantic import Field

from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.cliniko.resources.attendees import AttendeeChanges, Attendees
from cliniko_mcp.cliniko.resources.patients import Patient, Patients
from cliniko_mcp.cliniko.resources.practitioners import Practitioner
from cliniko_mcp.errors import Ambiguous, InvalidArguments, JsonValue, NotAllowed
from cliniko_mcp.frontdesk import visits
from cliniko_mcp.frontdesk.answer_rows import ATTENDANCE, Attendance, VisitRow
from cliniko_mcp.frontdesk.patients import NEEDS as PATIENT_NEEDS
from cliniko_mcp.frontdesk.patients import patient as find_patient
from cliniko_mcp.frontdesk.roster import MAX_CANDIDATES, ROSTER_NEEDS, Known, Roster, remarks
from cliniko_mcp.frontdesk.spans import Span, read_span
from cliniko_mcp.frontdesk.visits import Visit
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.phrases import local_day
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.results.names import person
from cliniko_mcp.tools.tool import curated

State = Literal["arrived", "did_not_arrive", "cleared"]
_ARRIVED: Final[dict[State, bool | None]] = {"arrived": True, "did_not_arrive": False, "cleared": None}


class SetAttendance(Body):
    """What is true of whose visit: by patient, or practitioner, and time, or by an appointment's or attendee's id."""

    state: State
    patient: str | None = Field(default=None, description="Name or id.")
    when: str = Field(default="today", description="E.g. today at 9.")
    practitioner: str | None = None
    appointment: str | None = Field(default=None, description="Appointment or attendee id.")


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
    if not (arguments.patient or arguments.practitioner or arguments.appointment):
        raise _nobody_named()
    roster = await Roster.load(clinic)
    patient = await find_patient(clinic, arguments.patient) if arguments.patient else None
    practitioner = roster.practitioner(arguments.practitioner) if arguments.practitioner else None
    visit, when = await _visit(clinic, arguments, roster, patient, practitioner)
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
    notes = remarks(patient, practitioner)
    if visit.arrived is arrived:
        notes.append("It was set so already; nothing was changed.")
    else:
        changes = AttendeeChanges.partial(arrived=arrived)
        await clinic.perform(Attendees.update_attendee, changes, id=visit.attendee_id)
    return Answer(Marked(item=item, when=when or None), notes, roster.zone(visit.business_id))


def _nobody_named() -> InvalidArguments:
    return InvalidArguments(
        "The visit is missing: whose attendance should be set?",
        "Give the patient, the practitioner and time, or the appointment.",
    )


async def _visit(
    clinic: GuardedClinic,
    arguments: SetAttendance,
    roster: Roster,
    patient: Known[Patient] | None,
    practitioner: Known[Practitioner] | None,
) -> tuple[Visit, str]:
    """The one visit that is meant, with its attendee as it stands now, and the time as it was understood."""
    if arguments.appointment is not None:
        visit = await visits.visit_by_id(clinic, arguments.appointment.strip(), patient)
        whose = patient.name if patient else "That place"
        return visits.one_of([visit], roster, f"appointment {visit.booking_id}", whose), ""
    span = read_span(arguments.when, clinic.now, roster)
    found = await visits.visits(
        clinic,
        span,
        practitioners=[practitioner.id] if practitioner else (),
        patient=patient.id if patient else None,
        cancelled=True,
    )
    if patient is not None:
        visit = visits.one_of(found, roster, span.description, patient.name)
    elif practitioner is not None:
        visit = await _without_patient(clinic, roster, span, practitioner, found)
    else:
        raise _nobody_named()
    if not visit.attendee_id:
        places = await visits.places_of(clinic, visit)
        visit = next((place for place in places if place.patient_id == visit.patient_id), visit)
        visit = visits.one_of([visit], roster, span.description, patient.name if patient else "The patient")
    return visit, span.description


async def _without_patient(
    clinic: GuardedClinic, roster: Roster, span: Span, practitioner: Known[Practitioner], found: Sequence[Visit]
) -> Visit:
    """The practitioner's only live visit among these. Raises Ambiguous, with the patients, where there are several."""
    live = [visit for visit in found if visit.cancelled is None]
    if len(live) < 2:
        return visits.one_of(found, roster, span.description, practitioner.name)
    patients = await clinic.by_id(Patients.list_patients, [visit.patient_id for visit in live[:MAX_CANDIDATES]])
    candidates: list[JsonValue] = []
    for visit in live[:MAX_CANDIDATES]:
        row, patient = visit.row(roster).as_json(), patients.get(visit.patient_id)
        candidates.append(
            {"patient": person(patient) if patient else visit.patient_id, "patient_id": visit.patient_id}
            | {name: row[name] for name in ("appointment_id", "starts_at", "type")}
        )
    raise Ambiguous(
        f"{practitioner.name} sees {len(live)} patients then: {span.description}.",
        "Say which patient is meant, or a narrower time.",
        candidates=candidates,
    )


async def _name(clinic: GuardedClinic, patient_id: str) -> str:
    patient = (await clinic.by_id(Patients.list_patients, [patient_id])).get(patient_id)
    return (person(patient) if patient else "") or f"patient {patient_id}"


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
    "For one who calls off use cancel_appointment; for a visit's case or notes update_attendee.",
    SetAttendance,
    set_attendance,
    answer=Marked,
    risk=Risk.WRITE,
    needs=[*ROSTER_NEEDS, *PATIENT_NEEDS, *visits.NEEDS, Attendees.update_attendee],
)
