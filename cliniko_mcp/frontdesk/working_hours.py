"""When practitioners are at work, and what of it is free: the diary as a receptionist sees it.

Work is the weekly hours and the one-off openings, in local wall-clock time turned into instants day by day, so days on
which the clock changes are right. Free is what live bookings and blocked-out times of the practitioner leave of it, in
whatever site they are. Three lists, read at once: a request for each hundred rows of each, whatever the span.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from cliniko_mcp.cliniko.filters import MAX_IDS, Between, FilterValue, OneOf
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.cliniko.resources.availability_blocks import AvailabilityBlock, AvailabilityBlocks
from cliniko_mcp.cliniko.resources.bookings import Bookings
from cliniko_mcp.cliniko.resources.daily_availabilities import DailyAvailabilities, DailyAvailability
from cliniko_mcp.cliniko.time_zones import zone_of
from cliniko_mcp.frontdesk.bookings import Entry, bookings
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.roster import Roster
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.phrases.zones import on_day

NEEDS: Final[tuple[Operation, ...]] = (
    DailyAvailabilities.list_daily_availabilities,
    AvailabilityBlocks.list_availability_blocks,
    Bookings.list_bookings,
)

_DAY: Final = timedelta(days=1)
_LONGEST_OPENING: Final = timedelta(days=14)
"""One-off openings cannot be filtered by their end: those that began so long before the span are read too."""


class Stretch(NamedTuple):
    """A half-open stretch of time in UTC."""

    starts: datetime
    ends: datetime

    @property
    def length(self) -> timedelta:
        """The time that passes from the beginning to the end, whatever clocks do meanwhile."""
        return self.ends - self.starts


Workplace = tuple[str, str]
"""A practitioner's id and a site's id."""


@dataclass(frozen=True, slots=True)
class Diary:
    """Work and bookings of some practitioners over a span.

    `work` holds by (practitioner, site) when they are there within the span, in order, joined where stretches touch;
    it has a place, with nothing in it, where they work at other times only.
    `entries` are the live bookings, groups and blocks of these practitioners in every site.
    """

    starts: datetime
    ends: datetime
    work: Mapping[Workplace, Sequence[Stretch]]
    entries: Sequence[Entry]

    def free(self, practitioner_id: str, business_id: str) -> list[Stretch]:
        """The parts of this practitioner's time at this site that no live entry takes."""
        taken = (
            Stretch(entry.starts, entry.ends) for entry in self.entries if entry.practitioner_id == practitioner_id
        )
        return without(self.work.get((practitioner_id, business_id), ()), taken)

    def at_work(self, practitioner_id: str, starts: datetime, ends: datetime, business_id: str) -> bool:
        """Whether the whole of this stretch lies within their time at this site."""
        there = self.work.get((practitioner_id, business_id), ())
        return any(stretch.starts <= starts and ends <= stretch.ends for stretch in there)

    def sites(self, practitioner_id: str) -> list[str]:
        """The ids of the sites at which they work within the span."""
        return [site for who, site in self.work if who == practitioner_id and self.work[who, site]]

    def unblocked(self, practitioner_id: str, stretches: Iterable[Stretch]) -> list[Stretch]:
        """The parts of these stretches that none of this practitioner's blocked-out times takes."""
        blocks = (
            Stretch(entry.starts, entry.ends)
            for entry in self.entries
            if entry.kind == "block" and not entry.cancelled and entry.practitioner_id == practitioner_id
        )
        return without(stretches, blocks)


async def read_diary(
    clinic: GuardedClinic,
    roster: Roster,
    starts: datetime,
    ends: datetime,
    practitioners: Collection[str] = (),
    *,
    cancelled: bool = False,
    entries_by: Callable[[], Awaitable[Sequence[Entry]]] | None = None,
) -> Diary:
    """Work and bookings of these practitioners (none named: everyone) over a span in UTC; three lists at once.

    With `cancelled` the entries hold cancelled ones too; `free` must not be asked of such a diary. `entries_by` reads
    the same entries in another way.
    """
    who: dict[str, FilterValue] = {}
    if 0 < len(practitioners) <= MAX_IDS:
        who["practitioner_id"] = OneOf(practitioners)
    reach = Between(starts - _LONGEST_OPENING, ends)
    entries, weekly, extra = await run_concurrently(
        entries_by or partial(bookings, clinic, starts, ends, practitioners=practitioners, cancelled=cancelled),
        lambda: clinic.collect(DailyAvailabilities.list_daily_availabilities, **who),
        lambda: clinic.collect(AvailabilityBlocks.list_availability_blocks, starts_at=reach, **who),
    )
    return Diary(starts, ends, work_of(roster, [*weekly, *extra], starts, ends, practitioners), entries)


