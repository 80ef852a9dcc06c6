"""Reads lengths of time and calendar periods: "2 weeks", "next month", "last December"."""

from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from cliniko_mcp.cliniko.time_zones import local_instant
from cliniko_mcp.phrases.dates import DaySpan, Now, PartialDate, add_months, days_of, month_days
from cliniko_mcp.phrases.days import is_year, read_date
from cliniko_mcp.phrases.periods import (
    FINANCIAL_YEAR,
    financial_year,
    half_days,
    present_financial_year,
    quarter_days,
    quarter_of_year,
    quarter_without_year,
)
from cliniko_mcp.phrases.refusals import not_understood
from cliniko_mcp.phrases.token_stream import TokenStream
from cliniko_mcp.phrases.vocabulary import MONTH_NAMES
from cliniko_mcp.phrases.zones import instant

_WEEK: Final = timedelta(days=7)
# a number that reaches further than about ten years is a typing mistake, not a booking
_MAX_NUMBER: Final = {
    "minute": 100_000,
    "hour": 10_000,
    "day": 3_660,
    "week": 520,
    "fortnight": 260,
    "month": 120,
    "quarter": 40,
    "year": 10,
}


_QUARTERS_OF_AN_HOUR: Final = (
    (("a", "quarter", "of", "an", "hour"), 15),
    (("quarter", "of", "an", "hour"), 15),
    (("three", "quarter", "of", "an", "hour"), 45),
    (("half", "hour"), 30),
    (("a", "half", "hour"), 30),
)
FULL: Final = ("full", "whole", "complete", "entire", "calendar")


class Length(NamedTuple):
    """A number of units of time: 2 weeks, half an hour; `full` marks whole calendar units, as in "2 full weeks"."""

    number: int
    unit: str
    full: bool = False


def read_length(stream: TokenStream, *, full_allowed: bool = False) -> Length | None:
    """The length of time that comes next, or None; "full" before its unit only where that is allowed."""
    start = stream.position
    if stream.take_words("half", "an", "hour"):
        return Length(30, "minute")
    for words, minutes in _QUARTERS_OF_AN_HOUR:
        if stream.take_words(*words):
            return Length(minutes, "minute")
    count = 0
    if stream.take_any("a", "an"):
        count = 1
        if stream.take_words("couple"):
            count = 2
            stream.take_words("of")
    elif stream.take_words("couple"):
        count = 2
        stream.take_words("of")
    elif token := stream.take_kind("num"):
        count = token.value
    half = _take_and_a_half(stream)
    full = bool(full_allowed and count and stream.take_any(*FULL))
    unit = stream.take_kind("unit")
    if unit is None or (not count and stream.position - start != 1):
        stream.position = start
        return None
    if not count and unit.text != "fortnight":
        stream.position = start
        return None
    count = count or 1
    if half:
        return _with_half(count, unit.text)
    if unit.text == "hour" and not full and count <= _MAX_NUMBER["hour"]:
        return _read_hours(stream, count)
    if not 1 <= count <= _MAX_NUMBER[unit.text]:
        raise not_understood(f"{count} {unit.text}s is more than a diary reaches.")
    return Length(count, unit.text, full)


def _take_and_a_half(stream: TokenStream) -> bool:
    """Whether "and a half" comes next, as in "two and a half hours"; if so, it is consumed."""
    start = stream.position
    if stream.take_kind("join") and stream.take_words("a", "half"):
        return True
    stream.position = start
    return False


def _with_half(count: int, unit: str) -> Length:
    """So many and a half of a unit. Raises NotUnderstood where the half is not so many minutes, days or months."""
    halves = {"hour": (30, "minute"), "fortnight": (7, "day"), "year": (6, "month")}
    if unit not in halves or not 1 <= count <= _MAX_NUMBER[unit]:
        raise not_understood(f'Half a {unit} is not so many days or minutes: say them, such as "in 17 days".')
    number, smaller = halves[unit]
    return Length((2 * count + 1) * number, smaller)


def _read_hours(stream: TokenStream, count: int) -> Length:
    """Hours with the half or the minutes that follow: "an hour and a half", "2 hours 15 minutes"."""
    start = stream.position
    if stream.take_kind("join") and stream.take_words("a", "half"):
        return Length(count * 60 + 30, "minute")
    stream.position = start
    stream.take_kind("join")
    minutes = stream.take_kind("num")
    if minutes and minutes.value and stream.take_words("minute"):
        return Length(count * 60 + minutes.value, "minute")
    stream.position = start
    return Length(count, "hour")


def shift_moment(now: Now, length: Length, sign: int) -> datetime:
    """The moment a length after now, or before it with `sign` -1.

    Minutes and hours are true durations across a change of the clock; longer units keep the time of day.
    """
    count = length.number * sign
    if length.unit in {"minute", "hour"}:
        minutes = count * (60 if length.unit == "hour" else 1)
        return (instant(now.moment) + timedelta(minutes=minutes)).astimezone(now.zone)
    wall = now.moment.replace(tzinfo=None)
    day = shift_day(now.today, length, sign)
    return local_instant(datetime.combine(day, wall.time()), now.zone)


def shift_day(day: date, length: Length, sign: int) -> date:
    """The day a length of days, weeks, months or years after `day`, or before it with `sign` -1."""
    count = length.number * sign
    months = {"month": 1, "quarter": 3, "year": 12}.get(length.unit)
    if months:
        return add_months(day, count * months)
    return day + timedelta(days=count * {"day": 1, "week": 7, "fortnight": 14}[length.unit])


