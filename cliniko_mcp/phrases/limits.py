"""Ends of intervals as said: "by Friday", "before the end of next week", "since Monday", "24 Nov 3pm to Thursday"."""

from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from cliniko_mcp.phrases.clock import Times
from cliniko_mcp.phrases.dates import Dated, Days, Exact, Now, contradiction, days_from, forward, span, weekday_after
from cliniko_mcp.phrases.days import DatedSpan, Dates, read_date, resolve_date
from cliniko_mcp.phrases.hours import read_moment, read_times
from cliniko_mcp.phrases.lengths import read_calendar
from cliniko_mcp.phrases.refusals import not_understood
from cliniko_mcp.phrases.spans import read_span
from cliniko_mcp.phrases.token_stream import Reader
from cliniko_mcp.phrases.weekdays import Named, Run, Weekdays, days_of_weekdays, read_named
from cliniko_mcp.phrases.zones import instant, on_day

_DAY: Final = timedelta(days=1)
Kind = Literal["by", "before", "until", "after", "from", "since"]
_KINDS: Final[tuple[tuple[tuple[str, ...], Kind], ...]] = (
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


class End(NamedTuple):
    """One end of an interval: its days as said (none for a time alone), and a time of day on them.

    `weekday` was said beside a date and has to fit it; `after_days` is where the time of day was read from, unless it
    came first.
    """

    days: Dated | DatedSpan | Dates | Days | Exact | Weekdays | None
    times: Times | None
    after_days: int
    weekday: Named | None = None
    time_first: bool = False


class Bound(NamedTuple):
    """A limit on one side: what is said before it, and the end it names."""

    kind: Kind
    end: End


def read_bound(reader: Reader, now: Now) -> Bound | None:
    """The limit that comes next, or None; a time of day alone is one only after "by" and "since"."""
    kind: Kind | None = next((kind for words, kind in _KINDS if reader.words(*words)), None)
    if kind is None:
        return None
    start = reader.at
    if kind in {"by", "before", "until"}:
        edge = _edge(reader, now)
        if edge is not None:
            return edge
        reader.at = start
    time_first = _time(reader) is not None
    reader.at = start
    end = read_end(reader, now)
    if end is None and kind in {"by", "since"}:
        moment = read_moment(reader, lead="limit")
        end = End(None, Times("at", moment), reader.at) if moment else None
        if end and (days := _after_time(reader, now)):
            end = days._replace(times=end.times)
    if end is None or ((end.days is None or (time_first and end.times)) and kind not in {"by", "since"}):
        return None
    if end.times and end.times.kind not in {"at", "part"}:
        # "by Friday after 3" limits the days, and the hours of each of them
        reader.at = end.after_days
        end = end._replace(times=None)
    if kind in {"from", "after"}:
        reader.any_of("onwards", "onward")
    return Bound(kind, end)


def _edge(reader: Reader, now: Now) -> Bound | None:
    """ "The end of next week", "the start of December" after "by" or "before"."""
    reader.words("the")
    word = reader.any_of("end", "start", "beginning")
    if not word:
        return None
    kind: Kind = "by" if word == "end" else "before"
    reader.words("of")
    if reader.words("the", "day") or reader.words("day"):
        return Bound(kind, End(Days(now.today, now.today), None, reader.at))
    calendar = read_calendar(reader, now, bare=True)
    if calendar is not None:
        return Bound(kind, End(calendar.days, None, reader.at))
    end = read_end(reader, now)
    return Bound(kind, end) if end and end.days and not end.times else None


def read_stretch(reader: Reader, now: Now) -> DatedSpan | Days | Exact | Weekdays | None:
    """From one end to another ("24 Nov to 3 Dec", "Monday 9am to Wednesday noon", "now until Friday"), or None.

    Weekdays without dates or times stay weekdays: beside a span they choose days of it rather than make one.
    """
    lead = reader.any_of("from", "between")
    left = read_end(reader, now)
    if left is None or left.days is None or (isinstance(left.days, Weekdays) and left.days.plural):
        return None
    joined = reader.peek().text
    iso = isinstance(left.days, Exact)
    if not (
        reader.kind("to")
        or reader.any_of("until", "through")
        or (lead == "between" and joined == "and" and reader.kind("join"))
        or (joined == "/" and _from_iso(reader) and reader.kind("join"))
    ):
        return _listed(left, reader) if lead else None
    right = read_end(reader, now)
    if right is None or (right.days is None and not iso):
        return None
    if left.time_first and not right.times:
        # "mornings Mon to Fri" are five mornings, not the time between two of them
        return None
    begin, end = left.days, right.days
    until_then = right.times is not None and joined == "until"
    if isinstance(begin, Weekdays) and isinstance(end, Weekdays) and not left.times and not until_then:
        reader.at = right.after_days
        return _run(begin, end) if lead else None
    if right.times and not left.times and not iso and joined != "until":
        # "Monday to Friday at 3" is a time on each of them
        reader.at = right.after_days
        right = right._replace(times=None)
    return _between(left, right, now)


def read_end(reader: Reader, now: Now) -> End | None:
    """A day, a span or now, with a time of day before or after it; or a time alone; or None."""
    start = reader.at
    end = _days(reader, now)
    if end is not None:
        return end if end.times else end._replace(times=_time(reader))
    times = _time(reader)
    if times is None:
        reader.at = start
        return None
    after = reader.at
    end = _after_time(reader, now)
    return end._replace(times=times, time_first=True) if end else End(None, times, after)


def _after_time(reader: Reader, now: Now) -> End | None:
    start = reader.at
    reader.any_of("on", "of")
    end = _days(reader, now)
    if end is None:
        reader.at = start
    return end


def first_moment(end: End, now: Now, *, past: bool = False) -> datetime:
    """When an end begins."""
    days = end_days(end, now, past=past)
    if isinstance(days, Exact):
        return days.start
    _one_day(days, end.times)
    minute = end.times.minutes()[0] if end.times else 0
    return on_day(days.first, minute, now.zone)


def last_moment(end: End, now: Now) -> datetime:
    """When an end is over: the end of its days or of its part of the day; a clock time is over as it strikes."""
    days = end_days(end, now)
    if isinstance(days, Exact):
        return days.end
    if end.times is None:
        return on_day(days.last + _DAY, 0, now.zone)
    _one_day(days, end.times)
    begin, final = end.times.minutes()
    return on_day(days.last, begin if end.times.kind == "at" else final, now.zone, last=True)


def _one_day(days: Days, times: Times | None) -> None:
    if times is not None and days.size > 1:
        raise not_understood("A time of day ends or begins an interval on one day, not on several.")


def end_days(end: End, now: Now, *, past: bool = False) -> Days | Exact:
    """The days of an end, as counted from today; a time alone is the next to come, or with `past` the last gone by."""
    if end.days is None:
        assert end.times is not None
        minute = end.times.minutes()[0]
        here = instant(on_day(now.today, minute, now.zone))
        shift = 0
        if past and here > instant(now.moment):
            shift = -1
        elif not past and here < instant(now.moment):
            shift = 1
        return Days(now.today + shift * _DAY, now.today + shift * _DAY)
    if isinstance(end.days, Weekdays):
        weekdays = end.days
        if past and weekdays.plain:
            terms = tuple(term._replace(which="past") if isinstance(term, Named) else term for term in weekdays.terms)
            weekdays = Weekdays(terms)
        found = days_of_weekdays(weekdays, now)
    else:
        resolved = resolve_date(end.days, now, past=past)
        if isinstance(resolved, Exact):
            return resolved
        found = resolved
    return _checked(Days(found[0].first, found[-1].last), end.weekday)


def read_dated_weekday(reader: Reader, now: Now) -> Days | None:
    """A weekday with its date, "Thursday 26 November", which have to fit; None for either alone.

    A day of the month that a span follows ("Thursday the 24th of next month") is left for that span to settle.
    """
    start = reader.at
    end = _days(reader, now)
    paired = end if end is not None and end.weekday is not None and isinstance(end.days, Dated) else None
    settled = paired is not None and isinstance(paired.days, Dated) and bool(paired.days.month)
    if paired is not None and (settled or reader.peek().text not in {"of", "in", "next", "this", "last"}):
        days = end_days(paired, now)
        assert isinstance(days, Days)
        return days
    reader.at = start
    return None


def _days(reader: Reader, now: Now) -> End | None:
    start = reader.at
    named = read_named(reader)
    if named is not None:
        after = reader.at
        if reader.peek().text == "comma":
            reader.at += 1
        found = read_date(reader, now)
        if isinstance(found, Dated) and found.day:
            return End(found, None, reader.at, named)
        reader.at = after
        return End(Weekdays((named,)), None, after)
    found = read_date(reader, now)
    if found is not None:
        return End(found, None, reader.at)
    pieces = read_span(reader, now)
    if pieces:
        days, times = pieces[0], pieces[1] if len(pieces) == 2 else None
        if isinstance(days, Days | Exact) and (times is None or isinstance(times, Times)):
            return End(days, times, reader.at)
    reader.at = start
    return None


def _checked(days: Days, weekday: Named | None) -> Days:
    if weekday is not None and days.first.isoweekday() not in weekday.numbers:
        raise contradiction(days.first, weekday.numbers)
    return days


def _time(reader: Reader) -> Times | None:
    start = reader.at
    if reader.peek().text == "comma":
        reader.at += 1
    if reader.peek().text in {"in", "of"} and reader.peek(1).text == "the":
        reader.at += 2
    times = read_times(reader, day_said=True)
    # the "3pm" of "3pm to 5pm" is read as a range; here only a point or a part of the day ends an interval
    if times is not None and times.kind in {"at", "part"}:
        return times
    reader.at = start
    return None


def _from_iso(reader: Reader) -> bool:
    return reader.tokens[reader.at - 1].kind == "iso"


def _listed(left: End, reader: Reader) -> DatedSpan | None:
    """ "Between 24 and 28 November", "from 24 to 28 November": both ends were read as one date already."""
    reader.at = left.after_days
    if isinstance(left.days, Dates) and len(left.days.dates) == 2:
        return DatedSpan(*left.days.dates)
    return left.days if isinstance(left.days, DatedSpan) else None


def _run(left: Weekdays, right: Weekdays) -> Weekdays:
    first, last = left.terms[0], right.terms[0]
    assert isinstance(first, Named) and isinstance(last, Named)
    return Weekdays((Run(first, last),))


def _between(left: End, right: End, now: Now) -> DatedSpan | Days | Exact:
    if _day_alone(left) and _day_alone(right) and isinstance(left.days, Dated) and isinstance(right.days, Dated):
        # a span beside them may say of which month: "the 25th to the 28th of next month"
        return DatedSpan(left.days, right.days)
    begin, end = _resolved(left, right, now)
    if isinstance(begin, Days) and isinstance(end, Days) and not left.times and not right.times:
        return forward(begin, end)
    start = begin.start if isinstance(begin, Exact) else first_moment(End(begin, left.times, 0), now)
    finish = end.start if isinstance(end, Exact) else last_moment(End(end, right.times, 0), now)
    if instant(finish) <= instant(start):
        raise not_understood("That runs backwards: the end is not after the start.")
    return Exact(start, finish)


def _day_alone(end: End) -> bool:
    return isinstance(end.days, Dated) and not end.days.month and not end.days.year and not (end.times or end.weekday)


def _resolved(left: End, right: End, now: Now) -> tuple[Days | Exact, Days | Exact]:
    if isinstance(left.days, Dated) and isinstance(right.days, Dated):
        both = span(left.days, right.days, now)
        first, last = Days(both.first, both.first), Days(both.last, both.last)
        return _checked(first, left.weekday), _checked(last, right.weekday)
    if isinstance(left.days, Weekdays) and left.days.plain and isinstance(right.days, Dated) and right.weekday:
        end = end_days(right, now)
        assert isinstance(end, Days)
        # "Mon to Thu 3 December": the Monday before that Thursday
        day = weekday_after(end.first - 8 * _DAY, min(left.days.numbers()))
        return Days(day, day), end
    # "1 November until today" looks back
    begin = end_days(left, now, past=_has_begun(right, now))
    anchor = begin.first if isinstance(begin, Days) else begin.start.date()
    if right.days is None:
        return begin, Days(anchor, anchor)
    if isinstance(right.days, Dated) and not right.days.year:
        return begin, _checked(days_from(right.days, anchor), right.weekday)
    if isinstance(right.days, Weekdays) and right.days.plain and isinstance(begin, Days):
        day = weekday_after(anchor - _DAY, max(right.days.numbers()))
        return begin, Days(day, day)
    return begin, end_days(right, now)


def _has_begun(end: End, now: Now) -> bool:
    """Whether an end is one that its words alone put no later than today: "yesterday", "now", "last Friday"."""
    if not isinstance(end.days, Days | Exact | Weekdays) or (isinstance(end.days, Weekdays) and end.days.plain):
        return False
    days = end_days(end, now)
    return (days.first if isinstance(days, Days) else days.start.date()) <= now.today
