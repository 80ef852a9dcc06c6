"""Reads limits and endpoints: "by Friday", "before the end of next week", "since Monday", "24 Nov 3pm to Thursday"."""

from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from cliniko_mcp.phrases.ago import AgoLimit, read_ago_limit
from cliniko_mcp.phrases.clock import ClockTime, TimeOfDay
from cliniko_mcp.phrases.dates import (
    DaySpan,
    ExactSpan,
    Now,
    PartialDate,
    contradiction,
    days_from,
    forward,
    span,
    weekday_after,
)
from cliniko_mcp.phrases.days import DateList, DateSpan, read_date, resolve_date
from cliniko_mcp.phrases.hours import read_clock_time, read_time_of_day
from cliniko_mcp.phrases.lengths import read_calendar_period
from cliniko_mcp.phrases.refusals import not_understood
from cliniko_mcp.phrases.spans import read_span
from cliniko_mcp.phrases.token_stream import TokenStream
from cliniko_mcp.phrases.weekdays import NamedWeekdays, WeekdayRange, Weekdays, days_of_weekdays, read_named_weekdays
from cliniko_mcp.phrases.zones import DAY_MINUTES, instant, on_day

_DAY: Final = timedelta(days=1)
LimitKind = Literal["by", "before", "until", "after", "from", "since"]
_LIMIT_WORDS: Final[tuple[tuple[tuple[str, ...], LimitKind], ...]] = (
    (("by",), "by"),
    (("before",), "before"),
    (("until",), "until"),
    (("through",), "until"),
    (("up", "until"), "until"),
    (("up", "to"), "until"),
    (("no", "later", "than"), "until"),
    (("not", "later", "than"), "until"),
    (("not", "before"), "from"),
    (("no", "earlier", "than"), "from"),
    (("after",), "after"),
    (("from",), "from"),
    (("starting",), "from"),
    (("since",), "since"),
)


class Endpoint(NamedTuple):
    """One end of an interval: its days (None for a time alone), and a time of day on them.

    `weekday` stands beside a date and has to agree with it. `after_days` is the position in the tokens after the days.
    """

    days: PartialDate | DateSpan | DateList | DaySpan | ExactSpan | Weekdays | None
    time: TimeOfDay | None
    after_days: int
    weekday: NamedWeekdays | None = None
    time_first: bool = False


class Limit(NamedTuple):
    """A limit on one side of an interval: the kind that its preposition makes it, and the endpoint it names."""

    kind: LimitKind
    end: Endpoint


def read_limit(stream: TokenStream, now: Now) -> Limit | None:
    """The limit that comes next, or None; a time of day alone makes one only after "by" and "since"."""
    ago = read_ago_limit(stream, now)
    if ago is not None:
        return Limit("since" if ago[0] == "after" else ago[0], Endpoint(_next_day(ago), None, stream.position))
    kind: LimitKind | None = next((kind for words, kind in _LIMIT_WORDS if stream.take_words(*words)), None)
    if kind is None:
        return None
    start = stream.position
    if kind in {"by", "before", "until"}:
        edge = _read_edge(stream, now)
        if edge is not None:
            return edge
        stream.position = start
    elif kind in {"since", "from"}:
        beginning = _read_beginning(stream, now)
        if beginning is not None:
            return Limit(kind, beginning)
        stream.position = start
    time_first = _read_time(stream) is not None
    stream.position = start
    end = read_endpoint(stream, now, bare=kind in {"by", "since"})
    if end is None or ((end.days is None or (time_first and end.time)) and kind not in {"by", "since"}):
        return None
    if end.time and end.time.kind not in {"at", "part"}:
        # "by Friday after 3" limits the days, and on each of them the hours
        stream.position = end.after_days
        end = end._replace(time=None)
    if kind in {"from", "after"}:
        stream.take_any("onwards", "onward")
    return Limit(kind, end)


def _next_day(ago: tuple[AgoLimit, DaySpan]) -> DaySpan:
    """The day that a distance names, or for "less than" the day after it."""
    kind, days = ago
    return DaySpan(days.first + _DAY, days.last + _DAY) if kind == "after" else days


