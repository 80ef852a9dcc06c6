"""When practitioners are at work, and what of it is free: the diary as a receptionist sees it (api.md 6, C).

Work is the weekly hours and the one-off openings, in local wall-clock time turned into instants day by day, so days on
which the clock changes are right. Free is what live bookings and blocked-out times of the practitioner leave of it, in
whatever site they are. Three lists, read at once: a request for each hundred rows of each, whatever the span.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from cliniko_mcp.cliniko.fields import utc_text
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.frontdesk.bookings import MOST_IDS, Entry, bookings
from cliniko_mcp.frontdesk.concurrency import both, gathered, together
from cliniko_mcp.frontdesk.people import Roster
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.phrases.zones import on_day

NEEDS: Final = ("list_daily_availabilities", "list_availability_blocks", "list_bookings")

_DAY: Final = timedelta(days=1)
_LONGEST_OPENING: Final = timedelta(days=14)
"""One-off openings cannot be filtered by their end: those that began so long before the span are read too."""


class Stretch(NamedTuple):
    """A half-open stretch of time in UTC."""

    starts: datetime
    ends: datetime

    @property
    def length(self) -> timedelta:
        return self.ends - self.starts


Place = tuple[str, str]
"""A practitioner's id and a site's id."""


@dataclass(frozen=True, slots=True)
class Diary:
    """Work and bookings of some practitioners over a span.

    `work` holds by (practitioner, site) when they are there within the span, in order, joined where stretches touch.
    `entries` are the live bookings, groups and blocks of these practitioners in every site.
    """

    starts: datetime
    ends: datetime
    work: Mapping[Place, Sequence[Stretch]]
    entries: Sequence[Entry]

    def free(self, practitioner_id: str, business_id: str) -> list[Stretch]:
        """What nothing live takes of this practitioner's time at this site."""
        taken = (Stretch(each.starts, each.ends) for each in self.entries if each.practitioner_id == practitioner_id)
        return without(self.work.get((practitioner_id, business_id), ()), taken)

    def at_work(self, practitioner_id: str, starts: datetime, ends: datetime, business_id: str) -> bool:
        """Whether the whole of this stretch lies within their time at this site."""
        return any(
            each.starts <= starts and ends <= each.ends for each in self.work.get((practitioner_id, business_id), ())
        )

    def sites(self, practitioner_id: str) -> list[str]:
        """The sites at which they work within the span."""
        return [site for who, site in self.work if who == practitioner_id and self.work[who, site]]


async def read_diary(
    clinic: GuardedClinic,
    roster: Roster,
    starts: datetime,
    ends: datetime,
    practitioners: Collection[str] = (),
    *,
    cancelled: bool = False,
) -> Diary:
    """Work and bookings of these practitioners (none named: everyone) over a span in UTC; three lists at once.

    With `cancelled` the entries hold cancelled ones too; `free` must not be asked of such a diary.
    """
    who: dict[str, object] = {}
    if 0 < len(practitioners) <= MOST_IDS:
        who["practitioner_id"] = ",".join(sorted(practitioners))
    reach = f"{utc_text(starts - _LONGEST_OPENING, None)}..{utc_text(ends, None)}"

    async def rows() -> list[Record]:
        weekly, extra = await together(
            (
                lambda: gathered(clinic.all_named("list_daily_availabilities", **who)),
                lambda: gathered(clinic.all_named("list_availability_blocks", starts_at=reach, **who)),
            )
        )
        return [*weekly, *extra]

    booked = partial(bookings, clinic, starts, ends, practitioners=practitioners, cancelled=cancelled)
    entries, opened = await both(booked, rows)
    return Diary(starts, ends, work_of(roster, opened, starts, ends, practitioners), entries)


