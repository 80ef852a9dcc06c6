"""find_times: free starts for an appointment type, over any practitioners, sites and span.

Requests: 5 for the roster, one for those who offer the type, 2 for working hours and one for each hundred diary entries
of the span, whatever the number of practitioners and weeks; where nothing is free, once more 2 and the entries of the
week before and four weeks after. For online booking those of `frontdesk.online`; where nothing can be booked, once more
for all others who offer the type and for up to four later weeks, and 2 and the entries of the span for the diary.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Final, Literal

from pydantic import Field

from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.cliniko.resources.practitioners import Practitioner
from cliniko_mcp.errors import InvalidArguments, NotAllowed
from cliniko_mcp.frontdesk import appointment_offers, online, working_hours
from cliniko_mcp.frontdesk.answer_rows import Names, Page
from cliniko_mcp.frontdesk.availability import Slot, SlotRow, free_slots, group_slots, spread, why_none
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.roster import ROSTER_NEEDS, Known, Roster, remarks
from cliniko_mcp.frontdesk.spans import Span, read_span
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.phrases.dates import day_words
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.tools.curated.empty_clinic import lacking, require
from cliniko_mcp.tools.tool import curated

_REACH: Final = timedelta(weeks=13)
"""The longest stretch that is looked at in one call."""
_BEFORE: Final = timedelta(days=7)
_BEYOND: Final = timedelta(days=28)
"""How far before and past the span the nearest alternative is looked for."""


class FindTimes(Body):
    """What is to be booked, with whom, where and when; `minutes` is another length than the type's."""

    type: str
    when: str = Field(default="next 14 days", description="E.g. Thursday after 3.")
    practitioner: list[str] | None = Field(default=None, description="Any of these; else all.")
    business: str | None = Field(default=None, description="Site.")
    kind: Literal["diary", "online"] = Field(default="diary", description="online: as patients book.")
    minutes: int | None = Field(default=None, ge=5, le=1439)
    limit: int = Field(default=12, ge=1, le=100)


class FreeTimes(AnswerModel):
    """The free starts for an appointment type."""

    when: str = Field(description="The time as it was understood.")
    type: str = Field(description="The appointment type's name.")
    minutes: int = Field(description="Length in minutes.")
    kind: Literal["diary", "online"] = Field(description="Whose view: the clinic's, or what patients can book.")
    items: list[SlotRow] = Field(description="Free starts, earliest first, spread over days and practitioners.")
    page: Page = Field(description="How many of how many starts are shown.")
    why: list[str] | None = Field(default=None, description="Why there is none, or none with some of those named.")
    alternatives: list[SlotRow] | None = Field(default=None, description="What comes nearest where there is none.")
    names: Names = Field(description="The ids behind the names.")


class _Search:
    """What to look for, in records: the type, the practitioners named, the sites, the span and the length."""

    def __init__(self, roster: Roster, arguments: FindTimes, clinic: GuardedClinic) -> None:
        self.arguments = arguments
        self.roster = roster
        self.now = clinic.now
        self.type = roster.type(arguments.type)
        self.practitioners = roster.several(arguments.practitioner or ())
        self.site = roster.business(arguments.business) if arguments.business else None
        offering = appointment_offers.sites_offering(roster, self.type)
        self.sites = [site for site in offering if self.site is None or site.id == self.site.id]
        self.span = read_span(arguments.when, self.now, roster, [self.site] if self.site else self.sites)
        self.minutes = arguments.minutes or appointment_offers.minutes_of(self.type)
        self.length = timedelta(minutes=self.minutes)
        self.why: list[str] = []
        starts, ends = self.span.bounds
        self.starts = max(starts, self.now)
        self.ends = min(ends, self.starts + _REACH)
        self.cut = self.ends < ends
        # What starts in the span may end after it: "at 16:30" is a minute long.
        self.reach = self.ends + self.length

    def offering(self, offering_ids: frozenset[str]) -> list[Known[Practitioner]]:
        """Those to look at: the ones named who offer the type and still work here, or all who offer it."""
        if self.practitioners:
            return [known for known in self.practitioners if self._offers(known, offering_ids)]
        everyone = self.roster.practitioners.values()
        found = [known for known in everyone if not known.gone and known.id in offering_ids]
        if not found and not self.why:
            self.why.append(f"Nobody who works here offers {self.type.name}.")
        return found

    @property
    def active(self) -> set[str]:
        """The ids of those who still work at the clinic."""
        return {known.id for known in self.roster.practitioners.values() if not known.gone}

    def _offers(self, known: Known[Practitioner], offering_ids: frozenset[str]) -> bool:
        if known.gone:
            self.why.append(known.note)
        elif known.id not in offering_ids:
            self.why.append(f"{known.name} does not offer {self.type.name}.")
        return not known.gone and known.id in offering_ids

    def closed(self) -> bool:
        """Whether nothing can be found from the start, with the reason in `why`."""
        if self.type.gone:
            self.why.append(self.type.note)
        elif self.site is not None and self.site.gone:
            self.why.append(self.site.note)
        elif missing := lacking(self.roster, "site", "practitioner"):
            self.why += missing
        elif not self.sites:
            where = f"at {self.site.name}" if self.site else "at any site"
            self.why.append(f"{self.type.name} is not offered {where}.")
        elif self.span.bounds[1] <= self.now:
            self.why.append("That time is over.")
        else:
            return False
        return True


