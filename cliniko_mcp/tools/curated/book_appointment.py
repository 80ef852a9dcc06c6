"""book_appointment: an appointment or a place in a class, looked at before it is made and checked after.

Requests: 17 cold, 12 warm (with the set-up in memory) for a usual call. In general 5 for the roster where memory has
none and those of the patient's name, then at once one for those who offer the type, one for the patient's open cases,
two for working hours and one for each hundred entries of the practitioner's and the patient's diary; then the booking
and one to read its conflicts. A series takes one more for each hundred of its visits and one for the conflicts of each;
with dates left out or moved, also one to book each. A class: see `class_places`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NamedTuple

from pydantic import Field

from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.cliniko.resources.appointment_types import AppointmentType
from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.cliniko.resources.individual_appointments import IndividualAppointmentBody, IndividualAppointments
from cliniko_mcp.cliniko.resources.patients import Patient
from cliniko_mcp.cliniko.resources.practitioners import Practitioner
from cliniko_mcp.errors import Ambiguous, InvalidArguments
from cliniko_mcp.frontdesk import appointment_offers, class_places, patients, working_hours
from cliniko_mcp.frontdesk.booking_answers import Booked, any_conflict, conflicts_of, described, dry
from cliniko_mcp.frontdesk.bookings import Entry, bookings
from cliniko_mcp.frontdesk.clashes import (
    Plan,
    check_live,
    clash_text,
    concerns,
    concerns_at,
    nearest,
    refuse_clash,
)
from cliniko_mcp.frontdesk.clock_text import end_of
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.notices import booking_notices
from cliniko_mcp.frontdesk.partial_reads import PartialReads
from cliniko_mcp.frontdesk.roster import ROSTER_NEEDS, Known, Roster, candidate, name_text, named, remarks
from cliniko_mcp.frontdesk.second_readings import second_readings
from cliniko_mcp.frontdesk.series import read_repeat
from cliniko_mcp.frontdesk.series_dates import Series, planned, without_exceptions
from cliniko_mcp.frontdesk.set_up_words import means_everyone
from cliniko_mcp.frontdesk.spans import Span, read_span, start_of
from cliniko_mcp.frontdesk.visit_case import Case, case_note, case_of, open_cases
from cliniko_mcp.frontdesk.visit_writes import date_rows, dates_in_short, made_by_rule, series_notes, write_each
from cliniko_mcp.frontdesk.working_hours import Diary, Stretch
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.rows import local_text
from cliniko_mcp.tools.curated.empty_clinic import require
from cliniko_mcp.tools.tool import curated

_AROUND: Final = timedelta(days=4)
"""So many days on either side show at which sites a practitioner works."""
_SERIES_TOKENS: Final = 5_000
"""Tokens of an answer that shows every date of a long series."""


class BookAppointment(Body):
    """Who comes to whom, for what and when; `minutes` is another length than the type's, `repeat` makes a series.

    `dry_run` only checks; `allow_clash` repeats the text of a refusal that is to be overridden.
    """

    patient: str
    practitioner: str | None = None
    type: str
    when: str = Field(description="E.g. Tuesday at 10:30.")
    business: str | None = Field(default=None, description="Site.")
    minutes: int | None = Field(default=None, ge=5, le=1439)
    notes: str | None = None
    patient_case: str | None = None
    repeat: str | None = Field(default=None, description="E.g. weekly x6.")
    skip: list[str] = Field(default=[], description="Dates left out or moved: 25 Dec -> 24 Dec 10:00.")
    dry_run: bool = False
    allow_clash: str | None = Field(default=None, description="clash of a refusal.")


class _Proposal(NamedTuple):
    """The booking as it would be at one site."""

    plan: Plan
    series: Series


async def book_appointment(clinic: GuardedClinic, arguments: BookAppointment) -> Answer:
    """The appointment as booked, or with `dry_run` as it would be. Raises Clash where it has clashes."""
    roster, patient = await run_concurrently(
        partial(Roster.load, clinic), partial(patients.patient, clinic, arguments.patient)
    )
    require(roster, "site", "practitioner", "type")
    who = arguments.practitioner
    practitioner = roster.practitioner(who) if who and not means_everyone([who], or_anyone=True) else None
    appointment_type = roster.type(arguments.type)
    business = roster.business(arguments.business) if arguments.business else None
    if appointment_offers.is_group(appointment_type) and not appointment_type.gone:
        return await class_places.book_places(
            clinic, roster, _place_request(arguments, patient, appointment_type, practitioner, business)
        )
    if practitioner is None:
        raise InvalidArguments(
            f"{appointment_type.name} is booked with a practitioner.",
            "Ask with whom; find_times shows who is free.",
            field="practitioner",
        )
    sites = [business] if business else appointment_offers.sites_offering(roster, appointment_type) or roster.sites
    span = read_span(arguments.when, clinic.now, roster, sites)
    proposals = [
        _proposal(clinic, arguments, span, roster, site, patient, practitioner, appointment_type) for site in sites
    ]
    check_live(proposals[0].plan)
    days = [proposal.plan.days(roster) for proposal in proposals]
    starts, ends = min(first for first, _ in days) - _AROUND, max(last for _, last in days) + _AROUND
    parts = PartialReads()
    (diary, theirs), offering_ids, cases = await run_concurrently(
        partial(
            run_concurrently,
            partial(working_hours.read_diary, clinic, roster, starts, ends, {practitioner.id}),
            partial(bookings, clinic, starts, ends, patient=patient.id),
        ),
        partial(appointment_offers.practitioners_offering, clinic, appointment_type),
        partial(open_cases, clinic, patient.id, parts),
    )
    case = case_of(cases, arguments.patient_case)
    plan, series = _placed(proposals, diary)
    check_live(plan, ("business",))
    there = _there(plan, diary)
    if 0 < len(there) < len(plan.times) and not series.by_rule:
        # visit by visit only what is missing is booked, as after an answer that was lost half way
        plan = Plan(plan.patients, plan.practitioner, plan.business, plan.kind, _missing(plan, there))
    found = concerns(plan, roster, diary, theirs, offering_ids, clinic.now)
    zone = roster.zone(plan.business.id)
    body = Booked(when=span.narrowed([plan.business]).description, item=described(plan, roster))
    last = plan.times[-1].starts.astimezone(zone).date()
    rest = [
        *second_readings(arguments.when, plan.times[0].starts, clinic.now, roster, plan.business),
        *_remarks(plan, roster, diary, theirs, business),
        *remarks(patient, practitioner, appointment_type, business),
        *parts.notes,
    ]
    about_series = series_notes(series, zone)
    whole = all(time.starts in there for time in plan.times)
    if whole and arguments.allow_clash != clash_text(plan, found):
        return _already(body, plan, series, there, found, [*about_series, *rest], roster, arguments, case)
    about_case = case_note(cases, case, last, patient, _CASE_HOW[arguments.dry_run])
    sent = booking_notices(patient, appointment_type, plan.business, begun=plan.times[-1].starts <= clinic.now)
    notes = [sent, *about_series, *about_case, *rest]
    at_dates = {time.starts: concerns_at(plan, time, roster, diary, theirs) for time in plan.times}
    free = nearest(plan, roster, diary, offering_ids, clinic.now, theirs) if found else []
    room = _SERIES_TOKENS if series.repeat else None
    ids = {start: entry.id for start, entry in there.items()}
    if arguments.dry_run:
        around = {
            time.starts: nearest(plan.at(time), roster, diary, offering_ids, clinic.now, theirs)
            for time in plan.times
            if series.repeat and at_dates[time.starts]
        }
        rows = date_rows(series, zone, there=ids, clashes=at_dates, nearest=around)
        answer = dry(body.model_copy(update={"visits": rows}), plan, found, free, notes, roster)
        answer.room = room
        return answer
    short = dates_in_short(series, zone, [start for start, clashes in at_dates.items() if clashes])
    refuse_clash(plan, found, arguments.allow_clash, free, short)
    made = await _write(clinic, plan, series, arguments, case, notes)
    seen = await conflicts_of(clinic, "individual", list(made.values()), found, notes)
    unknown = [None] * (len(plan.times) - len(made))
    before = {} if whole else ids  # those that a second one was made of on purpose are not shown again
    result = {
        "done": "Booked." if not unknown or series.by_rule else f"{len(made)} of {len(plan.times)} booked.",
        "item": body.item.model_copy(update={"id": made.get(plan.times[0].starts)}),
        "conflicts": any_conflict([*seen.values(), *unknown]),
        "visits": date_rows(series, zone, made=made, there=before, clashes=at_dates, conflicts=seen),
    }
    return Answer(body.model_copy(update=result), notes, zone, room)


_CASE_HOW: Final = {
    True: "patient_case takes its name or id.",
    False: "It does not count towards it; update_individual_appointment sets patient_case_id.",
}


def _place_request(
    arguments: BookAppointment,
    patient: Known[Patient],
    appointment_type: Known[AppointmentType],
    practitioner: Known[Practitioner] | None,
    business: Known[Business] | None,
) -> class_places.PlaceRequest:
    if arguments.minutes is not None:
        raise InvalidArguments(
            f"{appointment_type.name} is a class: its sessions have their own length.",
            "Leave minutes out.",
            field="minutes",
        )
    return class_places.PlaceRequest(
        patient,
        appointment_type,
        practitioner,
        business,
        arguments.when,
        arguments.repeat,
        arguments.skip,
        arguments.patient_case,
        arguments.notes,
        arguments.dry_run,
        arguments.allow_clash,
    )


def _proposal(
    clinic: GuardedClinic,
    arguments: BookAppointment,
    span: Span,
    roster: Roster,
    site: Known[Business],
    patient: Known[Patient],
    practitioner: Known[Practitioner],
    appointment_type: Known[AppointmentType],
) -> _Proposal:
    length = timedelta(minutes=arguments.minutes or appointment_offers.minutes_of(appointment_type))
    first = start_of(span.at(site.id), length)
    zone, country = roster.zone(site.id), name_text(site.record.country_code) or None
    phrase, left_out = without_exceptions(arguments.repeat or "")
    repeat = read_repeat(phrase, first, clinic.now, zone, country) if arguments.repeat else None
    series = planned(first, length, repeat, [*left_out, *arguments.skip], clinic.now, zone, country)
    return _Proposal(Plan((patient,), practitioner, site, appointment_type, series.times), series)


def _placed(proposals: Sequence[_Proposal], diary: Diary) -> _Proposal:
    """The one at the site in question: where it is already, where they work at all, else where they work at that time.

    Raises Ambiguous, with the sites, where that leaves more than one.
    """
    practitioner = proposals[0].plan.practitioner
    working = [one for one in proposals if one.plan.business.id in diary.sites(practitioner.id)] or list(proposals)
    then = [one for one in working if diary.at_work(practitioner.id, *one.plan.times[0], one.plan.business.id)]
    for some in ([one for one in proposals if _there(one.plan, diary)], working, then):
        if len(some) == 1:
            return some[0]
    raise Ambiguous(
        f"{practitioner.name} could be booked at {len(working)} sites.",
        "Ask at which site, then call again with business.",
        candidates=[candidate(one.plan.business) for one in working[:5]],
    )


def _there(plan: Plan, diary: Diary) -> dict[datetime, Entry]:
    """What is in the diary already of a plan, by start: same patient, type, practitioner, site and start."""
    times = {time.starts for time in plan.times}
    return {
        entry.starts: entry
        for entry in reversed(diary.entries)
        if entry.kind == "appointment"
        and entry.starts in times
        and entry.patient_ids == (plan.patients[0].id,)
        and (entry.practitioner_id, entry.business_id, entry.type_id)
        == (plan.practitioner.id, plan.business.id, plan.kind.id)
    }


def _missing(plan: Plan, there: dict[datetime, Entry]) -> tuple[Stretch, ...]:
    return tuple(time for time in plan.times if time.starts not in there)


def _already(
    body: Booked,
    plan: Plan,
    series: Series,
    there: dict[datetime, Entry],
    found: Sequence[str],
    notes: list[str],
    roster: Roster,
    arguments: BookAppointment,
    case: Case | None,
) -> Answer:
    """The answer that all of it is in the diary, with how a second one is booked on purpose; nothing is written."""
    zone = roster.zone(plan.business.id)
    first = there[plan.times[0].starts]
    told = ["Only if a second one is wanted on purpose, call again with allow_clash set to the text under clash."]
    if first.ends != plan.times[0].ends:
        told.append(f"It ends at {local_text(first.ends, zone)}; move_appointment changes its length.")
    if arguments.notes and arguments.notes != (first.record.notes or ""):
        told.append("Its notes stay as they are; update_individual_appointment changes them.")
    if case is not None and case.id != first.record.patient_case_id:
        told.append("Its case stays as it is; update_individual_appointment sets patient_case_id.")
    update = {
        "done": f"Already there, id {first.id}. Nothing was changed.",
        "dry_run": True if arguments.dry_run else None,
        "item": body.item.model_copy(update={"id": first.id, "ends_at": end_of(first.starts, first.ends, zone)}),
        "clashes": list(found) if arguments.dry_run else None,
        "clash": clash_text(plan, found),
        "visits": date_rows(series, zone, there={start: entry.id for start, entry in there.items()}),
    }
    return Answer(body.model_copy(update=update), [*told, *notes], zone)


async def _write(
    clinic: GuardedClinic,
    plan: Plan,
    series: Series,
    arguments: BookAppointment,
    case: Case | None,
    notes: list[str],
) -> dict[datetime, str]:
    """The ids of what was made, by start: by Cliniko's rule where it makes just these visits, else one by one."""

    async def write(time: Stretch) -> str:
        body = IndividualAppointmentBody(
            patient_id=plan.patients[0].id,
            practitioner_id=plan.practitioner.id,
            appointment_type_id=plan.kind.id,
            business_id=plan.business.id,
            starts_at=time.starts,
            ends_at=time.ends,
        )
        if arguments.notes:
            body.notes = arguments.notes
        if case is not None:
            body.patient_case_id = case.id
        if series.by_rule and series.repeat is not None:
            body.repeat_rule = series.repeat.rule
        return (await clinic.perform(IndividualAppointments.create_individual_appointment, body)).id

    if series.by_rule:
        return await made_by_rule(clinic, await write(plan.times[0]), plan.times, notes)
    return await write_each(plan.times, write, notes)


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
    "Book an appointment (visit, consult) or a place in a class. Double bookings, leave, hours and room are checked "
    "first; a clash is refused and shown. The patient may be notified. A new class: create_group_appointment.",
    BookAppointment,
    book_appointment,
    answer=Booked,
    risk=Risk.WRITE,
    repeatable=True,
    needs=[
        IndividualAppointments.create_individual_appointment,
        IndividualAppointments.get_individual_appointment_conflicts,
        *ROSTER_NEEDS,
        *working_hours.NEEDS,
        *appointment_offers.NEEDS,
        *class_places.NEEDS,
        *patients.NEEDS,
    ],
)
