"""set_attendance: arrived, did not arrive, or cleared, on the attendee in whom Cliniko keeps it (api.md 3.2).

Requests: 5 for the roster, what finding the patient takes (1 by id, up to 13 by name), one a hundred bookings of the
time said (2 or 3 by id), one for the attendees of the booking, and the change.
"""

from typing import Final, Literal

from pydantic import Field

from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.errors import Ambiguous, InvalidArguments, JsonValue, NotAllowed
from cliniko_mcp.frontdesk import visits
from cliniko_mcp.frontdesk.patients import NEEDS as PATIENT_NEEDS
from cliniko_mcp.frontdesk.patients import patient as find_patient
from cliniko_mcp.frontdesk.roster import MAX_CANDIDATES, ROSTER_NEEDS, Known, Roster, remarks
from cliniko_mcp.frontdesk.spans import Span, read_span
from cliniko_mcp.frontdesk.visits import Visit
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.phrases import local_day
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.names import person
from cliniko_mcp.tools.tool import curated

State = Literal["arrived", "did_not_arrive", "cleared"]
_ARRIVED: Final[dict[State, bool | None]] = {"arrived": True, "did_not_arrive": False, "cleared": None}
_STATES: Final[dict[bool | None, State]] = {value: name for name, value in _ARRIVED.items()}


class SetAttendance(Body):
    state: State
    patient: str | None = Field(default=None, description="Name or id.")
    when: str = Field(default="today", description="E.g. today at 9.")
    practitioner: str | None = None
    appointment: str | None = Field(default=None, description="Appointment or attendee id.")


async def work(clinic: GuardedClinic, given: SetAttendance) -> Answer:
    """What was set, and what it was before."""
    if not (given.patient or given.practitioner or given.appointment):
        raise InvalidArguments(
            "Whose attendance is meant is not said.", "Give the patient, the practitioner and time, or the appointment."
        )
    roster = await Roster.load(clinic)
    patient = await find_patient(clinic, given.patient) if given.patient else None
    practitioner = roster.practitioner(given.practitioner) if given.practitioner else None
    visit, said = await _visit(clinic, given, roster, patient, practitioner)
    whose = patient.name if patient else await _name(clinic, visit.patient_id)
    _possible(clinic, given, roster, visit, whose)
    now = _ARRIVED[given.state]
    item: dict[str, JsonValue] = {
        "patient": whose,
        "patient_id": visit.patient_id,
        **visit.row(roster),
        "attendee_id": visit.attendee_id,
        "was": _STATES[visit.arrived],
        "now": given.state,
    }
    notes = remarks(patient, practitioner)
    if visit.arrived is now:
        notes.append("It was set so already; nothing was changed.")
    else:
        change: dict[str, object] = {"clear": ["arrived"]} if now is None else {"arrived": now}
        await clinic.perform(clinic.call("update_attendee", id=visit.attendee_id, **change))
    body: dict[str, JsonValue] = {"item": item}
    if said:
        body["when"] = said
    return Answer(body, notes, roster.zone(visit.business_id))


async def _visit(
    clinic: GuardedClinic, given: SetAttendance, roster: Roster, patient: Known | None, practitioner: Known | None
) -> tuple[Visit, str]:
    """The one visit that is meant, with its attendee as it stands now, and the time as it was understood."""
    if given.appointment is not None:
        visit = await visits.visit_by_id(clinic, given.appointment.strip(), patient)
        whose = patient.name if patient else "That place"
        return visits.one_of([visit], roster, f"appointment {visit.booking_id}", whose), ""
    span = read_span(given.when, clinic.now, roster)
    found = await visits.visits(
        clinic,
        span,
        practitioners=[practitioner.id] if practitioner else (),
        patient=patient.id if patient else None,
        cancelled=True,
    )
    if patient is None:
        assert practitioner is not None
        visit = await _without_patient(clinic, roster, span, practitioner, found)
    else:
        visit = visits.one_of(found, roster, span.description, patient.name)
    if not visit.attendee_id:
        places = await visits.places_of(clinic, visit)
        visit = next((each for each in places if each.patient_id == visit.patient_id), visit)
        visit = visits.one_of([visit], roster, span.description, patient.name if patient else "The patient")
    return visit, span.description


async def _without_patient(
    clinic: GuardedClinic, roster: Roster, span: Span, practitioner: Known, found: list[Visit]
) -> Visit:
    live = [each for each in found if each.cancelled is None]
    if len(live) < 2:
        return visits.one_of(found, roster, span.description, practitioner.name)
    names = await clinic.by_id_named("list_patients", [each.patient_id for each in live[:MAX_CANDIDATES]])
    candidates: list[JsonValue] = []
    for each in live[:MAX_CANDIDATES]:
        row = each.row(roster)
        who: Record | None = names.get(each.patient_id)
        candidates.append(
            {"patient": person(who) if who else each.patient_id, "patient_id": each.patient_id}
            | {name: row[name] for name in ("appointment_id", "starts_at", "type")}
        )
    raise Ambiguous(
        f"{practitioner.name} sees {len(live)} patients then: {span.description}.",
        "Say which patient is meant, or a narrower time.",
        candidates=candidates,
    )


async def _name(clinic: GuardedClinic, patient_id: str) -> str:
    record = (await clinic.by_id_named("list_patients", [patient_id])).get(patient_id)
    return (person(record) if record else "") or f"patient {patient_id}"


def _possible(clinic: GuardedClinic, given: SetAttendance, roster: Roster, visit: Visit, whose: str) -> None:
    """Raise NotAllowed for what has not come yet: an arrival on a later day, a no-show before the start."""
    zone = roster.zone(visit.business_id)
    early = local_day(visit.starts, zone) > local_day(clinic.now, zone)
    if early and given.state == "arrived":
        raise NotAllowed(
            f"{whose}'s appointment is on a later day: {visit.row(roster)['starts_at']}.",
            "Check the day; an arrival is marked on the day of the appointment.",
            appointment_id=visit.booking_id,
        )
    if visit.starts > clinic.now and given.state == "did_not_arrive":
        raise NotAllowed(
            f"{whose}'s appointment has not begun: {visit.row(roster)['starts_at']}.",
            "A patient who is not coming cancels; a no-show is marked once the appointment has begun.",
            appointment_id=visit.booking_id,
        )


tool = curated(
    "set_attendance",
    "Mark a patient as arrived (checked in) or a no-show (DNA), or clear it, for an appointment or a place in a class.",
    SetAttendance,
    work,
    risk=Risk.WRITE,
    needs=(*ROSTER_NEEDS, *PATIENT_NEEDS, *visits.NEEDS, "update_attendee"),
    synonyms="check in here turned up did not attend no show absent present waiting room late came missed roll",
)
