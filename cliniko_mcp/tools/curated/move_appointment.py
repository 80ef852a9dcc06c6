"""move_appointment: another time, practitioner or site for an appointment or a class, looked at before and after.

Requests: 14 cold, 8 warm (with the set-up in memory) for a usual call. In general 5 for the roster where memory has
none, those that find the appointment, one for its patients, then at once 2 for working hours and one for each hundred
entries of the practitioner's new day and of what its patients have that day; with another practitioner one for those
who offer the type; then the change and one to read conflicts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import Field

from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.cliniko.operations import RecordT, Risk
from cliniko_mcp.cliniko.resources.appointment_types import AppointmentType
from cliniko_mcp.cliniko.resources.group_appointments import GroupAppointmentBody, GroupAppointments
from cliniko_mcp.cliniko.resources.individual_appointments import IndividualAppointmentBody, IndividualAppointments
from cliniko_mcp.cliniko.resources.patients import Patient
from cliniko_mcp.cliniko.time_zones import local_instant
from cliniko_mcp.errors import InvalidArguments, JsonValue, NotUnderstood, OutcomeUnknown
from cliniko_mcp.frontdesk import appointment_offers, find_booking, patients, visit_choices, working_hours
from cliniko_mcp.frontdesk.answer_rows import PlaceRow
from cliniko_mcp.frontdesk.booking_answers import Checked, conflicts, described, dry
from cliniko_mcp.frontdesk.bookings import Entry, bookings
from cliniko_mcp.frontdesk.clashes import Plan, check_live, concerns, nearest, refuse_clash
from cliniko_mcp.frontdesk.clock_text import end_of
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.notices import booking_notices, reminded_already
from cliniko_mcp.frontdesk.roster import ROSTER_NEEDS, Known, Roster, remarks, with_birth_year
from cliniko_mcp.frontdesk.roster import named as shown_name
from cliniko_mcp.frontdesk.second_readings import second_readings
from cliniko_mcp.frontdesk.spans import read_span, start_of
from cliniko_mcp.frontdesk.working_hours import Stretch
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.phrases import Anchor
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.rows import local_text
from cliniko_mcp.sanitize import clean
from cliniko_mcp.tools.tool import curated

_FAR: Final = 60
"""Days from which on a move is so far that it is said."""
_JUST_NOW: Final = timedelta(minutes=10)
"""How long after a change the same words may be the same call again."""
_NAMES: Final = 5
_NAME: Final = "\ue000"
_WEEKDAY: Final = re.compile(r"\b(mon|tue|wed|thu|fri|sat|sun)(?:s|nes|r|rs|ur)?(?:day)?s?\b", re.I)


class MoveAppointment(Body):
    """What is moved and what about it changes; what is left out stays as it is.

    `dry_run` only checks; `allow_clash` repeats the text of a refusal that is to be overridden.
    """

    appointment: str = Field(description="Id, or Faye's 9:15 on Monday.")
    when: str | None = Field(default=None, description="E.g. Friday at 14:00.")
    practitioner: str | None = None
    business: str | None = None
    minutes: int | None = Field(default=None, ge=5, le=1439)
    dry_run: bool = False
    allow_clash: str | None = Field(default=None, description="clash of a refusal.")


class Moved(Checked):
    """The booking as it is now, and where it was."""

    was: PlaceRow = Field(description="When, with whom and where it was before.")


async def move_appointment(clinic: GuardedClinic, arguments: MoveAppointment) -> Answer:
    """The appointment as moved, or with `dry_run` as it would be. Raises Clash where it has clashes."""
    if not (arguments.when or arguments.practitioner or arguments.business or arguments.minutes):
        raise InvalidArguments("It is not said where to.", "Give a new when, practitioner, business or minutes.")
    roster = await Roster.load(clinic)
    which = await find_booking.which_visit(clinic, roster, arguments.appointment, find_booking.Looking.COMING)
    entry, named = which.entry, which.patient
    if entry.kind == "block":
        raise InvalidArguments(
            f"{entry.id} is blocked-out time, not an appointment.", "Use update_unavailable_block.", field="appointment"
        )
    people = await visit_choices.patients_of(clinic, entry)
    if entry.kind == "group" and named is not None:
        raise _whole_class(entry, named, len(people), roster)
    plan, when = _plan(clinic, arguments, roster, entry, people)
    if not _changes(plan, entry):
        return _already(plan, when, entry, roster, dry_run=arguments.dry_run)
    check_live(plan, ("practitioner", "business"))
    _check_once(clinic, arguments, roster, entry, plan)
    starts, ends = plan.days(roster)
    practitioner_id = plan.practitioner.id
    diary, others = await run_concurrently(
        partial(working_hours.read_diary, clinic, roster, starts, ends, {practitioner_id}),
        partial(_others, clinic, plan, starts, ends),
    )
    offering_ids = frozenset((practitioner_id,))
    if practitioner_id != entry.practitioner_id:
        offering_ids = await appointment_offers.practitioners_offering(clinic, plan.kind)
    found = concerns(plan, roster, diary, others, offering_ids, clinic.now)
    free = nearest(plan, roster, diary, offering_ids, clinic.now, others)
    body = Moved(when=when, item=described(plan, roster), was=_was(entry, roster))
    notes = _remarks(clinic, plan, entry, roster, arguments.when or "")
    notes += [which.note] if which.note else []
    notes += remarks(named, plan.practitioner, plan.business)
    if arguments.dry_run:
        return dry(body, plan, found, free, notes, roster)
    refuse_clash(plan, found, arguments.allow_clash, free)
    try:
        await _move(clinic, plan, entry)
    except OutcomeUnknown as problem:
        raise _cut_off(problem, plan, entry, arguments, roster) from None
    shape = "group" if entry.kind == "group" else "individual"
    result = {"done": "Moved.", "conflicts": await conflicts(clinic, shape, entry.id, found, notes)}
    return Answer(body.model_copy(update=result), notes, roster.zone(plan.business.id))


def _plan(
    clinic: GuardedClinic,
    arguments: MoveAppointment,
    roster: Roster,
    entry: Entry,
    people: tuple[Known[Patient], ...],
) -> tuple[Plan, str]:
    """The booking as it would be, and the phrase for its time as it was understood."""
    if arguments.business:
        site = roster.business(arguments.business)
    else:
        site = _present(roster.businesses, entry.business_id, entry)
    if arguments.practitioner:
        practitioner = roster.practitioner(arguments.practitioner)
    else:
        practitioner = _present(roster.practitioners, entry.practitioner_id, entry)
    appointment_type = roster.types.get(entry.type_id) or _unknown_type(entry)
    length = timedelta(minutes=arguments.minutes) if arguments.minutes else entry.ends - entry.starts
    zone, other = roster.zone(site.id), roster.zone(entry.business_id)
    anchor = _anchor(entry, zone, other)
    if arguments.when:
        span = read_span(arguments.when, clinic.now, roster, [site], anchor=anchor)
        starts, when = start_of(span.at(site.id), length), span.description
    else:
        starts = entry.starts if zone == other else local_instant(anchor.start, zone).astimezone(UTC)
        when = f"{local_text(starts, zone)}, as before"
    return Plan(people, practitioner, site, appointment_type, (Stretch(starts, starts + length),), entry.id), when


def _anchor(entry: Entry, zone: ZoneInfo, other: ZoneInfo) -> Anchor:
    """The visit by the clock of the site that it moves to; `other` is that of its own."""
    if zone == other:
        return Anchor(entry.starts.astimezone(zone), entry.ends.astimezone(zone))
    # what stays is the time on the clock, not the moment
    return Anchor(*(moment.astimezone(other).replace(tzinfo=None) for moment in (entry.starts, entry.ends)))


def _check_once(clinic: GuardedClinic, arguments: MoveAppointment, roster: Roster, entry: Entry, plan: Plan) -> None:
    """Raise InvalidArguments where the visit was changed just now, and the words would move it again from there.

    "An hour later", said again after an answer that was lost, would be another hour.
    """
    record, (starts, ends), zone = entry.record, plan.times[0], roster.zone(plan.business.id)
    fresh = bool(
        record.updated_at and clinic.now - record.updated_at < _JUST_NOW and record.updated_at != record.created_at
    )
    if not fresh or not arguments.when or arguments.dry_run:
        return
    there = Anchor(starts.astimezone(zone), ends.astimezone(zone))
    with suppress(NotUnderstood):  # from there the words may mean a time that the clock skips
        span = read_span(arguments.when, clinic.now, roster, [plan.business], anchor=there)
        if start_of(span.at(plan.business.id), ends - starts) == starts:
            return
    now_at = local_text(entry.starts, roster.zone(entry.business_id))
    again: dict[str, JsonValue] = {"appointment": entry.id, "when": local_text(starts, zone)}
    raise InvalidArguments(
        f"Nothing was changed: it was changed less than {_JUST_NOW.seconds // 60} minutes ago and is on {now_at} now. "
        f"“{clean(arguments.when, 80)}” would move it on from there to {again['when']}.",
        "If the earlier call moved it as wanted, it is done. If it has to go further, call again with the arguments "
        "under again.",
        field="when",
        again=again,
    )


def _present(among: Mapping[str, Known[RecordT]], record_id: str, entry: Entry) -> Known[RecordT]:
    known = among.get(record_id)
    if known is None:
        raise InvalidArguments(
            f"The practitioner or the site of appointment {entry.id} can no longer be read.",
            "Give practitioner and business.",
        )
    return known


def _unknown_type(entry: Entry) -> Known[AppointmentType]:
    return Known(entry.type_id, "this type", AppointmentType.read({"id": entry.type_id}))


def _changes(plan: Plan, entry: Entry) -> bool:
    before = (entry.starts, entry.ends, entry.practitioner_id, entry.business_id)
    return before != (*plan.times[0], plan.practitioner.id, plan.business.id)


async def _others(clinic: GuardedClinic, plan: Plan, starts: datetime, ends: datetime) -> list[Entry]:
    """What else the patients have on the new day: the patient's own, or for a class everything on that day."""
    alone = plan.patients[0].id if len(plan.patients) == 1 else None
    return await bookings(clinic, starts, ends, patient=alone) if plan.patients else []


