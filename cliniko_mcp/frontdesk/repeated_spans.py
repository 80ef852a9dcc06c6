"""Stretches of time that come back, such as "every Monday 12 to 1 for 6 weeks": all of them, at each site by its clock.

A number of times is the number of stretches in all; a number of weeks is how long they go on; "until" is through that
day. What does not say how often and how long it comes back is read as any other phrase.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from typing import Final
from zoneinfo import ZoneInfo

from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.cliniko.time_zones import local_instant
from cliniko_mcp.errors import InvalidArguments, NotUnderstood
from cliniko_mcp.frontdesk.repeat_words import (
    DAY,
    FREQUENCY,
    STEP,
    UNIT,
    Unit,
    frequency_of,
    in_digits,
    in_short,
    later,
    step_of,
    unit_of,
)
from cliniko_mcp.frontdesk.roster import Known, Roster
from cliniko_mcp.frontdesk.spans import Span, Window, read_span
from cliniko_mcp.phrases import local_day
from cliniko_mcp.phrases.vocabulary import MONTH_NAMES

MAX_TIMES: Final = 366
_DAYS_OF: Final[Mapping[Unit, int]] = {"Daily": 1, "Weekly": 7}
_STEP: Final = re.compile(rf"(?:\brepeat(?:ed|ing|s)? )?{FREQUENCY.pattern}(?: on\b)?")
_WEEKDAY_STEP: Final = re.compile(rf"\b(?:every|each) {STEP}(?=(?:{DAY}|weekdays?)\b)")
_COUNT: Final = re.compile(
    rf"\s*,?\s*(?:\b(?:for|over)(?: the)?(?: next)? (?P<long>a|an|\d{{1,3}}) (?P<unit>{UNIT}|years?)(?![a-z])"
    r"|(?:\bfor |\bx ?|× ?)?\b(?P<times>\d{1,3}) (?:times|blocks)\b|(?:\bx ?|× ?)(?P<cross>\d{1,3})\b)"
)
_LAST: Final = r"\b(?:until|till|til|through(?: to)?|up to) "
_UNTIL: Final = re.compile(rf"\s*,?\s*{_LAST}(?P<until>(?:(?!{_LAST}).)+)$")
"""The last one counts: "every Monday from 12 until 1 until 4 January"."""
_FROM: Final = re.compile(r"\s*,?\s*\b(?:from|starting(?: on| from)?|beginning(?: on)?) (?P<from>.+)$")
_MONTH: Final = "|".join(name[:3].casefold() for name in MONTH_NAMES)
_LOOSE_WEEKDAY: Final = re.compile(rf"\b(?:{DAY})\b(?!,? \d{{1,2}} (?:{_MONTH})[a-z]*\b)|\bof\b")
"""What a monthly repeat, which keeps the day of the month, would not keep."""
_PLURAL: Final = re.compile(r"\b((?:mon|tues|wednes|thurs|fri|satur|sun)day|weekday)s\b")


@dataclass(frozen=True, slots=True)
class RepeatedSpan:
    """A span that comes back: the first `times` stretches of it, or those that begin through `until`.

    `step` is the unit and how many of them lie between; without it the span is there once.
    """

    span: Span
    step: tuple[Unit, int] | None = None
    times: int | None = None
    until: date | None = None
    """The last day, by the clock of each site."""

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
        for round_ in range(MAX_TIMES + 1):
            for start, end in first:
                moved = _later((start, end), kind, round_ * interval, zone)
                if made == self.times or (self.until is not None and local_day(moved[0], zone) > self.until):
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
    count = _COUNT.search(text)
    left = _without(text, count) if count else text
    step: tuple[Unit, int] | None = None
    if (match := _STEP.search(left)) is not None:
        step, left = frequency_of(match), _without(left, match)
    elif (match := _WEEKDAY_STEP.search(left)) is not None:
        step = "Weekly", step_of(match["step"])
        left = _without(left, match)
    elif count and count["long"] and _PLURAL.search(left):
        step = "Weekly", 1  # "Mondays 12 to 1 for 6 weeks"
    if step is None:
        return RepeatedSpan(read_span(phrase, now, roster, sites))
    left, starts = _from(left, now, roster, sites)
    left, until = (left, None) if count else _until(left, now, roster, sites)
    if count is None and until is None:
        return RepeatedSpan(read_span(phrase, now, roster, sites))
    base = _PLURAL.sub(r"\1", left).strip(" ,")
    if step[0] == "Monthly" and _LOOSE_WEEKDAY.search(base):
        raise NotUnderstood(
            f"A monthly repeat keeps the day of the month, not the weekday: “{base}”.",
            "Say the date of the first one, or a number of weeks.",
            examples=["30 November 12 to 1, monthly x3", "Monday 12 to 1, every 4 weeks x3"],
        )
    found = RepeatedSpan(read_span(base, starts or now, roster, sites), step, until=until)
    if count is None:
        return found
    if count["long"]:
        rounds = _rounds(step, 1 if count["long"] in ("a", "an") else int(count["long"]), count["unit"])
        number = max((len(list(found.span.windows(site.id))) for site in sites or roster.sites), default=1)
        return replace(found, times=rounds * number)
    return replace(found, times=int(count["times"] or count["cross"]))


def _rounds(step: tuple[Unit, int], number: int, spelling: str) -> int:
    """How often a span comes back in so many days, weeks, months or years. Raises NotUnderstood for no whole number."""
    kind, interval = step
    unit, size = ("Monthly", 12) if spelling.startswith("year") else unit_of(spelling)
    if "Monthly" in (unit, kind):
        rounds, rest = divmod(number * size, interval) if unit == kind else (0, 1)
    else:
        rounds, rest = divmod(number * size * _DAYS_OF[unit], interval * _DAYS_OF[kind])
    if rest or not rounds:
        raise NotUnderstood(
            f"{number} {spelling} is no whole number of the times between.",
            'Say how many times, "every 2 weeks, 3 times", or until when.',
        )
    return rounds


def _without(text: str, match: re.Match[str]) -> str:
    return " ".join(f"{text[: match.start()]} {text[match.end() :]}".split())


def _from(text: str, now: datetime, roster: Roster, sites: Collection[Known[Business]]) -> tuple[str, datetime | None]:
    """The text without the day from which it comes back, and the day before that day; None where none is said."""
    match = _FROM.search(text)
    if match is None:
        return text, None
    words = _UNTIL.sub("", match["from"])
    day = _day(words, now, roster, sites)
    if day is None:
        return text, None
    rest = match["from"][len(words) :]
    zone = read_span(words, now, roster, sites).zone
    # A weekday is the next one after today, so that it is read as on the day before.
    return f"{text[: match.start()]}{rest}", local_instant(
        datetime(day.year, day.month, day.day) - timedelta(days=1), zone
    ).astimezone(UTC)


def _until(text: str, now: datetime, roster: Roster, sites: Collection[Known[Business]]) -> tuple[str, date | None]:
    """The text without its last day, and that day; None where none is said, as in "from 12 until 1"."""
    match = _UNTIL.search(text)
    day = _day(match["until"], now, roster, sites, last=True) if match else None
    return (text, None) if match is None or day is None else (text[: match.start()], day)


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
