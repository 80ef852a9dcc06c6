"""Stretches of time that come back, such as "every Monday 12 to 1 for 6 weeks": all of them, at each site by its clock.

What does not say how often and how long it comes back is read as any other phrase.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.cliniko.time_zones import local_instant
from cliniko_mcp.errors import InvalidArguments, NotUnderstood
from cliniko_mcp.frontdesk.repeat_words import (
    DAY,
    FREQUENCY,
    LENGTH,
    STEP,
    Unit,
    end_of_length,
    ending_in,
    frequency_of,
    in_digits,
    in_short,
    later,
    no_date,
    number_in,
    step_of,
)
from cliniko_mcp.frontdesk.roster import Known, Roster
from cliniko_mcp.frontdesk.spans import Span, Window, read_span
from cliniko_mcp.phrases import local_day
from cliniko_mcp.phrases.vocabulary import MONTH_NAMES, WORDS

MAX_TIMES: Final = 366
_STEP: Final = re.compile(rf"(?:\brepeat(?:ed|ing|s)? )?{FREQUENCY.pattern}(?: on\b)?")
_WEEKDAY_STEP: Final = re.compile(rf"\b(?:every|each) {STEP}(?=(?:{DAY}|weekdays?)\b)")
_SEVERAL_A_WEEK: Final = re.compile(
    r",?\s*\b(?:(?P<twice>twice)|thrice|(?P<number>[2-7])(?: times| ?x)?) (?:a|per|each|every) week(?: on)?\b"
)
_A_DAY: Final = re.compile(rf"\b(?:{DAY})\b")
_FROM: Final = re.compile(r"\s*,?\s*\b(?:from|starting(?: on| from)?|beginning(?: on)?) (?P<from>.+)$")
_MONTH: Final = "|".join(name[:3].casefold() for name in MONTH_NAMES)
_LOOSE_WEEKDAY: Final = re.compile(rf"\b(?:{DAY})\b(?!,? \d{{1,2}} (?:{_MONTH})[a-z]*\b)|\bof\b")
"""What a monthly repeat, which keeps the day of the month, would not keep."""
_PLURAL: Final = re.compile(r"\b((?:mon|tues|wednes|thurs|fri|satur|sun)day|weekday)s\b")


@dataclass(frozen=True, slots=True)
class RepeatedSpan:
    """A span that comes back: the first `times` stretches of it, those that begin through `until`, or those that begin
    within the `length` that was said.

    `step` is the unit and how many of them lie between; without it the span is there once.
    """

    span: Span
    step: tuple[Unit, int] | None = None
    times: int | None = None
    until: date | None = None
    """The last day, by the clock of each site."""
    length: re.Match[str] | None = None
    """A match of `LENGTH`, counted from the first stretch at each site."""

    def windows(self, business_id: str | None) -> list[Window]:
        """The (start, end) pairs at this site, half-open, in order, in UTC.

        Raises InvalidArguments where one would begin before another has ended, and for more than 366.
        """
        zone = self.span.at(business_id).zone
        first = list(self.span.windows(business_id))
        if self.step is None:
            return first
        found = sorted(islice(self._repeated(first, zone, *self.step), MAX_TIMES + 1))
        if len(found) > MAX_TIMES:
            raise InvalidArguments(f"That comes back more than {MAX_TIMES} times.", "Say a shorter time.", field="when")
        if any(one[1] > other[0] for one, other in pairwise(found)):
            raise InvalidArguments(
                "What comes back is longer than the time until it comes back.", "Say shorter times.", field="when"
            )
        return found

    def _repeated(self, first: list[Window], zone: ZoneInfo, kind: Unit, interval: int) -> Iterator[Window]:
        made = 0
        begins = min((start for start, _ in first), default=None)
        past = end_of_length(self.length, _clock(begins, zone)) if self.length and begins else datetime.max
        for round_ in range(MAX_TIMES + 1):
            for start, end in first:
                moved = _later((start, end), kind, round_ * interval, zone)
                if made == self.times or (self.until is not None and local_day(moved[0], zone) > self.until):
                    return
                if _clock(moved[0], zone) >= past:
                    return
                if moved[0] < moved[1]:  # a stretch that the clocks skip is not there
                    yield moved
                made += 1
            if not first:
                return

    @property
    def bounds(self) -> Window:
        """The first start and the last end over all sites, in UTC."""
        if not self.step:
            return self.span.bounds
        all_of_them = [window for site in self.span.places for window in self.windows(site)]
        return (
            (min(start for start, _ in all_of_them), max(end for _, end in all_of_them))
            if all_of_them
            else self.span.bounds
        )

    def description_at(self, sites: Collection[Known[Business]]) -> str:
        """The span in words as it is at these sites, with weekdays and zones; it can be read again."""
        words = self.span.narrowed(sites).description
        if not self.step:
            return words
        number = max((len(self.windows(site.id)) for site in sites), default=0)
        return f"{words}, {in_short(*self.step)} x{self.times or number}"


def read_repeated(phrase: str, now: datetime, roster: Roster, sites: Collection[Known[Business]] = ()) -> RepeatedSpan:
    """The span that a phrase means, with how often it comes back where that is said.

    Raises NotUnderstood for what cannot be read.
    """
    text = in_digits(" ".join(phrase.casefold().split()))
    text, several = _several_a_week(text)
    length = LENGTH.search(text)
    left = _without(text, length.span()) if length else text
    number = number_in(left)
    left = _without(left, number.span) if number else left
    step: tuple[Unit, int] | None = None
    if (match := _STEP.search(left)) is not None:
        step, left = frequency_of(match), _without(left, match.span())
    elif (match := _WEEKDAY_STEP.search(left)) is not None:
        step = "Weekly", step_of(match["step"])
        left = _without(left, match.span())
    elif several or ((length or number) and _PLURAL.search(left)):
        step = "Weekly", 1  # "Mondays 12 to 1 for 6 weeks"
    if step is None:
        return RepeatedSpan(read_span(phrase, now, roster, sites))
    left, begin = _from(left, now, roster, sites)
    # A weekday is the next one after today, so that it is read as on the day before.
    starts = begin.midnight(-1) if begin else now
    end = None if length else ending_in(left)
    until = _day(end.phrase, starts, roster, sites, last=True) if end else None
    if end is not None and until is not None:
        left = left[: end.start]
    if length is None and number is None and until is None:
        if end is not None:
            _check_end(end.phrase, starts, roster, sites)
        return RepeatedSpan(read_span(phrase, now, roster, sites))
    base = _PLURAL.sub(r"\1", left).strip(" ,")
    if step[0] == "Monthly" and _LOOSE_WEEKDAY.search(base):
        raise NotUnderstood(
            f"A monthly repeat keeps the day of the month, not the weekday: “{base}”.",
            "Say the date of the first one, or a number of weeks.",
            examples=["30 November 12 to 1, monthly x3", "Monday 12 to 1, every 4 weeks x3"],
        )
    span = read_span(base, starts, roster, sites)
    if begin is not None and span.home.start.date() < begin.day:  # hours alone are today's
        span = read_span(base, begin.midnight(), roster, sites)
    if end is not None and until is not None:
        until = _from_the_first(until, _day(end.phrase, span.bounds[0], roster, sites, last=True), span)
    found = RepeatedSpan(span, step, None, until, length)
    if number is None:
        return found
    fitting = {len(found.windows(site)) for site in found.span.places} if length or until else {number.times}
    if fitting != {number.times}:
        raise NotUnderstood(
            f"That is {number.times} times, but {min(fitting)} fit before that end.", "Say one of the two."
        )
    return replace(found, times=number.times)


def _several_a_week(text: str) -> tuple[str, bool]:
    """The text without "twice a week", and whether it was said. Raises NotUnderstood where no days are said."""
    match = _SEVERAL_A_WEEK.search(text)
    if match is None:
        return text, False
    number = 2 if match["twice"] else int(match["number"] or 3)
    days = {WORDS[day[0]].value for day in _A_DAY.finditer(text)}
    if len(days) != number:
        raise NotUnderstood(
            f"{number} times a week: on which days?",
            "Name as many weekdays, and for how long.",
            examples=["Mondays and Thursdays 12 to 1 for 4 weeks"],
        )
    return _without(text, match.span()), True


def _without(text: str, span: tuple[int, int]) -> str:
    return " ".join(f"{text[: span[0]]} {text[span[1] :]}".split())


class _Begin(NamedTuple):
    """The day from which something comes back, by the clock of a zone."""

    day: date
    zone: ZoneInfo

    def midnight(self, days: int = 0) -> datetime:
        """When the day so many days later begins."""
        day = datetime(self.day.year, self.day.month, self.day.day) + timedelta(days=days)
        return local_instant(day, self.zone).astimezone(UTC)


def _from(text: str, now: datetime, roster: Roster, sites: Collection[Known[Business]]) -> tuple[str, _Begin | None]:
    """The text without the day from which it comes back, and that day; None where none is said."""
    match = _FROM.search(text)
    if match is None:
        return text, None
    ending = ending_in(match["from"])
    words = match["from"][: ending.start] if ending else match["from"]
    day = _day(words, now, roster, sites)
    if day is None:
        return text, None
    rest = match["from"][len(words) :]
    zone = read_span(words, now, roster, sites).zone
    return f"{text[: match.start()]}{rest}", _Begin(day, zone)


def _from_the_first(from_now: date, from_first: date | None, span: Span) -> date:
    """The last day as read from the first stretch on. Raises NotUnderstood where it reads otherwise from today."""
    if from_first is None or (from_first != from_now and from_now >= local_day(span.bounds[0], span.zone)):
        raise NotUnderstood(
            f"That could end on {' or '.join(map(str, filter(None, (from_now, from_first))))}.", "Say the date."
        )
    return from_first


def _clock(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def _day(
    phrase: str, now: datetime, roster: Roster, sites: Collection[Known[Business]], *, last: bool = False
) -> date | None:
    """The first or last day of a phrase of whole days; None for one with a time of day, or that cannot be read."""
    try:
        when = read_span(phrase, now, roster, sites).home
    except NotUnderstood:
        return None
    whole = when.end == local_instant(datetime(when.end.year, when.end.month, when.end.day), when.zone)
    if when.times or not whole:
        return None
    return (when.end - timedelta(minutes=1)).date() if last else when.start.date()


def _check_end(phrase: str, now: datetime, roster: Roster, sites: Collection[Known[Business]]) -> None:
    """Raise NotUnderstood, with how an end is said, for one that cannot be read."""
    try:
        read_span(phrase, now, roster, sites)
    except NotUnderstood as problem:
        raise no_date(problem) from None


def _later(window: Window, kind: Unit, steps: int, zone: ZoneInfo) -> Window:
    """The same stretch by the clock so many days, weeks or months later, in UTC; of an end that a clock repeats the
    second one."""
    starts, ends = window
    if not steps:
        return starts.astimezone(UTC), ends.astimezone(UTC)
    first, last = (moment.astimezone(zone).replace(tzinfo=None, fold=0) for moment in window)
    begin = later(first, kind, steps)
    end = begin + (last - first)
    midnight = end.hour == end.minute == 0
    return (
        local_instant(begin, zone).astimezone(UTC),
        local_instant(end, zone, last=not midnight).astimezone(UTC),
    )
