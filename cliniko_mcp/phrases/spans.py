"""Spans counted from today: "next week", "in 3 days", "the past fortnight", "end of the month", "rest of the week"."""

from datetime import date, datetime, timedelta
from typing import Final

from cliniko_mcp.phrases.clock import Times
from cliniko_mcp.phrases.dates import Dated, Days, Exact, Now, day_words, month_days, weekday_after
from cliniko_mcp.phrases.days import ONE_MINUTE, read_date, resolve_date
from cliniko_mcp.phrases.lengths import Calendar, Length, calendar_unit, moved, read_calendar, read_length, shifted
from cliniko_mcp.phrases.refusals import not_understood
from cliniko_mcp.phrases.token_stream import Reader
from cliniko_mcp.phrases.weekdays import WEEKEND, Named, Weekdays, days_of_weekdays, read_named
from cliniko_mcp.phrases.zones import instant, on_day

Piece = Dated | Days | Exact | Weekdays | Times
_NEAR: Final = {"today": 0, "tomorrow": 1, "yesterday": -1}
_DAY: Final = timedelta(days=1)
_CLOSING: Final = frozenset(("end", "part", "time", "join"))
_EDGES: Final = {
    "end": "late",
    "late": "late",
    "start": "early",
    "beginning": "early",
    "early": "early",
    "middle": "mid",
    "mid": "mid",
}


def read_span(reader: Reader, now: Now) -> list[Piece] | None:
    """The span that comes next, with the weekdays or part of the day it says by itself ("tonight"), or None."""
    start = reader.at
    if reader.repeated():
        return None
    for reading in (_so_far, _beside, _near, _rest, _edge, _week_of, _nth, _counted, _whole):
        found = reading(reader, now)
        if found is not None:
            return found
        reader.at = start
    return None


def read_day(reader: Reader, now: Now) -> date | None:
    """The single day that comes next ("tomorrow", "Thursday", "7 December"), or None."""
    start = reader.at
    near = _NEAR.get(reader.peek().text)
    if near is not None:
        reader.at += 1
        return now.today + near * _DAY
    named = read_named(reader)
    if named and reader.peek().text == "comma":
        reader.at += 1
    found = read_date(reader, now)
    if found is not None:
        days = resolve_date(found, now)
        if isinstance(days, list) and len(days) == 1 and days[0].size == 1:
            day = days[0].first
            if named and day.isoweekday() not in named.numbers:
                raise not_understood(f"{day_words(day)} is not the weekday that was said.")
            return day
    elif named and len(named.numbers) == 1:
        return days_of_weekdays(Weekdays((named,)), now)[0].first
    reader.at = start
    return None


def _beside(reader: Reader, now: Now) -> list[Piece] | None:
    """ "The Friday before 10 December"; "any Friday before ..." is every such Friday and read elsewhere."""
    if reader.before() in {"any", "every", "each", "all"}:
        return None
    reader.words("the")
    token = reader.kind("weekday")
    word = reader.any_of("before", "after") if token and not token.text.endswith("s") else ""
    date_said = read_date(reader, now) if word else None
    if token is None or not isinstance(date_said, Dated) or not date_said.day:
        return None
    days = resolve_date(date_said, now)
    assert isinstance(days, list)
    day = days[0].first
    day = weekday_after(day, token.value) if word == "after" else weekday_after(day - 8 * _DAY, token.value)
    return [Days(day, day)]


def _near(reader: Reader, now: Now) -> list[Piece] | None:
    if reader.words("right", "now") or reader.words("now"):
        return [Exact(now.moment, (instant(now.moment) + ONE_MINUTE).astimezone(now.zone))]
    if reader.words("tonight"):
        return [Days(now.today, now.today), Times("part", part="evening")]
    if reader.words("last", "evening"):
        return [Days(now.today - _DAY, now.today - _DAY), Times("part", part="evening")]
    if reader.peek().text == "this" and reader.peek(1).kind == "part":
        reader.at += 1
        return [Days(now.today, now.today), Times("part", part=reader.take().text)]
    reader.words("the")
    joined = reader.at > 2 and reader.tokens[reader.at - 2].kind == "join"
    # "tomorrow or the day after"
    named_before = joined and reader.tokens[reader.at - 3].text == "tomorrow"
    if reader.words("day", "after", "tomorrow") or (named_before and reader.words("day", "after")):
        return [Days(now.today + 2 * _DAY, now.today + 2 * _DAY)]
    if reader.words("day", "before", "yesterday"):
        return [Days(now.today - 2 * _DAY, now.today - 2 * _DAY)]
    near = _NEAR.get(reader.take().text)
    if near is None:
        return None
    day = now.today + near * _DAY
    if reader.peek(1).text not in {"of", "commencing", "beginning", "starting", "ending"}:
        day += timedelta(days=7 if reader.words("week") else 14 if reader.words("fortnight") else 0)
    return [Days(day, day)]


