"""Reads what is said of a visit that moves ("an hour later", "the day before"), and keeps what is unsaid."""

from datetime import date, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Final

from cliniko_mcp.phrases.assemble import DraftInterval
from cliniko_mcp.phrases.clock import clock_words
from cliniko_mcp.phrases.dates import DaySpan, ExactSpan, Now, day_words
from cliniko_mcp.phrases.facing import Anchor
from cliniko_mcp.phrases.interval import windows
from cliniko_mcp.phrases.lengths import Length, read_length, shift_day, shift_moment
from cliniko_mcp.phrases.refusals import not_understood
from cliniko_mcp.phrases.token_stream import TokenStream
from cliniko_mcp.phrases.zones import instant, on_day

_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(minutes=1)
_WEEK: Final = 7
_UNITS: Final = ("day", "week", "fortnight", "month")
_SIGNS: Final = {"later": 1, "after": 1, "following": 1, "next": 1, "earlier": -1, "before": -1, "previous": -1}


def read_from_visit(stream: TokenStream, now: Now) -> DaySpan | ExactSpan | None:
    """The day or minute that comes next and is counted from the visit: "an hour later", "the day before"; or None."""
    visit = now.visit
    if visit is None:
        return None
    if (
        stream.take_words("that", "week")
        or stream.take_words("the", "same", "week")
        or stream.take_words("same", "week")
    ):
        return _week_of(DaySpan(visit.start.date(), visit.start.date()))
    start = stream.position
    for read in (_read_same_day, _read_neighbour, _read_shift, partial(_read_next_weekday, visit=visit)):
        length = read(stream)
        if length is not None:
            found = _shifted(visit, *length, now)
            # a weekday may stand beside it: "Friday the following week"
            return _week_of(found) if length[0] == Length(1, "week") and isinstance(found, DaySpan) else found
        stream.position = start
    return None


def take_same_time(stream: TokenStream, now: Now) -> bool:
    """Whether "the same time" comes next, or "the same day" before a week or month; if so, they are consumed."""
    if now.visit is None:
        return False
    start = stream.position
    stream.take_words("at")
    stream.take_words("the")
    if stream.take_words("same", "time") or stream.take_words("same", "slot"):
        return True
    day = stream.take_any("same") and stream.take_any("day", "weekday")
    if day and stream.peek().kind == "join" and stream.peek(1).text == "time":
        return bool(stream.take() and stream.take())
    if day and stream.peek().text in {"next", "this", "of", "in", "the", "a"}:
        return True
    stream.position = start
    return False


def keep_unsaid(draft: DraftInterval, week: bool, now: Now) -> DraftInterval:
    """The draft with what it leaves open taken from the visit: of a week its weekday, of a day its time.

    `week` is true where the phrase names a week and no weekday. Raises NotUnderstood where the clock skips that time.
    """
    visit = now.visit
    if visit is None:
        return draft
    if draft.weekdays:
        # "Monday next week" is one day
        found = list(islice(windows(draft.start, draft.end, draft.weekdays, ()), 2))
        if len(found) != 1:
            return draft
        draft = draft._replace(start=found[0][0], end=found[0][1], weekdays=frozenset())
    days = _whole_days(draft, now)
    if days is not None and week and days.size == _WEEK and days.first.isoweekday() == 1:
        day = days.first + (visit.start.isoweekday() - 1) * _DAY
        days = DaySpan(day, day)
        draft = draft._replace(start=on_day(day, 0, now.zone), end=on_day(day + _DAY, 0, now.zone))
    if draft.times or days is None or days.size > 1:
        return draft
    minute = _minute_of(days.first, visit, now)
    return draft._replace(start=minute.start, end=minute.end)


def _whole_days(draft: DraftInterval, now: Now) -> DaySpan | None:
    first, last = draft.start.date(), (draft.end - timedelta(seconds=1)).date()
    aligned = (draft.start, draft.end) == (on_day(first, 0, now.zone), on_day(last + _DAY, 0, now.zone))
    return DaySpan(first, last) if aligned else None


