"""The answer about a booking that was made or moved, or would be: in the site's time, with Cliniko's own conflicts."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final, Literal

from pydantic import Field

from cliniko_mcp.cliniko.operations import Conflicts
from cliniko_mcp.cliniko.resources.group_appointments import GroupAppointments
from cliniko_mcp.cliniko.resources.individual_appointments import IndividualAppointments
from cliniko_mcp.errors import ClinikoRefused
from cliniko_mcp.frontdesk.answer_rows import LocalTime, PatientRow, PlaceRow
from cliniko_mcp.frontdesk.clashes import Plan, clash_text
from cliniko_mcp.frontdesk.clock_text import end_of
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.roster import Roster, patient_row
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.results.rows import local_text

Shape = Literal["individual", "group"]
DateState = Literal["already there", "left out", "not booked"]
_CONFLICTS: Final[Mapping[Shape, Conflicts]] = {
    "individual": IndividualAppointments.get_individual_appointment_conflicts,
    "group": GroupAppointments.get_group_appointment_conflicts,
}


class BookingRow(PatientRow, PlaceRow):
    """An appointment or a class as it was made, moved or cancelled, or would be."""

    id: str | None = Field(default=None, description="Its id; a new one has none before it is made.")
    patients: list[PatientRow] | None = Field(default=None, description="Everyone in a class.")


class Checked(AnswerModel):
    """What was looked at before a booking, and what came of it."""

    done: str | None = Field(default=None, description="What was changed.")
    dry_run: bool | None = Field(default=None, description="True where nothing was to be changed.")
    when: str = Field(description="The time as it was understood.")
    item: BookingRow = Field(description="The booking.")
    clashes: list[str] | None = Field(default=None, description="Everything that speaks against it, with dry_run.")
    clash: str | None = Field(default=None, description="The text that allow_clash takes for just these clashes.")
    nearest: list[LocalTime] | None = Field(default=None, description="Free starts of the same day.")
    conflicts: bool | None = Field(default=None, description="Whether Cliniko sees a conflict now.")


class DateRow(AnswerModel):
    """One visit of a series."""

    id: str | None = Field(default=None, description="Id of the appointment or class; none before it is made.")
    starts_at: LocalTime = Field(description="Start, by the site's clock.")
    was: LocalTime | None = Field(default=None, description="When the rule would have it, where it was moved.")
    state: DateState | None = Field(default=None, description="What became of it, where that is not simply booked.")
    clashes: list[str] | None = Field(default=None, description="Everything that speaks against it.")
    nearest: list[LocalTime] | None = Field(default=None, description="Free starts of its day.")
    conflict: bool | None = Field(default=None, description="Whether Cliniko sees a conflict now.")
    places_left: int | None = Field(default=None, description="Free places, of a class.")


class Booked(Checked):
    """The appointment or the place in a class, with every date of a series."""

    visits: list[DateRow] | None = Field(default=None, description="Every visit of a series, the first too.")
    places_before: int | None = Field(default=None, description="Free places of the class before.")
    places_after: int | None = Field(default=None, description="Free places of the class now.")


def described(plan: Plan, roster: Roster) -> BookingRow:
    """The booking as a row: `starts_at` and `ends_at` as the site's local time, and the names of all in it.

    One patient stands as `patient` with `patient_id`, several as the list `patients`.
    """
    zone = roster.zone(plan.business.id)
    rows = [patient_row(patient) for patient in plan.patients]
    alone = rows[0] if len(rows) == 1 else PatientRow()
    return BookingRow(
        id=plan.moved or None,
        starts_at=local_text(plan.times[0].starts, zone),
        ends_at=end_of(*plan.times[0], zone),
        patient=alone.patient,
        patient_id=alone.patient_id,
        born=alone.born,
        patients=rows if len(rows) > 1 else None,
        practitioner=roster.name("practitioner_id", plan.practitioner.id),
        business=roster.name("business_id", plan.business.id),
        type=roster.name("appointment_type_id", plan.kind.id) or plan.kind.name,
    )


def dry(
    body: Checked, plan: Plan, found: Sequence[str], free: Sequence[str], notes: list[str], roster: Roster
) -> Answer:
    """The answer to a call that only checks: `body` with `dry_run` and `clashes`, a sentence each.

    Where there are clashes, `clash` is the text that would allow them and `nearest` the free times around.
    """
    checked: dict[str, object] = {"dry_run": True, "clashes": list(found)}
    if found:
        checked |= {"clash": clash_text(plan, found), "nearest": list(free)}
    verdict = "There are clashes: see clashes." if found else "There is no clash."
    notes = [f"Nothing was changed. {verdict}", *notes]
    return Answer(body.model_copy(update=checked), notes, roster.zone(plan.business.id))


async def conflicts(
    clinic: GuardedClinic, shape: Shape, booking_id: str, found: Sequence[str], notes: list[str]
) -> bool | None:
    """Whether Cliniko now sees a conflict, read after the write; None where it does not answer. Notes get a remark."""
    return (await conflicts_of(clinic, shape, [booking_id], found, notes))[booking_id]


async def conflicts_of(
    clinic: GuardedClinic, shape: Shape, booking_ids: Sequence[str], found: Sequence[str], notes: list[str]
) -> dict[str, bool | None]:
    """Whether Cliniko now sees a conflict of each of these bookings, one request each; None where it does not answer.

    Notes get one remark on all of them.
    """

    async def read(booking_id: str) -> bool | None:
        try:
            report = await clinic.perform(_CONFLICTS[shape], id=booking_id)
        except ClinikoRefused:
            return None
        return report.conflicts is not None and report.conflicts.exist is True

    exist = await run_concurrently(*(partial(read, booking_id) for booking_id in booking_ids))
    if None in exist:
        notes.append("It is done, but whether it overlaps something now could not be read; look with show_diary.")
    if True in exist and not found:
        notes.append("Cliniko now sees a conflict: somebody may have booked meanwhile. Look with show_diary.")
    return dict(zip(booking_ids, exist, strict=True))


def any_conflict(exist: Iterable[bool | None]) -> bool | None:
    """True where one of these is true, None where one is not known, else False."""
    answers = list(exist)
    if True in answers:
        return True
    return None if None in answers or not answers else False
