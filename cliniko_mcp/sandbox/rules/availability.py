"""Free time of a practitioner at a site, in local time: pure computation over spans of time.

Hours are local and are turned into instants date by date, so days with a clock change are right. Spans are half-open.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import chain
from typing import Final

from cliniko_mcp.cliniko.time_zones import local_instant

_DAY: Final = timedelta(days=1)
_NOON: Final = 12
_EVENING: Final = 17


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The time from one instant up to another, both in UTC."""

    starts: datetime
    ends: datetime

    def meets(self, other: "Span") -> bool:
        """Whether the two share any time."""
        return self.starts < other.ends and other.starts < self.ends


@dataclass(frozen=True, slots=True)
class Hours:
    """One stretch of a weekly template: ISO weekday 1..7 and local times `HH:MM`."""

    weekday: int
    starts: str
    ends: str


@dataclass(frozen=True, slots=True)
class OnlineBookingLimits:
    """The limits of online booking: the earliest and latest start, and how many are offered (0 means no limit)."""

    earliest: datetime
    latest: datetime
    per_segment: int = 0
    per_day: int = 0


def openings(first: date, last: date, zone: tzinfo, weekly: Sequence[Hours], blocks: Iterable[Span]) -> list[Span]:
    """The working time on these local dates: weekly hours and one-off blocks, joined where they touch."""
    return joined(chain(_weekly(first, last, zone, weekly), blocks))


def _weekly(first: date, last: date, zone: tzinfo, weekly: Sequence[Hours]) -> Iterator[Span]:
    day = first
    while day <= last:
        for hours in weekly:
            if hours.weekday == day.isoweekday():
                span = Span(instant(day, hours.starts, zone), instant(day, hours.ends, zone))
                if span.starts < span.ends:
                    yield span
        day += _DAY


def instant(day: date, clock: str, zone: tzinfo) -> datetime:
    """The UTC instant at which a wall clock reaches a local `HH:MM`; `24:00` is the next midnight.

    Where the clocks skip that time it is the moment at which they do; where they repeat it, the first counts.
    """
    hour, minute = (int(part) for part in clock.split(":"))
    if hour == 24:
        day, hour = day + _DAY, 0
    return local_instant(datetime.combine(day, time(hour, minute)), zone).astimezone(UTC)


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same time as ordered spans that neither overlap nor touch."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.starts <= found[-1].ends:
            if span.ends > found[-1].ends:
                found[-1] = Span(found[-1].starts, span.ends)
        else:
            found.append(span)
    return found


def free(opened: Sequence[Span], taken: Iterable[Span]) -> list[Span]:
    """The parts of the openings that are not taken."""
    cuts = joined(taken)
    free_spans: list[Span] = []
    position = 0
    for span in opened:
        starts = span.starts
        while position < len(cuts) and cuts[position].ends <= starts:
            position += 1
        for cut in cuts[position:]:
            if cut.starts >= span.ends:
                break
            if cut.starts > starts:
                free_spans.append(Span(starts, cut.starts))
            starts = max(starts, cut.ends)
        if starts < span.ends:
            free_spans.append(Span(starts, span.ends))
    return free_spans


def starts(spans: Iterable[Span], step: timedelta, length: timedelta) -> Iterator[datetime]:
    """The starts, a step apart from the beginning of each span, from which the whole length fits into the span."""
    for span in spans:
        at = span.starts
        while at + length <= span.ends:
            yield at
            at += step


def offered(
    found: Iterable[datetime], zone: tzinfo, limits: OnlineBookingLimits, booked: Sequence[datetime] = ()
) -> list[datetime]:
    """The starts within the limits of online booking, in order and without repetition.

    A day on which `booked` already holds the daily limit offers nothing; of each part of a local day (to 12, to 17,
    evening) only the first so many are offered.
    """
    counts: dict[date, int] = {}
    if limits.per_day:
        for at in booked:
            day = at.astimezone(zone).date()
            counts[day] = counts.get(day, 0) + 1
    segments: dict[tuple[date, int], int] = {}
    offered_starts: list[datetime] = []
    for at in sorted(set(found)):
        if not limits.earliest <= at <= limits.latest:
            continue
        local = at.astimezone(zone)
        if limits.per_day and counts.get(local.date(), 0) >= limits.per_day:
            continue
        segment = (local.date(), (local.hour >= _NOON) + (local.hour >= _EVENING))
        if limits.per_segment and segments.get(segment, 0) >= limits.per_segment:
            continue
        segments[segment] = segments.get(segment, 0) + 1
        offered_starts.append(at)
    return offered_starts
