"""book_appointment: an appointment for one patient, looked at before it is made and checked after.

Requests: 5 for the roster and those of the patient's name, then at once one for those who offer the type, two for
working hours and one for each hundred entries of the practitioner's and the patient's diary; then the booking, one to
read conflicts and, with repeats, one for each hundred of them.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Final

from pydantic import Field

from cliniko_mcp.cliniko.fields import utc_text
from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.errors import Ambiguous, ClinikoRefused, InvalidArguments, JsonValue
from cliniko_mcp.frontdesk import appointment_offers, patients, working_hours
from cliniko_mcp.frontdesk.booking_answers import conflicts, described, dry
from cliniko_mcp.frontdesk.bookings import Entry, bookings
from cliniko_mcp.frontdesk.clashes import Plan, check_live, concerns, nearest, refuse_clash
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.notices import booking_notices
from cliniko_mcp.frontdesk.roster import ROSTER_NEEDS, Known, Roster, candidate, named, remarks
from cliniko_mcp.frontdesk.series import Repeat, read_repeat
from cliniko_mcp.frontdesk.spans import Span, read_span, start_of
from cliniko_mcp.frontdesk.working_hours import Diary, Stretch
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.rows import local_text
from cliniko_mcp.tools.tool import curated

_AROUND: Final = timedelta(days=4)
"""So many days on either side show at which sites a practitioner works."""


class BookAppointment(Body):
    patient: str
    practitioner: str
    type: str = Field(description="Appointment type.")
    when: str = Field(description="E.g. Tuesday at 10:30.")
    business: str | None = Field(default=None, description="Site.")
    minutes: int | None = Field(default=None, ge=5, le=1439)
    notes: str | None = None
    repeat: str | None = Field(default=None, description="E.g. weekly x5.")
    dry_run: bool = False
    allow_clash: str | None = Field(default=None, description="The clash text of a refusal.")


async def work(clinic: GuardedClinic, given: BookAppointment) -> Answer:
    """The appointment as booked, or with `dry_run` as it would be. Raises Clash where something speaks against it."""
    roster, patient = await run_concurrently(
        partial(Roster.load, clinic), partial(patients.patient, clinic, given.patient)
    )
    practitioner, kind = roster.practitioner(given.practitioner), roster.type(given.type)
    asked = roster.business(given.business) if given.business else None
    sites = [asked] if asked else appointment_offers.sites_offering(roster, kind) or roster.sites
    length = timedelta(minutes=given.minutes or appointment_offers.minutes_of(kind))
    repeat = read_repeat(given.repeat) if given.repeat else None
    span = read_span(given.when, clinic.now, roster, sites)
    plans = [_plan(span, roster, site, patient, practitioner, kind, length, repeat) for site in sites]
    check_live(plans[0])
    if appointment_offers.is_group(kind):
        raise await _group(clinic, roster, plans)
    reach = [plan.days(roster) for plan in plans]
    starts, ends = min(each[0] for each in reach) - _AROUND, max(each[1] for each in reach) + _AROUND
    (diary, theirs), givers = await run_concurrently(
        partial(
            run_concurrently,
            partial(working_hours.read_diary, clinic, roster, starts, ends, {practitioner.id}),
            partial(bookings, clinic, starts, ends, patient=patient.id),
        ),
        partial(appointment_offers.practitioners_offering, clinic, kind),
    )
    plan = _placed(plans, diary)
    found = concerns(plan, roster, diary, theirs, givers, clinic.now)
    row = described(plan, roster)
    said = read_span(given.when, clinic.now, roster, [plan.business]).description
    body: dict[str, JsonValue] = {"when": said, "item": row}
    if len(plan.times) > 1:
        zone = roster.zone(plan.business.id)
        body["repeats"] = [local_text(each.starts, zone) for each in plan.times[1:]]
    notes = [booking_notices(patient, kind, plan.business), *_remarks(plan, roster, diary, theirs, asked)]
    notes += remarks(patient, practitioner, kind, asked)
    free = nearest(plan, roster, diary, givers, clinic.now)
    if given.dry_run:
        return dry(body, plan, found, free, notes, roster)
    refuse_clash(plan, found, given.allow_clash, free)
    made = await clinic.perform(clinic.call("create_individual_appointment", **_arguments(plan, given, repeat)))
    row["id"] = str(getattr(made, "id", ""))
    body = {"done": "Booked.", **body}
    body["conflicts"] = await conflicts(clinic, "individual", str(row["id"]), found, notes)
    if repeat:
        body["repeats_made"] = await _made(clinic, str(row["id"]), repeat, notes)
    return Answer(body, notes, roster.zone(plan.business.id))


def _plan(
    span: Span,
    roster: Roster,
    site: Known,
    patient: Known,
    practitioner: Known,
    kind: Known,
    length: timedelta,
    repeat: Repeat | None,
) -> Plan:
    first = start_of(span.at(site.id), length)
    starts = [first, *(repeat.starts(first, roster.zone(site.id)) if repeat else ())]
    return Plan((patient,), practitioner, site, kind, tuple(Stretch(at, at + length) for at in starts))


def _placed(plans: Sequence[Plan], diary: Diary) -> Plan:
    """The plan at the one site in question: where they work at all, else where they work at that time.

    Raises Ambiguous, with the sites, where that leaves more than one.
    """
    who = plans[0].practitioner.id
    working = [plan for plan in plans if plan.business.id in diary.sites(who)] or list(plans)
    then = [plan for plan in working if diary.at_work(who, *plan.times[0], plan.business.id)]
    for some in (working, then):
        if len(some) == 1:
            return some[0]
    raise Ambiguous(
        f"{plans[0].practitioner.name} could be booked at {len(working)} sites.",
        "Ask at which site, then call again with business.",
        candidates=[candidate(plan.business) for plan in working[:5]],
    )


async def _group(clinic: GuardedClinic, roster: Roster, plans: Sequence[Plan]) -> InvalidArguments:
    """The error that a class is joined rather than booked, with the sessions of that time; the caller raises it."""
    kind, starts, ends = plans[0].kind, min(p.times[0].starts for p in plans), max(p.times[0].ends for p in plans)
    entries = await bookings(clinic, starts, ends)
    sessions: list[JsonValue] = [
        {
            "booking_id": each.id,
            "starts_at": local_text(each.starts, roster.zone(each.business_id)),
            "practitioner": roster.name("practitioner_id", each.practitioner_id),
            "places_left": each.left,
        }
        for each in entries
        if each.kind == "group" and each.type_id == kind.id
    ]
    how = f"Add the patient with create_attendee, patient_id {plans[0].patients[0].id} and the booking_id of a session."
    return InvalidArguments(
        f"{kind.name} is a class (group): patients take a place in one of its sessions.",
        how if sessions else f"There is no session then. find_times shows those to come. {how}",
        field="type",
        sessions=sessions[:3] or None,
    )


def _arguments(plan: Plan, given: BookAppointment, repeat: Repeat | None) -> dict[str, object]:
    time = plan.times[0]
    arguments: dict[str, object] = {
        "patient_id": plan.patients[0].id,
        "practitioner_id": plan.practitioner.id,
        "appointment_type_id": plan.kind.id,
        "business_id": plan.business.id,
        "starts_at": utc_text(time.starts, None),
        "ends_at": utc_text(time.ends, None),
    }
    if given.notes:
        arguments["notes"] = given.notes
    if repeat:
        arguments["repeat_rule"] = repeat.rule
    return arguments


async def _made(clinic: GuardedClinic, first: str, repeat: Repeat, notes: list[str]) -> int | None:
    try:
        rows: list[Record] = [row async for row in clinic.all_named("list_bookings", repeated_from_id=first)]
    except ClinikoRefused:
        notes.append("It is done, but the repeats could not be read; look with show_diary.")
        return None
    if len(rows) != repeat.more:
        notes.append(f"{repeat.more} repeats were asked for and {len(rows)} are in the diary.")
    return len(rows)


def _remarks(plan: Plan, roster: Roster, diary: Diary, theirs: Sequence[Entry], asked: Known | None) -> list[str]:
    told: list[str] = []
    zone = roster.zone(plan.business.id)
    day = plan.times[0].starts.astimezone(zone).date()
    same = [
        each
        for each in theirs
        if each.starts.astimezone(zone).date() == day and not each.meets(*plan.times[0]) and each.id != plan.moved
    ]
    if same:
        times = ", ".join(f"{each.starts.astimezone(zone):%H:%M}" for each in same[:3])
        where = f" ({roster.zone(plan.business.id)})" if len(roster.sites) > 1 else ""
        told.append(f"{named(plan.patients[0])} is booked that day already, at {times}{where}.")
    if asked is None and len(roster.sites) > 1:
        then = diary.at_work(plan.practitioner.id, *plan.times[0], plan.business.id)
        usual = f", where {plan.practitioner.name} works {'then' if then else 'on other days'}"
        there = plan.business.id in diary.sites(plan.practitioner.id)
        told.append(f"The site is {plan.business.name}{usual if there else ''}.")
    if plan.length != timedelta(minutes=appointment_offers.minutes_of(plan.kind)):
        told.append(f"{plan.kind.name} usually takes {appointment_offers.minutes_of(plan.kind)} minutes.")
    return told


tool = curated(
    "book_appointment",
    "Book an appointment (visit, consult) for a patient. Double bookings, leave and hours are checked first: a clash "
    "is refused and shown. The clinic may notify the patient.",
    BookAppointment,
    work,
    risk=Risk.WRITE,
    needs=(
        "create_individual_appointment",
        "get_individual_appointment_conflicts",
        *ROSTER_NEEDS,
        *working_hours.NEEDS,
        *appointment_offers.NEEDS,
        *patients.NEEDS,
    ),
    synonyms="make booking schedule put in diary reserve slot repeat weekly series rebook follow up",
)
