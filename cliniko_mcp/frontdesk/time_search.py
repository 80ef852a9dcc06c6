"""A search for free starts of an appointment type: what it looks for, why there is none, and what comes nearest."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final

from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.cliniko.resources.practitioners import Practitioner
from cliniko_mcp.frontdesk import appointment_offers, working_hours
from cliniko_mcp.frontdesk.availability import Slot, SlotRow, free_slots, group_slots, sentence, why_none
from cliniko_mcp.frontdesk.day_sheet import block_kinds
from cliniko_mcp.frontdesk.partial_reads import PartialReads
from cliniko_mcp.frontdesk.roster import Known, Roster
from cliniko_mcp.frontdesk.set_up_words import means_everyone, means_everywhere
from cliniko_mcp.frontdesk.soonest import read_spans
from cliniko_mcp.frontdesk.spans import Span, read_span
from cliniko_mcp.frontdesk.staff_named import staff_named
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.phrases.dates import day_words

_REACH: Final = timedelta(weeks=13)
"""The longest stretch that is looked at in one call, and how far past it the next time of someone is looked for."""
_BEFORE: Final = timedelta(days=7)
_BEYOND: Final = timedelta(days=28)
"""How far before and past the span the nearest alternative is looked for."""


class TimeSearch:
    """What to look for, in records: the type, the practitioners named, the sites, the spans and the length.

    `span` is the one that is looked at now; where the phrase named no end (`walks`), the next follows it.
    """

    def __init__(
        self,
        roster: Roster,
        clinic: GuardedClinic,
        type_: str,
        when: str,
        practitioners: Collection[str],
        business: str | None,
        minutes: int | None,
    ) -> None:
        self.roster = roster
        self.clinic = clinic
        self.now = clinic.now
        self.type = roster.type(type_)
        self.practitioners = [] if means_everyone(practitioners, or_anyone=True) else staff_named(roster, practitioners)
        self.site = roster.business(business) if business and not means_everywhere(business) else None
        offering = appointment_offers.sites_offering(roster, self.type)
        self.sites = [site for site in offering if self.site is None or site.id == self.site.id]
        self.minutes = minutes or appointment_offers.minutes_of(self.type)
        self.length = timedelta(minutes=self.minutes)
        self.why: list[str] = []
        self.reads = PartialReads()
        self.looked = False
        """Whether anybody's diary, or online times, were looked at: not where nobody who was named offers the type, or
        none of them online."""
        self.phrase = when
        read = read_spans(when, self.now, roster, [self.site] if self.site else self.sites)
        self.spans, self.walks = read.spans, read.walks
        self.look_at(self.spans[0])

    def look_at(self, span: Span) -> None:
        """Take this span as the one that is looked at."""
        self.span = span
        starts, ends = span.bounds
        self.starts = max(starts, self.now)
        self.ends = ends if self.walks else min(ends, self.starts + _REACH)
        self.cut = self.ends < ends
        # What starts in the span may end after it: "at 16:30" is a minute long.
        self.reach = self.ends + self.length

    @property
    def type_name(self) -> str:
        """What the type is called, with its id where another has the same name."""
        return self.roster.name("appointment_type_id", self.type.id)

    @property
    def last_day(self) -> date:
        """The last day of the span, by the clocks of its sites."""
        whens = list(self.span.places.values()) or [self.span.home]
        return max((when.end - timedelta(seconds=1)).date() for when in whens)

    def offering(self, offering_ids: frozenset[str]) -> list[Known[Practitioner]]:
        """Those to look at: the ones named who offer the type and still work here, or all who offer it."""
        if self.practitioners:
            return [known for known in self.practitioners if self._offers(known, offering_ids)]
        everyone = self.roster.practitioners.values()
        found = [known for known in everyone if not known.gone and known.id in offering_ids]
        if not found and not self.why:
            self.why.append(f"Nobody who works here offers {self.type_name}.")
        return found

    @property
    def active(self) -> set[str]:
        """The ids of those who still work at the clinic."""
        return {known.id for known in self.roster.practitioners.values() if not known.gone}

    def _offers(self, known: Known[Practitioner], offering_ids: frozenset[str]) -> bool:
        if known.gone:
            self.why.append(known.note)
        elif known.id not in offering_ids:
            self.why.append(f"{self.roster.name('practitioner_id', known.id)} does not offer {self.type_name}.")
        return not known.gone and known.id in offering_ids

    def slots(
        self,
        diary: working_hours.Diary,
        people: Iterable[Known[Practitioner]],
        sites: Sequence[Known[Business]],
        span: Span,
    ) -> list[Slot]:
        """The free starts of these people at these sites in a span, or the sessions of a class with places left."""
        places = [(person.id, site.id) for person in people for site in sites]
        if appointment_offers.is_group(self.type):
            return group_slots(diary, span, places, self.type.id, self.now)
        return free_slots(diary, span, places, self.length, self.now)

    async def reasons(self, diary: working_hours.Diary, without: Collection[Known[Practitioner]]) -> list[str]:
        """Why these practitioners have no start in the span, those of one reason together.

        A request for the kinds of blocked-out time, where there is some.
        """
        if appointment_offers.is_group(self.type):
            return [self._why_no_class(diary, {person.id for person in without})]
        ids = {person.id for person in without}
        blocks = [entry for entry in diary.entries if entry.kind == "block" and entry.practitioner_id in ids]
        kinds: Mapping[str, str] = {}
        if any(entry.record.unavailable_block_type_id for entry in blocks):
            kinds = await self.reads.read("Kinds of blocked-out time", partial(block_kinds, self.clinic)) or {}
        sites = [site.id for site in self.sites]
        clauses: dict[str, list[str]] = {}
        for person in without:
            clause = why_none(diary, self.span, person.id, sites, self.length, self.now, self.roster, kinds)
            clauses.setdefault(clause, []).append(self.roster.name("practitioner_id", person.id))
        where = self.roster.name("business_id", self.site.id) if self.site else ""
        by_names = sorted(clauses.items(), key=lambda clause: clause[1])
        return [sentence(names, clause, where) for clause, names in by_names]

    def _why_no_class(self, diary: working_hours.Diary, ids: Collection[str]) -> str:
        """Why there is no place in a class in the span, of those that these practitioners give at these sites."""
        here = {site.id for site in self.sites}
        sessions = [
            entry
            for entry in diary.entries
            if entry.kind == "group"
            and entry.type_id == self.type.id
            and entry.practitioner_id in ids
            and entry.business_id in here
            and any(low <= entry.starts < high for low, high in self.span.windows(entry.business_id))
        ]
        names = [self.roster.name("practitioner_id", known.id) for known in self.practitioners if known.id in ids]
        whose = f" with {' or '.join(names)}" if names else ""
        where = f" at {self.roster.name('business_id', self.site.id)}" if self.site else ""
        which = f"{self.type_name}{whose}{where}"
        if not sessions:
            return f"There is no {which} in the diary then."
        if len(sessions) == 1:
            return f"The one session of {which} then is full or over."
        return f"All {len(sessions)} sessions of {which} then are full or over."

    async def nearest(self, offering_ids: frozenset[str]) -> list[SlotRow]:
        """The nearest starts that differ in one thing: the time, of each who was asked for; who; or where."""
        roster = self.roster
        sites = appointment_offers.sites_offering(roster, self.type)
        people = [known for known in roster.practitioners.values() if known.id in offering_ids]
        if not people or not sites:
            return []
        starts, ends = max(self.starts - _BEFORE, self.now), self.ends + _BEYOND
        diary = await working_hours.read_diary(self.clinic, roster, starts, ends, [person.id for person in people])
        span = self.span
        if sites != self.sites and not self.walks:
            span = read_span(self.phrase, self.now, roster, sites)
        then = self.slots(diary, people, sites, span)
        around = self.slots(diary, people, sites, self._days(starts, ends, sites))
        later = [slot for slot in around if slot.starts >= self.starts]
        wanted = {known.id for known in self.practitioners} or offering_ids
        here = {site.id for site in self.sites}
        found: list[tuple[str, Slot]] = []
        named = [known for known in self.practitioners if known.id in offering_ids]
        mine = [slot for slot in later if slot.practitioner_id in wanted and slot.business_id in here]
        found += await self._next_of(named, mine, ends) if named else [("another time", slot) for slot in mine[:1]]
        early = [slot for slot in around if slot.starts < self.starts and slot.practitioner_id in wanted]
        found += [("an earlier time", slot) for slot in early if slot.business_id in here][-1:]
        found += [("another practitioner", slot) for slot in then if slot.business_id in here][:1]
        elsewhere = [slot for slot in then if slot.business_id not in here and slot.practitioner_id in wanted]
        found += [("another site", slot) for slot in elsewhere[:1]]
        if not found and later:
            found.append(("another time, practitioner or site", later[0]))
        return in_words(found, roster)

    async def next_times(self, people: Sequence[Known[Practitioner]]) -> list[SlotRow]:
        """The next time of each of these, who have none in the span."""
        ends = self.ends + _BEYOND
        ids = [person.id for person in people]
        diary = await working_hours.read_diary(self.clinic, self.roster, self.starts, ends, ids)
        slots = self.slots(diary, people, self.sites, self._days(self.starts, ends, self.sites))
        return in_words(await self._next_of(people, slots, ends), self.roster)

    async def _next_of(
        self, people: Sequence[Known[Practitioner]], slots: Sequence[Slot], ends: datetime
    ) -> list[tuple[str, Slot]]:
        """The first of these starts of each practitioner; of who has none, the first in the 13 weeks after `ends`."""
        firsts: dict[str, Slot] = {}
        for slot in slots:
            firsts.setdefault(slot.practitioner_id, slot)
        still = [person for person in people if person.id not in firsts]
        if still and not self.walks and not appointment_offers.is_group(self.type):
            last = ends + _REACH
            ids = [person.id for person in still]
            diary = await working_hours.read_diary(self.clinic, self.roster, ends, last, ids)
            for slot in self.slots(diary, still, self.sites, self._days(ends, last, self.sites)):
                firsts.setdefault(slot.practitioner_id, slot)
            if names := [self.roster.name("practitioner_id", person.id) for person in still if person.id not in firsts]:
                day = day_words(last.astimezone(self.span.zone).date())
                self.why.append(f"{', '.join(names)}: no free start up to {day}.")
        label = "another time" if len(self.practitioners) < 2 else "the next time of this practitioner"
        return [(label, firsts[person.id]) for person in people if person.id in firsts]

    def _days(self, starts: datetime, ends: datetime, sites: Sequence[Known[Business]]) -> Span:
        first, last = (moment.astimezone(self.roster.home).date() for moment in (starts, ends))
        return Span.of_days(first, last, self.roster, sites)


def in_words(alternatives: Iterable[tuple[str, Slot]], roster: Roster) -> list[SlotRow]:
    """These starts as rows that say in what they differ from what was asked for."""
    return [slot.row(roster, what) for what, slot in alternatives]