def work_of(
    roster: Roster,
    rows: Iterable[Record],
    starts: datetime,
    ends: datetime,
    practitioners: Collection[str] = (),
) -> dict[Place, list[Stretch]]:
    """Daily availabilities and availability blocks as stretches within a span in UTC, by practitioner and site.

    Hours of a closed site, or of someone who no longer works here, count for nothing.
    """
    found: dict[Place, list[Stretch]] = {}
    for row in rows:
        place = _text(row, "practitioner_id"), _text(row, "business_id")
        person, site = roster.practitioners.get(place[0]), roster.businesses.get(place[1])
        if (
            (practitioners and place[0] not in practitioners)
            or person is None
            or person.gone
            or site is None
            or site.gone
        ):
            continue
        stretches = _weekly(row, _zone(row, roster), starts, ends) if hasattr(row, "day_of_week") else _once(row)
        inside = (Stretch(max(each.starts, starts), min(each.ends, ends)) for each in stretches)
        found.setdefault(place, []).extend(each for each in inside if each.starts < each.ends)
    return {place: joined(stretches) for place, stretches in found.items()}


def _zone(row: Record, roster: Roster) -> ZoneInfo:
    try:
        return ZoneInfo(_text(row, "time_zone_identifier") or "?")
    except (LookupError, ValueError, OSError):
        return roster.zone(_text(row, "business_id"))


def _weekly(row: Record, zone: ZoneInfo, starts: datetime, ends: datetime) -> Iterator[Stretch]:
    weekday = getattr(row, "day_of_week", None)
    if not isinstance(weekday, int):
        return
    day, last = starts.astimezone(zone).date() - _DAY, ends.astimezone(zone).date()
    hours = list(hours_of(row))
    while day <= last:
        if day.isoweekday() % 7 == weekday % 7:  # 0 and 7 are both Sunday (api.md section 4)
            yield from (_on(day, first, final, zone) for first, final in hours)
        day += _DAY


def hours_of(row: Record) -> Iterator[tuple[int, int]]:
    """The hours of a daily availability in minutes after local midnight; an end of 00:00 is the end of the day."""
    for hours in getattr(row, "availabilities", None) or ():
        first, final = _minutes(getattr(hours, "starts_at", None)), _minutes(getattr(hours, "ends_at", None))
        if first is not None and final is not None and first < (final or 1440):
            yield first, final or 1440


def _minutes(text: object) -> int | None:
    hour, _, minute = str(text).partition(":")
    if not (hour.isdigit() and minute[:2].isdigit()):
        return None
    return min(int(hour) * 60 + int(minute[:2]), 1440)


def _on(day: date, first: int, final: int, zone: ZoneInfo) -> Stretch:
    return Stretch(on_day(day, first, zone).astimezone(UTC), on_day(day, final, zone, last=True).astimezone(UTC))


def _once(row: Record) -> Iterator[Stretch]:
    starts, ends = getattr(row, "starts_at", None), getattr(row, "ends_at", None)
    if isinstance(starts, datetime) and isinstance(ends, datetime) and starts.tzinfo is not None:
        yield Stretch(starts.astimezone(UTC), ends.astimezone(UTC))


def _text(row: Record, field: str) -> str:
    value = getattr(row, field, None)
    return value if isinstance(value, str) else ""


def joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The same time in order, without overlaps, joined where stretches touch."""
    found: list[Stretch] = []
    for each in sorted(stretches):
        if found and each.starts <= found[-1].ends:
            found[-1] = Stretch(found[-1].starts, max(found[-1].ends, each.ends))
        else:
            found.append(each)
    return found


def without(open_: Iterable[Stretch], taken: Iterable[Stretch]) -> list[Stretch]:
    """What is left of the first once all of the second is cut out of it."""
    cuts = joined(taken)
    left: list[Stretch] = []
    for each in open_:
        starts = each.starts
        for cut in cuts:
            if cut.ends <= starts:
                continue
            if cut.starts >= each.ends:
                break
            if cut.starts > starts:
                left.append(Stretch(starts, cut.starts))
            starts = cut.ends
        if starts < each.ends:
            left.append(Stretch(starts, each.ends))
    return left


def within(stretches: Iterable[Stretch], windows: Iterable[tuple[datetime, datetime]]) -> list[Stretch]:
    """The parts of these stretches that lie in the windows."""
    kept = list(windows)
    return [
        Stretch(max(each.starts, low), min(each.ends, high))
        for each in stretches
        for low, high in kept
        if max(each.starts, low) < min(each.ends, high)
    ]
