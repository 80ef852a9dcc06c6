"""Reads weekdays: "next Tuesday or Thursday", "Mon to Thu", "Tuesday week", "the weekend"."""

from datetime import date, timedelta
from typing import Final, NamedTuple

from cliniko_mcp.phrases.dates import DaySpan, Now, forward, weekday_after
from cliniko_mcp.phrases.direction import day_of_weekday, weekend
from cliniko_mcp.phrases.refusals import not_understood
from cliniko_mcp.phrases.token_stream import TokenStream
from cliniko_mcp.phrases.tokens import Token
from cliniko_mcp.phrases.vocabulary import WEEKDAY_NAMES

WEEKEND: Final = (6, 7)
WORKWEEK: Final = (1, 2, 3, 4, 5)


class NamedWeekdays(NamedTuple):
    """One weekday, or a set of weekdays with one name ("weekend"), as ISO numbers.

    `week` is an offset in ISO weeks from this one ("next" is 1), None where the phrase gives none; `which` is "this",
    "past" or empty; `later` is a number of weeks to add ("Tuesday week" is 1); `plural` marks "Tuesdays".
    """

    numbers: tuple[int, ...]
    week: int | None = None
    which: str = ""
    later: int = 0
    plural: bool = False

    @property
    def plain(self) -> bool:
        """Whether it is a name and nothing more, so that a span beside it decides which day is meant."""
        return self.week is None and not self.which and not self.later


class WeekdayRange(NamedTuple):
    """From one weekday through another."""

    first: NamedWeekdays
    last: NamedWeekdays


class Weekdays(NamedTuple):
    """Weekdays joined by "or", "and" or commas."""

    terms: tuple[NamedWeekdays | WeekdayRange, ...]

    @property
    def plain(self) -> bool:
        """Whether a span beside them decides which days are meant."""
        return all(
            term.plain if isinstance(term, NamedWeekdays) else term.first.plain and term.last.plain
            for term in self.terms
        )

    @property
    def plural(self) -> bool:
        """Whether one of them stands for many weeks: "Fridays"."""
        return any(isinstance(term, NamedWeekdays) and term.plural for term in self.terms)

    @property
    def single(self) -> bool:
        """Whether there is exactly one weekday."""
        return len(self.terms) == 1 and isinstance(self.terms[0], NamedWeekdays) and len(self.terms[0].numbers) == 1

    def numbers(self, *, wrap: bool = True) -> frozenset[int]:
        """Their ISO numbers, to filter a span by. Without `wrap`, Friday to Monday raises NotUnderstood."""
        found: set[int] = set()
        for term in self.terms:
            if isinstance(term, NamedWeekdays):
                found.update(term.numbers)
                continue
            first, last = term.first.numbers[0], term.last.numbers[-1]
            if last < first and not wrap:
                raise not_understood(
                    f"{WEEKDAY_NAMES[first - 1]} to {WEEKDAY_NAMES[last - 1]} runs backwards within one week."
                )
            found.update((first + step - 1) % 7 + 1 for step in range((last - first) % 7 + 1))
        return frozenset(found)


def read_weekdays(stream: TokenStream) -> Weekdays | None:
    """The weekdays that come next, with those joined to them, or None."""
    first = read_named_weekdays(stream)
    if first is None:
        return None
    terms: list[NamedWeekdays | WeekdayRange] = [_read_range(stream, first)]
    previous = first
    while True:
        start = stream.position
        joined = stream.take_kind("join")
        stream.take_words("on")
        following = read_named_weekdays(stream)
        # without a joiner only plain days make a list: "Mon Wed Fri"
        if following is None or not (joined or (_is_single(previous) and _is_single(following))):
            stream.position = start
            return Weekdays(tuple(terms))
        # "next Tuesday or Thursday": both next
        if following.week is None and not following.which and not following.later and previous.later == 0:
            following = following._replace(week=previous.week, which=previous.which)
        previous = following
        terms.append(_read_range(stream, following))


