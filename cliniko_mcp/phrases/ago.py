"""Reads distances from today: "3 to 6 months ago", "more than 6 months ago", "in 4 to 6 weeks"."""

from typing import Final, Literal

from cliniko_mcp.phrases.dates import DaySpan, Now
from cliniko_mcp.phrases.lengths import Length, read_length, shift_day
from cliniko_mcp.phrases.refusals import not_understood
from cliniko_mcp.phrases.token_stream import TokenStream

AgoLimit = Literal["before", "until", "after", "since"]
_LIMITS: Final[tuple[tuple[tuple[str, ...], AgoLimit], ...]] = (
    (("more", "than"), "before"),
    (("longer", "than"), "before"),
    (("older", "than"), "before"),
    (("earlier", "than"), "before"),
    (("over",), "before"),
    (("at", "least"), "until"),
    (("no", "less", "than"), "until"),
    (("no", "more", "than"), "since"),
    (("not", "more", "than"), "since"),
    (("at", "most"), "since"),
    (("less", "than"), "after"),
    (("fewer", "than"), "after"),
    (("under",), "after"),
)
_DAY_UNITS: Final = frozenset(("day", "week", "fortnight", "month", "quarter", "year"))


def read_ago_limit(stream: TokenStream, now: Now) -> tuple[AgoLimit, DaySpan] | None:
    """The limit that comes next and its day: before it, until its end, after it, or from it; or None."""
    start = stream.position
    for words, kind in _LIMITS:
        if not stream.take_words(*words):
            continue
        length = read_length(stream)
        old = words[0] in {"older", "longer"}
        if length and length.unit in _DAY_UNITS and (stream.take_words("ago") or old):
            return kind, _day_ago(length, now)
        stream.position = start
    return None


def read_ago_span(stream: TokenStream, now: Now) -> DaySpan | None:
    """The days of "3 to 6 months ago" or "between 3 and 6 months ago", both days named included; or None."""
    between = stream.take_words("between")
    near = stream.take_kind("num")
    if near is None:
        return None
    own = stream.take_kind("unit")
    joined = stream.take_kind("to") or (between and stream.peek().text == "and" and stream.take_kind("join"))
    far = read_length(stream) if joined else None
    if far is None or not stream.take_words("ago") or not near.value:
        return None
    nearer = Length(near.value, own.text if own else far.unit)
    if not {nearer.unit, far.unit} <= _DAY_UNITS:
        return None
    first, last = sorted((_day_ago(nearer, now).first, _day_ago(far, now).first))
    return DaySpan(first, last)


def read_coming_span(stream: TokenStream, now: Now) -> DaySpan | None:
    """The days of "in 4 to 6 weeks" or "in a week or two", both days named included; or None."""
    if not stream.take_words("in"):
        return None
    between = stream.take_words("between")
    token = stream.peek()
    near = 1 if token.text == "a" else token.value if token.kind == "num" else 0
    if not near:
        return None
    stream.position += 1
    own = stream.take_kind("unit")
    joins = {"or", "and"} if between else {"or"}
    joined = stream.take_kind("to") or (stream.peek().text in joins and stream.take_kind("join"))
    if not joined:
        return None
    far = read_length(stream)
    if far is None and own is not None and stream.peek().kind == "num":
        far = Length(stream.take().value, own.text)
    if far is None:
        return None
    stream.take_words("time")
    nearer = Length(near, own.text if own else far.unit)
    if not {nearer.unit, far.unit} <= _DAY_UNITS:
        return None
    first, last = shift_day(now.today, nearer, 1), shift_day(now.today, far, 1)
    if last < first:
        raise not_understood("That runs backwards: the later day stands first.")
    return DaySpan(first, last)


def _day_ago(length: Length, now: Now) -> DaySpan:
    day = shift_day(now.today, length, -1)
    return DaySpan(day, day)