def _so_far(reader: Reader, now: Now) -> list[Piece] | None:
    ahead = reader.words("so", "far")
    reader.words("in")
    if reader.words("today"):
        unit, first = "today", now.today
    else:
        calendar = read_calendar(reader, now, bare=True)
        if calendar is None or calendar.offset != 0:
            return None
        unit, first = calendar.unit, calendar.days.first
    behind = ahead or reader.words("so", "far")
    if not behind and (unit == "today" or not (reader.kind("to") and reader.words("date"))):
        return None
    return [_until_now(on_day(first, 0, now.zone), now)]


def _until_now(start: datetime, now: Now) -> Exact:
    if instant(start) >= instant(now.moment):
        raise not_understood("Nothing of that span has passed yet.")
    return Exact(start, now.moment)


def _rest(reader: Reader, now: Now) -> list[Piece] | None:
    reader.words("the")
    if reader.words("later"):
        if reader.words("today"):
            return [Exact(now.moment, on_day(now.today + _DAY, 0, now.zone))]
        reader.any_of("in", "on")
        calendar = read_calendar(reader, now, bare=True)
        if calendar is None or calendar.offset != 0:
            return None
        if calendar.days.last == now.today:
            raise not_understood(f"Today is the last day of this {calendar.unit}.")
        return [Days(now.today + _DAY, calendar.days.last)]
    if not reader.any_of("rest", "remainder"):
        return None
    reader.words("of")
    if reader.words("today") or reader.words("the", "day") or reader.words("day"):
        return [Exact(now.moment, on_day(now.today + _DAY, 0, now.zone))]
    calendar = read_calendar(reader, now, bare=True)
    if calendar is None or not calendar.days.first <= now.today <= calendar.days.last:
        return None
    return [Exact(now.moment, on_day(calendar.days.last + _DAY, 0, now.zone))]


def _edge(reader: Reader, now: Now) -> list[Piece] | None:
    if reader.peek().kind == "unit" and reader.peek(1).text == "end":
        # "month end"
        calendar = read_calendar(reader, now, bare=True)
        reader.at += 1
        return [_edge_of(calendar, "late", now)] if calendar else None
    reader.words("the")
    word = reader.any_of(*_EDGES)
    if not word:
        return None
    reader.any_of("of", "in")
    calendar = read_calendar(reader, now, bare=True)
    if calendar is None:
        return None
    return [_edge_of(calendar, _EDGES[word], now)]


def _edge_of(calendar: Calendar, edge: str, now: Now) -> Days:
    first, last = calendar.days
    if calendar.unit == "week":
        begin, end = {"early": (0, 1), "mid": (2, 2), "late": (3, 6)}[edge]
        days = Days(first + begin * _DAY, first + end * _DAY)
        if calendar.offset == 0:
            # as "this week" does, it begins today
            days = Days(max(days.first, now.today), days.last)
            if days.last < days.first:
                raise not_understood("That part of this week is over.")
        return days
    if calendar.unit == "month" and edge != "mid":
        return Days(first, first + 6 * _DAY) if edge == "early" else Days(last - 6 * _DAY, last)
    raise not_understood(f"What counts as that part of a {calendar.unit} is not settled: give dates.")


def _week_of(reader: Reader, now: Now) -> list[Piece] | None:
    reader.words("the")
    weekend = reader.words("weekend")
    if not weekend and not reader.words("week") and reader.peek().text != "commencing":
        return None
    word = reader.any_of("of", "commencing", "beginning", "starting", "ending")
    reader.words("on")
    day = read_day(reader, now) if word else None
    if day is None or (weekend and word != "of"):
        return None
    monday = day - timedelta(days=day.isoweekday() - 1)
    if weekend:
        return [Days(monday + (WEEKEND[0] - 1) * _DAY, monday + 6 * _DAY)]
    if word == "ending":
        return [Days(day - 6 * _DAY, day)]
    first = monday if word == "of" else day
    return [Days(first, first + 6 * _DAY)]


def _counted(reader: Reader, now: Now) -> list[Piece] | None:
    before = reader.any_of("in", "within", "over", "during", "throughout", "for", "of")
    the = reader.words("the")
    word = reader.any_of("next", "last", "past", "previous", "coming")
    if word:
        return _rolling(reader, now, word, the=the)
    length = None if the else read_length(reader)
    if length is None:
        return None
    if before == "within":
        if reader.peek().text == "of":
            raise not_understood("I can count a length of time from now only, not either side of a day.")
        return [_stretch(now, length, 1)]
    if before == "in":
        if not reader.words("from", "now"):
            reader.words("time")
        return [_that_day(now, length, 1)]
    if before:
        return None
    if reader.words("ago"):
        reader.words("today")
        return [_that_day(now, length, -1)]
    if reader.words("time") or reader.words("hence") or reader.words("from", "now"):
        return [_that_day(now, length, 1)]
    sign = -1 if reader.words("before") else 1
    if sign == 1 and not reader.any_of("on", "from", "after") and reader.peek().text not in {"today", "tomorrow"}:
        return None
    day = read_day(reader, now)
    if day is None or length.unit in {"minute", "hour"}:
        return None
    day = moved(day, length, sign)
    return [Days(day, day)]


