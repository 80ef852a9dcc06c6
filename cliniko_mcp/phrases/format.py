"""An interval described in words: every day with its weekday, every time on the 24-hour clock, and the zone."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cliniko_mcp.cliniko.time_zones import local_instant
from cliniko_mcp.phrases.clock import clock_words
from cliniko_mcp.phrases.dates import day_words
from cliniko_mcp.phrases.vocabulary import WEEKDAY_NAMES
from cliniko_mcp.phrases.zones import instant


def describe(
    start: datetime | None, end: datetime, weekdays: frozenset[int], times: tuple[tuple[int, int], ...], zone: ZoneInfo
) -> str:
    """The interval as text, such as "Thursday 26 November 2026, 15:00 to 24:00 (Australia/Sydney)"."""
    parts = [_span(start, end, zone) if start else _before(end, zone)]
    if times:
        parts = [parts[0].removesuffix(", all day")]
    if weekdays:
        parts.append(_weekdays(weekdays))
    elif start is None and times:
        # else the first of the hours would be read as the time of the last day
        parts.append("every day")
    if times:
        parts.append(_join_words([_hours(*pair) for pair in times]))
    return f"{', '.join(parts)} ({zone.key})"


def _before(end: datetime, zone: ZoneInfo) -> str:
    if not _is_usual(end, zone, last=not _midnight(end)):
        return f"before {_with_offset(end)}"
    if _midnight(end):
        return f"up to and including {day_words((end - timedelta(days=1)).date())}"
    return f"before {day_words(end.date())} {_clock(end)}"


def _is_usual(moment: datetime, zone: ZoneInfo, *, last: bool) -> bool:
    """Whether reading the wall clock gives this moment: of a repeated hour the first as a start, the last as an end."""
    return instant(local_instant(moment.replace(tzinfo=None), zone, last=last)) == instant(moment)


def _with_offset(moment: datetime) -> str:
    """A moment whose clock time comes twice, with its offset: "2026-04-05T02:30+10:00 Sun"."""
    return f"{moment.isoformat(timespec='minutes')} {WEEKDAY_NAMES[moment.isoweekday() - 1][:3]}"


def _span(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    point = instant(end) - instant(start) == timedelta(minutes=1)
    usual = _is_usual(start, zone, last=False)
    # from the first showing of an hour to its second the clock runs backwards
    forward = end.replace(tzinfo=None) - start.replace(tzinfo=None) > timedelta(minutes=1)
    if not (usual and (point or (forward and _is_usual(end, zone, last=not _midnight(end))))):
        return _with_offset(start) if point else f"{_with_offset(start)} to {_with_offset(end)}"
    if point:
        return f"{day_words(start.date())} at {_clock(start)}"
    last = (end - timedelta(days=1)).date() if _midnight(end) else end.date()
    if _midnight(start) and _midnight(end):
        if start.date() == last:
            return f"{day_words(last)}, all day"
        return f"{day_words(start.date())} to {day_words(last)}"
    closes = "24:00" if _midnight(end) else _clock(end)
    if start.date() == last:
        return f"{day_words(last)}, {_clock(start)} to {closes}"
    return f"{day_words(start.date())} {_clock(start)} to {day_words(last)} {closes}"


def _midnight(moment: datetime) -> bool:
    return not (moment.hour or moment.minute)


def _clock(moment: datetime) -> str:
    return clock_words(moment.hour * 60 + moment.minute)


def _hours(start: int, end: int) -> str:
    return f"at {clock_words(start)}" if end - start == 1 else f"{clock_words(start)} to {clock_words(end)}"


def _weekdays(weekdays: frozenset[int]) -> str:
    numbers = sorted(weekdays)
    first, last = numbers[0], numbers[-1]
    if len(numbers) == 6:
        missing = (set(range(1, 8)) - weekdays).pop()
        return f"every day except {WEEKDAY_NAMES[missing - 1]}"
    if len(numbers) > 2 and last - first + 1 == len(numbers):
        return f"on {WEEKDAY_NAMES[first - 1]} to {WEEKDAY_NAMES[last - 1]}"
    return "on " + _join_words([WEEKDAY_NAMES[number - 1] for number in numbers])


def _join_words(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
