"""find_times: free starts for an appointment type, over any practitioners, sites and span.

Requests: 5 for the roster, one for those who offer the type, 2 for working hours and one for each hundred diary entries
of the span, whatever the number of practitioners and weeks; where nothing is free, once more 2 and the entries of the
week before and four weeks after. For online booking those of `frontdesk.online`; where nothing can be booked, once more
for all others who offer the type and for up to four later weeks, and 2 and the entries of the span for the diary.
"""

from collections.abc import Collection, Sequence
from datetime import timedelta
from functools import partial
from typing import Final, Literal

from pydantic import Field

from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.errors import InvalidArguments, JsonValue
from cliniko_mcp.frontdesk import appointment_offers, online, working_hours
from cliniko_mcp.frontdesk.availability import Slot, free_slots, group_slots, spread, why_none
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.roster import ROSTER_NEEDS, Known, Roster, remarks
from cliniko_mcp.frontdesk.spans import Span, read_span
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.phrases.dates import day_words
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.tools.tool import curated

USUAL: Final = 12
MOST: Final = 100
REACH: Final = timedelta(weeks=13)
"""The longest stretch that is looked at in one call."""
BEFORE: Final = timedelta(days=7)
BEYOND: Final = timedelta(days=28)
"""How far before and past the span the nearest alternative is looked for."""


class FindTimes(Body):
    type: str
    when: str = Field(default="next 14 days", description="E.g. Thursday after 3.")
    practitioner: list[str] | None = Field(default=None, description="Any of these; else all.")
    business: str | None = Field(default=None, description="Site.")
    kind: Literal["diary", "online"] = Field(default="diary", description="online: as patients book.")
    minutes: int | None = Field(default=None, ge=5, le=1439)
    limit: int | None = Field(default=None, ge=1, le=MOST)


class _Search:
    """What is asked, in records: the type, those asked for, the sites, the span and the length."""

    def __init__(self, roster: Roster, given: FindTimes, clinic: GuardedClinic) -> None:
        self.given = given
        self.roster = roster
        self.now = clinic.now
        self.kind = roster.type(given.type)
        self.asked = roster.several(given.practitioner or ())
        self.site = roster.business(given.business) if given.business else None
        offering = appointment_offers.sites_offering(roster, self.kind)
        self.sites = [each for each in offering if self.site is None or each.id == self.site.id]
        self.span = read_span(given.when, self.now, roster, [self.site] if self.site else self.sites)
        self.minutes = given.minutes or appointment_offers.minutes_of(self.kind)
        self.length = timedelta(minutes=self.minutes)
        self.why: list[str] = []
        starts, ends = self.span.bounds
        self.starts = max(starts, self.now)
        self.ends = min(ends, self.starts + REACH)
        self.cut = self.ends < ends
        # What starts in the span may end after it: "at 16:30" is a minute long.
        self.reach = self.ends + self.length

    def people(self, givers: frozenset[str]) -> list[Known]:
        """Those to look at: the ones asked for who offer the type and still work here, or all who offer it."""
        kept = [each for each in self.asked if self._offers(each, givers)]
        return kept if self.asked else [self.roster.practitioners[each] for each in givers if each in self.here]

    @property
    def here(self) -> set[str]:
        """The ids of those who still work at the clinic."""
        return {each.id for each in self.roster.practitioners.values() if not each.gone}

    def _offers(self, person: Known, givers: frozenset[str]) -> bool:
        if person.gone:
            self.why.append(person.note)
        elif person.id not in givers:
            self.why.append(f"{person.name} does not offer {self.kind.name}.")
        return not person.gone and person.id in givers

    def closed(self) -> bool:
        """Whether nothing can be found from the start, with the reason in `why`."""
        if self.kind.gone:
            self.why.append(self.kind.note)
        elif self.site is not None and self.site.gone:
            self.why.append(self.site.note)
        elif not self.sites:
            where = f"at {self.site.name}" if self.site else "at any site"
            self.why.append(f"{self.kind.name} is not offered {where}.")
        elif self.span.bounds[1] <= self.now:
            self.why.append("That time is over.")
        else:
            return False
        return True


