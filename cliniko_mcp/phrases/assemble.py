"""Intervals under construction: joins and limits days and minutes of the day, and makes the finished interval."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from cliniko_mcp.phrases.clock import clock_words
from cliniko_mcp.phrases.dates import DaySpan, Now, day_words
from cliniko_mcp.phrases.direction import floor, kept_within
from cliniko_mcp.phrases.format import describe
from cliniko_mcp.phrases.interval import Minutes, OpenWhen, When, Window, windows
from cliniko_mcp.phrases.refusals import not_understood
from cliniko_mcp.phrases.zones import DAY_MINUTES, instant, on_day

_DAY: Final = timedelta(days=1)
ALL_WEEKDAYS: Final = frozenset(range(1, 8))
# days listed one by one lie within about a year
MAX_DAYS: Final = 400


class DraftInterval(NamedTuple):
    """An interval under construction, with the weekdays and minutes of the day that count in it (empty means all)."""

    start: datetime
    end: datetime
    weekdays: frozenset[int]
    times: tuple[Minutes, ...]


def merged(pairs: Iterable[Minutes]) -> tuple[Minutes, ...]:
    """Ranges of minutes of the day in order, joined where they touch."""
    found: list[Minutes] = []
    for start, end in sorted(pairs):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        elif start < end:
            found.append((start, end))
    return tuple(found)


def draft_of_days(days: list[DaySpan], times: tuple[Minutes, ...], now: Now) -> DraftInterval:
    """The days as one interval with a filter of weekdays. Raises NotUnderstood where that would add other days."""
    ordered = sorted(days)
    joined = [ordered[0]]
    for span in ordered[1:]:
        if span.first <= joined[-1].last + _DAY:
            joined[-1] = DaySpan(joined[-1].first, max(span.last, joined[-1].last))
        else:
            joined.append(span)
    hull = DaySpan(joined[0].first, joined[-1].last)
    if len(joined) == 1:
        return DraftInterval(*whole_days(hull, now), frozenset(), times)
    if hull.size > MAX_DAYS:
        raise not_understood("Those days lie too far apart for one answer: ask for them one by one.")
    picked = {span.first + step * _DAY for span in joined for step in range(span.size)}
    numbers = frozenset(day.isoweekday() for day in picked)
    between = (hull.first + step * _DAY for step in range(hull.size))
    if any(day.isoweekday() in numbers and day not in picked for day in between):
        raise not_understood("Those days make no single span: ask for them one by one.")
    return DraftInterval(*whole_days(hull, now), numbers, times)


def whole_days(days: DaySpan, now: Now) -> Window:
    """The first midnight of the days and the midnight that ends them, as aware datetimes."""
    return on_day(days.first, 0, now.zone), on_day(days.last + _DAY, 0, now.zone)


def complement(closed: tuple[Minutes, ...]) -> tuple[Minutes, ...]:
    """The minutes of a day that none of the ranges holds."""
    edges = [0, *(minute for pair in closed for minute in pair), DAY_MINUTES]
    return tuple((start, end) for start, end in zip(edges[::2], edges[1::2], strict=True) if start < end)


def overlap(left: tuple[Minutes, ...], right: tuple[Minutes, ...]) -> tuple[Minutes, ...]:
    """The minutes of a day that both hold."""
    return merged((max(a, c), min(b, d)) for a, b in left for c, d in right if max(a, c) < min(b, d))


def finish(draft: DraftInterval, now: Now) -> When | OpenWhen:
    """The interval in its simplest form, with its description.

    Raises NotUnderstood when no time is left in it, and facing back when all of it is still to come.
    """
    start, end, weekdays, times = draft
    start, end = kept_within(start, end, now)
    times = () if times == ((0, DAY_MINUTES),) else times
    weekdays = frozenset[int]() if weekdays == ALL_WEEKDAYS else weekdays
    # an interval without gaps has no filters: first its days are tried, then its hours
    whole = _unbroken(start, end, weekdays, ())
    if whole is not None:
        start, end = whole
        weekdays = frozenset[int]()
    whole = _unbroken(start, end, weekdays, times)
    if whole is not None:
        start, end = whole
        weekdays, times = frozenset[int](), ()
    start, end = kept_within(start, end, now)
    if instant(start) <= instant(floor(now)):
        end = end.astimezone(now.zone)
        return OpenWhen(end, weekdays, times, describe(None, end, weekdays, times, now.zone))
    # less than a week holds only some weekdays; the description names no others
    last = (end - timedelta(microseconds=1)).date()
    if weekdays and (last - start.date()).days < len(ALL_WEEKDAYS):
        weekdays &= {(start.date() + step * _DAY).isoweekday() for step in range((last - start.date()).days + 1)}
    start, end = start.astimezone(now.zone), end.astimezone(now.zone)
    return When(start, end, weekdays, times, describe(start, end, weekdays, times, now.zone))


def _unbroken(start: datetime, end: datetime, weekdays: frozenset[int], times: tuple[Minutes, ...]) -> Window | None:
    """The one window that counts, or None when there are several. Raises NotUnderstood when there is none."""
    opens: datetime | None = None
    closes = start
    for first, final in windows(start, end, weekdays, times):
        if opens is None:
            opens = first
        elif instant(closes) != instant(first):
            return None
        closes = final
    if opens is None:
        raise _nothing_left(start, end, times)
    return opens, closes


def _nothing_left(start: datetime, end: datetime, times: tuple[Minutes, ...]) -> Exception:
    zone = start.tzinfo
    one_day = instant(end) - instant(start) < 2 * _DAY
    if one_day and times and isinstance(zone, ZoneInfo):
        opens = on_day(start.date(), times[0][0], zone)
        if opens.hour * 60 + opens.minute != times[0][0]:
            return not_understood(f"The clinic's clock skips {clock_words(times[0][0])} on {day_words(start.date())}.")
    return not_understood("Nothing is left: no time fits the whole phrase.")