def _read_edge(stream: TokenStream, now: Now) -> Limit | None:
    """The limit after "by" or "before" that is an end or start: "the end of next week"; None for anything else."""
    stream.take_words("the")
    word = stream.take_any("end", "start", "beginning")
    if not word:
        return None
    kind: LimitKind = "by" if word == "end" else "before"
    stream.take_words("of")
    if stream.take_words("the", "day") or stream.take_words("day"):
        # "by the end of the day", "by the end of the day on Friday"
        here = Endpoint(DaySpan(now.today, now.today), None, stream.position)
        end = _days_after_time(stream, now)
        return Limit(kind, end if end and not end.time else here)
    period = read_calendar_period(stream, now, bare=True)
    if period is not None:
        return Limit(kind, Endpoint(period.days, None, stream.position))
    end = read_endpoint(stream, now)
    return Limit(kind, end) if end and end.days and not end.time else None


def _read_beginning(stream: TokenStream, now: Now) -> Endpoint | None:
    """The first day of a period after "since" or "from": "the start of the year"; None for anything else."""
    stream.take_words("the")
    if not stream.take_any("start", "beginning"):
        return None
    stream.take_words("of")
    period = read_calendar_period(stream, now, bare=True)
    return Endpoint(DaySpan(period.days.first, period.days.first), None, stream.position) if period else None


def read_range(stream: TokenStream, now: Now) -> DateSpan | DaySpan | ExactSpan | Weekdays | None:
    """The span between two endpoints ("24 Nov to 3 Dec", "Monday 9am to Wednesday noon", "now until Friday"), or None.

    Weekdays without dates or times stay weekdays: a span beside them decides which days are meant.
    """
    lead = stream.take_any("from", "between")
    left = read_endpoint(stream, now)
    if left is None or left.days is None or (isinstance(left.days, Weekdays) and left.days.plural):
        return None
    joined = stream.peek().text
    iso = isinstance(left.days, ExactSpan)
    if not (
        stream.take_kind("to")
        or stream.take_any("until", "through")
        or (lead == "between" and joined == "and" and stream.take_kind("join"))
        or (joined == "/" and _from_iso(stream) and stream.take_kind("join"))
    ):
        return _range_of_list(left, stream) if lead else None
    right = read_endpoint(stream, now, bare=iso)
    if right is None or (right.days is None and not iso):
        return None
    if left.time_first and not right.time:
        # "mornings Mon to Fri" means five mornings, not the time from the first to the last
        return None
    begin, end = left.days, right.days
    until_then = right.time is not None and joined == "until"
    if isinstance(begin, Weekdays) and isinstance(end, Weekdays) and not left.time and not until_then:
        stream.position = right.after_days
        return _weekday_range(begin, end) if lead else None
    if right.time and (isinstance(end, ExactSpan) or (not left.time and not iso and joined != "until")):
        # "Monday to Friday at 3" is a time on each day
        stream.position = right.after_days
        right = right._replace(time=None)
    elif right.time and right.time.part == "lunchtime" and joined == "until":  # it stops where lunch begins
        right = right._replace(time=TimeOfDay("at", ClockTime(right.time.minutes()[0])))
    return _span_between(left, right, now)


def read_endpoint(stream: TokenStream, now: Now, *, bare: bool = False) -> Endpoint | None:
    """The endpoint that comes next, or None: a day, a span or now, with or without a time of day; or a time alone.

    `bare` takes a number alone for a time too: the "10" of "now until 10".
    """
    start = stream.position
    end = _read_days(stream, now)
    if end is not None:
        return end if end.time else end._replace(time=_read_time(stream))
    time = _read_time(stream)
    if time is None and bare and (clock_time := read_clock_time(stream, lead="limit")):
        time = TimeOfDay("at", clock_time)
    if time is None:
        stream.position = start
        return None
    after = stream.position
    end = _days_after_time(stream, now)
    return end._replace(time=time, time_first=True) if end else Endpoint(None, time, after)


def _days_after_time(stream: TokenStream, now: Now) -> Endpoint | None:
    start = stream.position
    stream.take_any("on", "of")
    end = _read_days(stream, now)
    if end is None:
        stream.position = start
    return end


def endpoint_start(end: Endpoint, now: Now, *, past: bool | None = None) -> datetime:
    """When an endpoint begins, as an aware datetime."""
    days = endpoint_days(end, now, past=past)
    if isinstance(days, ExactSpan):
        return days.start
    _one_day(days, end.time)
    minute = end.time.minutes()[0] if end.time else 0
    return on_day(days.first, minute, now.zone)


