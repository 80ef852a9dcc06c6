"""Intervals under construction: days and minutes of the day joined, cut and finished."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from cliniko_mcp.phrases.clock import clock_words
from cliniko_mcp.phrases.dates import Days, Now, day_words
from cliniko_mcp.phrases.format import in_words
from cliniko_mcp.phrases.interval import Minutes, When, Window, windows
from cliniko_mcp.phrases.refusals import not_understood
from cliniko_mcp.phrases.zones import DAY_MINUTES, instant, on_day

_DAY: Final = timedelta(days=1)
EVERY: Final = frozenset(range(1, 8))
# days that are picked one by one lie within a year
MOST_DAYS: Final = 400


class Part(NamedTuple):
    """One alternative, settled: an interval, and the weekdays and minutes of the day that count in it."""

    start: datetime
    end: datetime
    weekdays: frozenset[int]
    times: tuple[Minutes, ...]


def merged(pairs: Iterable[Minutes]) -> tuple[Minutes, ...]:
    """Minutes of the day in order, joined where they touch."""
    found: list[Minutes] = []
    for start, end in sorted(pairs):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        elif start < end:
            found.append((start, end))
    return tuple(found)


def of_days(days: list[Days], times: tuple[Minutes, ...], now: Now) -> Part:
    """Days as one interval with a filter of weekdays; refused where that would add days nobody said."""
    ordered = sorted(days)
    joined = [ordered[0]]
    for span in ordered[1:]:
        if span.first <= joined[-1].last + _DAY:
            joined[-1] = Days(joined[-1].first, max(span.last, joined[-1].last))
        else:
            joined.append(span)
    hull = Days(joined[0].first, joined[-1].last)
    if len(joined) == 1:
        return Part(*whole_days(hull, now), frozenset(), times)
    if hull.size > MOST_DAYS:
        raise not_understood("Those days lie too far apart for one answer: ask for them one by one.")
    picked = {span.first + step * _DAY for span in joined for step in range(span.size)}
    numbers = frozenset(day.isoweekday() for day in picked)
    between = (hull.first + step * _DAY for step in range(hull.size))
    if any(day.isoweekday() in numbers and day not in picked for day in between):
        raise not_understood("Those days make no single span: ask for them one by one.")
    return Part(*whole_days(hull, now), numbers, times)


def whole_days(days: Days, now: Now) -> Window:
    """From the first midnight of some days to their last."""
    return on_day(days.first, 0, now.zone), on_day(days.last + _DAY, 0, now.zone)


def complement(closed: tuple[Minutes, ...]) -> tuple[Minutes, ...]:
    """The minutes of a day that are left out."""
    edges = [0, *(minute for pair in closed for minute in pair), DAY_MINUTES]
    return tuple((start, end) for start, end in zip(edges[::2], edges[1::2], strict=True) if start < end)


def overlap(one: tuple[Minutes, ...], two: tuple[Minutes, ...]) -> tuple[Minutes, ...]:
    """The minutes of a day that both have."""
    return merged((max(a, c), min(b, d)) for a, b in one for c, d in two if max(a, c) < min(b, d))


def finished(part: Part, now: Now) -> When:
    """The interval in its simplest form, with its words. Raises NotUnderstood when no time is left in it."""
    start, end, weekdays, times = part
    times = () if times == ((0, DAY_MINUTES),) else times
    weekdays = frozenset[int]() if weekdays == EVERY else weekdays
    # an interval without gaps says so: first its days, then its hours
    whole = _unbroken(start, end, weekdays, ())
    if whole is not None:
        start, end = whole
        weekdays = frozenset[int]()
    whole = _unbroken(start, end, weekdays, times)
    if whole is not None:
        start, end = whole
        weekdays, times = frozenset[int](), ()
    # in less than a week only some weekdays come up; the words name no others
    last = (end - timedelta(microseconds=1)).date()
    if weekdays and (last - start.date()).days < len(EVERY):
        weekdays &= {(start.date() + step * _DAY).isoweekday() for step in range((last - start.date()).days + 1)}
    start, end = start.astimezone(now.zone), end.astimezone(now.zone)
    return When(start, end, weekdays, times, in_words(start, end, weekdays, times, now.zone))


def _unbroken(start: datetime, end: datetime, weekdays: frozenset[int], times: tuple[Minutes, ...]) -> Window | None:
    """The one stretch of time that counts, or None when there are several. Raises NotUnderstood when there is none."""
    opens: datetime | None = None
    closes = start
    for first, final in windows(start, end, weekdays, times):
        if opens is None:
            opens = first
        elif instant(closes) != instant(first):
            return None
        closes = final
    if opens is None:
        raise _nothing(start, end, times)
    return opens, closes


def _nothing(start: datetime, end: datetime, times: tuple[Minutes, ...]) -> Exception:
    zone = start.tzinfo
    one_day = instant(end) - instant(start) < 2 * _DAY
    if one_day and times and isinstance(zone, ZoneInfo):
        opens = on_day(start.date(), times[0][0], zone)
        if opens.hour * 60 + opens.minute != times[0][0]:
            return not_understood(f"The clinic's clock skips {clock_words(times[0][0])} on {day_words(start.date())}.")
    return not_understood("Nothing is left: no moment fits all that was said.")
