"""Free time of a practitioner at a site, in local wall-clock time: pure computation over plain spans (api.md 6, C).

Hours are local and are turned into instants date by date, so days with a clock change are right. Spans are half-open.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import chain
from typing import Final

_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(minutes=1)
_NOON: Final = 12
_EVENING: Final = 17


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From one instant up to another, both in UTC."""

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
class Limits:
    """The rules of online booking: notice and reach from now, and how much is offered (0 means no limit)."""

    earliest: datetime
    latest: datetime
    per_segment: int = 0
    per_day: int = 0


def openings(first: date, last: date, zone: tzinfo, weekly: Sequence[Hours], blocks: Iterable[Span]) -> list[Span]:
    """When the practitioner is there on these local dates: weekly hours and one-off blocks, joined where they touch."""
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
    local = datetime.combine(day, time(hour, minute))
    found = local.replace(tzinfo=zone).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == local:
        return found
    # In a gap fold=1 reads the time with the later offset, which gives an instant before the clocks go forward.
    at = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    while at.astimezone(zone).replace(tzinfo=None) < local:
        at += _MINUTE
    return at


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same time as spans in order that neither overlap nor touch."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.starts <= found[-1].ends:
            if span.ends > found[-1].ends:
                found[-1] = Span(found[-1].starts, span.ends)
        else:
            found.append(span)
    return found


def free(opened: Sequence[Span], taken: Iterable[Span]) -> list[Span]:
    """What remains of the openings once everything taken is cut out."""
    cuts = joined(taken)
    found: list[Span] = []
    place = 0
    for span in opened:
        starts = span.starts
        while place < len(cuts) and cuts[place].ends <= starts:
            place += 1
        for cut in cuts[place:]:
            if cut.starts >= span.ends:
                break
            if cut.starts > starts:
                found.append(Span(starts, cut.starts))
            starts = max(starts, cut.ends)
        if starts < span.ends:
            found.append(Span(starts, span.ends))
    return found


def starts(spans: Iterable[Span], step: timedelta, length: timedelta) -> Iterator[datetime]:
    """Every start from the beginning of each span, a step apart, from which the whole length still fits."""
    for span in spans:
        at = span.starts
        while at + length <= span.ends:
            yield at
            at += step


def offered(found: Iterable[datetime], zone: tzinfo, limits: Limits, booked: Sequence[datetime] = ()) -> list[datetime]:
    """The starts that the rules of online booking let through, in order, each once.

    A day on which `booked` already holds the daily limit offers nothing; of each part of a local day (to 12, to 17,
    evening) only the first so many are offered.
    """
    counts: dict[date, int] = {}
    if limits.per_day:
        for at in booked:
            day = at.astimezone(zone).date()
            counts[day] = counts.get(day, 0) + 1
    segments: dict[tuple[date, int], int] = {}
    kept: list[datetime] = []
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
        kept.append(at)
    return kept
