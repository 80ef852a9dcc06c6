"""move_appointment: another time, practitioner or site for an appointment or a class, looked at before and after.

Requests: 5 for the roster, those that find the appointment, one for its patients, then at once 2 for working hours and
one for each hundred entries of the practitioner's new day and of what its patients have at the new time; with another
practitioner one for those who offer the type; then the change and one to read conflicts.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from pydantic import Field

from cliniko_mcp.cliniko.fields import utc_text
from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.errors import InvalidArguments, JsonValue
from cliniko_mcp.frontdesk import appointment_offers, find_booking, patients, working_hours
from cliniko_mcp.frontdesk.booking_answers import conflicts, described, dry
from cliniko_mcp.frontdesk.bookings import Entry, bookings
from cliniko_mcp.frontdesk.clashes import Plan, check_live, concerns, nearest, refuse_clash
from cliniko_mcp.frontdesk.clock_text import end_of
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.notices import booking_notices
from cliniko_mcp.frontdesk.roster import ROSTER_NEEDS, Known, Roster, remarks
from cliniko_mcp.frontdesk.spans import read_span, start_of
from cliniko_mcp.frontdesk.working_hours import Stretch
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.rows import local_text
from cliniko_mcp.tools.tool import curated


class MoveAppointment(Body):
    appointment: str = Field(description="Id, or patient with one coming.")
    when: str | None = Field(default=None, description="New time, e.g. Friday at 14:00.")
    practitioner: str | None = None
    business: str | None = None
    minutes: int | None = Field(default=None, ge=5, le=1439)
    dry_run: bool = False
    allow_clash: str | None = Field(default=None, description="The clash text of a refusal.")


async def work(clinic: GuardedClinic, given: MoveAppointment) -> Answer:
    """The appointment as moved, or with `dry_run` as it would be. Raises Clash where something speaks against it."""
    roster = await Roster.load(clinic)
    entry, named = await find_booking.booking_of(clinic, roster, given.appointment)
    if entry.kind == "block":
        raise InvalidArguments(
            f"{entry.id} is blocked-out time, not an appointment.", "Use update_unavailable_block.", field="appointment"
        )
    people = await find_booking.patients_of(clinic, entry)
    plan, said = _plan(clinic, given, roster, entry, people)
    if not _changes(plan, entry):
        raise InvalidArguments(
            "It is there already: same time, practitioner and site.",
            "Give a new when, practitioner, business or minutes.",
        )
    check_live(plan, ("practitioner", "business"))
    starts, ends = plan.days(roster)
    who = plan.practitioner.id
    diary, others = await run_concurrently(
        partial(working_hours.read_diary, clinic, roster, starts, ends, {who}), partial(_others, clinic, plan)
    )
    moved = who != entry.practitioner_id
    givers = await appointment_offers.practitioners_offering(clinic, plan.kind) if moved else frozenset((who,))
    found = concerns(plan, roster, diary, others, givers, clinic.now)
    free = nearest(plan, roster, diary, givers, clinic.now)
    row: dict[str, JsonValue] = {"id": entry.id, **described(plan, roster)}
    body: dict[str, JsonValue] = {"when": said, "item": row, "was": _was(entry, roster)}
    notes = [*_remarks(plan, entry), *remarks(named, plan.practitioner, plan.business)]
    if given.dry_run:
        return dry(body, plan, found, free, notes, roster)
    refuse_clash(plan, found, given.allow_clash, free)
    await _change(clinic, plan, entry)
    body = {"done": "Moved.", **body}
    shape = "group" if entry.kind == "group" else "individual"
    body["conflicts"] = await conflicts(clinic, shape, entry.id, found, notes)
    return Answer(body, notes, roster.zone(plan.business.id))


def _plan(
    clinic: GuardedClinic, given: MoveAppointment, roster: Roster, entry: Entry, people: tuple[Known, ...]
) -> tuple[Plan, str]:
    site = (
        roster.business(given.business) if given.business else _known(roster.businesses.get(entry.business_id), entry)
    )
    who = (
        roster.practitioner(given.practitioner)
        if given.practitioner
        else _known(roster.practitioners.get(entry.practitioner_id), entry)
    )
    kind = roster.types.get(entry.type_id) or Known(entry.type_id, "this type", entry.record)
    length = timedelta(minutes=given.minutes) if given.minutes else entry.ends - entry.starts
    starts, said = entry.starts, f"{local_text(entry.starts, roster.zone(site.id))}, as before"
    if given.when:
        span = read_span(given.when, clinic.now, roster, [site])
        starts, said = start_of(span.at(site.id), length), span.description
    return Plan(people, who, site, kind, (Stretch(starts, starts + length),), entry.id), said


def _known(known: Known | None, entry: Entry) -> Known:
    if known is None:
        raise InvalidArguments(
            f"The practitioner or the site of appointment {entry.id} can no longer be read.",
            "Give practitioner and business.",
        )
    return known


def _changes(plan: Plan, entry: Entry) -> bool:
    before: tuple[datetime, datetime, str, str] = entry.starts, entry.ends, entry.practitioner_id, entry.business_id
    return before != (*plan.times[0], plan.practitioner.id, plan.business.id)


async def _others(clinic: GuardedClinic, plan: Plan) -> list[Entry]:
    """What else the patients have at the new time: the patient's own, or for a class everything at that time."""
    alone = plan.patients[0].id if len(plan.patients) == 1 else None
    return await bookings(clinic, *plan.times[0], patient=alone) if plan.patients else []


