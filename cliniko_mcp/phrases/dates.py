"""The calendar: dates said in part, weekdays and spans, turned into local days as counted from the clinic's today."""

from calendar import monthrange
from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from cliniko_mcp.phrases.refusals import not_understood
from cliniko_mcp.phrases.vocabulary import MONTH_NAMES, WEEKDAY_NAMES

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2199
# 29 February can be eight years away (1896 to 1904, 2096 to 2104)
_YEARS_AHEAD: Final = 9
_HALF_YEAR: Final = 184
# "the 28th to the 3rd" runs into the next month, "the 20th to the 18th" is a slip
_WRAP: Final = 14


class Now(NamedTuple):
    """What a phrase is read against: the moment it is said, to the minute, and the clinic's habits."""

    moment: datetime
    today: date
    zone: ZoneInfo
    month_first: bool

    @property
    def monday(self) -> date:
        """The Monday of this ISO week."""
        return self.today - timedelta(days=self.today.isoweekday() - 1)


class Days(NamedTuple):
    """Whole local days, both ends included."""

    first: date
    last: date

    @property
    def size(self) -> int:
        """How many days it holds."""
        return (self.last - self.first).days + 1


class Exact(NamedTuple):
    """A stretch of time that does not begin and end at midnight: two aware instants, half-open."""

    start: datetime
    end: datetime


class Dated(NamedTuple):
    """A date as said: a day, a month, a year, or some of them (a day alone is a day of the month)."""

    day: int = 0
    month: int = 0
    year: int = 0


def days_of(dated: Dated, now: Now, *, past: bool = False) -> Days:
    """The days of a date: what is left open is the next to come, or with `past` the latest that has begun."""
    _check(dated)
    if dated.year:
        return _in_year(dated, dated.year)
    if dated.day and not dated.month:
        return _day_of_month(dated.day, now.today, past=past)
    step = -1 if past else 1
    for year in range(now.today.year, now.today.year + step * _YEARS_AHEAD, step):
        if not possible(dated, year):
            continue
        days = _in_year(dated, year)
        if days.first <= now.today if past else days.last >= now.today:
            return days
    raise _impossible(dated)


def days_from(dated: Dated, start: date) -> Days:
    """The first days that fit a date and begin on or after `start`."""
    _check(dated)
    if dated.year:
        return _in_year(dated, dated.year)
    if not dated.month:
        return _day_of_month(dated.day, start, past=False)
    for year in range(start.year, start.year + _YEARS_AHEAD):
        if possible(dated, year) and _in_year(dated, year).first >= start:
            return _in_year(dated, year)
    raise _impossible(dated)


def days_until(dated: Dated, end: date) -> Days:
    """The latest days that fit a date and begin on or before `end`."""
    _check(dated)
    if not dated.month:
        return _day_of_month(dated.day, end, past=True)
    for year in range(end.year, end.year - _YEARS_AHEAD, -1):
        if possible(dated, year) and _in_year(dated, year).first <= end:
            return _in_year(dated, year)
    raise _impossible(dated)


def span(first: Dated, last: Dated, now: Now) -> Days:
    """The days from one date to another, the last included; without years the next such span that is not over yet."""
    _check(first)
    _check(last)
    if last.year and not first.year:
        return forward(days_until(first, days_of(last, now).first), days_of(last, now))
    if first.year:
        begin = days_of(first, now)
        return _short(begin, last, begin if last == first else days_from(last, begin.first))
    if first.month and not last.month:
        begin = days_of(first, now)
        return forward(begin, days_from(last, begin.first))
    if last.month and not first.month:
        end = days_of(last, now)
        return forward(days_until(first, end.first), end)
    if first.month:
        if first.month == last.month and first.day > last.day:
            raise not_understood(f"{_words(first)} to {_words(last)} runs backwards.")
        starts = [
            _in_year(first, year)
            for year in range(now.today.year - 1, now.today.year + _YEARS_AHEAD)
            if possible(first, year)
        ]
    else:
        if 0 < first.day - last.day < _WRAP:
            raise not_understood(f"{_words(first)} to {_words(last)} runs backwards.")
        starts = [days_of(first, now, past=True), days_of(first, now)]
    for begin in starts:
        end = days_from(last, begin.first)
        if end.last >= now.today:
            return _short(begin, last, end)
    raise _impossible(first)