async def _move(clinic: GuardedClinic, plan: Plan, entry: Entry) -> None:
    # Cliniko keeps the old end where none is sent (cliniko-api.md).
    changes: dict[str, object] = {"starts_at": plan.times[0].starts, "ends_at": plan.times[0].ends}
    if plan.practitioner.id != entry.practitioner_id:
        changes["practitioner_id"] = plan.practitioner.id
    if plan.business.id != entry.business_id:
        changes["business_id"] = plan.business.id
    if entry.kind == "group":
        body = GroupAppointmentBody.partial(**changes)
        await clinic.perform(GroupAppointments.update_group_appointment, body, id=entry.id)
    else:
        body = IndividualAppointmentBody.partial(**changes)
        await clinic.perform(IndividualAppointments.update_individual_appointment, body, id=entry.id)


def _already(plan: Plan, when: str, entry: Entry, roster: Roster, *, dry_run: bool) -> Answer:
    """The answer that it is where it was to be moved, as after a move whose answer was lost."""
    body = Moved(
        done="Already there: same time, practitioner and site. Nothing was changed.",
        dry_run=dry_run or None,
        when=when,
        item=described(plan, roster),
        was=_was(entry, roster),
    )
    return Answer(body, [], roster.zone(plan.business.id))


def _cut_off(
    problem: OutcomeUnknown, plan: Plan, entry: Entry, arguments: MoveAppointment, roster: Roster
) -> OutcomeUnknown:
    """The error of a move that was cut off, with the call that makes it once: "an hour later" said again is another
    hour, so that the time itself stands there."""
    again: dict[str, JsonValue] = {
        "appointment": entry.id,
        "when": local_text(plan.times[0].starts, roster.zone(plan.business.id)),
    }
    told = arguments.model_dump(exclude={"appointment", "when"}, exclude_unset=True)
    again |= {name: value for name, value in told.items() if value is not None}
    fix = "Call again with the arguments under again: if it was moved, nothing is done twice."
    return OutcomeUnknown(problem.message, fix, **{**problem.details, "again": again})


