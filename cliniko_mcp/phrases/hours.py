"""Reads times of day: "after 3", "half two", "quarter to five", "between 9 and 11:30", "2-4pm", "morning"."""

from typing import Literal

from cliniko_mcp.phrases.clock import NOON, ClockTime, TimeOfDay, clock_time_of
from cliniko_mcp.phrases.days import is_year
from cliniko_mcp.phrases.lengths import Length, read_length
from cliniko_mcp.phrases.refusals import not_understood
from cliniko_mcp.phrases.token_stream import TokenStream
from cliniko_mcp.phrases.tokens import Token
from cliniko_mcp.phrases.vocabulary import DAY_PARTS
from cliniko_mcp.phrases.zones import DAY_MINUTES

Edge = Literal["after", "before"]
_AFTER = (
    ("after",),
    ("later", "than"),
    ("not", "before"),
    ("no", "earlier", "than"),
    ("not", "earlier", "than"),
)
_BEFORE = (
    ("before",),
    ("until",),
    ("up", "to"),
    ("earlier", "than"),
    ("not", "after"),
    ("no", "later", "than"),
    ("not", "later", "than"),
)
_SPOKEN_MINUTES = frozenset((5, 10, 15, 20, 25, 30))


def read_time_of_day(stream: TokenStream, *, names_day: bool, listed: bool = False) -> TimeOfDay | None:
    """The time of day that comes next, or None.

    `names_day` is true when the phrase names a day elsewhere: then "2-4" can only be hours; alone it could be a date.
    `listed` is true after another time ("at 3 or 4"): then a number by itself is an hour.
    """
    start = stream.position
    for read in (_read_limit, _read_between, _read_part):
        found = read(stream)
        if found is not None:
            return found
        stream.position = start
    if (lasting := _read_length_first(stream)) is not None:
        return lasting
    stream.position = start
    lead = stream.take_any("at", "from")
    if lead == "from" and (part := _read_part_after_from(stream)) is not None:
        return part
    first = read_clock_time(stream, lead=lead)
    if first is None:
        stream.position = start
        return None
    final = _read_other_end(stream, clear=bool(lead) or names_day or first.mode != "bare")
    if final is not None:
        return TimeOfDay("range", first, final)
    if _take_onwards(stream) or lead == "from":
        return TimeOfDay("after", first)
    if _take_or(stream, "earlier", "before"):
        return TimeOfDay("before", final=first)
    if (
        not lead
        and not listed
        and stream.position == start + 1
        and not _before_a_day(stream)
        and _is_ambiguous(stream.tokens[start], names_day=names_day)
    ):
        stream.position = start
        return None
    return TimeOfDay("at", first)


def _before_a_day(stream: TokenStream) -> bool:
    """Whether a weekday follows by "on", so that the number before it is an hour: "10 on Monday"."""
    return stream.peek().text == "on" and (stream.peek(1).kind == "weekday" or stream.peek(2).kind == "weekday")


def _is_ambiguous(token: Token, *, names_day: bool) -> bool:
    """Whether a number by itself may be a day of the month as well; four digits are read as the 24-hour clock."""
    digits = len(token.text) if token.text.isdigit() else 0
    return token.kind == "num" and digits != 4 and not (digits == 3 and names_day)


def read_clock_time(stream: TokenStream, *, lead: str = "") -> ClockTime | None:
    """The clock time that comes next, or None; `lead` is the word before it: after "at", "10 to 4" is 15:50."""
    start = stream.position
    time = _read_unqualified(stream, lead)
    if time is None:
        stream.position = start
        return None
    after = stream.position
    if time.mode == "bare" and (stream.take_words("in", "the") or stream.take_words("at")):
        # "9 in the morning", "8 at night" decide am or pm
        part = stream.take_kind("part")
        if part and part.text in {"morning", "afternoon", "evening"}:
            minutes = TimeOfDay("at", time).minutes(DAY_PARTS[part.text])[0]
            return ClockTime(minutes, "pm" if minutes >= NOON else "am")
        stream.position = after
    return time


