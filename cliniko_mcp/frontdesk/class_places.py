"""Places in classes: the session that is meant, its room, and the place that is taken in it.

Cliniko takes a patient into a session once and while it has room (cliniko-api.md#appointments). Requests: at once one
for each hundred sessions of the class and one for each hundred bookings of the patient from the time in question on,
and one for the patient's open cases; then one write for each place, and one to read the places after.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from cliniko_mcp.cliniko.filters import Between, OneOf
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.cliniko.resources.appointment_types import AppointmentType
from cliniko_mcp.cliniko.resources.attendees import AttendeeBody, Attendees
from cliniko_mcp.cliniko.resources.bookings import Bookings
from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.cliniko.resources.patients import Patient
from cliniko_mcp.cliniko.resources.practitioners import Practitioner
from cliniko_mcp.errors import Ambiguous, Clash, ClinikoRefused, InvalidArguments, JsonValue, NotFound
from cliniko_mcp.frontdesk.appointment_offers import sites_offering
from cliniko_mcp.frontdesk.booking_answers import Booked, described, dry
from cliniko_mcp.frontdesk.bookings import Entry, bookings, entry_of
from cliniko_mcp.frontdesk.clashes import Plan, check_live, is_past, patient_concerns, refuse_clash, shown
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.notices import booking_notices
from cliniko_mcp.frontdesk.partial_reads import PartialReads
from cliniko_mcp.frontdesk.roster import MAX_CANDIDATES, Known, Roster, name_text, named, remarks
from cliniko_mcp.frontdesk.second_readings import second_readings
from cliniko_mcp.frontdesk.series import read_repeat
from cliniko_mcp.frontdesk.series_dates import Series, planned, without_exceptions
from cliniko_mcp.frontdesk.spans import Span, read_span
from cliniko_mcp.frontdesk.visit_case import case_note, case_of, open_cases
from cliniko_mcp.frontdesk.visit_writes import date_rows, dates_in_short, series_notes, write_each
from cliniko_mcp.frontdesk.working_hours import Stretch
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.rows import local_text
from cliniko_mcp.sanitize import counted

NEEDS: Final[tuple[Operation, ...]] = (Attendees.create_attendee, Bookings.list_bookings)
_AHEAD: Final = timedelta(days=56)
"""How far ahead of the time in question a session with room is looked for."""
_SERIES: Final = timedelta(days=400)
_MAX_NEXT: Final = 3


@dataclass(frozen=True, slots=True)
class PlaceRequest:
    """Who wants a place in which class, and when, as it was asked for; a practitioner and a site only narrow it."""

    patient: Known[Patient]
    kind: Known[AppointmentType]
    practitioner: Known[Practitioner] | None
    business: Known[Business] | None
    when: str
    repeat: str | None
    skip: Sequence[str]
    patient_case: str | None
    notes: str | None
    dry_run: bool
    allow_clash: str | None

    def admits(self, entry: Entry) -> bool:
        """Whether a session is one of this class, with the practitioner and at the site that were named."""
        return (
            entry.kind == "group"
            and entry.type_id == self.kind.id
            and (self.practitioner is None or entry.practitioner_id == self.practitioner.id)
            and (self.business is None or entry.business_id == self.business.id)
        )


async def book_places(clinic: GuardedClinic, roster: Roster, wanted: PlaceRequest) -> Answer:
    """The place as taken, or with `dry_run` as it would be, in one session or in each of a series.

    Raises Clash where a session is full, does not exist, or the patient is booked elsewhere at that time; Ambiguous
    where several sessions are meant; NotFound where none is.
    """
    sites = [wanted.business] if wanted.business else sites_offering(roster, wanted.kind) or roster.sites
    span = read_span(wanted.when, clinic.now, roster, sites)
    starts, ends = span.bounds
    ends += _SERIES if wanted.repeat else _AHEAD
    parts = PartialReads()
    everything, theirs, cases = await run_concurrently(
        partial(_sessions, clinic, wanted, starts, ends),
        partial(bookings, clinic, starts - timedelta(days=1), ends, patient=wanted.patient.id),
        partial(open_cases, clinic, wanted.patient.id, parts),
    )
    session = _meant(everything, span, roster, wanted, clinic.now)
    taken = case_of(cases, wanted.patient_case)
    plan, series = _plan(session, roster, wanted, clinic.now)
    check_live(plan, ("patient", "business", "type"))
    zone = roster.zone(plan.business.id)
    by_start = {**{entry.starts: entry for entry in everything if _alike(entry, session)}, session.starts: session}
    there = {
        time.starts: by_start[time.starts].id
        for time in plan.times
        if time.starts in by_start and plan.patients[0].id in by_start[time.starts].patient_ids
    }
    missing = tuple(time for time in plan.times if time.starts not in there)
    first = by_start.get(plan.times[0].starts)
    body = Booked(
        when=span.narrowed([plan.business]).description,
        item=described(plan, roster).model_copy(update={"id": first.id if first else None}),
        places_before=first.left if first else None,
    )
    last = plan.times[-1].starts.astimezone(zone).date()
    notes = [
        *series_notes(series, zone, places=True),
        *second_readings(wanted.when, plan.times[0].starts, clinic.now, roster, plan.business),
        *remarks(wanted.patient, wanted.practitioner, wanted.kind, wanted.business),
        *parts.notes,
    ]
    if not missing:
        visits = date_rows(series, zone, there=there)
        notes.insert(0, f"{named(wanted.patient)} has this place already, and Cliniko gives nobody a second one.")
        told = {"visits": visits, "places_after": body.places_before, "dry_run": True if wanted.dry_run else None}
        done = f"Already there, id {there[plan.times[0].starts]}. Nothing was changed."
        return Answer(body.model_copy(update={**told, "done": done}), notes, zone)
    left_to_book = Plan(plan.patients, plan.practitioner, plan.business, plan.kind, missing)
    notes[:0] = [
        booking_notices(wanted.patient, wanted.kind, plan.business, begun=missing[-1].starts <= clinic.now),
        *case_note(cases, taken, last, wanted.patient, _HOW[wanted.dry_run]),
    ]
    full = _without_room(left_to_book, by_start, everything, theirs, roster, wanted)
    found = {
        time.starts: patient_concerns(
            left_to_book, time, roster, [entry for entry in theirs if entry.id != _id_at(by_start, time)]
        )
        for time in missing
    }
    past = ["That time is past."] if is_past(left_to_book, clinic.now) else []
    against = [*past, *(sentence for time in missing for sentence in found[time.starts])]
    everything_against = {start: [*full.get(start, ()), *found[start]] for start in found}
    if wanted.dry_run:
        rows = date_rows(series, zone, there=there, clashes=everything_against)
        sentences = [*(text for texts in full.values() for text in texts), *against]
        answer = dry(body.model_copy(update={"visits": rows}), left_to_book, sentences, [], notes, roster)
        if full and isinstance(answer.body, Booked):  # no text allows what Cliniko itself refuses
            answer.body = answer.body.model_copy(update={"clash": None})
        return answer
    short = dates_in_short(series, zone, [start for start, texts in everything_against.items() if texts])
    if full:
        raise _no_room(full, short, bool(wanted.repeat))
    refuse_clash(left_to_book, against, wanted.allow_clash, [], short)

    async def write(time: Stretch) -> str:
        place = AttendeeBody(booking_id=by_start[time.starts].id, patient_id=wanted.patient.id)
        if wanted.notes:
            place.notes = wanted.notes
        if taken is not None:
            place.patient_case_id = taken.id
        await clinic.perform(Attendees.create_attendee, place)
        return by_start[time.starts].id

    made = await write_each(missing, write, notes)
    left = await _left(clinic, list(made.values()), notes)
    result = {
        "done": "Booked." if len(made) == len(missing) else f"{len(made)} of {len(missing)} booked.",
        "visits": date_rows(series, zone, made=made, there=there, clashes=found, left=left),
        "places_after": left.get(body.item.id or ""),
    }
    return Answer(body.model_copy(update=result), notes, zone)


_HOW: Final = {
    True: "patient_case takes its name or id.",
    False: "It does not count towards it; update_attendee sets patient_case_id.",
}


async def _sessions(clinic: GuardedClinic, wanted: PlaceRequest, starts: datetime, ends: datetime) -> list[Entry]:
    """The live sessions of the class that begin then and are admitted, in order."""
    rows = await clinic.collect(
        Bookings.list_bookings, appointment_type_id=wanted.kind.id, starts_at=Between(starts, ends)
    )
    found = [entry for row in rows if (entry := entry_of(row)) is not None and wanted.admits(entry)]
    return sorted(found, key=lambda entry: (entry.starts, entry.id))


def _alike(entry: Entry, session: Entry) -> bool:
    return (entry.business_id, entry.practitioner_id) == (session.business_id, session.practitioner_id)


def _id_at(by_start: Mapping[datetime, Entry], time: Stretch) -> str | None:
    return by_start[time.starts].id if time.starts in by_start else None


def _meant(sessions: Sequence[Entry], span: Span, roster: Roster, wanted: PlaceRequest, now: datetime) -> Entry:
    """The one session that the phrase means, those to come before those that are past."""
    fitting = [entry for entry in sessions if span.at(entry.business_id).contains(entry.starts)]
    coming = [entry for entry in fitting if entry.starts >= now - timedelta(minutes=5)] or fitting
    if len(coming) == 1:
        return coming[0]
    if coming:
        raise Ambiguous(
            f"{len(coming)} sessions of {wanted.kind.name} are then.",
            "Ask which one, then call again with its time, and practitioner or business where two begin together.",
            candidates=[_row(entry, roster) for entry in coming[:MAX_CANDIDATES]],
        )
    after = [entry for entry in sessions if entry.starts >= max(now, span.bounds[0]) and entry.left]
    raise NotFound(
        f"There is no session of {wanted.kind.name} then: {span.description}.",
        "Offer one of the sessions, or look further with find_times.",
        sessions=[_row(entry, roster) for entry in after[:_MAX_NEXT]],
    )


def _row(entry: Entry, roster: Roster) -> JsonValue:
    return {
        "id": entry.id,
        "starts_at": local_text(entry.starts, roster.zone(entry.business_id)),
        "practitioner": roster.name("practitioner_id", entry.practitioner_id),
        "business": roster.name("business_id", entry.business_id),
        "places_left": entry.left,
    }


def _plan(session: Entry, roster: Roster, wanted: PlaceRequest, now: datetime) -> tuple[Plan, Series]:
    site = roster.businesses.get(session.business_id)
    if site is None:
        raise InvalidArguments(f"The site of class {session.id} can no longer be read.", "Look with show_diary.")
    who = roster.practitioners.get(session.practitioner_id) or Known(
        session.practitioner_id, "its practitioner", Practitioner.read({"id": session.practitioner_id})
    )
    zone, country = roster.zone(site.id), name_text(site.record.country_code) or None
    phrase, left_out = without_exceptions(wanted.repeat or "")
    repeat = read_repeat(phrase, session.starts, now, zone, country) if wanted.repeat else None
    length = session.ends - session.starts
    series = planned(session.starts, length, repeat, [*left_out, *wanted.skip], now, zone, country)
    return Plan((wanted.patient,), who, site, wanted.kind, series.times), series


def _without_room(
    plan: Plan,
    by_start: Mapping[datetime, Entry],
    sessions: Sequence[Entry],
    theirs: Sequence[Entry],
    roster: Roster,
    wanted: PlaceRequest,
) -> dict[datetime, list[str]]:
    """A sentence for each time without a session or without a place in it, with the next session that has room."""
    zone = roster.zone(plan.business.id)
    found: dict[datetime, list[str]] = {}
    for time in plan.times:
        entry = by_start.get(time.starts)
        if entry is not None and entry.left:
            continue
        when = f"{wanted.kind.name} {local_text(time.starts, zone)}"
        problem = (
            "has no session"
            if entry is None
            else f"is full ({len(entry.patient_ids)} of {counted(entry.places or 0, 'place')})"
        )
        after = next(
            (
                later
                for later in sessions
                if later.starts > time.starts
                and later.left
                and wanted.patient.id not in later.patient_ids
                and not any(own.meets(later.starts, later.ends) for own in theirs)
            ),
            None,
        )
        if after is None:
            found[time.starts] = [f"{when} {problem}; none with room in the time looked through."]
            continue
        at = local_text(after.starts, roster.zone(after.business_id))
        who = roster.name("practitioner_id", after.practitioner_id)
        places = "1 place" if after.left == 1 else f"{after.left} places"
        found[time.starts] = [f"{when} {problem}; next with room: {at} with {who}, {places} (class {after.id})."]
    return found


def _no_room(full: Mapping[datetime, Sequence[str]], dates: str | None, series: bool) -> Clash:
    sentences = [sentence for texts in full.values() for sentence in texts]
    way = "leave those dates out with skip" if series else "offer the next session with room"
    return Clash(
        f"Nothing was changed: {counted(len(full), 'session')} cannot be joined.",
        f"Tell the user and {way}. Cliniko takes nobody into a full class.",
        dates=dates,
        clashes=shown(sentences),
    )


async def _left(clinic: GuardedClinic, ids: Sequence[str], notes: list[str]) -> dict[str, int]:
    """The free places of these sessions after the write, in one request; none, with a note, where that fails."""
    try:
        rows = await clinic.collect(Bookings.list_bookings, id=OneOf(ids))
    except ClinikoRefused:
        notes.append("It is done, but the places that are left could not be read; look with show_diary.")
        return {}
    entries = {entry.id: entry for row in rows if (entry := entry_of(row)) is not None}
    over = [entry for entry in entries.values() if len(entry.patient_ids) > (entry.places or 0)]
    if over:
        notes.append("A class holds more than its places now: somebody may have booked meanwhile. See show_diary.")
    return {key: entry.left for key, entry in entries.items()}