async def find_times(clinic: GuardedClinic, arguments: FindTimes) -> Answer:
    """The starts that are free, or why there are none and what comes nearest."""
    roster = await Roster.load(clinic)
    require(roster, "type")
    search = _Search(roster, arguments, clinic)
    nobody = lacking(roster, "site", "practitioner")
    if search.closed() and (search.type.gone or nobody or search.span.bounds[1] <= search.now):
        return _answer(search, [], [])
    if arguments.kind == "online":
        _check_online_length(search)
        return await _online(clinic, search)
    offering_ids, diary = await _read(clinic, search)
    people = search.offering(offering_ids)
    slots: list[Slot] = []
    if people and search.sites and diary is not None:
        slots = _slots(search, diary, people, search.sites, search.span)
        without = [known for known in people if known.id not in {slot.practitioner_id for slot in slots}]
        search.why += _reasons(search, diary, without) if search.practitioners or not slots else []
    return _answer(search, slots, [] if slots else await _alternatives(clinic, search, offering_ids))


def _check_online_length(search: _Search) -> None:
    usual = appointment_offers.minutes_of(search.type)
    if search.minutes != usual:
        raise InvalidArguments(
            f"Patients book {search.type.name} online at its own length, {usual} minutes.",
            "Leave minutes out, or look in the diary: kind diary.",
            field="minutes",
        )


async def _read(clinic: GuardedClinic, search: _Search) -> tuple[frozenset[str], working_hours.Diary | None]:
    """Who offers the type, and the diary of those named, at once; of all who offer it, after that, if none is."""
    offering = partial(appointment_offers.practitioners_offering, clinic, search.type)
    reading = partial(working_hours.read_diary, clinic, search.roster, search.starts, search.reach)
    if search.practitioners:
        return await run_concurrently(offering, partial(reading, {known.id for known in search.practitioners}))
    offering_ids = await offering()
    here = offering_ids & search.active
    return offering_ids, await reading(here) if here and search.sites else None


def _slots(
    search: _Search,
    diary: working_hours.Diary,
    people: Iterable[Known[Practitioner]],
    sites: Sequence[Known[Business]],
    span: Span,
) -> list[Slot]:
    places = [(person.id, site.id) for person in people for site in sites]
    if appointment_offers.is_group(search.type):
        return group_slots(diary, span, places, search.type.id, search.now)
    return free_slots(diary, span, places, search.length, search.now)


def _reasons(search: _Search, diary: working_hours.Diary, without: Iterable[Known[Practitioner]]) -> list[str]:
    """Why these practitioners have no start in the span, those of one reason together."""
    if appointment_offers.is_group(search.type):
        sessions = [
            entry
            for entry in diary.entries
            if entry.kind == "group"
            and entry.type_id == search.type.id
            and any(low <= entry.starts < high for low, high in search.span.windows(entry.business_id))
        ]
        full = f"All {len(sessions)} sessions of {search.type.name} then are full or over."
        return [full if sessions else f"There is no {search.type.name} in the diary then."]
    sites = [site.id for site in search.sites]
    clauses: dict[str, list[str]] = {}
    for person in without:
        clause = why_none(diary, search.span, person.id, sites, search.length, search.now)
        clauses.setdefault(clause, []).append(person.name)
    where = f" at {search.site.name}" if search.site else ""
    by_names = sorted(clauses.items(), key=lambda clause: clause[1])
    return [f"{', '.join(names)}{where}: {clause}." for clause, names in by_names]


