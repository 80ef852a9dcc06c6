"""find_times: free starts for an appointment type, over any practitioners, sites and span.

Requests: 9 cold, 1 warm (with the set-up in memory) for a usual call. In general 5 for the roster where memory has
none, one for those who offer the type, 2 for working hours and one for each hundred diary entries of the span, whatever
the number of practitioners and weeks. Where nothing is free, one for the kinds of blocked-out time, once more 2 and the
entries of the week before and four weeks after, and for who was named and has none by then those of 13 weeks more.
Where the phrase names no end ("as soon as possible"), 2 and the entries of up to four later spans, a year in all. For
online booking those of `frontdesk.online`; where nothing can be booked, once more for all others who offer the type and
for up to four later weeks, and 2 and the entries of the span for the diary.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import Final, Literal

from pydantic import Field

from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.errors import InvalidArguments, NotAllowed
from cliniko_mcp.frontdesk import appointment_offers, online, working_hours
from cliniko_mcp.frontdesk.answer_rows import Names, Page
from cliniko_mcp.frontdesk.availability import Slot, SlotRow, sentence, spread
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.roster import ROSTER_NEEDS, Roster, remarks
from cliniko_mcp.frontdesk.spans import Span
from cliniko_mcp.frontdesk.time_search import TimeSearch, in_words
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.phrases.dates import day_words
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.sanitize import counted
from cliniko_mcp.tools.curated.empty_clinic import lacking, require
from cliniko_mcp.tools.tool import curated

_BEYOND: Final = timedelta(days=28)
"""How far past the span the next start that patients can book is looked for."""


class FindTimes(Body):
    """What is to be booked, with whom, where and when; `minutes` is another length than the type's."""

    type: str
    when: str = Field(default="next 14 days", description="E.g. Thursday after 3, ASAP.")
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


def _closed(search: TimeSearch) -> bool:
    """Whether nothing can be found from the start, with the reason in `why`."""
    if search.type.gone:
        search.why.append(search.type.note)
    elif search.site is not None and search.site.gone:
        search.why.append(search.site.note)
    elif missing := lacking(search.roster, "site", "practitioner"):
        search.why += missing
    elif not search.sites:
        where = f"at {search.roster.name('business_id', search.site.id)}" if search.site else "at any site"
        search.why.append(f"{search.type_name} is not offered {where}.")
    elif search.span.bounds[1] <= search.now:
        search.why.append("That time is over.")
    else:
        return False
    return True


async def find_times(clinic: GuardedClinic, arguments: FindTimes) -> Answer:
    """The starts that are free, or why there are none and what comes nearest."""
    roster = await Roster.load(clinic)
    require(roster, "type")
    search = TimeSearch(
        roster,
        clinic,
        arguments.type,
        arguments.when,
        arguments.practitioner or (),
        arguments.business,
        arguments.minutes,
    )
    nobody = lacking(roster, "site", "practitioner")
    if _closed(search) and (search.type.gone or nobody or search.span.bounds[1] <= search.now):
        return _answer(search, arguments, [], [])
    if arguments.kind == "online":
        _check_online_length(search)
        return await _online(clinic, search, arguments)
    offering_ids, diary = await _read(clinic, search)
    people = search.offering(offering_ids)
    slots: list[Slot] = []
    if people and search.sites and diary is not None:
        search.looked = True
        slots = search.slots(diary, people, search.sites, search.span)
        first, later = diary, iter(search.spans[1:])
        while not slots and (span := next(later, None)) is not None:
            search.look_at(span)
            ids = {known.id for known in people}
            diary = await working_hours.read_diary(clinic, roster, search.starts, search.reach, ids)
            slots = search.slots(diary, people, search.sites, span)
        if not slots and search.walks:
            search.look_at(search.spans[0])
            diary = first
        without = [known for known in people if known.id not in {slot.practitioner_id for slot in slots}]
        search.why += await search.reasons(diary, without) if without and (search.practitioners or not slots) else []
        if slots and search.practitioners and without:
            return _answer(search, arguments, slots, await search.next_times(without))
    return _answer(search, arguments, slots, [] if slots else await search.nearest(offering_ids))


def _check_online_length(search: TimeSearch) -> None:
    usual = appointment_offers.minutes_of(search.type)
    if search.minutes != usual:
        raise InvalidArguments(
            f"Patients book {search.type_name} online at its own length, {usual} minutes.",
            "Leave minutes out, or look in the diary: kind diary.",
            field="minutes",
        )


async def _read(clinic: GuardedClinic, search: TimeSearch) -> tuple[frozenset[str], working_hours.Diary | None]:
    """Who offers the type, and the diary of those named, at once; of all who offer it, after that, if none is."""
    offering = partial(appointment_offers.practitioners_offering, clinic, search.type)
    reading = partial(working_hours.read_diary, clinic, search.roster, search.starts, search.reach)
    if search.practitioners:
        return await run_concurrently(offering, partial(reading, {known.id for known in search.practitioners}))
    offering_ids = await offering()
    here = offering_ids & search.active
    return offering_ids, await reading(here) if here and search.sites else None


async def _online(clinic: GuardedClinic, search: TimeSearch, arguments: FindTimes) -> Answer:
    """What patients could book; where reading that is switched off, the first start in the diary instead."""
    try:
        return await _bookable_online(clinic, search, arguments)
    except NotAllowed as refusal:
        search.why.append(f"What patients can book online is not known here. {refusal.message}")
    offering_ids, diary = await _read(clinic, search)
    people = search.offering(offering_ids)
    slots = search.slots(diary, people, search.sites, search.span) if diary is not None else []
    instead = {"kind diary: what the clinic can book": slots[0]} if slots else {}
    return _answer(search, arguments, [], in_words(instead.items(), search.roster))