def work_of(
    roster: Roster,
    rows: Iterable[DailyAvailability | AvailabilityBlock],
    starts: datetime,
    ends: datetime,
    practitioners: Collection[str] = (),
) -> dict[Workplace, list[Stretch]]:
    """Daily availabilities and availability blocks as stretches within a span in UTC, by practitioner and site.

    Hours of a closed site, or of someone who no longer works here, count for nothing.
    """
    found: dict[Workplace, list[Stretch]] = {}
    for row in rows:
        place = row.practitioner_id or "", row.business_id or ""
        person, site = roster.practitioners.get(place[0]), roster.businesses.get(place[1])
        if (
            (practitioners and place[0] not in practitioners)
            or person is None
            or person.gone
            or site is None
            or site.gone
        ):
            continue
        stretches = _weekly(row, roster, starts, ends) if isinstance(row, DailyAvailability) else _once(row)
        inside = (Stretch(max(stretch.starts, starts), min(stretch.ends, ends)) for stretch in stretches)
        found.setdefault(place, []).extend(stretch for stretch in inside if stretch.starts < stretch.ends)
    return {place: joined(stretches) for place, stretches in found.items()}


def _weekly(row: DailyAvailability, roster: Roster, starts: datetime, ends: datetime) -> Iterator[Stretch]:
    if row.day_of_week is None:
        return
    zone = zone_of(row) or roster.zone(row.business_id)
    day, last = starts.astimezone(zone).date() - _DAY, ends.astimezone(zone).date()
    hours = list(hours_of(row))
    while day <= last:
        if day.isoweekday() % 7 == row.day_of_week % 7:  # 0 and 7 are both Sunday (cliniko-api.md#enumerations)
            yield from (_on(day, first, final, zone) for first, final in hours)
        day += _DAY


def hours_of(row: DailyAvailability) -> Iterator[tuple[int, int]]:
    """The hours of a daily availability in minutes after local midnight; an end of 00:00 is the end of the day."""
    for hours in row.availabilities or ():
        first, final = _minutes(hours.starts_at), _minutes(hours.ends_at)
        if first is not None and final is not None and first < (final or 1440):
            yield first, final or 1440


def _minutes(text: str | None) -> int | None:
    hour, _, minute = (text or "").partition(":")
    if not (hour.isdecimal() and minute[:2].isdecimal()):
        return None
    return min(int(hour) * 60 + int(minute[:2]), 1440)


def _on(day: date, first: int, final: int, zone: ZoneInfo) -> Stretch:
    return Stretch(on_day(day, first, zone).astimezone(UTC), on_day(day, final, zone, last=True).astimezone(UTC))


def _once(row: AvailabilityBlock) -> Iterator[Stretch]:
    if row.starts_at is not None and row.ends_at is not None:
        yield Stretch(row.starts_at.astimezone(UTC), row.ends_at.astimezone(UTC))


def joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The same time in order, without overlaps, joined where stretches touch."""
    found: list[Stretch] = []
    for stretch in sorted(stretches):
        if found and stretch.starts <= found[-1].ends:
            found[-1] = Stretch(found[-1].starts, max(found[-1].ends, stretch.ends))
        else:
            found.append(stretch)
    return found


def without(open_: Iterable[Stretch], taken: Iterable[Stretch]) -> list[Stretch]:
    """The parts of the first stretches that are in none of the second, in order."""
    cuts = joined(taken)
    left: list[Stretch] = []
    for stretch in open_:
        starts = stretch.starts
        for cut in cuts:
            if cut.ends <= starts:
                continue
            if cut.starts >= stretch.ends:
                break
            if cut.starts > starts:
                left.append(Stretch(starts, cut.starts))
            starts = cut.ends
        if starts < stretch.ends:
            left.append(Stretch(starts, stretch.ends))
    return left


def within(stretches: Iterable[Stretch], windows: Iterable[tuple[datetime, datetime]]) -> list[Stretch]:
    """The parts of these stretches that lie in the windows."""
    kept = list(windows)
    return [
        Stretch(max(stretch.starts, low), min(stretch.ends, high))
        for stretch in stretches
        for low, high in kept
        if max(stretch.starts, low) < min(stretch.ends, high)
    ]
