"""Stretches of time that come back, such as "every Monday 12 to 1 for 6 weeks": all of them, at each site by its clock.

A number of times is the number of stretches in all; a number of weeks is how long they go on; "until" is through that
day. What does not say how often and how long it comes back is read as any other phrase.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from typing import Final
from zoneinfo import ZoneInfo

from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.cliniko.time_zones import local_instant
from cliniko_mcp.errors import InvalidArguments, NotUnderstood
from cliniko_mcp.frontdesk.roster import Known, Roster
from cliniko_mcp.frontdesk.spans import Span, Window, read_span
from cliniko_mcp.phrases import local_day

MAX_TIMES: Final = 366
_WORDS: Final = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_NUMBER: Final = rf"(?:\d{{1,3}}|{'|'.join(_WORDS)})"
_WEEKDAY: Final = r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*|weekdays?"
_DAYS_OF: Final = {"day": 1, "week": 7, "fortnight": 14}
_NTH: Final = {"second": 2, "other": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4}
_STEP: Final = re.compile(
    r"\b(?:repeat(?:ed|ing)? )?(?:(?P<named>daily|weekly|fortnightly)(?: on)?\b"
    rf"|(?:every|each) (?P<nth>{'|'.join(_NTH)}) (?P<nth_unit>day|week)\b(?: on)?"
    rf"|every (?P<number>{_NUMBER}) (?P<unit>days|weeks|fortnights)\b(?: on)?"
    r"|(?:every|each) (?P<plain>day|week|fortnight)\b(?: on)?"
    rf"|(?:every|each) (?:(?P<nth_day>{'|'.join(_NTH)}) )?(?={_WEEKDAY}\b))"
)
_NAMED: Final = {"daily": 1, "weekly": 7, "fortnightly": 14}
_COUNT: Final = re.compile(
    rf"\s*,?\s*(?:\b(?:for|over)(?: the)?(?: next)? (?P<long>{_NUMBER}) (?P<unit>day|week|fortnight)s?\b"
    rf"|(?:\bfor |\bx ?|× ?)?\b(?P<times>{_NUMBER}) (?:times|blocks)\b|(?:\bx ?|× ?)(?P<cross>{_NUMBER})\b)"
)
_LAST: Final = r"\b(?:until|till|til|through(?: to)?|up to) "
_UNTIL: Final = re.compile(rf"\s*,?\s*{_LAST}(?P<until>(?:(?!{_LAST}).)+)$")
"""The last one counts: "every Monday from 12 until 1 until 4 January"."""
_FROM: Final = re.compile(r"\s*,?\s*\b(?:from|starting(?: on| from)?|beginning(?: on)?) (?P<from>.+)$")
_PLURAL: Final = re.compile(r"\b((?:mon|tues|wednes|thurs|fri|satur|sun)day|weekday)s\b")


@dataclass(frozen=True, slots=True)
class RepeatedSpan:
    """A span that comes back every `step` days: the first `times` stretches of it, or those that begin before `until`.

    Without a step it is there once.
    """

    span: Span
    step: int = 0
    times: int | None = None
    until: date | None = None
    """The last day, by the clock of each site."""

    def windows(self, business_id: str | None) -> list[Window]:
        """The (start, end) pairs at this site, half-open, in order, in UTC.

        Raises InvalidArguments where one would begin before another has ended, and for more than 366.
        """
        zone = self.span.at(business_id).zone
        first = list(self.span.windows(business_id))
        if not self.step:
            return first
        found = sorted(islice(self._repeated(first, zone), MAX_TIMES + 1))
        if len(found) > MAX_TIMES:
            raise InvalidArguments(f"That comes back more than {MAX_TIMES} times.", "Say a shorter time.", field="when")
        if any(one[1] > other[0] for one, other in pairwise(found)):
            raise InvalidArguments(
                "What comes back is longer than the time until it comes back.", "Say shorter times.", field="when"
            )
        return found

    def _repeated(self, first: list[Window], zone: ZoneInfo) -> Iterator[Window]:
        made = 0
        for round_ in range(MAX_TIMES + 1):
            for start, end in first:
                moved = _later(start, round_ * self.step, zone), _later(end, round_ * self.step, zone, last=True)
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
        often = {days: name for name, days in _NAMED.items()}.get(self.step)
        number = max((len(self.windows(site.id)) for site in sites), default=0)
        unit, of = ("weeks", self.step // 7) if self.step % 7 == 0 else ("days", self.step)
        return f"{words}, {often or f'every {of} {unit}'} x{self.times or number}"


def read_repeated(phrase: str, now: datetime, roster: Roster, sites: Collection[Known[Business]] = ()) -> RepeatedSpan:
    """The span that a phrase means, with how often it comes back where that is said.

    Raises NotUnderstood for what cannot be read.
    """
    text = " ".join(phrase.casefold().split())
    count = _COUNT.search(text)
    left = _without(text, count) if count else text
    step = _STEP.search(left)
    days = _step_days(step) if step else 0
    if step:
        left = _without(left, step)
    elif count and count["long"] and _PLURAL.search(left):
        days = 7  # "Mondays 12 to 1 for 6 weeks"
    if not days:
        return RepeatedSpan(read_span(phrase, now, roster, sites))
    left, starts = _from(left, now, roster, sites)
    left, until = (left, None) if count else _until(left, now, roster, sites)
    if count is None and until is None:
        return RepeatedSpan(read_span(phrase, now, roster, sites))
    base = _PLURAL.sub(r"\1", left).strip(" ,")
    found = RepeatedSpan(read_span(base, starts or now, roster, sites), days, until=until)
    if count is None:
        return found
    if count["long"]:
        whole = _number(count["long"]) * _DAYS_OF[count["unit"]]
        rounds, rest = divmod(whole, days)
        if rest or not rounds:
            raise NotUnderstood(
                f"{count['long']} {count['unit']}s is no whole number of the times between.",
                'Say how many times: "every 2 weeks, 3 times".',
            )
        number = max((len(list(found.span.windows(site.id))) for site in sites or roster.sites), default=1)
        return replace(found, times=rounds * number)
    return replace(found, times=_number(count["times"] or count["cross"]))


def _step_days(step: re.Match[str]) -> int:
    if step["named"]:
        return _NAMED[step["named"]]
    if step["nth"]:
        return _NTH[step["nth"]] * _DAYS_OF[step["nth_unit"]]
    if step["number"]:
        return _number(step["number"]) * _DAYS_OF[step["unit"].removesuffix("s")]
    if step["plain"]:
        return _DAYS_OF[step["plain"]]
    return 7 * _NTH.get(step["nth_day"] or "", 1)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else _WORDS.index(text) + 1


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


def _later(moment: datetime, days: int, zone: ZoneInfo, *, last: bool = False) -> datetime:
    """The same time by the clock so many days later, in UTC; `last` chooses the second of two that a clock repeats."""
    if not days:
        return moment.astimezone(UTC)
    wall = moment.astimezone(zone).replace(tzinfo=None) + timedelta(days=days)
    midnight = wall.hour == wall.minute == 0
    return local_instant(wall.replace(fold=0), zone, last=last and not midnight).astimezone(UTC)