def _rolling(reader: Reader, now: Now, word: str, *, the: bool) -> list[Piece] | None:
    sign = 1 if word in {"next", "coming"} else -1
    count, following = reader.peek(), reader.peek(1)
    if count.kind == "num" and sign > 0 and (following.kind == "weekday" or following.text in {"weekend", "weekday"}):
        reader.at += 1
        named = read_named(reader)
        return _next_few(now, count.value, named) if named else None
    length = read_length(reader)
    if length is None or count.kind == "unit":
        # "next week" is the calendar's, "the next week" and "past week" are counted from now
        unit = count if length else reader.kind("unit")
        if unit is None or not (the or word == "past" or unit.text in {"fortnight", "hour", "minute"}):
            return None
        if word in {"coming", "previous"} or (unit.text == "day" and word != "past"):
            return None
        length = Length(1, unit.text)
    if reader.peek().text == "of":
        # "the last 2 weeks of November" are not counted from now
        return None
    return [_stretch(now, length, sign)]


def _next_few(now: Now, count: int, named: Named) -> list[Piece]:
    if not 1 <= count <= 60:
        raise not_understood(f"{count} of them is more than a diary reaches.")
    # a weekend counts once, by its Sunday, and the one going on counts
    weekend = named.numbers == WEEKEND
    first = now.today + (0 if weekend else 1) * _DAY
    while first.isoweekday() not in named.numbers:
        first += _DAY
    last = first - _DAY
    for _ in range(count):
        last = weekday_after(last, 7) if weekend else min(weekday_after(last, number) for number in named.numbers)
    return [Days(first, last), Weekdays((Named(named.numbers),))]


def _that_day(now: Now, length: Length, sign: int) -> Days | Exact:
    if length.unit in {"minute", "hour"}:
        start = shifted(now, length, sign)
        return Exact(start, (instant(start) + ONE_MINUTE).astimezone(now.zone))
    day = moved(now.today, length, sign)
    return Days(day, day)


def _stretch(now: Now, length: Length, sign: int) -> Exact:
    there = shifted(now, length, sign)
    return Exact(now.moment, there) if sign > 0 else Exact(there, now.moment)


def _nth(reader: Reader, now: Now) -> list[Piece] | None:
    reader.any_of("in", "during", "over")
    reader.words("the")
    last = reader.words("last")
    rank = 0 if last else reader.take().value if reader.peek().kind == "ord" else -1
    what = reader.take()
    if rank < 0 or what.kind not in {"weekday", "unit"} or not reader.any_of("of", "in"):
        return None
    calendar = read_calendar(reader, now, bare=True)
    if calendar is None or calendar.unit != "month":
        return None
    first, final = calendar.days
    if what.kind == "unit":
        size = {"week": 7, "day": 1}.get(what.text)
        if size is None or rank not in {0, 1}:
            return None
        beyond = (size - 1) * _DAY
        return [Days(final - beyond, final) if last else Days(first, first + beyond)]
    day = _nth_weekday(calendar.days, what.value, rank)
    if calendar.yearless and day < now.today:
        day = _nth_weekday(month_days(first.year + 1, first.month), what.value, rank)
    return [Days(day, day)]


def _nth_weekday(month: Days, weekday: int, rank: int) -> date:
    """The first, second ... such weekday of a month; rank 0 is the last."""
    if not rank:
        return weekday_after(month.last - 7 * _DAY, weekday)
    day = weekday_after(month.first - _DAY, weekday) + 7 * (rank - 1) * _DAY
    if day > month.last:
        raise not_understood("That month has not so many of that weekday.")
    return day


def _whole(reader: Reader, now: Now) -> list[Piece] | None:
    first = reader.any_of("this", "last") if reader.peek(1).kind == "join" else ""
    if first and reader.kind("join"):
        # "this and next week"
        second = read_calendar(reader, now)
        if second is None or second.offset is None:
            return None
        before = _from_today(second.unit, 0 if first == "this" else -1, now)
        return [before, _from_today(second.unit, second.offset, now)]
    calendar = read_calendar(reader, now)
    if calendar is None:
        return None
    if calendar.offset is None:
        return [calendar.days]
    days = _from_today(calendar.unit, calendar.offset, now)
    start = reader.at
    if reader.kind("join") and reader.words("next") and reader.peek().kind in _CLOSING:
        # "this week or next"
        return [days, _from_today(calendar.unit, 1, now)]
    reader.at = start
    if reader.kind("join") and reader.words("the", calendar.unit, "after") and reader.peek().kind in _CLOSING:
        # "next week or the week after"
        return [days, _from_today(calendar.unit, calendar.offset + 1, now)]
    reader.at = start
    return [days]


def _from_today(unit: str, offset: int, now: Now) -> Days:
    days = calendar_unit(unit, offset, now)
    return days if offset else Days(now.today, days.last)