async def work(clinic: GuardedClinic, given: FindTimes) -> Answer:
    """The starts that are free, or why there are none and what comes nearest."""
    search = _Search(await Roster.load(clinic), given, clinic)
    if search.closed() and (search.kind.gone or search.span.bounds[1] <= search.now):
        return _answer(search, [], [])
    if given.kind == "online":
        if given.minutes is not None and given.minutes != appointment_offers.minutes_of(search.kind):
            raise InvalidArguments(
                f"Patients book {search.kind.name} online at its own length, "
                f"{appointment_offers.minutes_of(search.kind)} minutes.",
                "Leave minutes out, or look in the diary: kind diary.",
                field="minutes",
            )
        return await _online(clinic, search)
    givers, diary = await _read(clinic, search)
    people = search.people(givers)
    slots: list[Slot] = []
    if people and search.sites and diary is not None:
        slots = _slots(search, diary, people, search.sites, search.span)
        lacking = [each for each in people if each.id not in {slot.practitioner_id for slot in slots}]
        search.why += _reasons(search, diary, lacking) if search.asked or not slots else []
    if slots:
        return _answer(search, slots, [])
    return _answer(search, [], await _alternatives(clinic, search, givers))


async def _read(clinic: GuardedClinic, search: _Search) -> tuple[frozenset[str], working_hours.Diary | None]:
    """Who offers the type, and the diary of those asked for, at once; without any, of all who offer it, after that."""
    offering = partial(appointment_offers.practitioners_offering, clinic, search.kind)
    reading = partial(working_hours.read_diary, clinic, search.roster, search.starts, search.reach)
    if search.asked:
        return await run_concurrently(offering, partial(reading, {each.id for each in search.asked}))
    givers = await offering()
    here = {each for each in givers if each in search.here}
    return givers, await reading(here) if here and search.sites else None


def _slots(
    search: _Search, diary: working_hours.Diary, people: Sequence[Known], sites: Sequence[Known], span: Span
) -> list[Slot]:
    places = [(person.id, site.id) for person in people for site in sites]
    if appointment_offers.is_group(search.kind):
        return group_slots(diary, span, places, search.kind.id, search.now)
    return free_slots(diary, span, places, search.length, search.now)


def _reasons(search: _Search, diary: working_hours.Diary, lacking: Sequence[Known]) -> list[str]:
    if appointment_offers.is_group(search.kind):
        groups = [each for each in diary.entries if each.kind == "group" and each.type_id == search.kind.id]
        inside = [
            each
            for each in groups
            if any(low <= each.starts < high for low, high in search.span.windows(each.business_id))
        ]
        full = f"All {len(inside)} sessions of {search.kind.name} then are full or over."
        return [full if inside else f"There is no {search.kind.name} in the diary then."]
    sites = [each.id for each in search.sites]
    clauses: dict[str, list[str]] = {}
    for person in lacking:
        clause = why_none(diary, search.span, person.id, sites, search.length, search.now)
        clauses.setdefault(clause, []).append(person.name)
    where = f" at {search.site.name}" if search.site else ""
    return [
        f"{', '.join(names)}{where}: {clause}." for clause, names in sorted(clauses.items(), key=lambda each: each[1])
    ]


async def _alternatives(clinic: GuardedClinic, search: _Search, givers: frozenset[str]) -> list[JsonValue]:
    """The nearest starts that differ in one thing: the time, the practitioner or the site."""
    roster, kind = search.roster, search.kind
    sites, people = (
        appointment_offers.sites_offering(roster, kind),
        [each for each in givers if each in roster.practitioners],
    )
    if not people or not sites:
        return []
    starts, ends = max(search.starts - BEFORE, search.now), search.ends + BEYOND
    first, last = (each.astimezone(roster.home).date() for each in (starts, ends))
    wider = read_span(f"{first} to {last}", search.now, roster, sites)
    diary = await working_hours.read_diary(clinic, roster, starts, ends, people)
    everyone = [roster.practitioners[each] for each in people]
    span = read_span(search.given.when, search.now, roster, sites)
    then = _slots(search, diary, everyone, sites, span)
    around = _slots(search, diary, everyone, sites, wider)
    later = [each for each in around if each.starts >= search.starts]
    asked = {each.id for each in search.asked} or givers
    here = {each.id for each in search.sites}
    found: dict[str, Slot] = {}
    for slot in later:
        if slot.practitioner_id in asked and slot.business_id in here:
            found.setdefault("another time", slot)
    for slot in around:
        if slot.starts < search.starts and slot.practitioner_id in asked and slot.business_id in here:
            found["an earlier time"] = slot
    for slot in then:
        if slot.business_id in here:
            found.setdefault("another practitioner", slot)
        elif slot.practitioner_id in asked:
            found.setdefault("another site", slot)
    if not found and later:
        found["another time, practitioner or site"] = later[0]
    return [{"differs": what, **slot.row(roster)} for what, slot in found.items()]


