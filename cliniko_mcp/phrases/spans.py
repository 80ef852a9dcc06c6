"""Reads spans relative to today: "next week", "in 3 days", "the past fortnight", "end of the month"."""

from datetime import date, timedelta
from typing import Final

from cliniko_mcp.phrases.ago import read_ago_span, read_coming_span
from cliniko_mcp.phrases.clock import TimeOfDay
from cliniko_mcp.phrases.dates import DaySpan, ExactSpan, Now, PartialDate, day_words, month_days, weekday_after
from cliniko_mcp.phrases.days import ONE_MINUTE, read_date, resolve_date
from cliniko_mcp.phrases.direction import length_from_now, present_period
from cliniko_mcp.phrases.edges import read_part
from cliniko_mcp.phrases.facing import Facing
from cliniko_mcp.phrases.lengths import (
    FULL,
    Length,
    days_of_period,
    read_calendar_period,
    read_length,
    shift_day,
    shift_moment,
)
from cliniko_mcp.phrases.refusals import not_understood
from cliniko_mcp.phrases.token_stream import TokenStream
from cliniko_mcp.phrases.visit import read_from_visit
from cliniko_mcp.phrases.vocabulary import MONTH_NAMES
from cliniko_mcp.phrases.weekdays import WEEKEND, NamedWeekdays, Weekdays, days_of_weekdays, read_named_weekdays
from cliniko_mcp.phrases.zones import instant

Piece = PartialDate | DaySpan | ExactSpan | Weekdays | TimeOfDay
_DAY_OFFSETS: Final = {"today": 0, "tomorrow": 1, "yesterday": -1}
_DAY: Final = timedelta(days=1)
_CLOSING: Final = frozenset(("end", "part", "time", "join"))


def read_span(stream: TokenStream, now: Now) -> list[Piece] | None:
    """The span that comes next, with the weekdays or part of the day that it implies ("tonight"), or None."""
    start = stream.position
    if stream.after_every():
        return None
    for read_days in (read_from_visit, read_part):
        days = read_days(stream, now)
        if days is not None:
            return [days]
        stream.position = start
    for read in (
        _read_beside,
        _read_near,
        _read_week_of,
        _read_nth,
        _read_counted,
        _read_whole,
    ):
        found = read(stream, now)
        if found is not None:
            return found
        stream.position = start
    return None


def read_day(stream: TokenStream, now: Now) -> date | None:
    """The single day that comes next ("tomorrow", "Thursday", "7 December"), or None."""
    start = stream.position
    offset = _DAY_OFFSETS.get(stream.peek().text)
    if offset is not None:
        stream.position += 1
        return now.today + offset * _DAY
    weekday = read_named_weekdays(stream)
    if weekday and stream.peek().text == "comma":
        stream.position += 1
    found = read_date(stream, now)
    if found is not None:
        days = resolve_date(found, now)
        if isinstance(days, list) and len(days) == 1 and days[0].size == 1:
            day = days[0].first
            if weekday and day.isoweekday() not in weekday.numbers:
                raise not_understood(f"{day_words(day)} is not the weekday that stands beside it.")
            return day
    elif weekday and len(weekday.numbers) == 1:
        return days_of_weekdays(Weekdays((weekday,)), now)[0].first
    stream.position = start
    return None


def _read_beside(stream: TokenStream, now: Now) -> list[Piece] | None:
    """The day of "the Friday before 10 December", or None; "any Friday before ..." is read as a weekday and a limit."""
    if stream.previous_text() in {"any", "every", "each", "all"}:
        return None
    stream.take_words("the")
    token = stream.take_kind("weekday")
    word = stream.take_any("before", "after") if token and not token.text.endswith("s") else ""
    date = read_date(stream, now) if word else None
    if token is None or not isinstance(date, PartialDate) or not date.day:
        return None
    days = resolve_date(date, now)
    assert isinstance(days, list)
    day = days[0].first
    day = weekday_after(day, token.value) if word == "after" else weekday_after(day - 8 * _DAY, token.value)
    return [DaySpan(day, day)]


