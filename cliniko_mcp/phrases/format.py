"""An interval described in words: every day with its weekday, every time on the 24-hour clock, and the zone."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cliniko_mcp.phrases.clock import clock_words
from cliniko_mcp.phrases.dates import day_words
from cliniko_mcp.phrases.vocabulary import WEEKDAY_NAMES
from cliniko_mcp.phrases.zones import instant


def describe(
    start: datetime | None, end: datetime, weekdays: frozenset[int], times: tuple[tuple[int, int], ...], zone: ZoneInfo
) -> str:
    """The interval as text, such as "Thursday 26 November 2026, 15:00 to 24:00 (Australia/Sydney)"."""
    parts = [_span(start, end) if start else _before(end)]
    if times:
        parts = [parts[0].removesuffix(", all day")]
    if weekdays:
        parts.append(_weekdays(weekdays))
    if times:
        parts.append(_join_words([_hours(*pair) for pair in times]))
    return f"{', '.join(parts)} ({zone.key})"


def _before(end: datetime) -> str:
    if _midnight(end):
        return f"up to and including {day_words((end - timedelta(days=1)).date())}"
    return f"before {day_words(end.date())} {_clock(end)}"


def _span(start: datetime, end: datetime) -> str:
    if instant(end) - instant(start) == timedelta(minutes=1):
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
