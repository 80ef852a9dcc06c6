"""Reads parts of calendar periods: "end of the month", "rest of the week", "this month so far", "first half of May"."""

from datetime import datetime, timedelta
from typing import Final

from cliniko_mcp.phrases.dates import DaySpan, ExactSpan, Now
from cliniko_mcp.phrases.direction import present_period, refuse_ahead, until_now
from cliniko_mcp.phrases.idioms import END_OF_DAY
from cliniko_mcp.phrases.lengths import CalendarPeriod, read_calendar_period
from cliniko_mcp.phrases.periods import half_days
from cliniko_mcp.phrases.refusals import not_understood
from cliniko_mcp.phrases.token_stream import TokenStream
from cliniko_mcp.phrases.zones import instant, on_day

_DAY: Final = timedelta(days=1)
_EDGES: Final = {
    "end": "late",
    "late": "late",
    "start": "early",
    "beginning": "early",
    "early": "early",
    "middle": "mid",
    "mid": "mid",
}


def read_part(stream: TokenStream, now: Now) -> DaySpan | ExactSpan | None:
    """The part of a period that comes next, or None."""
    start = stream.position
    for read in (_read_so_far, _read_rest, _read_half, _read_edge):
        found = read(stream, now)
        if found is not None:
            return found
        stream.position = start
    return None


def _read_so_far(stream: TokenStream, now: Now) -> DaySpan | ExactSpan | None:
    so_far_first = stream.take_words("so", "far")
    stream.take_words("in")
    if stream.take_words("today"):
        unit, first = "today", now.today
    else:
        period = read_calendar_period(stream, now, bare=True)
        if period is None or period.offset != 0:
            return None
        unit, first = period.unit, period.days.first
    so_far = so_far_first or stream.take_words("so", "far")
    if not so_far and (unit == "today" or not (stream.take_kind("to") and stream.take_words("date"))):
        return None
    return _until_now(on_day(first, 0, now.zone), now)


def _until_now(start: datetime, now: Now) -> ExactSpan:
    end = until_now(now)
    if instant(start) >= instant(end):
        raise not_understood("Nothing of that span has passed yet.")
    return ExactSpan(start, end)


def _read_rest(stream: TokenStream, now: Now) -> DaySpan | ExactSpan | None:
    stream.take_words("the")
    if stream.take_words("earlier"):
        return _read_earlier(stream, now)
    if stream.take_words("later"):
        if stream.take_words("today"):
            return ExactSpan(now.moment, on_day(now.today + _DAY, 0, now.zone))
        stream.take_any("in", "on")
        period = read_calendar_period(stream, now, bare=True)
        if period is None or period.offset != 0:
            return None
        if period.days.last == now.today:
            raise not_understood(f"Today is the last day of this {period.unit}.")
        return DaySpan(now.today + _DAY, period.days.last)
    if not stream.take_any("rest", "remainder"):
        return None
    refuse_ahead(now)
    stream.take_words("of")
    if stream.take_words("today") or stream.take_words("the", "day") or stream.take_words("day"):
        return ExactSpan(now.moment, on_day(now.today + _DAY, 0, now.zone))
    period = read_calendar_period(stream, now, bare=True)
    if period is None or not period.days.first <= now.today <= period.days.last:
        return None
    return ExactSpan(now.moment, on_day(period.days.last + _DAY, 0, now.zone))


def _read_earlier(stream: TokenStream, now: Now) -> DaySpan | ExactSpan | None:
    """What is over of the present day or period: "earlier today", "earlier this week" until yesterday; or None."""
    if stream.take_words("today"):
        return _until_now(on_day(now.today, 0, now.zone), now)
    stream.take_any("in", "on")
    period = read_calendar_period(stream, now, bare=True)
    if period is None or period.offset != 0:
        return None
    if period.days.first == now.today:
        raise not_understood(f"Today is the first day of this {period.unit}.")
    return DaySpan(period.days.first, now.today - _DAY)


def _read_edge(stream: TokenStream, now: Now) -> DaySpan | ExactSpan | None:
    if stream.peek().kind == "unit" and stream.peek(1).text == "end":
        # "month end"
        period = read_calendar_period(stream, now, bare=True)
        stream.position += 1
        return _edge_of(period, "late", now) if period else None
    stream.take_words("the")
    word = stream.take_any(*_EDGES)
    if not word:
        return None
    stream.take_any("of", "in")
    if word == "end" and (stream.take_words("the", "day") or stream.take_words("day")):
        raise not_understood(END_OF_DAY)
    period = read_calendar_period(stream, now, bare=True)
    if period is None:
        return None
    return _edge_of(period, _EDGES[word], now)


def _edge_of(period: CalendarPeriod, edge: str, now: Now) -> DaySpan:
    first, last = period.days
    if period.unit == "week":
        begin, end = {"early": (0, 1), "mid": (2, 2), "late": (3, 6)}[edge]
        days = DaySpan(first + begin * _DAY, first + end * _DAY)
        return _present_part(days, now) if period.offset == 0 else days
    if period.unit == "month" and edge != "mid":
        return DaySpan(first, first + 6 * _DAY) if edge == "early" else DaySpan(last - 6 * _DAY, last)
    raise not_understood(f'That part of a {period.unit} has no fixed meaning: give dates, such as "10 to 20 March".')


def _read_half(stream: TokenStream, now: Now) -> DaySpan | ExactSpan | None:
    """The first or second half of a period: "the second half of next week", or None."""
    stream.take_any("in", "during", "over")
    stream.take_words("the")
    number = 2 if stream.take_any("latter", "last") else stream.take().value if stream.peek().kind == "ord" else 0
    if number not in {1, 2} or not stream.take_words("half"):
        return None
    stream.take_any("of", "in")
    period = read_calendar_period(stream, now, bare=True)
    if period is None:
        return None
    days = half_days(period.unit, period.days, number)
    return _present_part(days, now, period.unit) if period.offset == 0 else days


def _present_part(days: DaySpan, now: Now, unit: str = "week") -> DaySpan:
    """A part of the present week or the like, which like "this week" ahead begins today and back ends today."""
    part = present_period(days, now)
    if part.last < part.first:
        raise not_understood(f"That part of this {unit} is " + ("still to come." if now.back else "over."))
    return part
