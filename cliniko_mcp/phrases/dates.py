"""The calendar: partial dates, weekdays and spans of days, resolved to local days relative to the clinic's today."""

from calendar import monthrange
from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from cliniko_mcp.phrases.facing import Anchor, Facing
from cliniko_mcp.phrases.refusals import not_understood
from cliniko_mcp.phrases.vocabulary import MONTH_NAMES, WEEKDAY_NAMES

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2199
# 29 February can be eight years ahead (1896 to 1904, 2096 to 2104)
_YEARS_AHEAD: Final = 9
_HALF_YEAR: Final = 184
# "the 28th to the 3rd" runs into the next month; "the 20th to the 18th" is a mistake
_WRAP: Final = 14


class Now(NamedTuple):
    """What a phrase is relative to: the present moment to the minute, and the zone and date order of the clinic.

    `facing` is the direction of reading, `visit` the visit that the phrase moves, `country` a two-letter code or empty.
    """

    moment: datetime
    today: date
    zone: ZoneInfo
    month_first: bool
    facing: Facing = Facing.AHEAD
    visit: Anchor | None = None
    country: str = ""

    @property
    def back(self) -> bool:
        """Whether what is left open means the latest that has begun instead of the next to come."""
        return self.facing is Facing.BACK

    @property
    def reads_years(self) -> bool:
        """Whether four digits alone are a year, because nobody asks there for a clock time alone."""
        return self.facing is not Facing.AHEAD

    @property
    def monday(self) -> date:
        """The Monday of this ISO week."""
        return self.today - timedelta(days=self.today.isoweekday() - 1)


class DaySpan(NamedTuple):
    """Whole local days, first and last included."""

    first: date
    last: date

    @property
    def size(self) -> int:
        """The number of days."""
        return (self.last - self.first).days + 1


class ExactSpan(NamedTuple):
    """A span that need not begin and end at midnight: two aware datetimes, half-open.

    `written` is the date that was written beside an offset, which may be another one by the clinic's clock.
    """

    start: datetime
    end: datetime
    written: date | None = None


class PartialDate(NamedTuple):
    """A date with some fields left open: 0 stands for a missing day, month or year."""

    day: int = 0
    month: int = 0
    year: int = 0


def days_of(partial: PartialDate, now: Now, *, past: bool | None = None) -> DaySpan:
    """The days of a partial date: the next such date, or with `past` the latest that has begun.

    Without `past` the direction of reading decides.
    """
    _check(partial)
    if past is None and now.facing is Facing.WHOLE and not partial.year:
        return nearer(days_of(partial, now, past=True), days_of(partial, now, past=False), now.today)
    past = now.back if past is None else past
    if partial.year:
        return _in_year(partial, partial.year)
    if partial.day and not partial.month:
        return _day_of_month(partial.day, now.today, past=past)
    step = -1 if past else 1
    for year in range(now.today.year, now.today.year + step * _YEARS_AHEAD, step):
        if not _exists(partial, year):
            continue
        days = _in_year(partial, year)
        if days.first <= now.today if past else days.last >= now.today:
            if not partial.day and now.facing is Facing.EITHER and days.first > now.today:
                raise either_reading(_in_year(partial, days.first.year - 1), days)
            return days
    raise _impossible(partial)


def nearer(before: DaySpan, after: DaySpan, today: date) -> DaySpan:
    """Of two readings of a name the one that holds today or lies nearer to it."""
    return before if today - before.last < after.first - today else after


_DAYS_OF_A_WEEKEND: Final = 2


def either_reading(before: DaySpan, after: DaySpan) -> Exception:
    """The error for a name that could be past or to come, where a tool looks both ways."""
    readings = [
        day_words(days.first) if days.size == 1 else f"{day_words(days.first)} to {day_words(days.last)}"
        for days in (before, after)
    ]
    # "last October" can be either of two in November, and so can "next December"
    how = 'say "last", "this" or "next", or the date' if after.size <= _DAYS_OF_A_WEEKEND else "say the year"
    return not_understood(f"That can mean {readings[0]} or {readings[1]}: {how}.")


def days_from(partial: PartialDate, start: date) -> DaySpan:
    """The first days that match a partial date and begin on or after `start`."""
    _check(partial)
    if partial.year:
        return _in_year(partial, partial.year)
    if not partial.month:
        return _day_of_month(partial.day, start, past=False)
    for year in range(start.year, start.year + _YEARS_AHEAD):
        if _exists(partial, year) and _in_year(partial, year).first >= start:
            return _in_year(partial, year)
    raise _impossible(partial)


def days_until(partial: PartialDate, end: date) -> DaySpan:
    """The latest days that match a partial date and begin on or before `end`."""
    _check(partial)
    if not partial.month:
        return _day_of_month(partial.day, end, past=True)
    for year in range(end.year, end.year - _YEARS_AHEAD, -1):
        if _exists(partial, year) and _in_year(partial, year).first <= end:
            return _in_year(partial, year)
    raise _impossible(partial)