def _read_near(stream: TokenStream, now: Now) -> list[Piece] | None:
    if stream.take_words("right", "now") or stream.take_words("now"):
        return [ExactSpan(now.moment, (instant(now.moment) + ONE_MINUTE).astimezone(now.zone))]
    if stream.take_words("tonight"):
        return [DaySpan(now.today, now.today), TimeOfDay("part", part="evening")]
    if stream.take_words("last", "evening"):
        return [DaySpan(now.today - _DAY, now.today - _DAY), TimeOfDay("part", part="evening")]
    if stream.peek().text == "this" and stream.peek(1).kind == "part":
        stream.position += 1
        return [DaySpan(now.today, now.today), TimeOfDay("part", part=stream.take().text)]
    stream.take_words("the")
    joined = stream.position > 2 and stream.tokens[stream.position - 2].kind == "join"
    # "tomorrow or the day after"
    named_before = joined and stream.tokens[stream.position - 3].text == "tomorrow"
    if stream.take_words("day", "after", "tomorrow") or (named_before and stream.take_words("day", "after")):
        return [DaySpan(now.today + 2 * _DAY, now.today + 2 * _DAY)]
    if stream.take_words("day", "before", "yesterday"):
        return [DaySpan(now.today - 2 * _DAY, now.today - 2 * _DAY)]
    if stream.take_words("day"):
        return _read_day_beside(stream, now)
    offset = _DAY_OFFSETS.get(stream.take().text)
    if offset is None:
        return None
    day = now.today + offset * _DAY
    if stream.peek(1).text not in {"of", "commencing", "beginning", "starting", "ending"}:
        day += timedelta(days=7 if stream.take_words("week") else 14 if stream.take_words("fortnight") else 0)
    return [DaySpan(day, day)]


def _read_day_beside(stream: TokenStream, now: Now) -> list[Piece] | None:
    """The day after or before a day that is named: "the day after Monday", "the day before 7 December"; or None."""
    word = stream.take_any("after", "before")
    day = read_day(stream, now) if word else None
    if day is None:
        return None
    day += _DAY if word == "after" else -_DAY
    return [DaySpan(day, day)]


def _read_week_of(stream: TokenStream, now: Now) -> list[Piece] | None:
    stream.take_words("the")
    weekend = stream.take_words("weekend")
    if not weekend and not stream.take_words("week") and stream.peek().text != "commencing":
        return None
    word = stream.take_any("of", "commencing", "beginning", "starting", "ending")
    stream.take_words("on")
    day = read_day(stream, now) if word else None
    if day is None or (weekend and word != "of"):
        return None
    monday = day - timedelta(days=day.isoweekday() - 1)
    if weekend:
        return [DaySpan(monday + (WEEKEND[0] - 1) * _DAY, monday + 6 * _DAY)]
    if word == "ending":
        return [DaySpan(day - 6 * _DAY, day)]
    first = monday if word == "of" else day
    return [DaySpan(first, first + 6 * _DAY)]


