"""Starts at which an appointment fits into free time, why there is none, and a choice spread over days and people."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from operator import itemgetter
from typing import Final

from pydantic import Field

from cliniko_mcp.frontdesk.answer_rows import PlaceRow
from cliniko_mcp.frontdesk.clock_text import end_of
from cliniko_mcp.frontdesk.roster import Roster
from cliniko_mcp.frontdesk.spans import Span, Window
from cliniko_mcp.frontdesk.working_hours import Diary, Stretch, Workplace, within
from cliniko_mcp.results.rows import local_text

_STARTS_A_DAY: Final = 3
"""Starts shown of one day, before another day's come."""


class SlotRow(PlaceRow):
    """A free start."""

    differs: str | None = Field(default=None, description="What differs from what was asked for.")
    group_appointment_id: str | None = Field(default=None, description="Id of the class whose place is free.")
    places_left: int | None = Field(default=None, description="Free places in the class.")


@dataclass(frozen=True, slots=True)
class Slot:
    """A start that can be booked; of a group, its id and how many places are left."""

    starts: datetime
    ends: datetime
    practitioner_id: str
    business_id: str
    group_id: str = ""
    left: int = 0

    def row(self, roster: Roster, differs: str | None = None) -> SlotRow:
        """The slot as a row, in the site's local time, with names; `differs` from what was asked for in this."""
        zone = roster.zone(self.business_id)
        return SlotRow(
            differs=differs,
            starts_at=local_text(self.starts, zone),
            ends_at=end_of(self.starts, self.ends, zone),
            practitioner=roster.name("practitioner_id", self.practitioner_id),
            business=roster.name("business_id", self.business_id),
            group_appointment_id=self.group_id or None,
            places_left=self.left if self.group_id else None,
        )


def next_start(now: datetime) -> datetime:
    """The first start that can still be kept: now, rounded up to five minutes."""
    whole = now.astimezone(UTC).replace(second=0, microsecond=0)
    whole += timedelta(minutes=1) if now.second or now.microsecond else timedelta()
    return whole + timedelta(minutes=-whole.minute % 5)


def starts_in(
    free: Iterable[Stretch], windows: Sequence[Window], length: timedelta, now: datetime
) -> Iterator[datetime]:
    """Starts one after another from the beginning of each free stretch in each window, `length` apart, none past.

    The whole appointment lies in the window; in one shorter than the appointment ("at 10") only the start does.
    """
    first = next_start(now)
    for stretch in free:
        for low, high in windows:
            at = max(stretch.starts, low, first)
            close = high - low < length
            while at < high and at + length <= (stretch.ends if close else min(stretch.ends, high)):
                yield at
                at += length


def free_slots(diary: Diary, span: Span, places: Iterable[Workplace], length: timedelta, now: datetime) -> list[Slot]:
    """The starts free for an appointment of this length at these (practitioner, site) places, earliest first."""
    found = [
        Slot(at, at + length, who, site)
        for who, site in places
        for at in dict.fromkeys(starts_in(diary.free(who, site), list(span.windows(site)), length, now))
    ]
    return in_order(found)


def group_slots(diary: Diary, span: Span, places: Iterable[Workplace], type_id: str, now: datetime) -> list[Slot]:
    """The coming groups (classes) of a type in the span that have a place left, earliest first."""
    wanted = set(places)
    found = [
        Slot(entry.starts, entry.ends, entry.practitioner_id, entry.business_id, entry.id, entry.left)
        for entry in diary.entries
        if entry.kind == "group"
        and entry.type_id == type_id
        and entry.left
        and (entry.practitioner_id, entry.business_id) in wanted
        and entry.starts > now
        and any(low <= entry.starts < high for low, high in span.windows(entry.business_id))
    ]
    return in_order(found)


def in_order(slots: Iterable[Slot]) -> list[Slot]:
    """Earliest first; at the same time by practitioner, so that the order never changes."""
    return sorted(slots, key=lambda slot: (slot.starts, slot.practitioner_id, slot.business_id))


