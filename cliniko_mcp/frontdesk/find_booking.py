"""Which visit is meant: by an id, or by person and time as the desk says it, shared by every tool that takes a visit.

Requests: one or two for an id; else those of the patient's name (`patients.by_phrase`) and one for each hundred
bookings of the days that the words may mean, which are one or two stretches and seldom three; two more where a patient
has nothing then, for a place in a class that was cancelled.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from functools import partial
from typing import Final

from cliniko_mcp.cliniko.filters import Given
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.cliniko.resources.attendees import Attendee, Attendees
from cliniko_mcp.cliniko.resources.bookings import Bookings
from cliniko_mcp.cliniko.resources.patients import Patient, Patients
from cliniko_mcp.cliniko.resources.practitioners import Practitioner
from cliniko_mcp.errors import Ambiguous, InvalidArguments, NotAllowed, NotFound, NotUnderstood
from cliniko_mcp.frontdesk.bookings import Entry, bookings, entry_of
from cliniko_mcp.frontdesk.clashes import check_zone
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.patient_names import known_patient
from cliniko_mcp.frontdesk.patients import ambiguous
from cliniko_mcp.frontdesk.patients import patient as find_patient
from cliniko_mcp.frontdesk.roster import Known, Roster, candidate, gone, name_text, with_birth_year
from cliniko_mcp.frontdesk.spans import Span
from cliniko_mcp.frontdesk.visit_choices import Hit, nearest, patients_of, several
from cliniko_mcp.frontdesk.visit_phrase import Order, VisitPhrase, read_visit_phrase
from cliniko_mcp.frontdesk.visit_search import VisitSearch, visit_search
from cliniko_mcp.frontdesk.visit_times import is_time, readings
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.phrases import local_day
from cliniko_mcp.results.rows import local_text

NEEDS: Final[tuple[Operation, ...]] = (Bookings.get_booking, Bookings.list_bookings, Patients.list_patients)
AHEAD: Final = timedelta(days=730)
"""How far ahead, and back, a patient's bookings are looked for where no time is said."""
_DAY: Final = timedelta(days=1)
_IN_DIARY: Final = timedelta(days=14)
"""How far ahead, and back, a practitioner's next and last visits are looked for."""
_WIDEST: Final = timedelta(days=40)
"""How long a time may be in which everyone's visits are looked through."""


class Looking(Enum):
    """Where a visit is looked for first: to move or cancel among the coming, for attendance and notes the past.

    For the time that one leaves free, among the coming that are cancelled, which are none to the others.
    """

    COMING = "coming"
    PAST = "past"
    FREED = "freed"


@dataclass(frozen=True, slots=True)
class WhichVisit:
    """The booking that is meant; `patient` is whose visit it is where the words say so or only one is in it.

    `when` is the time as it was understood, empty where none was said; `note` has to be told to the reader where not
    empty. A class that was said by its id, or by practitioner and time, has no `patient`.
    """

    entry: Entry
    patient: Known[Patient] | None
    when: str = ""
    note: str = ""
    attendee_id: str = ""


async def which_visit(
    clinic: GuardedClinic,
    roster: Roster,
    text: str | VisitPhrase,
    looking: Looking,
    patient: Known[Patient] | str | None = None,
    practitioner: Known[Practitioner] | None = None,
) -> WhichVisit:
    """The one visit that a text means: "Faye's 9:15 on Monday", "the 3 pm with Mei Ng", "his last one", an id.

    `patient` and `practitioner` are named beside it: for "his", and for a time alone. Of several patients whom the
    words for one fit, the one with a visit then is meant. Blocked-out times are given back
    by their id. Raises NotFound, Ambiguous (both with up to five visits to choose from), InvalidArguments where nobody
    is named or a time is said at a site whose zone is not known, and NotUnderstood for a time that cannot be read.
    """
    phrase = text
    if isinstance(phrase, str):
        phrase = read_visit_phrase(phrase, lambda words: is_time(words, clinic.now, roster))
    if isinstance(patient, str):
        try:
            patient = await find_patient(clinic, patient)
        except Ambiguous:
            if phrase.id or phrase.person or not phrase.when:
                raise
            phrase, patient = replace(phrase, person=patient, pronoun=False, is_patient=True), None
    if phrase.id:
        return await _by_id(clinic, roster, phrase.id, looking, patient)
    search = await visit_search(clinic, roster, phrase, patient, practitioner)
    if not phrase.when:
        return await _undated(clinic, roster, search, phrase, looking)
    return await _dated(clinic, roster, search, phrase, looking)