def read_named_weekdays(stream: TokenStream) -> NamedWeekdays | None:
    """The weekday or named set of weekdays that comes next, with words such as "next", or None."""
    start = stream.position
    while stream.take_kind("filler"):
        pass
    every = stream.previous_text() in {"every", "each", "any"}
    the = stream.take_words("the")
    week, which = None, ""
    if stream.take_words("this"):
        which = "past" if stream.take_words("past") else "" if stream.take_words("coming") else "this"
    elif stream.take_any("past"):
        which = "past"
    elif word := stream.take_any("next", "last", "previous"):
        week = 1 if word == "next" else -1
    else:
        stream.take_words("coming")
    token = stream.peek()
    if token.kind == "weekday":
        numbers: tuple[int, ...] = (token.value,)
        plural = every or token.text.endswith("s")
    elif token.text in {"weekend", "weekday"} and token.kind == "word":
        numbers, plural = (WEEKEND if token.text == "weekend" else WORKWEEK), token.value == 1
    else:
        stream.position = start
        return None
    stream.position += 1
    if which == "past" and numbers == WEEKEND:
        week, which = -1, ""
    if the and week == 1 and token.kind == "weekday" and not plural:
        name = token.text.capitalize()
        raise not_understood(f'"The next {name}" can mean two days: say "{name}" or "next {name}".')
    return _read_qualifier(stream, NamedWeekdays(numbers, week, which, 0, plural))


def days_of_weekdays(weekdays: Weekdays, now: Now) -> list[DaySpan]:
    """The days of weekdays that have no span beside them; a plain weekday is the next one after today."""
    found: list[DaySpan] = []
    for term in weekdays.terms:
        if isinstance(term, NamedWeekdays):
            found += _days_of(term, now)
            continue
        begin = _days_of(term.first, now)[0]
        if term.last.plain or term.last.week == term.first.week:
            last = weekday_after(begin.first - timedelta(days=1), term.last.numbers[-1])
            found.append(forward(begin, DaySpan(last, last)))
        else:
            found.append(forward(begin, _days_of(term.last, now)[-1]))
    return found


def _is_single(weekdays: NamedWeekdays) -> bool:
    return weekdays.plain and len(weekdays.numbers) == 1


def _read_range(stream: TokenStream, first: NamedWeekdays) -> NamedWeekdays | WeekdayRange:
    start = stream.position
    if stream.take_kind("to") or stream.take_any("through", "until"):
        last = read_named_weekdays(stream)
        if last is not None:
            return WeekdayRange(first._replace(plural=False), last._replace(plural=False))
    stream.position = start
    return first


def _read_qualifier(stream: TokenStream, weekdays: NamedWeekdays) -> NamedWeekdays:
    following = stream.peek(1)
    if stream.take_words("after", "next"):
        return weekdays._replace(week=2)
    if stream.take_words("before", "last"):
        return weekdays._replace(week=-2)
    if weekdays.week is None and weekdays.which in {"", "this"} and stream.take_words("coming"):
        return weekdays._replace(which="")
    if stream.take_words("just", "gone") or stream.take_words("gone"):
        return weekdays._replace(which="past")
    here = stream.peek()
    if (
        here.kind == "unit"
        and here.text in {"week", "fortnight"}
        and len(weekdays.numbers) == 1
        and not weekdays.plural
    ):
        if following.text not in {"of", "commencing", "beginning", "starting", "ending"}:
            stream.position += 1
            return weekdays._replace(later=1 if here.text == "week" else 2)
        return weekdays
    if here.text in {"next", "last"} and weekdays.week is None and _can_follow(following):
        stream.position += 1
        return weekdays._replace(week=1 if here.text == "next" else -1)
    return weekdays


def _can_follow(token: Token) -> bool:
    """Whether this token can follow "Thursday next"."""
    return token.kind in {"end", "word", "part", "time", "join"} and token.text not in {"weekend", "weekday", "thing"}


def _days_of(weekdays: NamedWeekdays, now: Now) -> list[DaySpan]:
    if weekdays.plural and len(weekdays.numbers) == 1 and weekdays.plain:
        name = WEEKDAY_NAMES[weekdays.numbers[0] - 1]
        raise not_understood(f'"{name}s" never ends: say over which span, such as "{name}s next month".')
    if weekdays.numbers == WEEKEND and weekdays.week is None and weekdays.which != "past" and not weekdays.later:
        return [weekend(now, this=weekdays.which == "this")]
    found = [DaySpan(day, day) for day in (_day_of(weekdays, number, now) for number in weekdays.numbers)]
    return found


def _day_of(weekdays: NamedWeekdays, number: int, now: Now) -> date:
    if weekdays.week is not None:
        return now.monday + timedelta(days=7 * (weekdays.week + weekdays.later) + number - 1)
    if weekdays.which == "past":
        return now.today - timedelta(days=(now.today.isoweekday() - number - 1) % 7 + 1)
    if weekdays.later:
        return weekday_after(now.today, number) + timedelta(days=7 * weekdays.later)
    return day_of_weekday(number, now, this=weekdays.which == "this")