def days_of_period(unit: str, offset: int, now: Now) -> DaySpan:
    """The days of a whole calendar week, month, quarter or year, `offset` periods after the present one."""
    if unit == "week":
        monday = now.monday + offset * _WEEK
        return DaySpan(monday, monday + timedelta(days=6))
    if unit == "month":
        return month_days(now.today.year, now.today.month + offset)
    if unit == "quarter":
        first = (now.today.month - 1) // 3 * 3 + 1 + offset * 3
        return DaySpan(month_days(now.today.year, first).first, month_days(now.today.year, first + 2).last)
    if unit == FINANCIAL_YEAR:
        return financial_year(present_financial_year(now) + offset, now)
    year = now.today.year + offset
    return DaySpan(date(year, 1, 1), date(year, 12, 31))


class CalendarPeriod(NamedTuple):
    """A whole calendar period; `offset` counts from the present one and is None for a month by name.

    `yearless` is true when that month was named without a year.
    """

    unit: str
    offset: int | None
    days: DaySpan
    yearless: bool = False


def read_calendar_period(stream: TokenStream, now: Now, *, bare: bool = False) -> CalendarPeriod | None:
    """The period that comes next ("next month", "December 2027"; with `bare` also "the month"), or None."""
    start = stream.position
    while stream.take_kind("filler"):
        pass
    if stream.peek().kind == "month":
        after = stream.peek(1)
        found = (
            None if after.kind == "ord" or (after.kind == "num" and len(after.text) <= 2) else read_date(stream, now)
        )
        if isinstance(found, PartialDate):
            return CalendarPeriod("month", None, days_of(found, now), not found.year)
        stream.position = start
        return None
    named = _read_named_period(stream, now)
    if named is not None:
        return named
    stream.position = start
    while stream.take_kind("filler"):
        pass
    the = stream.take_words("the")
    word = stream.take_any("this", "next", "last", "previous")
    offset = {"this": 0, "next": 1, "last": -1, "previous": -1}.get(word)
    if word and stream.peek().kind == "month":
        return CalendarPeriod("month", None, _named_month(stream.take().value, word, now))
    unit = stream.peek()
    is_unit = unit.kind == "unit" and unit.text in {"week", "month", "quarter", "year"}
    if not is_unit and unit.text not in {"quarter", FINANCIAL_YEAR}:
        stream.position = start
        return None
    stream.position += 1
    if offset is None:
        if stream.take_words("after", "next"):
            offset = 2
        elif stream.take_words("before", "last"):
            offset = -2
        elif bare:
            offset = 0
        else:
            stream.position = start
            return None
    elif the and word in {"next", "last"}:
        # "the next week" counts from now, so it is no calendar week
        stream.position = start
        return None
    return CalendarPeriod(unit.text, offset, days_of_period(unit.text, offset, now))


def _read_named_period(stream: TokenStream, now: Now) -> CalendarPeriod | None:
    """The financial year, quarter or half of a year that comes next by name ("FY26", "Q3 2025", "H1"), or None."""
    year = stream.take().value if is_year(stream.peek()) and stream.peek(1).kind in {"quarter", "halfyear"} else 0
    if (token := stream.take_kind("fy")) is not None:
        days = financial_year(token.value, now)
        if (quarter := stream.take_kind("quarter")) is not None:
            return CalendarPeriod("quarter", None, quarter_of_year(quarter.value, days))
        return CalendarPeriod(FINANCIAL_YEAR, None, days)
    if (token := stream.take_kind("halfyear")) is not None:
        year = year or _read_year_beside(stream, now)
        days = days_of(PartialDate(0, 0, year or now.today.year), now)
        return CalendarPeriod("half year", None, half_days("year", days, token.value))
    token = stream.take_kind("quarter")
    if token is None:
        stream.take_words("the")
        token = stream.take_kind("ord")
        if token is None or not stream.take_words("quarter") or not 1 <= token.value <= 4:
            return None
    if year:
        return CalendarPeriod("quarter", None, quarter_days(token.value, year))
    start = stream.position
    stream.take_any("of", "in")
    within = read_calendar_period(stream, now, bare=True)
    if within is not None and within.unit in {FINANCIAL_YEAR, "year"}:
        return CalendarPeriod("quarter", None, quarter_of_year(token.value, within.days))
    stream.position = start
    year = _read_year_beside(stream, now)
    days = quarter_days(token.value, year) if year else quarter_without_year(token.value, now)
    return CalendarPeriod("quarter", None, days, not year)


def _read_year_beside(stream: TokenStream, now: Now) -> int:
    """The year that follows in digits or as "last year"; 0 when there is none."""
    start = stream.position
    stream.take_any("of", "in")
    if stream.peek().text in {"/", "-"}:
        stream.position += 1
    if is_year(stream.peek()):
        return stream.take().value
    token = stream.peek()
    if token.kind == "num" and len(token.text) == 2 and token.value > 24 and token.text.isdigit():
        stream.position += 1
        return 2000 + token.value
    stream.position = start
    return 0


def _named_month(month: int, word: str, now: Now) -> DaySpan:
    year = now.today.year
    if word == "this":
        return month_days(year, month)
    if (word == "next" and month > now.today.month) or (word != "next" and month < now.today.month):
        name, other = MONTH_NAMES[month - 1], year + (1 if word == "next" else -1)
        raise not_understood(f'"{word.capitalize()} {name}" can mean {year} or {other}: say the year.')
    return month_days(year + (1 if word == "next" else -1), month)
