"""fill_gap: whom to ring when a time becomes free, ranked, with reasons.

Requests: 10 cold, 4 warm (with the set-up in memory) for a usual call. In general those that find the appointment whose
time it is (1 or 2 by id), those of `frontdesk.gap_reads`, which grow with the practitioner's own diary, and one each 95
patients; 6 more where memory holds no roster and no hours.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from pydantic import Field

from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.cliniko.resources.appointment_types import AppointmentType
from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.cliniko.resources.daily_availabilities import DailyAvailabilities
from cliniko_mcp.cliniko.resources.patients import Patient, Patients
from cliniko_mcp.cliniko.resources.practitioners import Practitioner
from cliniko_mcp.errors import Ambiguous, InvalidArguments, NotAllowed, NotFound, NotUnderstood
from cliniko_mcp.frontdesk import gap_reads
from cliniko_mcp.frontdesk.answer_rows import CancelledRow, Page, PlaceRow, VisitRow
from cliniko_mcp.frontdesk.appointment_offers import minutes_of
from cliniko_mcp.frontdesk.bookings import EVER, Entry
from cliniko_mcp.frontdesk.clock_text import end_of
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.day_sheet import phones_of
from cliniko_mcp.frontdesk.find_booking import NEEDS as BOOKING_NEEDS
from cliniko_mcp.frontdesk.find_booking import Looking, WhichVisit, which_visit
from cliniko_mcp.frontdesk.gap_candidates import Candidate, Gap, candidates
from cliniko_mcp.frontdesk.patient_names import known_patient
from cliniko_mcp.frontdesk.patients import NEEDS as PATIENT_NEEDS
from cliniko_mcp.frontdesk.roster import ROSTER_NEEDS, Known, Roster, candidate, remarks
from cliniko_mcp.frontdesk.set_up_words import means_everyone, means_everywhere
from cliniko_mcp.frontdesk.spans import Span, point_of, read_span
from cliniko_mcp.frontdesk.visit_phrase import VisitPhrase, read_visit_phrase
from cliniko_mcp.frontdesk.visit_times import is_time
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.phrases import Facing
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.results.rows import local_text
from cliniko_mcp.sanitize import are, counted
from cliniko_mcp.tools.curated.empty_clinic import require
from cliniko_mcp.tools.tool import curated

MAX_LIMIT: Final = 50
_DEFAULT_LIMIT: Final = 8
_DAY: Final = timedelta(days=1)
_RULE: Final = (
    "Those who can be phoned come first, and of them who comes later to the same practitioner, or cancelled and has "
    "not booked again, nearest to the gap first, within reach days of it. Classes are left out. Cliniko's API has no "
    "waitlist, so it is not looked at."
)


class FillGap(Body):
    """Which time is free: that of a cancelled appointment, also by when it was, or a practitioner's; `type` narrows who
    fits."""

    appointment: str | None = Field(default=None, description="The cancelled one: id, Faye's 9:15.")
    practitioner: str | None = None
    when: str | None = Field(default=None, description="E.g. Thursday 10 to 10:45.")
    type: str | None = None
    business: str | None = None
    reach: int = Field(default=28, ge=1, le=366, description="Days.")
    phones: bool = True
    limit: int = Field(default=_DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)


class FillerRow(VisitRow, CancelledRow):
    """A patient who could take the time, with the appointment that suggests it."""

    reasons: list[str] = Field(description="What speaks for them.")
    phones: list[str] | None = Field(default=None, description="Phone numbers, mobile first.")


class GapFillers(AnswerModel):
    """Who could take a free time."""

    gap: PlaceRow = Field(description="The free time.")
    items: list[FillerRow] = Field(description="Patients, the first to ring first.")
    page: Page = Field(description="How many of how many patients are shown.")
    when: str | None = Field(default=None, description="The time as it was understood.")


async def fill_gap(clinic: GuardedClinic, arguments: FillGap) -> Answer:
    """The patients who could take the time, those to ring first at the top."""
    roster = await Roster.load(clinic)
    if arguments.appointment is None:
        require(roster, "site", "practitioner")
    appointment_type = roster.type(arguments.type) if arguments.type else None
    who = arguments.practitioner
    practitioner = roster.practitioner(who) if who and not means_everyone([who], or_anyone=True) else None
    at = arguments.business
    business = roster.business(at) if at and not means_everywhere(at) else None
    reach = timedelta(days=arguments.reach)
    gap, when = await _gap(clinic, arguments, roster, appointment_type, practitioner, business)
    (coming, cancelled), that_day = await run_concurrently(
        partial(gap_reads.practitioners_own, clinic, gap, reach), partial(gap_reads.of_the_day, clinic, roster, gap)
    )
    notes = [_RULE, *remarks(practitioner, business, appointment_type)]
    live = list({entry.id: entry for entry in (*coming, *that_day)}.values())
    own = sorted(
        (entry for entry in live if entry.practitioner_id == gap.practitioner_id), key=lambda entry: entry.starts
    )
    gap = _closed(_given_up(gap, cancelled), own)
    booked = await gap_reads.booked_again(clinic, gap, own, cancelled, reach)
    if gap.booking_id in {entry.id for entry in own}:
        notes.insert(0, f"The appointment {gap.booking_id} is not cancelled yet.")
    taken = [entry for entry in own if entry.id != gap.booking_id and entry.meets(gap.starts, gap.ends)]
    if taken:
        notes.insert(0, _taken(taken[0], roster))
    ranked = candidates(gap, live, cancelled, roster, clinic.now, reach, booked)
    shown, archived = await _named(clinic, ranked, arguments.limit)
    total = len(ranked) - archived
    zone = roster.zone(gap.business_id)
    body = GapFillers(
        gap=PlaceRow(
            starts_at=local_text(gap.starts, zone),
            ends_at=end_of(gap.starts, gap.ends, zone),
            practitioner=roster.name("practitioner_id", gap.practitioner_id),
            business=roster.name("business_id", gap.business_id),
            type=roster.name("appointment_type_id", gap.type_id) or "any that fits",
        ),
        items=[_row(one, patient, roster, phones=arguments.phones) for one, patient in shown],
        page=Page(returned=len(shown), total=total, complete=len(shown) >= total),
        when=when or None,
    )
    if not shown:
        notes.insert(0, "Nobody fits: nobody comes later for this, and nobody who cancelled has yet to book again.")
    elif len(shown) < total:
        notes.append(f"{total - len(shown):,} more could take it; give a larger limit (up to {MAX_LIMIT}) or a type.")
    if archived:
        notes.append(f"{counted(archived, 'archived patient')} {are(archived)} left out.")
    return Answer(body, notes, zone)


async def _gap(
    clinic: GuardedClinic,
    arguments: FillGap,
    roster: Roster,
    appointment_type: Known[AppointmentType] | None,
    practitioner: Known[Practitioner] | None,
    business: Known[Business] | None,
) -> tuple[Gap, str]:
    """The time that is free, and the phrase as it was understood; a point in time still lacks its end."""
    if arguments.appointment is not None:
        return await _gap_of_appointment(clinic, arguments.appointment, roster, appointment_type)
    if not arguments.when:
        raise InvalidArguments("The free time is missing.", "Give the cancelled appointment, or the time as when.")
    if practitioner is None:
        return await _gap_of_time(clinic, arguments.when, roster, appointment_type, business)
    usual = {} if business else await _weekdays(clinic, roster, practitioner)
    sites = [business] if business else [roster.businesses[site_id] for site_id in usual]
    span = read_span(arguments.when, clinic.now, roster, sites, facing=Facing.AHEAD)
    site = business or _site(roster, practitioner, span, usual)
    span = span.narrowed([site])
    windows = list(span.windows(site.id))
    if len(windows) != 1 or windows[0][1] - windows[0][0] > _DAY + timedelta(hours=1):
        raise NotUnderstood(
            f"A gap is one stretch of time within a day, not: {span.description}.",
            'Give a day and hours, such as "Thursday 10 to 10:45".',
            examples=["Thursday 10 to 10:45", "tomorrow at 9", "24 November 14:00 to 15:00"],
        )
    starts, ends = windows[0]
    if point_of(span.at(site.id)) is not None:
        ends = starts + timedelta(minutes=minutes_of(appointment_type)) if appointment_type else starts
    gap = Gap(starts, ends, practitioner.id, site.id, appointment_type.id if appointment_type else "")
    return _coming(gap, clinic.now), span.description


async def _gap_of_time(
    clinic: GuardedClinic,
    when: str,
    roster: Roster,
    appointment_type: Known[AppointmentType] | None,
    business: Known[Business] | None,
) -> tuple[Gap, str]:
    """The time of the one visit that was cancelled then, whoever it was with.

    Raises Ambiguous for several, and NotFound where nothing was cancelled: nobody was named whose time is free.
    """
    fix = "Give another time, or the practitioner whose free time is to be filled."
    phrase = read_visit_phrase(when, lambda words: is_time(words, clinic.now, roster))
    if not phrase.when:  # says what is wrong with it as a time
        phrase = VisitPhrase(when=when)
    if business is not None:
        phrase = replace(phrase, site=business.id)
    try:
        which = await which_visit(clinic, roster, phrase, Looking.FREED)
    except NotFound as problem:
        raise NotFound(problem.message, fix, **problem.details) from None
    if not which.entry.cancelled:
        raise NotFound(f"Nothing was cancelled then: {which.when}.", fix)
    return _freed(which, appointment_type, clinic.now)


async def _gap_of_appointment(
    clinic: GuardedClinic, phrase: str, roster: Roster, appointment_type: Known[AppointmentType] | None
) -> tuple[Gap, str]:
    which = await which_visit(clinic, roster, phrase, Looking.FREED)
    return _freed(which, appointment_type, clinic.now)


def _freed(which: WhichVisit, appointment_type: Known[AppointmentType] | None, now: datetime) -> tuple[Gap, str]:
    entry = which.entry
    if entry.kind != "appointment":
        what = "blocked-out time" if entry.kind == "block" else "a class, whose places are filled with book_appointment"
        raise NotAllowed(
            f"That is {what}.", "fill_gap is for one-to-one appointments; list_attendees shows who has a place."
        )
    gap = Gap(
        entry.starts,
        entry.ends,
        entry.practitioner_id,
        entry.business_id,
        appointment_type.id if appointment_type else entry.type_id,
        frozenset(entry.patient_ids),
        entry.id,
    )
    return _coming(gap, now), which.when


def _coming(gap: Gap, now: datetime) -> Gap:
    if gap.ends <= now and gap.starts < now:  # a point in time has no end yet
        raise NotAllowed("That time is over.", "Give a time that is still to come.")
    return gap


async def _weekdays(clinic: GuardedClinic, roster: Roster, practitioner: Known[Practitioner]) -> dict[str, set[int]]:
    """The weekdays (Sunday is 0) on which the practitioner works, by the id of the open site: one request."""
    rows = await clinic.collect(DailyAvailabilities.list_daily_availabilities, practitioner_id=practitioner.id)
    weekdays: dict[str, set[int]] = {}
    for row in rows:
        site = roster.businesses.get(row.business_id or "")
        if site is not None and not site.gone and row.day_of_week is not None:
            weekdays.setdefault(site.id, set()).add(row.day_of_week % 7)
    return weekdays


def _site(
    roster: Roster, practitioner: Known[Practitioner], span: Span, weekdays: Mapping[str, Collection[int]]
) -> Known[Business]:
    """Where the practitioner works on the day of the span; where nothing says so, their only site.

    Raises Ambiguous where that is not one site.
    """
    sites = [roster.businesses[site_id] for site_id in weekdays] or roster.sites
    if len(sites) > 1:
        that_day = [site for site in sites if span.at(site.id).start.isoweekday() % 7 in weekdays.get(site.id, ())]
        sites = that_day if len(that_day) == 1 else sites
    if len(sites) == 1:
        return sites[0]
    raise Ambiguous(
        f"{practitioner.name} works at {len(sites)} sites.",
        "Say at which one the gap is, in business.",
        candidates=[candidate(site) for site in sites[:5]],
    )


def _given_up(gap: Gap, cancelled: Sequence[Entry]) -> Gap:
    """The gap with those who gave its time up. Where only its start was said, or just its times, a visit that was
    cancelled then gives its end and its type."""
    ends = max(gap.ends, gap.starts + timedelta(minutes=1))
    left = [entry for entry in cancelled if entry.kind == "appointment" and entry.meets(gap.starts, ends)]
    gap = replace(gap, left_by=gap.left_by | {patient for entry in left for patient in entry.patient_ids})
    same = [entry for entry in left if entry.starts == gap.starts and gap.ends in (gap.starts, entry.ends)]
    if gap.booking_id or not same:
        return gap
    # of several that were given up one after another the last one's type is wanted
    last = max(same, key=lambda entry: entry.record.cancelled_at or EVER)
    kind = gap.type_id or last.type_id
    return replace(gap, ends=max(gap.ends, last.ends), type_id=kind, booking_id=last.id)


def _closed(gap: Gap, own: Sequence[Entry]) -> Gap:
    """The gap with an end: where only its start was said, the practitioner's next entry ends it, at most 4 hours on."""
    if gap.ends > gap.starts:
        return gap
    nexts = [entry.starts for entry in own if entry.starts > gap.starts]
    return replace(gap, ends=min([*nexts, gap.starts + gap_reads.OPEN_ENDED]))