async def _alternatives(clinic: GuardedClinic, search: _Search, offering_ids: frozenset[str]) -> list[SlotRow]:
    """The nearest starts that differ in one thing: the time, the practitioner or the site."""
    roster = search.roster
    sites = appointment_offers.sites_offering(roster, search.type)
    people = [known for known in roster.practitioners.values() if known.id in offering_ids]
    if not people or not sites:
        return []
    starts, ends = max(search.starts - _BEFORE, search.now), search.ends + _BEYOND
    first, last = (moment.astimezone(roster.home).date() for moment in (starts, ends))
    wider = Span.of_days(first, last, roster, sites)
    diary = await working_hours.read_diary(clinic, roster, starts, ends, [person.id for person in people])
    span = search.span if sites == search.sites else read_span(search.arguments.when, search.now, roster, sites)
    then = _slots(search, diary, people, sites, span)
    around = _slots(search, diary, people, sites, wider)
    later = [slot for slot in around if slot.starts >= search.starts]
    wanted = {known.id for known in search.practitioners} or offering_ids
    here = {site.id for site in search.sites}
    found: dict[str, Slot] = {}
    for slot in later:
        if slot.practitioner_id in wanted and slot.business_id in here:
            found.setdefault("another time", slot)
    for slot in around:
        if slot.starts < search.starts and slot.practitioner_id in wanted and slot.business_id in here:
            found["an earlier time"] = slot
    for slot in then:
        if slot.business_id in here:
            found.setdefault("another practitioner", slot)
        elif slot.practitioner_id in wanted:
            found.setdefault("another site", slot)
    if not found and later:
        found["another time, practitioner or site"] = later[0]
    return _in_words(found, roster)


def _in_words(alternatives: Mapping[str, Slot], roster: Roster) -> list[SlotRow]:
    return [slot.row(roster, what) for what, slot in alternatives.items()]


async def _online(clinic: GuardedClinic, search: _Search) -> Answer:
    """What patients could book; where reading that is switched off, the first start in the diary instead."""
    try:
        return await _bookable_online(clinic, search)
    except NotAllowed as refusal:
        search.why.append(f"What patients can book online is not known here. {refusal.message}")
    offering_ids, diary = await _read(clinic, search)
    people = search.offering(offering_ids)
    slots = _slots(search, diary, people, search.sites, search.span) if diary is not None else []
    instead = {"kind diary: what the clinic can book": slots[0]} if slots else {}
    return _answer(search, [], _in_words(instead, search.roster))


async def _bookable_online(clinic: GuardedClinic, search: _Search) -> Answer:
    roster = search.roster
    places = [place for place in await online.places_of(clinic, search.type) if place[0] in roster.practitioners]
    people = {person.id for person in search.offering(frozenset(practitioner_id for practitioner_id, _ in places))}
    here = {site.id for site in search.sites}
    wanted = [place for place in places if place[0] in people and place[1] in here]
    if not wanted and not search.why:
        search.why.append(f"Nobody offers {search.type.name} there.")
    found = await online.online_slots(clinic, roster, search.span, search.type, wanted, search.length)
    if found.closed and (len(found.closed) == len(wanted) or search.practitioners):
        search.why += await _why_closed(clinic, search, found.closed)
    instead = [] if found.slots else await _instead(clinic, search, places, wanted, found.closed)
    answer = _answer(search, found.slots, instead)
    if found.until is not None:
        answer.notes.append(f"Only looked at up to {day_words(found.until)}; ask about later days in another call.")
    return answer


async def _why_closed(clinic: GuardedClinic, search: _Search, closed: Iterable[online.Workplace]) -> list[str]:
    """Why nothing can be booked online at these places, at most three of them, each reason once."""
    try:
        reasons = [await online.why_closed(clinic, search.roster, search.type, place) for place in sorted(closed)[:3]]
    except NotAllowed:
        reasons = ["Online booking is not open there; why is not known, as reading the settings is switched off here."]
    return list(dict.fromkeys(reasons))


