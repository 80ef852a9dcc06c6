"""Times of day as said: "after 3", "half two", "quarter to five", "between 9 and 11:30", "2-4pm", "morning"."""

from typing import Literal

from cliniko_mcp.phrases.clock import NOON, Moment, Times, clock_time
from cliniko_mcp.phrases.days import is_year
from cliniko_mcp.phrases.refusals import not_understood
from cliniko_mcp.phrases.token_stream import Reader
from cliniko_mcp.phrases.tokens import Token
from cliniko_mcp.phrases.vocabulary import PARTS

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
_ON_THE_DIAL = frozenset((5, 10, 15, 20, 25, 30))


def read_times(reader: Reader, *, day_said: bool, listed: bool = False) -> Times | None:
    """One stretch of the day, or None.

    `day_said` says that the phrase names a day elsewhere: then "2-4" can only be hours, while alone it could be a date.
    `listed` says that it follows another time ("at 3 or 4"), so that a number by itself is an hour.
    """
    start = reader.at
    for reading in (_bounded, _between, _part):
        found = reading(reader)
        if found is not None:
            return found
        reader.at = start
    lead = reader.any_of("at", "from")
    first = read_moment(reader, lead=lead)
    if first is None:
        reader.at = start
        return None
    final = _other_end(reader, clear=bool(lead) or day_said or first.mode != "bare")
    if final is not None:
        return Times("range", first, final)
    if _onwards(reader) or lead == "from":
        return Times("after", first)
    if _or(reader, "earlier", "before"):
        return Times("before", final=first)
    if not lead and not listed and reader.at == start + 1 and _unclear(reader.tokens[start], day_said=day_said):
        reader.at = start
        return None
    return Times("at", first)


def _unclear(token: Token, *, day_said: bool) -> bool:
    """Whether a number by itself may as well be a day of the month; four digits read as the 24-hour clock."""
    digits = len(token.text) if token.text.isdigit() else 0
    return token.kind == "num" and digits != 4 and not (digits == 3 and day_said)


def read_moment(reader: Reader, *, lead: str = "") -> Moment | None:
    """A time of the clock, or None; `lead` is the word said before it: after "at", "10 to 4" is 15:50."""
    start = reader.at
    moment = _moment(reader, lead)
    if moment is None:
        reader.at = start
        return None
    after = reader.at
    if moment.mode == "bare" and (reader.words("in", "the") or reader.words("at")):
        # "9 in the morning", "8 at night" say which
        part = reader.kind("part")
        if part and part.text in {"morning", "afternoon", "evening"}:
            minutes = Times("at", moment).minutes(PARTS[part.text])[0]
            return Moment(minutes, "pm" if minutes >= NOON else "am")
        reader.at = after
    return moment


