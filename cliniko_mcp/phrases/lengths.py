"""Lengths of time and units of the calendar: "2 weeks", "next month", "last December"."""

from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from cliniko_mcp.cliniko.time_zones import local_instant
from cliniko_mcp.phrases.dates import Dated, Days, Now, add_months, days_of, month_days
from cliniko_mcp.phrases.days import read_date
from cliniko_mcp.phrases.refusals import not_understood
from cliniko_mcp.phrases.token_stream import Reader
from cliniko_mcp.phrases.vocabulary import MONTH_NAMES
from cliniko_mcp.phrases.zones import instant

_WEEK: Final = timedelta(days=7)
# further ahead than ten years a number is a slip of the finger, not a booking
_MOST: Final = {
    "minute": 100_000,
    "hour": 10_000,
    "day": 3_660,
    "week": 520,
    "fortnight": 260,
    "month": 120,
    "quarter": 40,
    "year": 10,
}


class Length(NamedTuple):
    """A number of units of time: 2 weeks, half an hour."""

    number: int
    unit: str


def read_length(reader: Reader) -> Length | None:
    """The length of time that comes next, or None."""
    start = reader.at
    if reader.words("half", "an", "hour"):
        return Length(30, "minute")
    count = 0
    if reader.any_of("a", "an"):
        count = 1
        if reader.words("couple"):
            count = 2
            reader.words("of")
    elif reader.words("couple"):
        count = 2
        reader.words("of")
    elif token := reader.kind("num"):
        count = token.value
    unit = reader.kind("unit")
    if unit is None or (not count and reader.at - start != 1):
        reader.at = start
        return None
    if not count and unit.text != "fortnight":
        reader.at = start
        return None
    count = count or 1
    if unit.text == "hour" and count <= _MOST["hour"]:
        return _hours(reader, count)
    if not 1 <= count <= _MOST[unit.text]:
        raise not_understood(f"{count} {unit.text}s is more than a diary reaches.")
    return Length(count, unit.text)


def _hours(reader: Reader, count: int) -> Length:
    """Hours, with the half or the minutes said after them."""
    start = reader.at
    if reader.kind("join") and reader.words("a", "half"):
        return Length(count * 60 + 30, "minute")
    reader.at = start
    reader.kind("join")
    minutes = reader.kind("num")
    if minutes and minutes.value and reader.words("minute"):
        return Length(count * 60 + minutes.value, "minute")
    reader.at = start
    return Length(count, "hour")


def shifted(now: Now, length: Length, sign: int) -> datetime:
    """The moment that far from now: hours run on through a change of the clock, days keep the time of day."""
    count = length.number * sign
    if length.unit in {"minute", "hour"}:
        minutes = count * (60 if length.unit == "hour" else 1)
        return (instant(now.moment) + timedelta(minutes=minutes)).astimezone(now.zone)
    wall = now.moment.replace(tzinfo=None)
    day = moved(now.today, length, sign)
    return local_instant(datetime.combine(day, wall.time()), now.zone)


def moved(day: date, length: Length, sign: int) -> date:
    """The day that many days, weeks, months or years away."""
    count = length.number * sign
    months = {"month": 1, "quarter": 3, "year": 12}.get(length.unit)
    if months:
        return add_months(day, count * months)
    return day + timedelta(days=count * {"day": 1, "week": 7, "fortnight": 14}[length.unit])


def calendar_unit(unit: str, offset: int, now: Now) -> Days:
    """A whole calendar week, month, quarter or year, so many from the present one."""
    if unit == "week":
        monday = now.monday + offset * _WEEK
        return Days(monday, monday + timedelta(days=6))
    if unit == "month":
        return month_days(now.today.year, now.today.month + offset)
    if unit == "quarter":
        first = (now.today.month - 1) // 3 * 3 + 1 + offset * 3
        return Days(month_days(now.today.year, first).first, month_days(now.today.year, first + 2).last)
    year = now.today.year + offset
    return Days(date(year, 1, 1), date(year, 12, 31))


class Calendar(NamedTuple):
    """A calendar unit as said, whole; `offset` counts from the present one, None for a month by name.

    `yearless` says that the year of that month was left open.
    """

    unit: str
    offset: int | None
    days: Days
    yearless: bool = False


def read_calendar(reader: Reader, now: Now, *, bare: bool = False) -> Calendar | None:
    """ "Next month", "this week", "December 2027" ..., and with `bare` also "the month"; None if nothing like it."""
    start = reader.at
    while reader.kind("filler"):
        pass
    if reader.peek().kind == "month":
        after = reader.peek(1)
        found = (
            None if after.kind == "ord" or (after.kind == "num" and len(after.text) <= 2) else read_date(reader, now)
        )
        if isinstance(found, Dated):
            return Calendar("month", None, days_of(found, now), not found.year)
        reader.at = start
        return None
    the = reader.words("the")
    word = reader.any_of("this", "next", "last", "previous")
    offset = {"this": 0, "next": 1, "last": -1, "previous": -1}.get(word)
    if word and reader.peek().kind == "month":
        return Calendar("month", None, _named_month(reader.take().value, word, now))
    unit = reader.peek()
    is_unit = unit.kind == "unit" and unit.text in {"week", "month", "quarter", "year"}
    if not is_unit and unit.text != "quarter":
        reader.at = start
        return None
    reader.at += 1
    if offset is None:
        if reader.words("after", "next"):
            offset = 2
        elif reader.words("before", "last"):
            offset = -2
        elif bare:
            offset = 0
        else:
            reader.at = start
            return None
    elif the and word in {"next", "last"}:
        # "the next week" is counted from now: not the calendar's
        reader.at = start
        return None
    return Calendar(unit.text, offset, calendar_unit(unit.text, offset, now))


def _named_month(month: int, word: str, now: Now) -> Days:
    year = now.today.year
    if word == "this":
        return month_days(year, month)
    if (word == "next" and month > now.today.month) or (word != "next" and month < now.today.month):
        name, other = MONTH_NAMES[month - 1], year + (1 if word == "next" else -1)
        raise not_understood(f'"{word.capitalize()} {name}" can mean {year} or {other}: say the year.')
    return month_days(year + (1 if word == "next" else -1), month)