async def _change(clinic: GuardedClinic, plan: Plan, entry: Entry) -> Record | None:
    arguments: dict[str, object] = {
        "id": entry.id,
        "starts_at": utc_text(plan.times[0].starts, None),
        # Cliniko keeps the old end where none is sent (api.md 2.3).
        "ends_at": utc_text(plan.times[0].ends, None),
    }
    if plan.practitioner.id != entry.practitioner_id:
        arguments["practitioner_id"] = plan.practitioner.id
    if plan.business.id != entry.business_id:
        arguments["business_id"] = plan.business.id
    name = "update_group_appointment" if entry.kind == "group" else "update_individual_appointment"
    return await clinic.perform(clinic.call(name, **arguments))


def _was(entry: Entry, roster: Roster) -> JsonValue:
    zone = roster.zone(entry.business_id)
    return {
        "starts_at": local_text(entry.starts, zone),
        "ends_at": end_of(entry.starts, entry.ends, zone),
        "practitioner": roster.name("practitioner_id", entry.practitioner_id),
        "business": roster.name("business_id", entry.business_id),
    }


def _remarks(plan: Plan, entry: Entry) -> list[str]:
    told: Sequence[str] = ()
    if entry.kind == "group":
        held = len(plan.patients)
        told = (f"It is a class with {held} {'patient' if held == 1 else 'patients'} in it; tell them.",)
    elif plan.patients:
        told = (booking_notices(plan.patients[0], plan.kind, plan.business),)
    series = ["It is one of a series; the others stay where they are."] if find_booking.in_series(entry) else []
    return [*told, *series]


tool = curated(
    "move_appointment",
    "Move (reschedule) an appointment or class to another time, practitioner or site, keeping its length. A clash is "
    "refused and shown.",
    MoveAppointment,
    work,
    risk=Risk.WRITE,
    needs=(
        "update_individual_appointment",
        "update_group_appointment",
        "get_individual_appointment_conflicts",
        "get_group_appointment_conflicts",
        *find_booking.NEEDS,
        *ROSTER_NEEDS,
        *working_hours.NEEDS,
        *appointment_offers.NEEDS,
        *patients.NEEDS,
    ),
    synonyms="reschedule change time shift postpone bring forward push back swap practitioner rebook",
)