def _moment(reader: Reader, lead: str) -> Moment | None:
    if reader.peek().text == "a" and reader.peek(1).text == "quarter":
        reader.at += 1
    token = reader.take()
    if token.kind == "time" and token.moment:
        return token.moment
    if token.text == "noon":
        return Moment(NOON)
    if token.text == "midnight":
        return Moment(0, "midnight")
    if token.text == "half":
        reader.words("past")
        hour = _hour(reader.take())
        return _said(reader, hour, 30) if hour is not None else None
    if token.text == "quarter" or token.kind == "num":
        start = reader.at
        moment = _minutes_past(reader, token, lead)
        if moment is not None:
            return moment
        reader.at = start
    if token.kind != "num":
        return None
    if token.text.isdigit() and len(token.text) >= 3:
        moment = clock_time(token.value // 100, token.value % 100, padded=len(token.text) == 4)
        return moment._replace(yearlike=is_year(token) and lead != "at") if moment else None
    return _hour_said(reader, token)


def _minutes_past(reader: Reader, token: Token, lead: str) -> Moment | None:
    """The clock's own way: "quarter past 9", "twenty to five"."""
    minutes = 15 if token.text == "quarter" else token.value
    if minutes not in _ON_THE_DIAL:
        return None
    reader.words("minute")
    said = token.text.isalpha()
    if reader.words("past") or (said and reader.words("after")):
        hour = _hour(reader.take())
        return _said(reader, hour, minutes) if hour is not None else None
    if not (reader.words("to") or (token.text == "quarter" and reader.words("until"))):
        return None
    hour = _hour(reader.take())
    if hour is None or not 1 <= hour <= 12 or minutes > 30:
        return None
    # in words a clock time ("ten to four"), in digits and after "from" a range ("10 to 4") unless that runs backwards
    if (not said or lead == "from") and lead not in {"at", "limit"} and minutes <= 12:
        begin, end = Moment(minutes * 60, "bare").readings()[0], Moment(hour % 12 * 60, "bare").readings()[0]
        if (lead and not said) or begin < end or (begin >= NOON > end and begin < end + NOON):
            return None
    moment = _said(reader, hour, 0)
    return moment._replace(to=minutes)


def _hour_said(reader: Reader, token: Token) -> Moment | None:
    hour = _hour(token)
    if hour is None:
        return None
    if hour == 12 and reader.words("noon"):
        return Moment(NOON)
    if hour == 12 and reader.words("midnight"):
        return Moment(0, "midnight")
    if reader.words("oclock"):
        return _said(reader, hour, 0)
    if reader.peek().kind in {"unit", "month"}:
        return None
    minute = _worded_minutes(reader, token)
    if minute is not None or reader.peek().text in {"am", "pm"}:
        return _said(reader, hour, minute or 0)
    return clock_time(hour, 0, padded=token.text.startswith("0"))


def _worded_minutes(reader: Reader, token: Token) -> int | None:
    """ "Three thirty", "nine fifteen", "two oh five"; digits are never put together so."""
    start = reader.at
    if not token.text.isalpha():
        return None
    zero = reader.any_of("oh", "o", "zero")
    minute = reader.take()
    fits = 1 <= minute.value < 10 if zero else 10 <= minute.value < 60
    if minute.kind == "num" and minute.text.isalpha() and fits and reader.peek().kind not in {"unit", "month"}:
        return minute.value
    reader.at = start
    return None


def _hour(token: Token) -> int | None:
    if token.text == "noon":
        return 12
    if token.kind == "num" and (token.text.isalpha() or len(token.text) <= 2) and token.value <= 24:
        return token.value
    return None


def _said(reader: Reader, hour: int, minute: int) -> Moment:
    reader.words("oclock")
    suffix = reader.any_of("am", "pm")
    moment = clock_time(hour, minute, suffix)
    if moment is None:
        raise not_understood(f"No clock shows {hour}:{minute:02d} {suffix}".rstrip() + ".")
    return moment


def _bounded(reader: Reader) -> Times | None:
    edge: Edge | None = None
    if any(reader.words(*words) for words in _AFTER):
        edge = "after"
    elif any(reader.words(*words) for words in _BEFORE):
        edge = "before"
    if edge is None:
        return None
    reader.words("the")
    token = reader.peek()
    if token.kind == "part" or (token.text == "first" and reader.peek(1).text == "thing"):
        part = _part(reader)
        assert part is not None
        return part_edge(part.part, edge)
    moment = read_moment(reader, lead="limit")
    if moment is None:
        return None
    return Times("after", moment) if edge == "after" else Times("before", final=moment)


def part_edge(part: str, edge: Edge) -> Times:
    """The hours after or before a part of the day: "after lunch", "before the evening"."""
    begin, end = PARTS[part]
    if (edge == "after" and end == 1440) or (edge == "before" and begin == 0):
        raise not_understood(f'There is nothing left of a day {edge} "{part}".')
    return Times("after", Moment(end)) if edge == "after" else Times("before", final=Moment(begin))


def _between(reader: Reader) -> Times | None:
    if not reader.words("between"):
        return None
    first = read_moment(reader, lead="between")
    if first is None or not (_and(reader) or reader.kind("to")):
        return None
    final = read_moment(reader, lead="between")
    return Times("range", first, final) if final else None


def _and(reader: Reader) -> bool:
    if reader.peek().kind == "join" and reader.peek().text == "and":
        reader.at += 1
        return True
    return False


def _part(reader: Reader) -> Times | None:
    if reader.words("first", "thing"):
        start = reader.at
        if reader.words("in", "the", "morning"):
            return Times("part", part="first thing")
        reader.at = start
        return Times("part", part="first thing")
    every = reader.before() in {"every", "each"}
    token = reader.kind("part")
    if token is None:
        return None
    if token.text == "lunchtime":
        reader.words("time")
    return Times("part", part=token.text, plural=every or token.value == 1)


def _other_end(reader: Reader, *, clear: bool) -> Moment | None:
    start = reader.at
    dash = reader.peek().text == "-"
    if reader.kind("to") or reader.any_of("through", "until"):
        final = read_moment(reader)
        if final is not None and (clear or not dash or final.mode != "bare"):
            return final
    reader.at = start
    return None


def _onwards(reader: Reader) -> bool:
    if reader.peek().text == "on" and reader.peek(1).kind in {"end", "join"}:
        reader.at += 1
        return True
    return bool(reader.any_of("onwards", "onward")) or _or(reader, "later", "after")


def _or(reader: Reader, *texts: str) -> bool:
    start = reader.at
    if reader.kind("join") and reader.any_of(*texts) and reader.peek().kind in {"end", "join", "word", "weekday"}:
        return True
    reader.at = start
    return False
