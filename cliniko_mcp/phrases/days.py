"""Reads dates: "24 Nov", "Nov 24-28", "the 31st", "24, 25 and 26 November", "2026-11-24T15:00"."""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from cliniko_mcp.phrases.dates import FIRST_YEAR, LAST_YEAR, DaySpan, ExactSpan, Now, PartialDate, days_of, span
from cliniko_mcp.phrases.refusals import not_understood
from cliniko_mcp.phrases.token_stream import TokenStream
from cliniko_mcp.phrases.tokens import Token
from cliniko_mcp.phrases.zones import in_zone, instant

ONE_MINUTE = timedelta(minutes=1)
_YEAR_OFFSETS = {"this": 0, "next": 1, "last": -1}


class DateSpan(NamedTuple):
    """The days from one date through another."""

    first: PartialDate
    last: PartialDate


class DateList(NamedTuple):
    """Several dates that share a month: "24 or 26 November"."""

    dates: tuple[PartialDate, ...]


Date = PartialDate | DateSpan | DateList | DaySpan | ExactSpan


def read_date(stream: TokenStream, now: Now) -> Date | None:
    """The date that comes next, or None."""
    start = stream.position
    token = stream.peek()
    if stream.after_every():
        return None
    if token.kind == "iso":
        stream.position += 1
        found = _read_iso(token, now)
        _take_own_weekday(stream, found, token.instant)
        return found
    if token.kind == "date" and token.date:
        stream.position += 1
        return token.date
    if token.kind == "year" or (now.reads_years and is_year(token)):
        stream.position += 1
        return PartialDate(0, 0, token.value)
    for reading in (_read_day_month, _read_month_day, _read_day_of_month):
        found = reading(stream, now)
        if found is not None:
            return found
        stream.position = start
    return None


def read_year(stream: TokenStream) -> int:
    """The year of four digits that comes next, or 0."""
    token = stream.peek()
    if is_year(token):
        stream.position += 1
        return token.value
    return 0


def is_year(token: Token) -> bool:
    """Whether a token can be a year: four digits, from 1900 to 2199, or two after an apostrophe."""
    return token.kind == "year" or (
        token.kind == "num" and len(token.text) == 4 and FIRST_YEAR <= token.value <= LAST_YEAR
    )


def resolve_date(date: Date, now: Now, *, past: bool | None = None) -> list[DaySpan] | ExactSpan:
    """The days of a date, relative to today: the next to come, or with `past` the latest that has begun.

    Without `past` the direction of reading decides.
    """
    if isinstance(date, ExactSpan):
        return date
    if isinstance(date, DaySpan):
        return [date]
    if isinstance(date, DateSpan):
        return [span(date.first, date.last, now)]
    if isinstance(date, DateList):
        return [days_of(partial, now, past=past) for partial in date.dates]
    return [days_of(date, now, past=past)]


def _read_iso(token: Token, now: Now) -> DaySpan | ExactSpan | PartialDate:
    if token.instant is not None:
        if not FIRST_YEAR <= token.instant.year <= LAST_YEAR:
            raise not_understood(f"The year {token.instant.year} is outside {FIRST_YEAR} to {LAST_YEAR}.")
        begin = in_zone(token.instant, now.zone)
        if begin.replace(tzinfo=None) != token.instant.replace(tzinfo=None) and token.instant.tzinfo is None:
            raise not_understood(f"The clinic's clock skips {token.instant:%H:%M} on that day.")
        written = token.instant.date() if token.instant.tzinfo is not None else None
        return ExactSpan(begin, (instant(begin) + ONE_MINUTE).astimezone(now.zone), written)
    assert token.date is not None
    if token.value == 7:
        monday = days_of(token.date, now).first
        return DaySpan(monday, monday + timedelta(days=6))
    return token.date


def _take_own_weekday(stream: TokenStream, found: Date, written: datetime | None) -> None:
    """Consume the weekday that answers print after an ISO date or time ("2026-11-24T16:10+11:00 Tue"), if it agrees."""
    if isinstance(found, PartialDate):
        day = date(found.year, found.month, found.day) if found.day else None
    else:
        day = written.date() if isinstance(found, ExactSpan) and written else None
    token = stream.peek()
    if day is not None and token.kind == "weekday" and token.value == day.isoweekday() and not token.text.endswith("s"):
        stream.position += 1


