"""Weekdays as said: "next Tuesday or Thursday", "Mon to Thu", "Tuesday week", "the weekend"."""

from datetime import date, timedelta
from typing import Final, NamedTuple

from cliniko_mcp.phrases.dates import Days, Now, forward, weekday_after
from cliniko_mcp.phrases.refusals import not_understood
from cliniko_mcp.phrases.token_stream import Reader
from cliniko_mcp.phrases.tokens import Token
from cliniko_mcp.phrases.vocabulary import WEEKDAY_NAMES

WEEKEND: Final = (6, 7)
WORKWEEK: Final = (1, 2, 3, 4, 5)


class Named(NamedTuple):
    """One weekday, or a set of them under one name, as said.

    `week` counts ISO weeks from this one ("next" is 1) where said; `which` is "this", "past" or empty; `later` is a
    number of weeks added ("Tuesday week" is 1).
    """

    numbers: tuple[int, ...]
    week: int | None = None
    which: str = ""
    later: int = 0
    plural: bool = False

    @property
    def plain(self) -> bool:
        """Whether nothing was said but the name, so that a span beside it decides which."""
        return self.week is None and not self.which and not self.later


class Run(NamedTuple):
    """From one weekday to another, the last included."""

    first: Named
    last: Named


class Weekdays(NamedTuple):
    """Weekdays joined by "or", "and" or commas."""

    terms: tuple[Named | Run, ...]

    @property
    def plain(self) -> bool:
        """Whether a span beside them decides which ones are meant."""
        return all(
            term.plain if isinstance(term, Named) else term.first.plain and term.last.plain for term in self.terms
        )

    @property
    def plural(self) -> bool:
        """Whether it was said of many weeks: "Fridays"."""
        return any(isinstance(term, Named) and term.plural for term in self.terms)

    @property
    def single(self) -> bool:
        """Whether it is one weekday."""
        return len(self.terms) == 1 and isinstance(self.terms[0], Named) and len(self.terms[0].numbers) == 1

    def numbers(self, *, wrap: bool = True) -> frozenset[int]:
        """Their ISO numbers, as a filter on a span; without `wrap` a run such as Friday to Monday is refused."""
        found: set[int] = set()
        for term in self.terms:
            if isinstance(term, Named):
                found.update(term.numbers)
                continue
            first, last = term.first.numbers[0], term.last.numbers[-1]
            if last < first and not wrap:
                raise not_understood(
                    f"{WEEKDAY_NAMES[first - 1]} to {WEEKDAY_NAMES[last - 1]} runs backwards within one week."
                )
            found.update((first + step - 1) % 7 + 1 for step in range((last - first) % 7 + 1))
        return frozenset(found)


def read_weekdays(reader: Reader) -> Weekdays | None:
    """The weekdays that come next, with everything joined to them, or None."""
    first = read_named(reader)
    if first is None:
        return None
    terms: list[Named | Run] = [_run(reader, first)]
    heard = first
    while True:
        start = reader.at
        joined = reader.kind("join")
        reader.words("on")
        following = read_named(reader)
        # without a joiner only plain days make a list: "Mon Wed Fri"
        if following is None or not (joined or (_one(heard) and _one(following))):
            reader.at = start
            return Weekdays(tuple(terms))
        # "next Tuesday or Thursday": both next
        if following.week is None and not following.which and not following.later and heard.later == 0:
            following = following._replace(week=heard.week, which=heard.which)
        heard = following
        terms.append(_run(reader, following))