def forward(begin: Days, end: Days) -> Days:
    """From the first day of one to the last day of the other, refused when that runs backwards."""
    if end.last < begin.first:
        raise not_understood(f"{day_words(begin.first)} to {day_words(end.last)} runs backwards.")
    return Days(begin.first, end.last)


def weekday_after(day: date, weekday: int) -> date:
    """The next such weekday after a day, never the day itself."""
    return day + timedelta(days=(weekday - day.isoweekday() - 1) % 7 + 1)


def month_days(year: int, month: int) -> Days:
    """The days of a month; months outside 1 to 12 count on into the years beside."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return Days(date(year, month, 1), date(year, month, monthrange(year, month)[1]))


def add_months(day: date, count: int) -> date:
    """The same day of a month `count` months on; the last of the month where it has no such day."""
    month = month_days(day.year, day.month + count)
    return month.first.replace(day=min(day.day, month.last.day))


def possible(dated: Dated, year: int) -> bool:
    """Whether that year has such a date."""
    return not dated.month or not dated.day or dated.day <= monthrange(year, dated.month)[1]


def contradiction(day: date, said: Collection[int]) -> Exception:
    """The error for a date whose weekday is not one of those said with it."""
    names = " or ".join(WEEKDAY_NAMES[number - 1] for number in sorted(said))
    return not_understood(
        f"{day.day} {MONTH_NAMES[day.month - 1]} {day.year} is a {WEEKDAY_NAMES[day.isoweekday() - 1]}, not a {names}."
    )


def day_words(day: date) -> str:
    """A date in full: Thursday 26 November 2026."""
    return f"{WEEKDAY_NAMES[day.isoweekday() - 1]} {day.day} {MONTH_NAMES[day.month - 1]} {day.year}"


def _in_year(dated: Dated, year: int) -> Days:
    if not possible(dated, year):
        raise _impossible(dated)
    if not dated.month:
        return Days(date(year, 1, 1), date(year, 12, 31))
    if not dated.day:
        return month_days(year, dated.month)
    day = date(year, dated.month, dated.day)
    return Days(day, day)


def _day_of_month(number: int, near: date, *, past: bool) -> Days:
    # no two months in a row lack a day, so three are enough
    for offset in (0, -1, -2) if past else (0, 1, 2):
        month = month_days(near.year, near.month + offset)
        if number <= month.last.day:
            day = month.first.replace(day=number)
            if day <= near if past else day >= near:
                return Days(day, day)
    raise _impossible(Dated(number))


def _short(begin: Days, last: Dated, end: Days) -> Days:
    # "28 November to 24 November" would be nearly a year: said backwards rather than meant
    if not last.year and end.first.year > begin.first.year and (end.last - begin.first).days > _HALF_YEAR:
        raise not_understood(f"{day_words(begin.first)} to {_words(last)} runs backwards.")
    return forward(begin, end)


def _check(dated: Dated) -> None:
    wrong_year = dated.year and not FIRST_YEAR <= dated.year <= LAST_YEAR
    # a leap year stands in for a year left open
    if wrong_year or dated.month > 12 or dated.day > 31 or not possible(dated, dated.year or 2000):
        raise _impossible(dated)


def _impossible(dated: Dated) -> Exception:
    return not_understood(f"There is no {_words(dated)} in the calendar.")


def _words(dated: Dated) -> str:
    month = MONTH_NAMES[dated.month - 1] if 1 <= dated.month <= 12 else f"month {dated.month}" if dated.month else ""
    return " ".join(str(part) for part in (dated.day, month, dated.year) if part) or "day 0"