def _read_unqualified(stream: TokenStream, lead: str) -> ClockTime | None:
    if stream.peek().text == "a" and stream.peek(1).text == "quarter":
        stream.position += 1
    token = stream.take()
    if token.kind == "time" and token.clock_time:
        return token.clock_time
    if token.text == "noon":
        return ClockTime(NOON)
    if token.text == "midnight":
        return ClockTime(0, "midnight")
    if token.text == "half":
        stream.take_words("past")
        hour = _hour(stream.take())
        return _with_suffix(stream, hour, 30) if hour is not None else None
    if token.text == "quarter" or token.kind == "num":
        start = stream.position
        time = _read_minutes_past(stream, token, lead)
        if time is not None:
            return time
        stream.position = start
    if token.kind != "num":
        return None
    if token.text.isdigit() and len(token.text) >= 3:
        time = clock_time_of(token.value // 100, token.value % 100, padded=len(token.text) == 4)
        return time._replace(may_be_year=is_year(token) and lead != "at") if time else None
    return _read_hour_alone(stream, token)


def _read_minutes_past(stream: TokenStream, token: Token, lead: str) -> ClockTime | None:
    """Minutes before or after an hour: "quarter past 9", "twenty to five"; None for anything else."""
    minutes = 15 if token.text == "quarter" else token.value
    if minutes not in _SPOKEN_MINUTES:
        return None
    stream.take_words("minute")
    in_words = token.text.isalpha()
    if stream.take_words("past") or (in_words and stream.take_words("after")):
        hour = _hour(stream.take())
        return _with_suffix(stream, hour, minutes) if hour is not None else None
    if not (stream.take_words("to") or (token.text == "quarter" and stream.take_words("until"))):
        return None
    hour = _hour(stream.take())
    if hour is None or not 1 <= hour <= 12 or minutes > 30:
        return None
    # in words a clock time ("ten to four"); in digits and after "from" a range ("10 to 4"), unless that runs backwards
    if (not in_words or lead == "from") and lead not in {"at", "limit"} and minutes <= 12:
        begin, end = ClockTime(minutes * 60, "bare").readings()[0], ClockTime(hour % 12 * 60, "bare").readings()[0]
        if (lead and not in_words) or begin < end or (begin >= NOON > end and begin < end + NOON):
            return None
    time = _with_suffix(stream, hour, 0)
    return time._replace(to=minutes)


def _read_hour_alone(stream: TokenStream, token: Token) -> ClockTime | None:
    hour = _hour(token)
    if hour is None:
        return None
    if hour == 12 and stream.take_words("noon"):
        return ClockTime(NOON)
    if hour == 12 and stream.take_words("midnight"):
        return ClockTime(0, "midnight")
    if stream.take_words("oclock"):
        return _with_suffix(stream, hour, 0)
    if stream.peek().kind in {"unit", "month"}:
        return None
    minute = _read_minutes_in_words(stream, token)
    if minute is not None or stream.peek().text in {"am", "pm"}:
        return _with_suffix(stream, hour, minute or 0)
    return clock_time_of(hour, 0, padded=token.text.startswith("0"))


def _read_minutes_in_words(stream: TokenStream, token: Token) -> int | None:
    """The minutes after an hour in words ("three thirty", "two oh five"), or None; digits are never combined so."""
    start = stream.position
    if not token.text.isalpha():
        return None
    # "three-thirty"; "nine-ten" runs from nine to ten
    dash = stream.peek().text == "-" and not stream.peek().spaced and bool(stream.take())
    zero = stream.take_any("oh", "o", "zero")
    minute = stream.take()
    fits = 1 <= minute.value < 10 if zero else (13 if dash else 10) <= minute.value < 60
    if minute.kind == "num" and minute.text.isalpha() and fits and stream.peek().kind not in {"unit", "month"}:
        return minute.value
    stream.position = start
    return None


def _hour(token: Token) -> int | None:
    if token.text == "noon":
        return 12
    if token.kind == "num" and (token.text.isalpha() or len(token.text) <= 2) and token.value <= 24:
        return token.value
    return None


def _with_suffix(stream: TokenStream, hour: int, minute: int) -> ClockTime:
    stream.take_words("oclock")
    suffix = stream.take_any("am", "pm")
    time = clock_time_of(hour, minute, suffix)
    if time is None:
        raise not_understood(f"No clock shows {hour}:{minute:02d} {suffix}".rstrip() + ".")
    return time


def _read_limit(stream: TokenStream) -> TimeOfDay | None:
    edge: Edge | None = None
    if any(stream.take_words(*words) for words in _AFTER):
        edge = "after"
    elif any(stream.take_words(*words) for words in _BEFORE):
        edge = "before"
    if edge is None:
        return None
    stream.take_words("the")
    token = stream.peek()
    if token.kind == "part" or (token.text == "first" and stream.peek(1).text == "thing"):
        part = _read_part(stream)
        assert part is not None
        return _outside_part(part.part, edge)
    time = read_clock_time(stream, lead="limit")
    if time is None:
        return None
    return TimeOfDay("after", time) if edge == "after" else TimeOfDay("before", final=time)


def _outside_part(part: str, edge: Edge) -> TimeOfDay:
    """The time after or before a part of the day: "after lunch", "before the evening"."""
    begin, end = DAY_PARTS[part]
    if (edge == "after" and end == 1440) or (edge == "before" and begin == 0):
        raise not_understood(f'There is nothing left of a day {edge} "{part}".')
    return TimeOfDay("after", ClockTime(end)) if edge == "after" else TimeOfDay("before", final=ClockTime(begin))


def _read_between(stream: TokenStream) -> TimeOfDay | None:
    if not stream.take_words("between"):
        return None
    first = read_clock_time(stream, lead="between")
    if first is None or not (_take_and(stream) or stream.take_kind("to")):
        return None
    final = read_clock_time(stream, lead="between")
    return TimeOfDay("range", first, final) if final else None


def _take_and(stream: TokenStream) -> bool:
    if stream.peek().kind == "join" and stream.peek().text == "and":
        stream.position += 1
        return True
    return False


def _read_part(stream: TokenStream) -> TimeOfDay | None:
    if stream.take_words("first", "thing"):
        start = stream.position
        if stream.take_words("in", "the", "morning"):
            return TimeOfDay("part", part="first thing")
        stream.position = start
        return TimeOfDay("part", part="first thing")
    every = stream.previous_text() in {"every", "each", "any"}
    token = stream.take_kind("part")
    if token is None:
        return None
    if token.text == "lunchtime":
        stream.take_words("time")
    return TimeOfDay("part", part=token.text, plural=every or token.value == 1)


def _read_length_first(stream: TokenStream) -> TimeOfDay | None:
    """The time of "an hour from 5pm" or "30 minutes at 9"; None for anything else."""
    length = read_length(stream)
    lead = stream.take_any("from", "at") if length is not None else ""
    first = read_clock_time(stream, lead="limit") if lead else None
    if length is None or first is None or stream.peek().kind == "to" or stream.peek().text in {"until", "through"}:
        return None
    return lasting_time(TimeOfDay("at", first), length)


def read_lasting(stream: TokenStream) -> Length | None:
    """The hours or minutes of "for an hour" or "for 90 minutes", or None."""
    start = stream.position
    length = read_length(stream) if stream.take_words("for") else None
    if length is None or length.unit not in {"minute", "hour"}:
        stream.position = start
        return None
    return length


def lasting_time(time: TimeOfDay, length: Length) -> TimeOfDay | None:
    """A point in time with a length of hours or minutes; None for another length, or what runs past midnight."""
    minutes = length.number * {"minute": 1, "hour": 60}.get(length.unit, 0)
    begin = time.minutes()[0]
    if time.kind != "at" or not minutes or begin + minutes > DAY_MINUTES:
        return None
    return TimeOfDay("range", ClockTime(begin), ClockTime(begin + minutes))


def _read_part_after_from(stream: TokenStream) -> TimeOfDay | None:
    """The rest of a day from a part of it on: "from lunchtime", "from the afternoon on"; None for anything else."""
    start = stream.position
    stream.take_words("the")
    part = _read_part(stream)
    if (
        part is None
        or part.plural
        or not part.minutes()[0]
        or stream.peek().kind == "to"
        or stream.peek().text in {"until", "through"}
    ):
        stream.position = start
        return None
    _take_onwards(stream)
    return TimeOfDay("after", ClockTime(part.minutes()[0]))


def _read_other_end(stream: TokenStream, *, clear: bool) -> ClockTime | None:
    start = stream.position
    dash = stream.peek().text == "-"
    if stream.take_kind("to") or stream.take_any("through", "until"):
        final = read_clock_time(stream)
        # "4-4:30" can be no dates
        if final is not None and (clear or not dash or final.mode != "bare" or (final.minutes % 60 and not final.to)):
            return final
    stream.position = start
    return None


def _take_onwards(stream: TokenStream) -> bool:
    if stream.peek().text == "on" and stream.peek(1).kind in {"end", "join"}:
        stream.position += 1
        return True
    return bool(stream.take_any("onwards", "onward")) or _take_or(stream, "later", "after")


def _take_or(stream: TokenStream, *texts: str) -> bool:
    start = stream.position
    if (
        stream.take_kind("join")
        and stream.take_any(*texts)
        and stream.peek().kind in {"end", "join", "word", "weekday"}
    ):
        return True
    stream.position = start
    return False