def span(first: PartialDate, last: PartialDate, now: Now) -> DaySpan:
    """The days from one date through another; without years, the next such span that has not ended yet.

    Facing back it is the latest such span that has begun.
    """
    _check(first)
    _check(last)
    if now.facing is Facing.EITHER and not (first.year or first.day or last.year):
        days_of(first, now)
    if now.facing is Facing.WHOLE and not (first.year or last.year):
        before, after = (span(first, last, now._replace(facing=facing)) for facing in (Facing.BACK, Facing.AHEAD))
        return nearer(before, after, now.today)
    if last.year and not first.year:
        return forward(days_until(first, days_of(last, now).first), days_of(last, now))
    if first.year:
        begin = days_of(first, now)
        return _span_from(begin, last, begin if last == first else days_from(last, begin.first))
    if first.month and not last.month:
        begin = days_of(first, now)
        return forward(begin, days_from(last, begin.first))
    if last.month and not first.month:
        end = days_of(last, now, past=False)
        begin = days_until(first, end.first)
        if now.back and begin.first > now.today:
            end = days_of(last, now)
            begin = days_until(first, end.first)
        return forward(begin, end)
    if first.month:
        if first.month == last.month and first.day > last.day:
            raise not_understood(f"{_format_partial(first)} to {_format_partial(last)} runs backwards.")
        starts = [
            _in_year(first, year)
            for year in range(now.today.year - (_YEARS_AHEAD if now.back else 1), now.today.year + _YEARS_AHEAD)
            if _exists(first, year)
        ]
    else:
        if 0 < first.day - last.day < _WRAP:
            raise not_understood(f"{_format_partial(first)} to {_format_partial(last)} runs backwards.")
        starts = [days_of(first, now, past=True), days_of(first, now, past=False)]
    if now.back:
        starts = [begin for begin in starts if begin.first <= now.today][-1:]
    for begin in starts:
        end = days_from(last, begin.first)
        if now.back or end.last >= now.today:
            return _span_from(begin, last, end)
    raise _impossible(first)


def forward(begin: DaySpan, end: DaySpan) -> DaySpan:
    """The days from the first day of `begin` through the last of `end`. Raises NotUnderstood when that is backwards."""
    if end.last < begin.first:
        raise not_understood(f"{day_words(begin.first)} to {day_words(end.last)} runs backwards.")
    return DaySpan(begin.first, end.last)


def weekday_after(day: date, weekday: int) -> date:
    """The next day after `day` with this ISO weekday number (Monday is 1), never `day` itself."""
    return day + timedelta(days=(weekday - day.isoweekday() - 1) % 7 + 1)


def month_days(year: int, month: int) -> DaySpan:
    """The days of a month; a month outside 1 to 12 continues into the year before or after."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return DaySpan(date(year, month, 1), date(year, month, monthrange(year, month)[1]))


def add_months(day: date, count: int) -> date:
    """The same day of the month `count` months later; the last day of a month that has no such day."""
    month = month_days(day.year, day.month + count)
    return month.first.replace(day=min(day.day, month.last.day))


def _exists(partial: PartialDate, year: int) -> bool:
    """Whether this year has such a date."""
    return not partial.month or not partial.day or partial.day <= monthrange(year, partial.month)[1]


def contradiction(day: date, weekdays: Collection[int]) -> Exception:
    """The error for a date whose weekday is not one of the ISO `weekdays` that stand beside it."""
    names = " or ".join(WEEKDAY_NAMES[number - 1] for number in sorted(weekdays))
    return not_understood(
        f"{day.day} {MONTH_NAMES[day.month - 1]} {day.year} is a {WEEKDAY_NAMES[day.isoweekday() - 1]}, not a {names}."
    )


def day_words(day: date) -> str:
    """A date as text: "Thursday 26 November 2026"."""
    return f"{WEEKDAY_NAMES[day.isoweekday() - 1]} {day.day} {MONTH_NAMES[day.month - 1]} {day.year}"


def _in_year(partial: PartialDate, year: int) -> DaySpan:
    if not _exists(partial, year):
        raise _impossible(partial)
    if not partial.month:
        return DaySpan(date(year, 1, 1), date(year, 12, 31))
    if not partial.day:
        return month_days(year, partial.month)
    day = date(year, partial.month, partial.day)
    return DaySpan(day, day)


def _day_of_month(number: int, near: date, *, past: bool) -> DaySpan:
    # no two months in a row lack a day, so three are enough
    for offset in (0, -1, -2) if past else (0, 1, 2):
        month = month_days(near.year, near.month + offset)
        if number <= month.last.day:
            day = month.first.replace(day=number)
            if day <= near if past else day >= near:
                return DaySpan(day, day)
    raise _impossible(PartialDate(number))


def _span_from(begin: DaySpan, last: PartialDate, end: DaySpan) -> DaySpan:
    # "28 November to 24 November" would be nearly a year: more likely written backwards than meant
    if not last.year and end.first.year > begin.first.year and (end.last - begin.first).days > _HALF_YEAR:
        raise not_understood(f"{day_words(begin.first)} to {_format_partial(last)} runs backwards.")
    return forward(begin, end)


def _check(partial: PartialDate) -> None:
    wrong_year = partial.year and not FIRST_YEAR <= partial.year <= LAST_YEAR
    # a leap year stands in for a missing year
    if wrong_year or partial.month > 12 or partial.day > 31 or not _exists(partial, partial.year or 2000):
        raise _impossible(partial)


def _impossible(partial: PartialDate) -> Exception:
    return not_understood(f"There is no {_format_partial(partial)} in the calendar.")


def _format_partial(partial: PartialDate) -> str:
    month = f"month {partial.month}" if partial.month else ""
    if 1 <= partial.month <= 12:
        month = MONTH_NAMES[partial.month - 1]
    return " ".join(str(part) for part in (partial.day, month, partial.year) if part) or "day 0"