def _minute_of(day: date, visit: Anchor, now: Now) -> ExactSpan:
    """The minute of a day at which the visit starts by the clock."""
    minute = visit.start.hour * 60 + visit.start.minute
    start = on_day(day, minute, now.zone)
    if start.hour * 60 + start.minute != minute:
        raise not_understood(f"The clinic's clock skips {clock_words(minute)} on {day_words(day)}.")
    return _one_minute(start, now)


def _one_minute(start: datetime, now: Now) -> ExactSpan:
    return ExactSpan(start, (instant(start) + _MINUTE).astimezone(now.zone))


def _week_of(day: DaySpan) -> DaySpan:
    monday = day.first - (day.first.isoweekday() - 1) * _DAY
    return DaySpan(monday, monday + 6 * _DAY)


def _shifted(visit: Anchor, length: Length, sign: int, now: Now) -> DaySpan | ExactSpan:
    """The day so many days from the visit's, or the minute so many true hours or minutes from its start."""
    if length.unit in {"minute", "hour"}:
        return _one_minute(shift_moment(now._replace(moment=visit.start), length, sign), now)
    day = shift_day(visit.start.date(), length, sign) if length.number else visit.start.date()
    return DaySpan(day, day)


def _read_same_day(stream: TokenStream) -> tuple[Length, int] | None:
    stream.take_any("on", "later", "earlier")
    stream.take_words("the")
    if stream.previous_text() in {"later", "earlier"}:
        return None
    if stream.take_words("same", "day") or stream.take_words("that", "day"):
        return Length(0, "day"), 1
    # "that afternoon" is of the visit's day
    return (Length(0, "day"), 1) if stream.peek(1).kind == "part" and stream.take_words("that") else None


def _read_neighbour(stream: TokenStream) -> tuple[Length, int] | None:
    """One unit from the visit: "the day before", "the following week"; "next week" counts from now and is not read."""
    stream.take_words("on")
    the = stream.take_words("the")
    word = stream.take_any("following", "previous", "next")
    unit = stream.take_any(*_UNITS)
    if not unit or (word == "next" and unit != "day") or (word == "previous" and unit != "day" and not the):
        return None
    if not word:
        word = stream.take_any("after", "before", "later", "earlier")
        # "the week after next" and "the day after tomorrow" count from now, "the day before the 3rd" from a date
        if not word or not _closes(stream):
            return None
    return Length(1, unit), _SIGNS[word]


def _read_next_weekday(stream: TokenStream, visit: Anchor) -> tuple[Length, int] | None:
    """The days to a weekday after the visit: "the following Tuesday", "the Monday after".

    Raises NotUnderstood where that weekday still comes in the visit's own week: it may be that one or the next.
    """
    stream.take_words("on")
    stream.take_words("the")
    before = stream.take_any("following")
    weekday = stream.take_kind("weekday")
    if weekday is None or not (before or (stream.take_any("after", "following") and _closes(stream))):
        return None
    days = weekday.value - visit.start.isoweekday()
    if days > 0:
        near, far = (visit.start.date() + count * _DAY for count in (days, days + _WEEK))
        raise not_understood(f"That can be {day_words(near)} or {day_words(far)}: say the date.")
    return Length(days + _WEEK, "day"), 1


def _read_shift(stream: TokenStream) -> tuple[Length, int] | None:
    """A length from the visit: "an hour later", "2 weeks earlier", "later by 30 minutes"."""
    word = stream.take_any("later", "earlier")
    if word and not stream.take_words("by"):
        return None
    length = read_length(stream)
    if length is None:
        return None
    if not word:
        word = stream.take_any("later", "earlier", "after", "before")
        if not word or (word in {"after", "before"} and not _closes(stream)):
            return None
    return length, _SIGNS[word]


def _closes(stream: TokenStream) -> bool:
    """Whether nothing follows that "after" or "before" could belong to."""
    token = stream.peek()
    return token.kind in {"end", "join", "time", "part"} or token.text in {
        "at",
        "in",
        "from",
        "between",
        "first",
        "same",
    }
