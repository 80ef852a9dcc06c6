"""The answer about a booking that was made or moved, or would be: in the site's time, with Cliniko's own conflicts."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from cliniko_mcp.cliniko.operations import Conflicts
from cliniko_mcp.cliniko.resources.group_appointments import GroupAppointments
from cliniko_mcp.cliniko.resources.individual_appointments import IndividualAppointments
from cliniko_mcp.errors import ClinikoRefused, JsonValue
from cliniko_mcp.frontdesk.clashes import Plan, clash_text
from cliniko_mcp.frontdesk.clock_text import end_of
from cliniko_mcp.frontdesk.roster import Roster, with_birth_year
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.rows import local_text

Shape = Literal["individual", "group"]
_CONFLICTS: Final[Mapping[Shape, Conflicts]] = {
    "individual": IndividualAppointments.get_individual_appointment_conflicts,
    "group": GroupAppointments.get_group_appointment_conflicts,
}


def described(plan: Plan, roster: Roster) -> dict[str, JsonValue]:
    """The booking as a row: `starts_at` and `ends_at` as the site's local time, and the names of all in it.

    One patient stands as `patient` with `patient_id`, several as the list `patients`; a block of time has neither.
    """
    zone = roster.zone(plan.business.id)
    whose: dict[str, JsonValue] = {}
    if len(plan.patients) == 1:
        whose = {"patient": with_birth_year(plan.patients[0]), "patient_id": plan.patients[0].id}
    elif plan.patients:
        whose = {"patients": [with_birth_year(patient) for patient in plan.patients]}
    return {
        "starts_at": local_text(plan.times[0].starts, zone),
        "ends_at": end_of(*plan.times[0], zone),
        **whose,
        "practitioner": roster.name("practitioner_id", plan.practitioner.id),
        "business": roster.name("business_id", plan.business.id),
        "appointment_type": roster.name("appointment_type_id", plan.kind.id) or plan.kind.name,
    }


def dry(
    body: dict[str, JsonValue],
    plan: Plan,
    found: Sequence[str],
    free: Sequence[JsonValue],
    notes: list[str],
    roster: Roster,
) -> Answer:
    """The answer to a call that only checks: `body` with `dry_run` and `clashes`, a sentence each.

    Where there are clashes, `clash` is the text that would allow them and `nearest` the free times around.
    """
    body = {"dry_run": True, **body, "clashes": list(found)}
    if found:
        body |= {"clash": clash_text(plan, found), "nearest": list(free)}
    verdict = "There are clashes: see clashes." if found else "There is no clash."
    return Answer(body, [f"Nothing was changed. {verdict}", *notes], roster.zone(plan.business.id))


async def conflicts(
    clinic: GuardedClinic, shape: Shape, booking_id: str, found: Sequence[str], notes: list[str]
) -> bool | None:
    """Whether Cliniko now sees a conflict, read after the write; None where it does not answer. Notes get a remark."""
    try:
        report = await clinic.perform(_CONFLICTS[shape], id=booking_id)
    except ClinikoRefused:
        notes.append("It is done, but whether it overlaps something now could not be read; look with show_diary.")
        return None
    exist = report.conflicts is not None and report.conflicts.exist is True
    if exist and not found:
        notes.append("Cliniko now sees a conflict: somebody may have booked meanwhile. Look with show_diary.")
    return exist