async def _undated(
    clinic: GuardedClinic, roster: Roster, search: VisitSearch, phrase: VisitPhrase, looking: Looking
) -> WhichVisit:
    """The visit of a patient where no time is said: the only one coming, or the only one today; next, last."""
    if not search.people and search.practitioner is not None and _next_of_staff(phrase.order, looking):
        return await _undated_of_staff(clinic, roster, search, phrase)
    if not search.people:
        raise InvalidArguments(
            f"{search.name} has many visits: the patient or the time is missing.",
            'Say whose visit it is and when, such as "Jane Lima, Monday at 9:15".',
            field="appointment",
        )
    if len(search.people) > 1:
        raise ambiguous(name_text(phrase.person), search.people)
    who, now = search.people[0], clinic.now
    freed = looking is Looking.FREED
    every = search.hits(await bookings(clinic, now - AHEAD, now + AHEAD, patient=who.id, cancelled=freed))
    begun = [hit for hit in every if hit.entry.starts <= now]
    ahead = [hit for hit in every if hit.entry.starts > now]
    fitting = _in_order(phrase.order, looking, begun, ahead)
    if not phrase.order and looking is Looking.PAST:
        fitting = [hit for hit in every if _is_today(hit.entry, roster, now)]
    elif not phrase.order:
        fitting = _freed_first([hit for hit in every if hit.entry.ends > now])
    if len(fitting) == 1:
        return WhichVisit(fitting[0].entry, who)
    if fitting:
        noun = "appointments" if looking is Looking.PAST else "coming appointments"
        either = f"The last one of {with_birth_year(who)} can be the latest past one or the last of those to come."
        past_too = phrase.order == "last" and min(hit.entry.starts for hit in fitting) <= now
        message = either if past_too else f"{with_birth_year(who)} has {len(fitting)} {noun}."
        raise await several(clinic, roster, fitting, message)
    missing = "no appointment today" if looking is Looking.PAST else "no coming appointment in the next two years"
    if phrase.order:
        missing = f"no {'earlier' if phrase.order in ('last', 'latest') else 'coming'} appointment"
    raise await nearest(clinic, roster, every, f"{with_birth_year(who)} has {missing}.", now)


def _next_of_staff(order: Order, looking: Looking) -> bool:
    """Whether "my next patient" or, where the past is meant first, "my last one" is one visit of a practitioner's."""
    return order == "next" or (order in ("last", "latest") and looking is Looking.PAST)


async def _undated_of_staff(
    clinic: GuardedClinic, roster: Roster, search: VisitSearch, phrase: VisitPhrase
) -> WhichVisit:
    """The next or the last visit in a practitioner's diary: "my next patient", "the last one with Mei Ng"."""
    now, who = clinic.now, search.practitioner
    assert who is not None
    low, high = (now, now + _IN_DIARY) if phrase.order == "next" else (now - _IN_DIARY, now)
    every = search.hits(await bookings(clinic, low, high, practitioners=[who.id]))
    fitting = [hit for hit in every if (hit.entry.starts > now) is (phrase.order == "next")]
    fitting = _ends_of(fitting, first=phrase.order == "next")
    if fitting and search.guessed:
        named, one = name_text(phrase.person), "the next" if phrase.order == "next" else "the last"
        message = f"No patient is called “{named}”; {one} in the diary of {search.name}, who works here, may be meant."
        raise await several(clinic, roster, fitting, message)
    if len(fitting) == 1:
        return await _one(clinic, search, phrase, fitting[0], "")
    if fitting:
        raise await several(clinic, roster, fitting, f"{search.name} has {len(fitting)} that begin together.")
    days = _IN_DIARY.days
    when = f"in the next {days} days" if phrase.order == "next" else f"in the last {days} days"
    raise NotFound(f"{search.name} has no visit {when}.", "Say a day and a time; show_diary lists what is booked.")


def _in_order(order: Order, looking: Looking, begun: Sequence[Hit], ahead: Sequence[Hit]) -> list[Hit]:
    """Those that "next" or "last" can mean; of several that begin at once all."""
    if order == "next":
        return _ends_of(ahead, first=True)
    if order == "final":
        return _ends_of(ahead, first=False)
    found = _ends_of(begun, first=False)
    if order == "last" and looking is not Looking.PAST:  # the last one there was, or the last of those to come
        found += _ends_of(ahead, first=False)
    return found


def _once(hits: Iterable[Hit]) -> list[Hit]:
    """These, an entry that was found in two directions once."""
    return list({(hit.entry.id, hit.patient.id if hit.patient else ""): hit for hit in hits}.values())


def _freed_first(hits: Sequence[Hit]) -> list[Hit]:
    """The cancelled ones of these; all where none is."""
    return [hit for hit in hits if hit.entry.cancelled] or [*hits]