def read_named(reader: Reader) -> Named | None:
    """One weekday or named set of weekdays with what qualifies it, or None."""
    start = reader.at
    while reader.kind("filler"):
        pass
    every = reader.before() in {"every", "each", "any"}
    the = reader.words("the")
    week, which = None, ""
    if reader.words("this"):
        which = "past" if reader.words("past") else "" if reader.words("coming") else "this"
    elif reader.any_of("past"):
        which = "past"
    elif word := reader.any_of("next", "last", "previous"):
        week = 1 if word == "next" else -1
    else:
        reader.words("coming")
    token = reader.peek()
    if token.kind == "weekday":
        numbers: tuple[int, ...] = (token.value,)
        plural = every or token.text.endswith("s")
    elif token.text in {"weekend", "weekday"} and token.kind == "word":
        numbers, plural = (WEEKEND if token.text == "weekend" else WORKWEEK), token.value == 1
    else:
        reader.at = start
        return None
    reader.at += 1
    if which == "past" and numbers == WEEKEND:
        week, which = -1, ""
    if the and week == 1 and token.kind == "weekday" and not plural:
        name = token.text.capitalize()
        raise not_understood(f'"The next {name}" can mean two days: say "{name}" or "next {name}".')
    return _qualified(reader, Named(numbers, week, which, 0, plural))


def days_of_weekdays(weekdays: Weekdays, now: Now) -> list[Days]:
    """The days of weekdays with no span beside them: of a plain one the next after today."""
    found: list[Days] = []
    for term in weekdays.terms:
        if isinstance(term, Named):
            found += _days(term, now)
            continue
        begin = _days(term.first, now)[0]
        if term.last.plain or term.last.week == term.first.week:
            last = weekday_after(begin.first - timedelta(days=1), term.last.numbers[-1])
            found.append(forward(begin, Days(last, last)))
        else:
            found.append(forward(begin, _days(term.last, now)[-1]))
    return found


def _one(named: Named) -> bool:
    return named.plain and len(named.numbers) == 1


def _run(reader: Reader, first: Named) -> Named | Run:
    start = reader.at
    if reader.kind("to") or reader.any_of("through", "until"):
        last = read_named(reader)
        if last is not None:
            return Run(first._replace(plural=False), last._replace(plural=False))
    reader.at = start
    return first


def _qualified(reader: Reader, named: Named) -> Named:
    following = reader.peek(1)
    if reader.words("after", "next"):
        return named._replace(week=2)
    if reader.words("before", "last"):
        return named._replace(week=-2)
    if reader.words("just", "gone") or reader.words("gone"):
        return named._replace(which="past")
    here = reader.peek()
    if here.kind == "unit" and here.text in {"week", "fortnight"} and len(named.numbers) == 1 and not named.plural:
        if following.text not in {"of", "commencing", "beginning", "starting", "ending"}:
            reader.at += 1
            return named._replace(later=1 if here.text == "week" else 2)
        return named
    if here.text in {"next", "last"} and named.week is None and _closes(following):
        reader.at += 1
        return named._replace(week=1 if here.text == "next" else -1)
    return named


def _closes(token: Token) -> bool:
    """Whether "Thursday next" can end before this token."""
    return token.kind in {"end", "word", "part", "time", "join"} and token.text not in {"weekend", "weekday", "thing"}


def _days(named: Named, now: Now) -> list[Days]:
    if named.plural and len(named.numbers) == 1 and named.plain:
        name = WEEKDAY_NAMES[named.numbers[0] - 1]
        raise not_understood(f'"{name}s" goes on for ever: say over which span, such as "{name}s next month".')
    found = [Days(day, day) for day in (_day(named, number, now) for number in named.numbers)]
    if named.numbers == WEEKEND and named.week is None and now.today.isoweekday() in WEEKEND:
        # on a weekend "the weekend" is the one going on, from today
        return [Days(now.today, now.monday + timedelta(days=6))]
    return found


def _day(named: Named, number: int, now: Now) -> date:
    if named.week is not None:
        return now.monday + timedelta(days=7 * (named.week + named.later) + number - 1)
    if named.which == "past":
        return now.today - timedelta(days=(now.today.isoweekday() - number - 1) % 7 + 1)
    if named.which == "this" and now.today.isoweekday() == number:
        return now.today
    return weekday_after(now.today, number) + timedelta(days=7 * named.later)