async def _instead(
    clinic: GuardedClinic,
    search: _Search,
    places: Sequence[online.Workplace],
    wanted: Sequence[online.Workplace],
    closed: Collection[online.Workplace],
) -> list[SlotRow]:
    """Where patients can book nothing online: what comes nearest, online and in the diary itself. Adds to `why`."""
    roster = search.roster
    found: dict[str, Slot] = {}
    here = {site.id for site in search.sites}
    named = {known.id for known in search.practitioners} or search.active
    others = [place for place in places if place not in wanted and place[0] in search.active]
    for slot in (await online.online_slots(clinic, roster, search.span, search.type, others, search.length)).slots:
        if slot.business_id in here:
            found.setdefault("another practitioner", slot)
        elif slot.practitioner_id in named:
            found.setdefault("another site", slot)
    still_open = [place for place in wanted if place not in closed]
    if still_open and (slot := await _later_online(clinic, search, still_open)) is not None:
        found = {"another time": slot, **found}
    if wanted:
        ids = {practitioner_id for practitioner_id, _ in wanted}
        people = [roster.practitioners[practitioner_id] for practitioner_id in sorted(ids)]
        diary = await working_hours.read_diary(clinic, roster, search.starts, search.reach, ids)
        slots = _slots(search, diary, people, search.sites, search.span)
        if slots:
            found["kind diary: the clinic can book it, patients cannot"] = slots[0]
        free = {slot.practitioner_id for slot in slots}
        searched = [known for known in people if known.id in {practitioner_id for practitioner_id, _ in still_open}]
        search.why += _reasons(search, diary, [known for known in searched if known.id not in free])
        if names := [known.name for known in searched if known.id in free]:
            search.why.append(f"{', '.join(names)}: has free time then, but none that patients are offered online.")
    return _in_words(found, roster)


async def _later_online(clinic: GuardedClinic, search: _Search, places: Sequence[online.Workplace]) -> Slot | None:
    """The first start after the span that patients can book online at these places, looked for week by week."""
    day = search.span.bounds[1].astimezone(search.roster.home).date()
    for week in range(_BEYOND // timedelta(weeks=1)):
        first = day + timedelta(weeks=week)
        span = Span.of_days(first, first + timedelta(days=6), search.roster, search.sites)
        found = await online.online_slots(clinic, search.roster, span, search.type, places, search.length)
        if found.slots:
            return found.slots[0]
    return None


def _answer(search: _Search, slots: Sequence[Slot], alternatives: list[SlotRow]) -> Answer:
    roster = search.roster
    shown = spread(slots, search.arguments.limit, roster)
    used = [("appointment_type_id", search.type.id)]
    used += [("practitioner_id", slot.practitioner_id) for slot in shown]
    used += [("business_id", slot.business_id) for slot in shown]
    body = FreeTimes(
        when=search.span.description,
        type=search.type.name,
        minutes=search.minutes,
        kind=search.arguments.kind,
        items=[slot.row(roster) for slot in shown],
        page=Page(returned=len(shown), total=len(slots), complete=len(shown) == len(slots)),
        why=search.why or None,
        alternatives=alternatives or None,
        names=roster.legend(used),
    )
    hidden = remarks(search.type, *search.practitioners, search.site)
    notes = [note for note in hidden if note not in search.why]
    if search.cut and search.arguments.kind == "diary":
        last = search.ends.astimezone(search.span.zone).date()
        notes.append(f"Only looked at up to {day_words(last)}; ask about later days in another call.")
    if len(shown) < len(slots):
        left = f"{len(slots) - len(shown):,} more starts fit, on the same or later days."
        notes.append(f"{left} For others narrow when, practitioner or business, or give a larger limit.")
    zones = {roster.zone(slot.business_id) for slot in shown}
    return Answer(body, notes, zones.pop() if len(zones) == 1 else search.span.zone)


tool = curated(
    "find_times",
    "Find free times (openings, slots, gaps) in the diary for an appointment type: with any or given practitioners, at "
    "one or all sites, weeks ahead. Says why when there is none, and what comes nearest. Books nothing: use "
    "book_appointment. For extra hours use create_availability_block.",
    FindTimes,
    find_times,
    answer=FreeTimes,
    needs=[*ROSTER_NEEDS, *working_hours.NEEDS, *appointment_offers.NEEDS],
)
