"""book_appointment: an appointment for one patient, looked at before it is made and checked after.

Requests: 5 for the roster and those of the patient's name, then at once one for those who offer the type, two for
working hours and one for each hundred entries of the practitioner's and the patient's diary; then the booking, one to
read conflicts and, with repeats, one for each hundred of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Final

from pydantic import Field

from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.cliniko.resources.appointment_types import AppointmentType
from cliniko_mcp.cliniko.resources.bookings import Bookings
from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.cliniko.resources.individual_appointments import IndividualAppointmentBody, IndividualAppointments
from cliniko_mcp.cliniko.resources.patients import Patient
from cliniko_mcp.cliniko.resources.practitioners import Practitioner
from cliniko_mcp.errors import Ambiguous, ClinikoRefused, InvalidArguments, JsonValue
from cliniko_mcp.frontdesk import appointment_offers, patients, working_hours
from cliniko_mcp.frontdesk.answer_rows import LocalTime
from cliniko_mcp.frontdesk.booking_answers import Checked, conflicts, described, dry
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
from cliniko_mcp.tools.curated.empty_clinic import require
from cliniko_mcp.tools.tool import curated

_AROUND: Final = timedelta(days=4)
"""So many days on either side show at which sites a practitioner works."""


class BookAppointment(Body):
    """Who comes to whom, for what and when; `minutes` is another length than the type's, `repeat` makes a series.

    `dry_run` only checks; `allow_clash` repeats the text of a refusal that is to be overridden.
    """

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


class Booked(Checked):
    """The appointment with its repeats."""

    repeats: list[LocalTime] | None = Field(default=None, description="Starts of the later ones in a series.")
    repeats_made: int | None = Field(default=None, description="How many of them are in the diary.")


async def book_appointment(clinic: GuardedClinic, arguments: BookAppointment) -> Answer:
    """The appointment as booked, or with `dry_run` as it would be. Raises Clash where it has clashes."""
    roster, patient = await run_concurrently(
        partial(Roster.load, clinic), partial(patients.patient, clinic, arguments.patient)
    )
    require(roster, "site", "practitioner", "type")
    practitioner, appointment_type = roster.practitioner(arguments.practitioner), roster.type(arguments.type)
    business = roster.business(arguments.business) if arguments.business else None
    sites = [business] if business else appointment_offers.sites_offering(roster, appointment_type) or roster.sites
    length = timedelta(minutes=arguments.minutes or appointment_offers.minutes_of(appointment_type))
    repeat = read_repeat(arguments.repeat) if arguments.repeat else None
    span = read_span(arguments.when, clinic.now, roster, sites)
    plans = [_plan(span, roster, site, patient, practitioner, appointment_type, length, repeat) for site in sites]
    check_live(plans[0])
    if appointment_offers.is_group(appointment_type):
        raise await _group(clinic, roster, plans)
    days = [plan.days(roster) for plan in plans]
    starts, ends = min(first for first, _ in days) - _AROUND, max(last for _, last in days) + _AROUND
    (diary, theirs), offering_ids = await run_concurrently(
        partial(
            run_concurrently,
            partial(working_hours.read_diary, clinic, roster, starts, ends, {practitioner.id}),
            partial(bookings, clinic, starts, ends, patient=patient.id),
        ),
        partial(appointment_offers.practitioners_offering, clinic, appointment_type),
    )
    plan = _placed(plans, diary)
    found = concerns(plan, roster, diary, theirs, offering_ids, clinic.now)
    zone = roster.zone(plan.business.id)
    body = Booked(
        when=span.narrowed([plan.business]).description,
        item=described(plan, roster),
        repeats=[local_text(time.starts, zone) for time in plan.times[1:]] or None,
    )
    notes = [
        booking_notices(patient, appointment_type, plan.business),
        *_remarks(plan, roster, diary, theirs, business),
        *remarks(patient, practitioner, appointment_type, business),
    ]
    free = nearest(plan, roster, diary, offering_ids, clinic.now)
    if arguments.dry_run:
        return dry(body, plan, found, free, notes, roster)
    refuse_clash(plan, found, arguments.allow_clash, free)
    made = await clinic.perform(
        IndividualAppointments.create_individual_appointment, _appointment_body(plan, arguments, repeat)
    )
    result = {
        "done": "Booked.",
        "item": body.item.model_copy(update={"id": made.id}),
        "conflicts": await conflicts(clinic, "individual", made.id, found, notes),
        "repeats_made": await _repeats_made(clinic, made.id, repeat, notes) if repeat else None,
    }
    return Answer(body.model_copy(update=result), notes, zone)


def _plan(
    span: Span,
    roster: Roster,
    site: Known[Business],
    patient: Known[Patient],
    practitioner: Known[Practitioner],
    appointment_type: Known[AppointmentType],
    length: timedelta,
    repeat: Repeat | None,
) -> Plan:
    first = start_of(span.at(site.id), length)
    starts = [first, *(repeat.starts(first, roster.zone(site.id)) if repeat else ())]
    return Plan((patient,), practitioner, site, appointment_type, tuple(Stretch(at, at + length) for at in starts))


def _placed(plans: Sequence[Plan], diary: Diary) -> Plan:
    """The plan at the one site in question: where they work at all, else where they work at that time.

    Raises Ambiguous, with the sites, where that leaves more than one.
    """
    practitioner = plans[0].practitioner
    working = [plan for plan in plans if plan.business.id in diary.sites(practitioner.id)] or list(plans)
    then = [plan for plan in working if diary.at_work(practitioner.id, *plan.times[0], plan.business.id)]
    for some in (working, then):
        if len(some) == 1:
            return some[0]
    raise Ambiguous(
        f"{practitioner.name} could be booked at {len(working)} sites.",
        "Ask at which site, then call again with business.",
        candidates=[candidate(plan.business) for plan in working[:5]],
    )


async def _group(clinic: GuardedClinic, roster: Roster, plans: Sequence[Plan]) -> InvalidArguments:
    """The error that a class is joined rather than booked, with the sessions of that time; the caller raises it."""
    patient, appointment_type = plans[0].patients[0], plans[0].kind
    starts, ends = min(plan.times[0].starts for plan in plans), max(plan.times[0].ends for plan in plans)
    sessions: list[JsonValue] = [
        {
            "booking_id": entry.id,
            "starts_at": local_text(entry.starts, roster.zone(entry.business_id)),
            "practitioner": roster.name("practitioner_id", entry.practitioner_id),
            "places_left": entry.left,
        }
        for entry in await bookings(clinic, starts, ends)
        if entry.kind == "group" and entry.type_id == appointment_type.id
    ]
    how = f"Add the patient with create_attendee, patient_id {patient.id} and the booking_id of a session."
    return InvalidArguments(
        f"{appointment_type.name} is a class (group): patients take a place in one of its sessions.",
        how if sessions else f"There is no session then. find_times shows those to come. {how}",
        field="type",
        sessions=sessions[:3] or None,
    )


def _appointment_body(plan: Plan, arguments: BookAppointment, repeat: Repeat | None) -> IndividualAppointmentBody:
    body = IndividualAppointmentBody(
        patient_id=plan.patients[0].id,
        practitioner_id=plan.practitioner.id,
        appointment_type_id=plan.kind.id,
        business_id=plan.business.id,
        starts_at=plan.times[0].starts,
        ends_at=plan.times[0].ends,
    )
    if arguments.notes:
        body.notes = arguments.notes
    if repeat:
        body.repeat_rule = repeat.rule
    return body


async def _repeats_made(clinic: GuardedClinic, first: str, repeat: Repeat, notes: list[str]) -> int | None:
    """How many repeats of this first appointment are in the diary; None, with a note, where that cannot be read."""
    try:
        rows = await clinic.collect(Bookings.list_bookings, repeated_from_id=first)
    except ClinikoRefused:
        notes.append("It is done, but the repeats could not be read; look with show_diary.")
        return None
    if len(rows) != repeat.more:
        notes.append(f"{repeat.more} repeats were asked for and {len(rows)} are in the diary.")
    return len(rows)


def _remarks(
    plan: Plan, roster: Roster, diary: Diary, theirs: Sequence[Entry], business: Known[Business] | None
) -> list[str]:
    """What else that day, which site was taken where none was named, and a length that is not the usual one."""
    notes: list[str] = []
    zone = roster.zone(plan.business.id)
    day = plan.times[0].starts.astimezone(zone).date()
    same_day = [
        entry
        for entry in theirs
        if entry.starts.astimezone(zone).date() == day and not entry.meets(*plan.times[0]) and entry.id != plan.moved
    ]
    if same_day:
        times = ", ".join(f"{entry.starts.astimezone(zone):%H:%M}" for entry in same_day[:3])
        where = f" ({roster.zone(plan.business.id)})" if len(roster.sites) > 1 else ""
        notes.append(f"{named(plan.patients[0])} is booked that day already, at {times}{where}.")
    if business is None and len(roster.sites) > 1:
        then = diary.at_work(plan.practitioner.id, *plan.times[0], plan.business.id)
        usual = f", where {plan.practitioner.name} works {'then' if then else 'on other days'}"
        there = plan.business.id in diary.sites(plan.practitioner.id)
        notes.append(f"The site is {plan.business.name}{usual if there else ''}.")
    minutes = appointment_offers.minutes_of(plan.kind)
    if plan.length != timedelta(minutes=minutes):
        notes.append(f"{plan.kind.name} usually takes {minutes} minutes.")
    return notes


tool = curated(
    "book_appointment",
    "Book an appointment (visit, consult) for a patient. Double bookings, leave and hours are checked first: a clash "
    "is refused and shown. The clinic may notify the patient. For a place in a class use create_attendee; for a new "
    "class create_group_appointment.",
    BookAppointment,
    book_appointment,
    answer=Booked,
    risk=Risk.WRITE,
    needs=[
        IndividualAppointments.create_individual_appointment,
        IndividualAppointments.get_individual_appointment_conflicts,
        *ROSTER_NEEDS,
        *working_hours.NEEDS,
        *appointment_offers.NEEDS,
        *patients.NEEDS,
    ],
)