def _read_counted(stream: TokenStream, now: Now) -> list[Piece] | None:
    start = stream.position
    if (ago := read_ago_span(stream, now)) is not None:
        return [ago]
    stream.position = start
    if (coming := read_coming_span(stream, now)) is not None:
        return [coming]
    stream.position = start
    before = stream.take_any("in", "within", "over", "during", "throughout", "for", "of")
    the = stream.take_words("the")
    word = stream.take_any("next", "last", "past", "previous", "coming")
    if word:
        return _read_rolling(stream, now, word, the=the)
    length = None if the else _read_count(stream)
    if length is None:
        return None
    if before and stream.peek().text == "ago":
        return None
    if before == "within":
        if stream.peek().text == "of":
            raise not_understood("I can count a length of time from now only, not either side of a day.")
        return [length_from_now(length, 1, now)]
    if before == "in":
        if not stream.take_words("from", "now"):
            stream.take_words("time")
        return [_point_from_now(now, length, 1)]
    if before:
        return None
    if stream.take_words("ago"):
        stream.take_words("today")
        return [_point_from_now(now, length, -1)]
    if stream.take_words("time") or stream.take_words("hence") or stream.take_words("from", "now"):
        return [_point_from_now(now, length, 1)]
    sign = -1 if stream.take_words("before") else 1
    word = stream.take_any("on", "from", "after") if sign == 1 else ""
    weekday = stream.peek().kind == "weekday"
    if sign == 1 and not word and stream.peek().text not in {"today", "tomorrow"}:
        # "a week Thursday"
        if not (weekday and length.unit in {"week", "fortnight"}):
            return None
        word = "on"
    # "a week on Thursday" is "Thursday week", which counts from the coming one even where a visit is moved
    coming = now._replace(visit=None, facing=Facing.AHEAD)
    day = read_day(stream, coming if weekday and word in {"on", "from"} else now)
    if day is None or length.unit in {"minute", "hour"}:
        return None
    day = shift_day(day, length, sign)
    return [DaySpan(day, day)]


def _read_count(stream: TokenStream) -> Length | None:
    """The length that comes next, or the week of "week on Monday"; else None."""
    unit = stream.peek()
    if unit.kind == "unit" and unit.text in {"week", "fortnight"} and stream.peek(1).text == "on":
        if stream.peek(2).kind != "weekday":
            return None
        stream.position += 1
        return Length(1, unit.text)
    return read_length(stream)


def _read_rolling(stream: TokenStream, now: Now, word: str, *, the: bool) -> list[Piece] | None:
    sign = 1 if word in {"next", "coming"} else -1
    full = _take_full(stream)
    count, following = stream.peek(), stream.peek(1)
    if count.kind == "num" and sign > 0 and (following.kind == "weekday" or following.text in {"weekend", "weekday"}):
        stream.position += 1
        weekday = read_named_weekdays(stream)
        return _next_weekdays(now, count.value, weekday) if weekday else None
    length = read_length(stream, full_allowed=True)
    if length is not None and length.full:
        full = True
    if length is None or count.kind == "unit":
        # "next week" is a calendar week; "the next week" and "past week" count from now
        quarter = count.text == "quarter" and following.text not in {"past", "to"}
        unit = count if length else stream.take() if quarter else stream.take_kind("unit")
        if unit is None or not (the or full or word == "past" or unit.text in {"fortnight", "hour", "minute"}):
            return None
        if (not full and word in {"coming", "previous"}) or (unit.text == "day" and word != "past"):
            return None
        length = Length(1, unit.text)
    if stream.peek().text == "of":
        # "the last 2 weeks of November" do not count from now
        return None
    return [length_from_now(length, sign, now, full=full)]


def _take_full(stream: TokenStream) -> bool:
    """Whether "full" or "whole" comes next; if so, it is consumed."""
    return bool(stream.take_any(*FULL))


def _next_weekdays(now: Now, count: int, weekday: NamedWeekdays) -> list[Piece]:
    if not 1 <= count <= 60:
        raise not_understood(f"{count} of them is more than a diary reaches.")
    # a weekend counts once, by its Sunday, and the current one counts
    weekend = weekday.numbers == WEEKEND
    first = now.today + (0 if weekend else 1) * _DAY
    while first.isoweekday() not in weekday.numbers:
        first += _DAY
    last = first - _DAY
    for _ in range(count):
        last = weekday_after(last, 7) if weekend else min(weekday_after(last, number) for number in weekday.numbers)
    return [DaySpan(first, last), Weekdays((NamedWeekdays(weekday.numbers),))]