def endpoint_end(end: Endpoint, now: Now) -> datetime:
    """When an endpoint ends: at the end of its days or of its part of the day; a clock time ends as it begins."""
    days = endpoint_days(end, now)
    if isinstance(days, ExactSpan):
        return days.end
    if end.time is None:
        return on_day(days.last + _DAY, 0, now.zone)
    _one_day(days, end.time)
    if end.time.first == ClockTime(DAY_MINUTES):
        return on_day(days.last, DAY_MINUTES, now.zone)
    begin, final = end.time.minutes()
    return on_day(days.last, begin if end.time.kind == "at" else final, now.zone, last=True)


def _one_day(days: DaySpan, time: TimeOfDay | None) -> None:
    if time is not None and days.size > 1:
        raise not_understood("A time of day ends or begins an interval on one day, not on several.")


def endpoint_days(end: Endpoint, now: Now, *, past: bool | None = None) -> DaySpan | ExactSpan:
    """The days of an endpoint, relative to today; a time alone is the next to come, or with `past` the latest past.

    Without `past` the direction of reading decides.
    """
    if end.days is None:
        assert end.time is not None
        minute = end.time.minutes()[0]
        here = instant(on_day(now.today, minute, now.zone))
        shift = 0
        behind = now.back if past is None else past
        if behind and here > instant(now.moment):
            shift = -1
        elif not behind and here < instant(now.moment):
            shift = 1
        return DaySpan(now.today + shift * _DAY, now.today + shift * _DAY)
    if isinstance(end.days, Weekdays):
        weekdays = end.days
        if past and weekdays.plain:
            terms = tuple(
                term._replace(which="past") if isinstance(term, NamedWeekdays) else term for term in weekdays.terms
            )
            weekdays = Weekdays(terms)
        found = days_of_weekdays(weekdays, now)
    else:
        resolved = resolve_date(end.days, now, past=past)
        if isinstance(resolved, ExactSpan):
            return resolved
        found = resolved
    return _check_weekday(DaySpan(found[0].first, found[-1].last), end.weekday)


def read_dated_weekday(stream: TokenStream, now: Now) -> DaySpan | None:
    """A weekday with its date ("Thursday 26 November"), which have to agree; None for either alone.

    A day of the month before a span ("Thursday the 24th of next month") is not read here: the span decides the month.
    """
    start = stream.position
    end = _read_days(stream, now)
    paired = end if end is not None and end.weekday is not None and isinstance(end.days, PartialDate) else None
    has_month = paired is not None and isinstance(paired.days, PartialDate) and bool(paired.days.month)
    if paired is not None and (has_month or stream.peek().text not in {"of", "in", "next", "this", "last"}):
        days = endpoint_days(paired, now)
        assert isinstance(days, DaySpan)
        return days
    stream.position = start
    return None


def _read_days(stream: TokenStream, now: Now) -> Endpoint | None:
    start = stream.position
    named = read_named_weekdays(stream)
    if named is not None:
        after = stream.position
        if stream.peek().text == "comma":
            stream.position += 1
        found = read_date(stream, now)
        if isinstance(found, PartialDate) and found.day:
            return Endpoint(found, None, stream.position, named)
        stream.position = after
        return Endpoint(Weekdays((named,)), None, after)
    found = read_date(stream, now)
    if found is not None:
        return Endpoint(found, None, stream.position)
    pieces = read_span(stream, now)
    if pieces:
        days, time = pieces[0], pieces[1] if len(pieces) == 2 else None
        if isinstance(days, DaySpan | ExactSpan) and (time is None or isinstance(time, TimeOfDay)):
            return Endpoint(days, time, stream.position)
    stream.position = start
    return None


def _check_weekday(days: DaySpan, weekday: NamedWeekdays | None) -> DaySpan:
    if weekday is not None and days.first.isoweekday() not in weekday.numbers:
        raise contradiction(days.first, weekday.numbers)
    return days