def _was(entry: Entry, roster: Roster) -> PlaceRow:
    zone = roster.zone(entry.business_id)
    return PlaceRow(
        starts_at=local_text(entry.starts, zone),
        ends_at=end_of(entry.starts, entry.ends, zone),
        practitioner=roster.name("practitioner_id", entry.practitioner_id),
        business=roster.name("business_id", entry.business_id),
    )


def _whole_class(entry: Entry, patient: Known[Patient], held: int, roster: Roster) -> InvalidArguments:
    """The error that a class would be moved for the sake of one patient."""
    kind = roster.name("appointment_type_id", entry.type_id) or "a class"
    starts = local_text(entry.starts, roster.zone(entry.business_id))
    return InvalidArguments(
        f"{with_birth_year(patient)} has a place in {kind} on {starts}; a move would take all {held} in it along.",
        "For this patient alone cancel the place with cancel_appointment and book another. To move the whole class "
        "give its id.",
        field="appointment",
        appointment_id=entry.id,
    )


def _remarks(clinic: GuardedClinic, plan: Plan, entry: Entry, roster: Roster, phrase: str) -> list[str]:
    notes = _far(clinic, plan, entry, roster, phrase)
    notes += second_readings(phrase, plan.times[0].starts, clinic.now, roster, plan.business, of_visit=True)
    if entry.kind == "group":
        held = len(plan.patients)
        notes.append(f"It is a class with {held} {'patient' if held == 1 else 'patients'} in it; tell them.")
    notes += [*reminded_already(entry), *_notices(plan, begun=plan.times[-1].starts <= clinic.now)]
    if visit_choices.in_series(entry):
        notes.append("It is one of a series; the others stay where they are.")
    return notes