async def _online(clinic: GuardedClinic, search: _Search) -> Answer:
    roster = search.roster
    places = [place for place in await online.places_of(clinic, search.kind) if place[0] in roster.practitioners]
    people = {each.id for each in search.people(frozenset(who for who, _ in places))}
    here = {each.id for each in search.sites}
    asked = [place for place in places if place[0] in people and place[1] in here]
    if not asked and not search.why:
        search.why.append(f"Nobody offers {search.kind.name} there.")
    found = await online.online_slots(clinic, roster, search.span, search.kind, asked, search.length)
    if found.closed and (len(found.closed) == len(asked) or search.asked):
        reasons = [await online.why_closed(clinic, roster, search.kind, place) for place in sorted(found.closed)[:3]]
        search.why += dict.fromkeys(reasons)
    instead = [] if found.slots else await _instead(clinic, search, places, asked, found.closed)
    answer = _answer(search, found.slots, instead)
    if found.until is not None:
        answer.notes.append(f"Only looked at up to {day_words(found.until)}; ask about later days in another call.")
    return answer


async def _instead(
    clinic: GuardedClinic,
    search: _Search,
    places: Sequence[online.Workplace],
    asked: Sequence[online.Workplace],
    closed: Collection[online.Workplace],
) -> list[JsonValue]:
    """Where patients can book nothing online: what comes nearest, online and in the diary itself. Adds to `why`."""
    roster = search.roster
    found: dict[str, Slot] = {}
    here, wanted = {each.id for each in search.sites}, {each.id for each in search.asked} or search.here
    others = [each for each in places if each not in asked and each[0] in search.here]
    for slot in (await online.online_slots(clinic, roster, search.span, search.kind, others, search.length)).slots:
        if slot.business_id in here:
            found.setdefault("another practitioner", slot)
        elif slot.practitioner_id in wanted:
            found.setdefault("another site", slot)
    open_ = [each for each in asked if each not in closed]
    if open_ and (slot := await _later_online(clinic, search, open_)) is not None:
        found = {"another time": slot, **found}
    if asked:
        who = {each for each, _ in asked}
        people = [roster.practitioners[each] for each in sorted(who)]
        diary = await working_hours.read_diary(clinic, roster, search.starts, search.reach, who)
        slots = _slots(search, diary, people, search.sites, search.span)
        if slots:
            found["kind diary: the clinic can book it, patients cannot"] = slots[0]
        free = {slot.practitioner_id for slot in slots}
        searched = [each for each in people if each.id in {one for one, _ in open_}]
        search.why += _reasons(search, diary, [each for each in searched if each.id not in free])
        if names := [each.name for each in searched if each.id in free]:
            search.why.append(f"{', '.join(names)}: has free time then, but none that patients are offered online.")
    return [{"differs": what, **slot.row(roster)} for what, slot in found.items()]


async def _later_online(clinic: GuardedClinic, search: _Search, places: Sequence[online.Workplace]) -> Slot | None:
    """The first start after the span that patients can book online at these places, looked for week by week."""
    day = search.span.bounds[1].astimezone(search.roster.home).date()
    for week in range(BEYOND // timedelta(weeks=1)):
        first = day + timedelta(weeks=week)
        span = read_span(f"{first} to {first + timedelta(days=6)}", search.now, search.roster, search.sites)
        found = await online.online_slots(clinic, search.roster, span, search.kind, places, search.length)
        if found.slots:
            return found.slots[0]
    return None


def _answer(search: _Search, slots: Sequence[Slot], alternatives: list[JsonValue]) -> Answer:
    roster = search.roster
    shown = spread(slots, search.given.limit or USUAL, roster)
    body: dict[str, JsonValue] = {
        "when": search.span.description,
        "type": search.kind.name,
        "minutes": search.minutes,
        "kind": search.given.kind,
        "items": [slot.row(roster) for slot in shown],
        "page": {"returned": len(shown), "total": len(slots), "complete": len(shown) == len(slots)},
    }
    if search.why:
        body["why"] = list[JsonValue](search.why)
    if alternatives:
        body["alternatives"] = alternatives
    used = [("appointment_type_id", search.kind.id)]
    used += [("practitioner_id", slot.practitioner_id) for slot in shown]
    used += [("business_id", slot.business_id) for slot in shown]
    body["names"] = roster.legend(used)
    notes = [each for each in remarks(search.kind, *search.asked, search.site) if each not in search.why]
    if search.cut and search.given.kind == "diary":
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
    "one or all sites, weeks ahead. Says why when there is none, and what comes nearest.",
    FindTimes,
    work,
    needs=(*ROSTER_NEEDS, *working_hours.NEEDS, *appointment_offers.NEEDS),
    synonyms="availability vacancies next available soonest who is free when can they come in openings any time",
)
