"""Dates as said: "24 Nov", "Nov 24-28", "the 31st", "24, 25 and 26 November", "first Monday of December"."""

from datetime import timedelta
from typing import NamedTuple

from cliniko_mcp.phrases.dates import FIRST_YEAR, LAST_YEAR, Dated, Days, Exact, Now, days_of, span
from cliniko_mcp.phrases.refusals import not_understood
from cliniko_mcp.phrases.token_stream import Reader
from cliniko_mcp.phrases.tokens import Token
from cliniko_mcp.phrases.zones import in_zone, instant

ONE_MINUTE = timedelta(minutes=1)
_YEARS_BESIDE = {"this": 0, "next": 1, "last": -1}


class DatedSpan(NamedTuple):
    """From one date to another, the last included."""

    first: Dated
    last: Dated


class Dates(NamedTuple):
    """Several dates under one month: "24 or 26 November"."""

    dates: tuple[Dated, ...]


Date = Dated | DatedSpan | Dates | Days | Exact


def read_date(reader: Reader, now: Now) -> Date | None:
    """The date that comes next, or None."""
    start = reader.at
    token = reader.peek()
    if reader.repeated():
        return None
    if token.kind == "iso":
        reader.at += 1
        return _iso(token, now)
    if token.kind == "date" and token.dated:
        reader.at += 1
        return token.dated
    for reading in (_day_month, _month_day, _day_of_month):
        date = reading(reader, now)
        if date is not None:
            return date
        reader.at = start
    return None


def read_year(reader: Reader) -> int:
    """A year of four digits, or 0."""
    token = reader.peek()
    if is_year(token):
        reader.at += 1
        return token.value
    return 0


def is_year(token: Token) -> bool:
    """Whether a token can be a year."""
    return token.kind == "num" and len(token.text) == 4 and FIRST_YEAR <= token.value <= LAST_YEAR


def resolve_date(date: Date, now: Now, *, past: bool = False) -> list[Days] | Exact:
    """The days of a date as counted from today; `past` looks back instead of ahead."""
    if isinstance(date, Exact):
        return date
    if isinstance(date, Days):
        return [date]
    if isinstance(date, DatedSpan):
        return [span(date.first, date.last, now)]
    if isinstance(date, Dates):
        return [days_of(each, now, past=past) for each in date.dates]
    return [days_of(date, now, past=past)]


def _iso(token: Token, now: Now) -> Days | Exact | Dated:
    if token.instant is not None:
        if not FIRST_YEAR <= token.instant.year <= LAST_YEAR:
            raise not_understood(f"The year {token.instant.year} is not one that a diary knows.")
        begin = in_zone(token.instant, now.zone)
        if begin.replace(tzinfo=None) != token.instant.replace(tzinfo=None) and token.instant.tzinfo is None:
            raise not_understood(f"The clinic's clock skips {token.instant:%H:%M} on that day.")
        return Exact(begin, (instant(begin) + ONE_MINUTE).astimezone(now.zone))
    assert token.dated is not None
    if token.value == 7:
        monday = days_of(token.dated, now).first
        return Days(monday, monday + timedelta(days=6))
    return token.dated


def _is_day(token: Token) -> bool:
    # "24", "24th" or "twenty-fourth", but neither 2026 nor 930
    return token.kind == "ord" or (token.kind == "num" and (token.text.isalpha() or len(token.text) <= 2))


def _numbers(reader: Reader, *, month_follows: bool) -> tuple[list[int], bool] | None:
    """Day numbers joined by "or" and "and", or two joined by "to", and whether they are a span.

    Unless their month follows, a number after a comma may begin the time ("Nov 24, 3 to 5") and one before a month the
    other end of a span ("Nov 24 - 3 Dec"): those are left alone.
    """
    if not _is_day(reader.peek()):
        return None
    found = [reader.take().value]
    while True:
        start = reader.at
        comma = reader.peek().text == "comma"
        ranged = bool(reader.kind("to") or reader.any_of("through", "until"))
        joined = ranged or bool(reader.kind("join"))
        reader.words("the")
        token, after = reader.peek(), reader.peek(1)
        wrong = (comma and token.kind == "num") or after.kind == "month" or after.text == "of"
        if not joined or not _is_day(token) or (ranged and len(found) > 1) or (wrong and not month_follows):
            reader.at = start
            return found, False
        found.append(reader.take().value)
        if ranged:
            return found, True


def _dated(numbers: list[int], ranged: bool, month: int, year: int) -> Date:
    dates = [Dated(number, month, year) for number in numbers]
    if 0 in numbers:
        raise not_understood("There is no day 0 in the calendar.")
    if ranged:
        return DatedSpan(dates[0], dates[1])
    return Dates(tuple(dates)) if len(dates) > 1 else dates[0]


def _day_month(reader: Reader, now: Now) -> Date | None:
    reader.words("the")
    numbers = _numbers(reader, month_follows=True)
    if numbers is None:
        return None
    reader.words("of")
    month = reader.kind("month")
    if month is None:
        return None
    return _dated(*numbers, month.value, _year_after(reader, now))


def _month_day(reader: Reader, now: Now) -> Date | None:
    month = reader.kind("month")
    if month is None:
        return None
    start = reader.at
    reader.words("the")
    counted = reader.peek().kind == "num" and reader.peek(1).kind == "unit"
    numbers = None if counted else _numbers(reader, month_follows=False)
    if numbers is None:
        reader.at = start
        return Dated(0, month.value, _year_of(reader, now))
    return _dated(*numbers, month.value, _year_after(reader, now))


def _year_of(reader: Reader, now: Now) -> int:
    """The year said after a month, in digits or as "last year"; 0 when none was."""
    start = reader.at
    reader.words("of")
    year = read_year(reader)
    word = "" if year else reader.any_of(*_YEARS_BESIDE)
    if word and reader.words("year"):
        year = now.today.year + _YEARS_BESIDE[word]
    if not year:
        reader.at = start
    return year


def _year_after(reader: Reader, now: Now) -> int:
    start = reader.at
    if reader.peek().text == "comma":
        reader.at += 1
    year = _year_of(reader, now)
    if year:
        return year
    reader.at = start
    # "24 Nov 26": beyond the hours of a clock two digits can only be a year
    token, after = reader.peek(), reader.peek(1)
    two_digits = token.kind == "num" and len(token.text) == 2 and token.text.isdigit() and token.value > 24
    if two_digits and after.kind in {"end", "join", "word", "part", "time"} and after.text not in {"oclock", "past"}:
        reader.at += 1
        return 2000 + token.value
    return 0


def _day_of_month(reader: Reader, _now: Now) -> Date | None:
    the = reader.words("the")
    # "first" and "second" have other uses, "1st" and "the first" have not
    if not the and (reader.peek().kind != "ord" or reader.peek().text.isalpha()):
        return None
    if reader.peek().kind == "num" and not reader.peek().text.isdigit():
        return None
    if reader.peek(1).kind in {"unit", "weekday"} or reader.peek(1).text in {"thing", "weekend"}:
        return None
    numbers = _numbers(reader, month_follows=False)
    if numbers is None:
        return None
    reader.words("of", "the", "month")
    return _dated(*numbers, 0, 0)