def _point_from_now(now: Now, length: Length, sign: int) -> DaySpan | ExactSpan:
    if length.unit in {"minute", "hour"}:
        start = shift_moment(now, length, sign)
        return ExactSpan(start, (instant(start) + ONE_MINUTE).astimezone(now.zone))
    day = shift_day(now.today, length, sign)
    return DaySpan(day, day)


def _read_nth(stream: TokenStream, now: Now) -> list[Piece] | None:
    stream.take_any("in", "during", "over")
    stream.take_words("the")
    last = stream.take_words("last")
    rank = 0 if last else stream.take().value if stream.peek().kind == "ord" else -1
    what = stream.take()
    if rank < 0 or what.kind not in {"weekday", "unit"} or not stream.take_any("of", "in"):
        return None
    period = read_calendar_period(stream, now, bare=True)
    if period is None or period.unit != "month":
        return None
    first, final = period.days
    if what.kind == "unit":
        size = {"week": 7, "fortnight": 14, "day": 1}.get(what.text)
        if size is None or (rank not in {0, 1} and what.text != "week"):
            return None
        if rank > 1:
            return [_nth_week(period.days, rank)]
        beyond = (size - 1) * _DAY
        return [DaySpan(final - beyond, final) if last else DaySpan(first, first + beyond)]
    day = _nth_weekday(period.days, what.value, rank)
    beyond = day > now.today if now.back else day < now.today and now.facing is Facing.AHEAD
    if period.yearless and beyond:
        day = _nth_weekday(month_days(first.year + (-1 if now.back else 1), first.month), what.value, rank)
    return [DaySpan(day, day)]


def _nth_week(month: DaySpan, rank: int) -> DaySpan:
    """The second, third or fourth week of a month that begins on a Monday; else the two readings are told."""
    first = month.first + 7 * (rank - 1) * _DAY
    monday = first - (first.isoweekday() - 1) * _DAY
    if rank > 4:
        raise not_understood('A fifth week is not read: say "the last week of the month" or give dates.')
    if monday != first:
        raise not_understood(
            f"That can mean {day_words(monday)} to {day_words(monday + 6 * _DAY)}, "
            f"or {day_words(first)} to {day_words(first + 6 * _DAY)}: "
            f'say "week of {monday.day} {MONTH_NAMES[monday.month - 1]}" or give the dates.'
        )
    return DaySpan(first, first + 6 * _DAY)


def _nth_weekday(month: DaySpan, weekday: int, rank: int) -> date:
    """The first, second ... such weekday of a month; rank 0 means the last."""
    if not rank:
        return weekday_after(month.last - 7 * _DAY, weekday)
    day = weekday_after(month.first - _DAY, weekday) + 7 * (rank - 1) * _DAY
    if day > month.last:
        raise not_understood("That month does not have so many of that weekday.")
    return day


def _read_whole(stream: TokenStream, now: Now) -> list[Piece] | None:
    first = stream.take_any("this", "last") if stream.peek(1).kind == "join" else ""
    if first and stream.take_kind("join"):
        # "this and next week"
        second = read_calendar_period(stream, now)
        if second is None or second.offset is None:
            return None
        before = _from_today(second.unit, 0 if first == "this" else -1, now)
        return [before, _from_today(second.unit, second.offset, now)]
    period = read_calendar_period(stream, now)
    if period is None:
        return None
    if period.offset is None:
        return [period.days]
    days = _from_today(period.unit, period.offset, now)
    start = stream.position
    if stream.take_kind("join") and stream.take_words("next") and stream.peek().kind in _CLOSING:
        # "this week or next"
        return [days, _from_today(period.unit, 1, now)]
    stream.position = start
    if stream.take_kind("join") and stream.take_words("the", period.unit, "after") and stream.peek().kind in _CLOSING:
        # "next week or the week after"
        return [days, _from_today(period.unit, period.offset + 1, now)]
    stream.position = start
    return [days]


def _from_today(unit: str, offset: int, now: Now) -> DaySpan:
    days = days_of_period(unit, offset, now)
    return days if offset else present_period(days, now)