def _ends_of(hits: Sequence[Hit], *, first: bool) -> list[Hit]:
    starts = [hit.entry.starts for hit in hits]
    wanted = (min if first else max)(starts, default=None)
    return [hit for hit in hits if hit.entry.starts == wanted]


def _is_today(entry: Entry, roster: Roster, now: datetime) -> bool:
    zone = roster.zone(entry.business_id)
    return local_day(entry.starts, zone) == local_day(now, zone)


async def _dated(
    clinic: GuardedClinic, roster: Roster, search: VisitSearch, phrase: VisitPhrase, looking: Looking
) -> WhichVisit:
    """The visit at the time that is said, in the direction of the tool first and then in the other."""
    spans = readings(phrase.when, clinic.now, roster)
    fetched = await run_concurrently(*(partial(_around, clinic, search, span) for span in spans.values()))
    every = {hit.entry.id + (hit.patient.id if hit.patient else ""): hit for row in fetched for hit in row}
    found = {way: _within(list(every.values()), span) for way, span in spans.items()}
    freed = looking is Looking.FREED
    live = {way: [hit for hit in hits if freed or not hit.entry.cancelled] for way, hits in found.items()}
    today = [hit for hits in live.values() for hit in hits if _is_today(hit.entry, roster, clinic.now)]
    order = ("today", "back", "ahead") if looking is Looking.PAST else ("ahead", "today", "back")
    way = next((way for way in order if live.get(way)), "")
    fitting = live.get(way, [])
    if today and looking is Looking.PAST:
        fitting = today
    elif way == "ahead":
        fitting = [*fitting, *today]
    fitting = _once(fitting)
    if freed:
        fitting = _freed_first(fitting)
    if phrase.order and len(fitting) > 1:
        fitting = _ends_of(fitting, first=phrase.order == "next")
    span = spans[way or next(way for way in order if way in spans)]
    for hit in fitting:
        if (site := roster.businesses.get(hit.entry.business_id)) is not None:
            check_zone(site)  # a time by its clock would be a guess, and so would the visit
    if len(fitting) == 1 and fitting[0].patient is None and search.staff is not None and search.people:
        message = f"{search.name} {search.has} no appointment then; this one is with {with_birth_year(search.staff)}."
        raise await several(clinic, roster, fitting, message)
    if len(fitting) == 1:
        return await _one(clinic, search, phrase, fitting[0], span.description)
    if fitting:
        whose = search.name if search.people is None or len(search.people) == 1 else "They"
        has = "have" if whose == "They" else "has"
        rest = [hit for hit in fitting if hit not in live[way]]
        others = [spans[one].description for one, hits in live.items() if any(hit in hits for hit in rest)]
        then = " or ".join([*others[:1], span.description])
        raise await several(clinic, roster, fitting, f"{whose} {has} {len(fitting)} appointments: {then}.")
    gone_then = list(
        {(hit.entry.id, hit.patient and hit.patient.id): hit for hits in found.values() for hit in hits}.values()
    )
    if gone_then:
        what = f"{search.name} {search.has} only cancelled appointments: {span.description}."
        raise await nearest(clinic, roster, gone_then, what, clinic.now)
    if not every and search.people and len(search.people) == 1:
        await _refuse_a_cancelled_place(clinic, roster, search.people[0], spans)
    near = [hit for hit in every.values() if _in_reach(hit.entry, looking, clinic.now)]
    near.sort(key=lambda hit: (hit.entry.cancelled, _distance(hit.entry, spans)))
    if near:
        # of "7:15" that may be today's or tomorrow's, the one beside what is offered
        span = min(spans.values(), key=lambda span: abs(near[0].entry.starts - span.bounds[0]))
    raise await nearest(clinic, roster, near, f"{search.name} {search.has} no appointment: {span.description}.", None)


async def _refuse_a_cancelled_place(
    clinic: GuardedClinic, roster: Roster, who: Known[Patient], spans: Mapping[str, Span]
) -> None:
    """Raise NotFound where the patient had a place in a class then that is cancelled, which the class no longer shows.

    One or two requests.
    """
    with suppress(NotAllowed):
        places = await clinic.collect(Attendees.list_attendees, patient_id=who.id, cancelled_at=Given.YES)
        found = await clinic.by_id(Bookings.list_bookings, [place.booking_id for place in places if place.booking_id])
        entries = [entry for row in found.values() if (entry := entry_of(row)) is not None and entry.kind == "group"]
        hits = [Hit(entry, who) for entry in entries]
        for hit in {hit.entry.id: hit for span in spans.values() for hit in _within(hits, span)}.values():
            kind = roster.name("appointment_type_id", hit.entry.type_id) or "a class"
            starts = local_text(hit.entry.starts, roster.zone(hit.entry.business_id))
            raise NotFound(
                f"The place of {with_birth_year(who)} in {kind} on {starts} is cancelled already.",
                "It stays so; book_appointment takes a new one.",
            )