def _is_day(token: Token) -> bool:
    # "24", "24th" or "twenty-fourth", but neither 2026 nor 930
    return token.kind == "ord" or (token.kind == "num" and (token.text.isalpha() or len(token.text) <= 2))


def _read_day_numbers(stream: TokenStream, *, month_follows: bool) -> tuple[list[int], bool] | None:
    """Day numbers joined by "or" or "and", or two joined by "to", and whether they are a span; None without a number.

    Unless their month follows, a number after a comma may start a time ("Nov 24, 3 to 5"), and a number before a month
    may be the other end of a span ("Nov 24 - 3 Dec"): neither is consumed.
    """
    if not _is_day(stream.peek()):
        return None
    found = [stream.take().value]
    while True:
        start = stream.position
        comma = stream.peek().text == "comma"
        ranged = bool(stream.take_kind("to") or stream.take_any("through", "until"))
        joined = ranged or bool(stream.take_kind("join"))
        stream.take_words("the")
        token, after = stream.peek(), stream.peek(1)
        wrong = (comma and token.kind == "num") or after.kind == "month" or after.text == "of"
        if not joined or not _is_day(token) or (ranged and len(found) > 1) or (wrong and not month_follows):
            stream.position = start
            return found, False
        found.append(stream.take().value)
        if ranged:
            return found, True


def _with_month(numbers: list[int], ranged: bool, month: int, year: int) -> Date:
    dates = [PartialDate(number, month, year) for number in numbers]
    if 0 in numbers:
        raise not_understood("There is no day 0 in the calendar.")
    if ranged:
        return DateSpan(dates[0], dates[1])
    return DateList(tuple(dates)) if len(dates) > 1 else dates[0]


def _read_day_month(stream: TokenStream, now: Now) -> Date | None:
    stream.take_words("the")
    numbers = _read_day_numbers(stream, month_follows=True)
    if numbers is None:
        return None
    stream.take_words("of")
    month = stream.take_kind("month")
    if month is None:
        return None
    return _with_month(*numbers, month.value, _read_year_after(stream, now))


def _read_month_day(stream: TokenStream, now: Now) -> Date | None:
    month = stream.take_kind("month")
    if month is None:
        return None
    start = stream.position
    stream.take_words("the")
    counted = stream.peek().kind == "num" and stream.peek(1).kind == "unit"
    numbers = None if counted else _read_day_numbers(stream, month_follows=False)
    if numbers is None:
        stream.position = start
        return PartialDate(0, month.value, _read_year_of(stream, now))
    return _with_month(*numbers, month.value, _read_year_after(stream, now))


def _read_year_of(stream: TokenStream, now: Now) -> int:
    """The year that follows a month, in digits or as "last year"; 0 when there is none."""
    start = stream.position
    stream.take_words("of")
    year = read_year(stream)
    word = "" if year else stream.take_any(*_YEAR_OFFSETS)
    if word and stream.take_words("year"):
        year = now.today.year + _YEAR_OFFSETS[word]
    if not year:
        stream.position = start
    return year


def _read_year_after(stream: TokenStream, now: Now) -> int:
    start = stream.position
    if stream.peek().text == "comma":
        stream.position += 1
    year = _read_year_of(stream, now)
    if year:
        return year
    stream.position = start
    # "24 Nov 26": two digits above 24 are no hour, so they can only be a year
    token, after = stream.peek(), stream.peek(1)
    two_digits = token.kind == "num" and len(token.text) == 2 and token.text.isdigit() and token.value > 24
    if two_digits and after.kind in {"end", "join", "word", "part", "time"} and after.text not in {"oclock", "past"}:
        stream.position += 1
        return 2000 + token.value
    return 0


def _read_day_of_month(stream: TokenStream, _now: Now) -> Date | None:
    the = stream.take_words("the")
    # "first" and "second" have other uses; "1st" and "the first" do not
    if not the and (stream.peek().kind != "ord" or stream.peek().text.isalpha()):
        return None
    if stream.peek().kind == "num" and not stream.peek().text.isdigit():
        return None
    if stream.peek(1).kind in {"unit", "weekday"} or stream.peek(1).text in {"thing", "weekend", "quarter", "half"}:
        return None
    numbers = _read_day_numbers(stream, month_follows=False)
    if numbers is None:
        return None
    stream.take_words("of", "the", "month")
    return _with_month(*numbers, 0, 0)