def _taken(entry: Entry, roster: Roster) -> str:
    zone = roster.zone(entry.business_id)
    what = roster.name("appointment_type_id", entry.type_id) or "blocked-out time"
    return (
        f"That time is not free: {what} from {entry.starts.astimezone(zone):%H:%M} to "
        f"{end_of(entry.starts, entry.ends, zone)} is in the diary."
    )


async def _named(
    clinic: GuardedClinic, ranked: Sequence[Candidate], limit: int
) -> tuple[list[tuple[Candidate, Known[Patient]]], int]:
    """The first so many who are not archived, those with a phone number first, and how many archived ones there are."""
    records = await clinic.by_id(Patients.list_patients, [one.patient_id for one in ranked])
    known = {patient_id: known_patient(record) for patient_id, record in records.items()}
    here = [(one, known[one.patient_id]) for one in ranked if one.patient_id in known]
    live = sorted(
        ((one, patient) for one, patient in here if not patient.gone), key=lambda pair: not phones_of(pair[1])
    )
    return live[:limit], len(ranked) - len(live)


def _row(one: Candidate, patient: Known[Patient], roster: Roster, *, phones: bool) -> FillerRow:
    entry = one.entry
    return FillerRow(
        patient=patient.name,
        patient_id=patient.id,
        reasons=list(one.reasons),
        appointment_id=entry.id,
        starts_at=local_text(entry.starts, roster.zone(entry.business_id)),
        type=roster.name("appointment_type_id", entry.type_id),
        cancelled=True if one.why == "cancelled" else None,
        phones=(phones_of(patient) or None) if phones else None,
    )


tool = curated(
    "fill_gap",
    "Who could take a free time after a cancellation: patients booked later for the same, or who cancelled and did not "
    "book again, nearest first. To book: move_appointment.",
    FillGap,
    fill_gap,
    answer=GapFillers,
    needs=[
        *ROSTER_NEEDS,
        *PATIENT_NEEDS,
        *BOOKING_NEEDS,
        *gap_reads.NEEDS,
        DailyAvailabilities.list_daily_availabilities,
    ],
)