async def _bookable_online(clinic: GuardedClinic, search: TimeSearch, arguments: FindTimes) -> Answer:
    roster = search.roster
    places = [place for place in await online.places_of(clinic, search.type) if place[0] in roster.practitioners]
    people = {person.id for person in search.offering(frozenset(practitioner_id for practitioner_id, _ in places))}
    here = {site.id for site in search.sites}
    wanted = [place for place in places if place[0] in people and place[1] in here]
    if not wanted and not search.why:
        search.why.append(f"Nobody offers {search.type_name} there.")
    found = await online.online_slots(clinic, roster, search.span, search.type, wanted, search.length)
    search.looked = len(found.closed) < len(wanted)
    if found.closed and (len(found.closed) == len(wanted) or search.practitioners):
        search.why += await _why_closed(clinic, search, found.closed)
    instead = [] if found.slots else await _instead(clinic, search, places, wanted, found.closed)
    answer = _answer(search, arguments, found.slots, instead)
    if found.until is not None:
        answer.notes.append(f"Only looked at up to {day_words(found.until)}; ask about later days in another call.")
    return answer


async def _why_closed(clinic: GuardedClinic, search: TimeSearch, closed: Iterable[online.Workplace]) -> list[str]:
    """Why nothing can be booked online at these places, at most three of them, each reason once."""
    try:
        reasons = [await online.why_closed(clinic, search.roster, search.type, place) for place in sorted(closed)[:3]]
    except NotAllowed:
        reasons = ["Online booking is not open there; why is not known, as reading the settings is switched off here."]
    return list(dict.fromkeys(reasons))


async def _instead(
    clinic: GuardedClinic,
    search: TimeSearch,
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
        slots = search.slots(diary, people, search.sites, search.span)
        if slots:
            found["kind diary: the clinic can book it, patients cannot"] = slots[0]
        free = {slot.practitioner_id for slot in slots}
        searched = [known for known in people if known.id in {practitioner_id for practitioner_id, _ in still_open}]
        search.why += await search.reasons(diary, [known for known in searched if known.id not in free])
        if names := [roster.name("practitioner_id", known.id) for known in searched if known.id in free]:
            search.why.append(sentence(names, "has free time then, but none that patients are offered online"))
    return in_words(found.items(), roster)


async def _later_online(clinic: GuardedClinic, search: TimeSearch, places: Sequence[online.Workplace]) -> Slot | None:
    """The first start after the span that patients can book online at these places, looked for week by week."""
    day = search.span.bounds[1].astimezone(search.roster.home).date()
    for week in range(_BEYOND // timedelta(weeks=1)):
        first = day + timedelta(weeks=week)
        span = Span.of_days(first, first + timedelta(days=6), search.roster, search.sites)
        found = await online.online_slots(clinic, search.roster, span, search.type, places, search.length)
        if found.slots:
            return found.slots[0]
    return None


def _answer(search: TimeSearch, arguments: FindTimes, slots: Sequence[Slot], alternatives: list[SlotRow]) -> Answer:
    roster = search.roster
    shown = spread(slots, arguments.limit, roster)
    used = [("appointment_type_id", search.type.id)]
    used += [("practitioner_id", slot.practitioner_id) for slot in shown]
    used += [("business_id", slot.business_id) for slot in shown]
    body = FreeTimes(
        when=search.span.description,
        type=search.type_name,
        minutes=search.minutes,
        kind=arguments.kind,
        items=[slot.row(roster) for slot in shown],
        page=Page(returned=len(shown), total=len(slots), complete=len(shown) == len(slots)),
        why=search.why or None,
        alternatives=alternatives or None,
        names=roster.legend(used),
    )
    hidden = remarks(search.type, *search.practitioners, search.site)
    notes = [note for note in hidden if note not in search.why]
    notes += search.reads.notes
    if search.walks and search.looked:
        notes.append(
            _walked(search, found=bool(slots))
            if arguments.kind == "diary"
            else f"Looked up to {day_words(search.last_day)}; where there is none, 4 weeks more."
        )
    elif search.cut and arguments.kind == "diary":
        last = search.ends.astimezone(search.span.zone).date()
        notes.append(f"Only looked at up to {day_words(last)}; ask about later days in another call.")
    if len(shown) < len(slots):
        left = len(slots) - len(shown)
        fit = f"{counted(left, 'more start')} {'fits' if left == 1 else 'fit'}, on the same or later days."
        notes.append(f"{fit} For others narrow when, practitioner or business, or give a larger limit.")
    zones = {roster.zone(slot.business_id) for slot in shown}
    return Answer(body, notes, zones.pop() if len(zones) == 1 else search.span.zone)


def _walked(search: TimeSearch, *, found: bool) -> str:
    """How far ahead it was looked where the phrase named no end."""
    today = day_words(search.now.astimezone(search.span.zone).date())
    if found:
        return f"Looked from {today} up to {day_words(search.last_day)}: before the first start shown there is none."
    search.look_at(search.spans[-1])
    return f"Looked from {today} up to {day_words(search.last_day)}."


tool = curated(
    "find_times",
    "Find free times (openings, slots, gaps) for an appointment type: with any or named practitioners, at any site, "
    "however far ahead. Says why there is none, and what comes nearest. To book: book_appointment; extra hours: "
    "create_availability_block.",
    FindTimes,
    find_times,
    answer=FreeTimes,
    needs=[*ROSTER_NEEDS, *working_hours.NEEDS, *appointment_offers.NEEDS],
)