def spread(slots: Sequence[Slot], limit: int, roster: Roster) -> list[Slot]:
    """Up to `limit` of them: the first days that have any, a few a day, by different practitioners; earliest first.

    The earliest of all is always among them. Days are the site's own.
    """
    days: dict[date, list[Slot]] = {}
    for slot in slots:
        days.setdefault(slot.starts.astimezone(roster.zone(slot.business_id)).date(), []).append(slot)
    rounds: dict[date, Iterator[Slot]] = {}
    room = 0
    for day in sorted(days):
        if room < limit:
            rounds[day] = _rounds(days[day])
            room += min(len(days[day]), _STARTS_A_DAY)
    picked: list[Slot] = []
    while len(picked) < limit and rounds:
        for day in [*rounds]:
            if (slot := next(rounds[day], None)) is None:
                del rounds[day]
            elif len(picked) < limit:
                picked.append(slot)
    return in_order(picked)


def _rounds(slots: Sequence[Slot]) -> Iterator[Slot]:
    """The slots of a day: everyone's first, then everyone's second, and so on."""
    seen: dict[str, int] = {}
    turns: list[tuple[int, Slot]] = []
    for slot in slots:
        turn = seen.get(slot.practitioner_id, 0)
        seen[slot.practitioner_id] = turn + 1
        turns.append((turn, slot))
    yield from (slot for _, slot in sorted(turns, key=itemgetter(0)))


def why_none(
    diary: Diary,
    span: Span,
    who: str,
    sites: Collection[str],
    length: timedelta,
    now: datetime,
    roster: Roster,
    kinds: Mapping[str, str],
) -> str:
    """Why a practitioner has no start in the span at these sites: a clause such as "is not at work then".

    `diary` reaches as far past the span as the appointment is long: where only a start is asked for, it counts too.
    `kinds` are the names of the kinds of blocked-out time, by id.
    """
    first = next_start(now)
    there: list[Stretch] = []
    coming: list[Stretch] = []
    free: list[Stretch] = []
    for site in sites:
        windows = list(span.windows(site))
        there += within(diary.work.get((who, site), ()), windows)
        ahead = [(max(low, first), max(high, max(low, first) + length)) for low, high in windows if high > first]
        coming += within(diary.work.get((who, site), ()), ahead)
        free += within(diary.free(who, site), ahead)
    if not there:
        if elsewhere := _elsewhere(diary, span, who, sites, roster):
            return elsewhere
        if any((who, site) in diary.work for site in sites):
            return "is not at work then"
        return "has no working hours" if len(sites) == len(roster.sites) else "does not work there"
    if not coming:
        return "has finished work by then: that time is over"
    if free:
        longest = max(stretch.length for stretch in free) // timedelta(minutes=1)
        return f"is full: the longest free stretch has {longest} of the {length // timedelta(minutes=1)} minutes needed"
    if diary.unblocked(who, coming):
        return "is full"
    blocks = [
        kinds.get(entry.record.unavailable_block_type_id or "", "")
        for entry in sorted(diary.entries, key=lambda entry: entry.starts - entry.ends)
        if entry.kind == "block" and entry.practitioner_id == who and any(entry.meets(*stretch) for stretch in coming)
    ]
    named = ", ".join(dict.fromkeys(kind for kind in blocks if kind))
    return f"is away ({named}): the time is blocked out" if named else "is away: the time is blocked out"


def _elsewhere(diary: Diary, span: Span, who: str, sites: Collection[str], roster: Roster) -> str:
    """At which other sites a practitioner works in the span, as a clause; empty where at none."""
    places = [
        roster.name("business_id", site)
        for site in diary.sites(who)
        if site not in sites and within(diary.work[who, site], list(span.windows(site)))
    ]
    return f"is not at work there then, but at {' and '.join(places)}" if places else ""


_PLURAL: Final = {"is": "are", "has": "have", "does": "do"}


def sentence(names: Sequence[str], clause: str, where: str = "") -> str:
    """These names with a clause of one of them (`why_none`): "Marcus Bell and Aroha Tane are not at work then."."""
    verb, _, rest = clause.partition(" ")
    *most, last = names
    subject = f"{', '.join(most)} and {last}" if most else last
    place = f" ({where})" if where else ""
    return f"{subject}{place} {_PLURAL.get(verb, verb) if most else verb} {rest}."