def _read_time(stream: TokenStream) -> TimeOfDay | None:
    start = stream.position
    if stream.peek().text == "comma":
        stream.position += 1
    if stream.peek().text in {"in", "of"} and stream.peek(1).text == "the":
        stream.position += 2
    time = read_time_of_day(stream, names_day=True)
    # "3pm to 5pm" is a range; only a clock time or a part of the day can be the end of an interval
    if time is not None and time.kind in {"at", "part"}:
        return time
    stream.position = start
    return None


def _from_iso(stream: TokenStream) -> bool:
    return stream.tokens[stream.position - 1].kind == "iso"


def _range_of_list(left: Endpoint, stream: TokenStream) -> DateSpan | None:
    """The span of "between 24 and 28 November" or "from 24 to 28 November", whose dates were read as one, or None."""
    stream.position = left.after_days
    if isinstance(left.days, DateList) and len(left.days.dates) == 2:
        return DateSpan(*left.days.dates)
    return left.days if isinstance(left.days, DateSpan) else None


def _weekday_range(left: Weekdays, right: Weekdays) -> Weekdays:
    first, last = left.terms[0], right.terms[0]
    assert isinstance(first, NamedWeekdays) and isinstance(last, NamedWeekdays)
    return Weekdays((WeekdayRange(first, last),))


def _span_between(left: Endpoint, right: Endpoint, now: Now) -> DateSpan | DaySpan | ExactSpan:
    if (
        _day_alone(left)
        and _day_alone(right)
        and isinstance(left.days, PartialDate)
        and isinstance(right.days, PartialDate)
    ):
        # a span beside them may decide the month: "the 25th to the 28th of next month"
        return DateSpan(left.days, right.days)
    begin, end = _resolve_both(left, right, now)
    if isinstance(begin, DaySpan) and isinstance(end, DaySpan) and not left.time and not right.time:
        return forward(begin, end)
    start = begin.start if isinstance(begin, ExactSpan) else endpoint_start(Endpoint(begin, left.time, 0), now)
    finish = end.start if isinstance(end, ExactSpan) else endpoint_end(Endpoint(end, right.time, 0), now)
    if instant(finish) <= instant(start):
        raise not_understood("That runs backwards: the end is not after the start.")
    return ExactSpan(start, finish)


def _day_alone(end: Endpoint) -> bool:
    return (
        isinstance(end.days, PartialDate) and not end.days.month and not end.days.year and not (end.time or end.weekday)
    )


def _resolve_both(left: Endpoint, right: Endpoint, now: Now) -> tuple[DaySpan | ExactSpan, DaySpan | ExactSpan]:
    if isinstance(left.days, PartialDate) and isinstance(right.days, PartialDate):
        whole = span(left.days, right.days, now)
        first, last = DaySpan(whole.first, whole.first), DaySpan(whole.last, whole.last)
        return _check_weekday(first, left.weekday), _check_weekday(last, right.weekday)
    if isinstance(left.days, Weekdays) and left.days.plain and isinstance(right.days, PartialDate) and right.weekday:
        end = endpoint_days(right, now)
        assert isinstance(end, DaySpan)
        # "Mon to Thu 3 December": the Monday before that Thursday
        day = weekday_after(end.first - 8 * _DAY, min(left.days.numbers()))
        return DaySpan(day, day), end
    # "1 November until today" looks back
    begin = endpoint_days(left, now, past=_has_begun(right, now) or None)
    anchor = begin.first if isinstance(begin, DaySpan) else begin.start.date()
    if right.days is None:
        return begin, DaySpan(anchor, anchor)
    if isinstance(right.days, PartialDate) and not right.days.year:
        return begin, _check_weekday(days_from(right.days, anchor), right.weekday)
    if isinstance(right.days, Weekdays) and right.days.plain and isinstance(begin, DaySpan):
        day = weekday_after(anchor - _DAY, max(right.days.numbers()))
        return begin, DaySpan(day, day)
    return begin, endpoint_days(right, now)


def _has_begun(end: Endpoint, now: Now) -> bool:
    """Whether an endpoint is today or earlier by its words alone: "yesterday", "now", "last Friday"."""
    if not isinstance(end.days, DaySpan | ExactSpan | Weekdays) or (isinstance(end.days, Weekdays) and end.days.plain):
        return False
    days = endpoint_days(end, now)
    return (days.first if isinstance(days, DaySpan) else days.start.date()) <= now.today