def _far(clinic: GuardedClinic, plan: Plan, entry: Entry, roster: Roster, phrase: str) -> list[str]:
    """What has to be looked at twice: a move far away, to a weekday that was not said, of a visit that is past."""
    notes: list[str] = []
    old, new = roster.zone(entry.business_id), roster.zone(plan.business.id)
    was, now = entry.starts.astimezone(old), plan.times[0].starts.astimezone(new)
    days = (now.date() - was.date()).days
    if abs(days) > _FAR:
        notes.append(
            f"That is {abs(days)} days {'later' if days > 0 else 'earlier'}: "
            f"{local_text(was, old)} to {local_text(now, new)}. Check that it is meant."
        )
    named_days = {match[1].casefold() for match in _WEEKDAY.finditer(phrase)}
    if named_days and not any(f"{now:%A}".casefold().startswith(day) for day in named_days):
        notes.append(f"The new day is a {now:%A}, which is not the weekday in “{clean(phrase, 80)}”.")
    if was <= clinic.now:
        notes.append(f"It had begun already: {local_text(was, old)}.")
    return notes


def _notices(plan: Plan, *, begun: bool) -> list[str]:
    """What Cliniko may send to whom: a sentence for each way in which the patients have it, up to five names in it."""
    who: dict[str, list[str]] = {}
    for patient in plan.patients:
        name = shown_name(patient)
        sentence = booking_notices(patient, plan.kind, plan.business, begun=begun)
        who.setdefault(sentence.replace(name, _NAME, 1), []).append(name)
    notes: list[str] = []
    for sentence, names in who.items():
        more = [f"{len(names) - _NAMES} more"] if len(names) > _NAMES else []
        *first, last = [*names[:_NAMES], *more]
        notes.append(sentence.replace(_NAME, f"{', '.join(first)} and {last}" if first else last))
    return notes


tool = curated(
    "move_appointment",
    "Move (reschedule) an appointment or class to another time, practitioner or site, keeping its length. A clash is "
    "refused and shown. Type or notes: update_individual_appointment.",
    MoveAppointment,
    move_appointment,
    answer=Moved,
    risk=Risk.WRITE,
    needs=[
        IndividualAppointments.update_individual_appointment,
        GroupAppointments.update_group_appointment,
        IndividualAppointments.get_individual_appointment_conflicts,
        GroupAppointments.get_group_appointment_conflicts,
        *find_booking.NEEDS,
        *ROSTER_NEEDS,
        *working_hours.NEEDS,
        *appointment_offers.NEEDS,
        *patients.NEEDS,
    ],
)