async def _around(clinic: GuardedClinic, search: VisitSearch, span: Span) -> list[Hit]:
    """All that fits on the days of a span, whatever its time, cancelled ones too."""
    low, high = (span.bounds[0] - _DAY, span.bounds[1] + _DAY)
    alone = search.people[0].id if search.people and len(search.people) == 1 and search.staff is None else None
    if alone is None and high - low > _WIDEST:
        raise NotUnderstood(
            f"That is too long a time to find one visit in: {span.description}.",
            "Name the patient in full, or say the day.",
            examples=["Jane Lima, Monday at 9:15", "the 3 pm with Mei Ng on Friday"],
        )
    staff = [search.practitioner.id] if search.practitioner else []
    entries = await bookings(clinic, low, high, practitioners=staff, patient=alone, cancelled=True)
    return search.hits(entries)


def _within(hits: Sequence[Hit], span: Span) -> list[Hit]:
    return [
        hit for hit in hits if any(low <= hit.entry.starts < high for low, high in span.windows(hit.entry.business_id))
    ]


def _in_reach(entry: Entry, looking: Looking, now: datetime) -> bool:
    """Whether an entry may be offered for another: last year's 11 December is none of those to come."""
    begun = entry.starts <= now
    return abs(entry.starts - now) < _WIDEST or begun is (looking is Looking.PAST)


def _distance(entry: Entry, spans: Mapping[str, Span]) -> timedelta:
    return min(abs(entry.starts - span.bounds[0]) for span in spans.values())


async def _one(clinic: GuardedClinic, search: VisitSearch, phrase: VisitPhrase, hit: Hit, when: str) -> WhichVisit:
    who, note = hit.patient, ""
    if who is None and hit.entry.kind == "appointment":
        who = next(iter(await patients_of(clinic, hit.entry)), None)
    elif who is not None and search.people is not None and len(search.people) > 1:
        shown = name_text(phrase.person)
        note = f"{len(search.people)} patients fit “{shown}”; {with_birth_year(who)} is the one with a visit then."
    if hit.patient is None and search.staff is not None:
        note = f"“{name_text(phrase.person)}” was read as {with_birth_year(search.staff)}, who works here."
    return WhichVisit(hit.entry, who, when, note)


async def _by_id(
    clinic: GuardedClinic, roster: Roster, booking_id: str, looking: Looking, beside: Known[Patient] | None
) -> WhichVisit:
    """The live booking of an id, or that of an attendee's id; a patient who is named beside it has to be in it."""
    fix = "Look for it with show_diary, or give the patient's name and the time."
    missing = NotFound(f"There is no appointment with the id {booking_id}.", fix)
    holder: Attendee | None = None
    try:
        record = await clinic.perform(Bookings.get_booking, include_archived=True, id=booking_id)
    except NotFound:
        with suppress(NotAllowed):
            holder = (await clinic.by_id(Attendees.list_attendees, [booking_id])).get(booking_id)
        if holder is None or not holder.booking_id:
            raise missing from None
        record = await clinic.perform(Bookings.get_booking, include_archived=True, id=holder.booking_id)
        patients = await clinic.by_id(Patients.list_patients, [holder.patient_id])
        mine = patients.get(holder.patient_id)
        if beside is None and mine is not None:
            beside = known_patient(mine)
    entry = entry_of(record)
    if entry is None:
        raise NotFound(f"The appointment {booking_id} has no time.", fix)
    if gone(entry.record) or (entry.cancelled and looking is not Looking.FREED):
        state = "cancelled" if entry.cancelled else "archived"
        when = local_text(entry.starts, roster.zone(entry.business_id))
        raise NotFound(f"The appointment {booking_id} on {when} is {state} already.", "It stays so; book a new one.")
    who = beside
    if entry.kind == "appointment" and (who is None or who.id not in entry.patient_ids):
        who = next(iter(await patients_of(clinic, entry)), None)
    if beside is not None and who is not None and who.id != beside.id:
        raise Ambiguous(
            f"The appointment {booking_id} is for {with_birth_year(who)}, not for {with_birth_year(beside)}.",
            "Ask whose appointment is meant; show_diary has the ids.",
            candidates=[candidate(who), candidate(beside)],
        )
    return WhichVisit(entry, who, attendee_id=holder.id if holder else "")
