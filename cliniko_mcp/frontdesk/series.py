"""Repeats in words, such as "weekly, 6 visits" or "every Friday until March": the rule and the times that it makes.

The number is that of the visits in all. Source: cliniko-api.md#appointments.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Final, NamedTuple, NoReturn
from zoneinfo import ZoneInfo

from cliniko_mcp.cliniko.shapes.repeats import MAX_REPEATS, RepeatRule
from cliniko_mcp.errors import InvalidArguments, NotUnderstood
from cliniko_mcp.frontdesk.repeat_words import (
    DAY,
    FREQUENCY,
    LENGTH,
    PLURALS,
    STEP,
    Unit,
    end_of_length,
    ending_in,
    frequency_of,
    in_digits,
    later,
    no_date,
    step_of,
    whole_number,
)
from cliniko_mcp.phrases import parse_when
from cliniko_mcp.phrases.vocabulary import WEEKDAY_NAMES, WORDS
from cliniko_mcp.sanitize import clean

MAX_VISITS: Final = MAX_REPEATS + 1
"""Visits of a series: the first and as many repeats as Cliniko makes."""
_MAX_PHRASE: Final = 120
_MAX_INTERVAL: Final = 100


_SPAN: Final = re.compile(r" (?:in|during|throughout|all through) (?!all\b|total\b|a row\b)(?P<end>.+)$")
_TOO_MANY: Final = re.compile(
    r"\btwice\b|\b(?:thrice|\d+ times|\d+ ?x) (?:a|an|per|each|every|daily|weekly|monthly|fortnightly)\b"
    r"|\b(?:[2-9]|\d\d+)(?: visits| sessions| appointments)? (?:a|per|each) (?:day|week|fortnight|month)(?! apart)"
)
_WEEKDAY: Final = re.compile(rf"(?:\b(?:every|each) {STEP}|\bon )?(?<![a-z])(?P<day>{DAY})(?![a-z])")
_DROPPED: Final = re.compile(
    r"\b(?:please|at the same time|same time|(?:starting|from) then|(?:starting|beginning)(?: on| from)? (?:that|then)"
    r"|after (?:that|this|the first)(?: one)?|in a row|straight|running|consecutive|successive|the next|next"
    r"|(?:a |1 )?(?:course|block|set|series|run) of|that['’]?s|that is|so|making(?: it)?|and then|and)\b"
    r"|[,;.()]|(?<= )[-–—](?= )"
)


class Repeat(NamedTuple):
    """How a booking comes back: every `interval` days, weeks or months, `visits` times in all, the first included."""

    kind: Unit
    interval: int
    visits: int

    @property
    def rule(self) -> RepeatRule:
        """The rule as Cliniko takes it, which counts the repeats after the first."""
        return RepeatRule(repeat_type=self.kind, repeating_interval=self.interval, number_of_repeats=self.visits - 1)

    @property
    def wording(self) -> str:
        """The repeat in words: `every 2 weeks, 6 visits in all`."""
        one, several = PLURALS[self.kind]
        return f"{one if self.interval == 1 else f'every {self.interval} {several}'}, {self.visits} visits in all"

    def starts(self, first: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """The later starts in UTC: the same local time on the later days, the last day of a month that is too short."""
        local = first.astimezone(zone).replace(tzinfo=None)
        for step in range(1, self.visits):
            yield later(local, self.kind, step * self.interval).replace(tzinfo=zone).astimezone(UTC)


def read_repeat(
    phrase: str, first: datetime, now: datetime, zone: ZoneInfo, country: str | None = None, *, field: str = "repeat"
) -> Repeat:
    """The repeat that a phrase means for a visit that first starts at `first` (aware), at a site of this zone.

    "Weekly x6", "6 weekly visits" and "once a week for six weeks" are six visits, "fortnightly 4 more" five. "For" a
    length counts from the first visit on; what follows "until" is read facing ahead, its last day included. Raises
    InvalidArguments for anything else, for another weekday than that of the first visit, and for more visits than
    Cliniko makes; NotUnderstood for an end that is no time.
    """
    return _RepeatReader(first.astimezone(zone), now, zone, country, field).read(phrase)


class _RepeatReader:
    """Reads one phrase against the first visit: `first` by the clock of its site."""

    def __init__(self, first: datetime, now: datetime, zone: ZoneInfo, country: str | None, field: str) -> None:
        self.first, self.now, self.zone, self.country, self.field = first, now, zone, country, field

    def read(self, phrase: str) -> Repeat:
        if len(phrase) > _MAX_PHRASE:
            self._refuse("is too long")
        text = " ".join(clean(phrase, _MAX_PHRASE).casefold().split())
        text, end = self._end(in_digits(text))
        if _TOO_MANY.search(text):
            self._refuse(
                "was not understood: Cliniko repeats one visit at a time, so book each weekday as a series of its own, "
                "Mondays in one call and Thursdays in the next"
            )
        text, until = self._length(text, end)
        text, step = self._weekday(text)
        text, frequency = self._frequency(text, step)
        kind, interval = frequency
        visits = self._count(text)
        if until is not None:
            within = self._within(kind, interval, until)
            if visits not in (None, within):
                self._refuse(f"names {visits} visits, but {within} fit before that end")
            visits = within
        if visits is None:
            self._refuse("does not say how many visits there are")
        if visits == 1:
            self._refuse("makes one visit, so leave it out")
        if not 2 <= visits <= MAX_VISITS:
            self._refuse(f"can make 2 to {MAX_VISITS} visits in all")
        if not 1 <= interval <= _MAX_INTERVAL:
            self._refuse(f"can come back every 1 to {_MAX_INTERVAL} {PLURALS[kind][1]}")
        return Repeat(kind, interval, visits)

    def _end(self, text: str) -> tuple[str, datetime | None]:
        """The phrase without the part that says until when, and that moment."""
        if (ending := ending_in(text, after_to=True)) is not None:
            return text[: ending.start], self._read_end(ending.phrase)
        if (match := _SPAN.search(text)) is not None:
            return text[: match.start()], self._read_end(match["end"])
        return text, None

    def _read_end(self, phrase: str) -> datetime:
        """The end of a phrase that is read from the first visit; refused where it reads otherwise from now."""
        ends: list[datetime] = []
        for since in (self.first, self.now):
            try:
                when = parse_when(phrase, now=since, zone=self.zone, country=self.country)
            except NotUnderstood as problem:
                raise no_date(problem) from None
            if when.weekdays or when.times:
                self._refuse(f"ends at a time that leaves gaps: {when.description}")
            if since is self.first and when.start > self.first:
                self._refuse(f"is for {when.description}, and the first visit is before it")
            ends.append(when.end)
        read, from_now = ends
        if read <= self.first:
            self._refuse("ends before the first visit")
        if read != from_now > self.first:
            one, other = sorted(f"{end - timedelta(minutes=1):%A %-d %B %Y}" for end in ends)
            self._refuse(f"could end on {one} or {other}: say the date")
        return read

    def _length(self, text: str, end: datetime | None) -> tuple[str, datetime | None]:
        match = LENGTH.search(text)
        if match is None:
            return text, end
        if end is not None:
            self._refuse("names two ends")
        local = end_of_length(match, self.first.replace(tzinfo=None))
        return f"{text[: match.start()]}{text[match.end() :]}", local.replace(tzinfo=self.zone)

    def _weekday(self, text: str) -> tuple[str, str | None]:
        """The phrase without weekdays, and the step before one ("other"), "" where there is none before it."""
        found = list(_WEEKDAY.finditer(text))
        for match in found:
            day = WORDS[match["day"]].value
            if day != self.first.isoweekday():
                named, begins = WEEKDAY_NAMES[day - 1], f"{self.first:%A %-d %B %Y}"
                self._refuse(f"names {named}, but the first visit is on {begins}; each weekday is a series of its own")
        steps = [match["step"] for match in found if match["step"]]
        return _WEEKDAY.sub(" ", text), (steps[0] if steps else "" if found else None)

    def _frequency(self, text: str, step: str | None) -> tuple[str, tuple[Unit, int]]:
        found = list(FREQUENCY.finditer(text))
        if not found and step is not None:
            return text, ("Weekly", step_of(step))
        if len(found) != 1 or (step and found):
            self._refuse("was not understood")
        match = found[0]
        rest = f"{text[: match.start()]} {text[match.end() :]}"
        kind, interval = frequency_of(match)
        if step is not None and kind != "Weekly":
            self._refuse("names a weekday beside another frequency")
        return rest, (kind, interval)

    def _count(self, text: str) -> int | None:
        rest = " ".join(_DROPPED.sub(" ", text).split())
        if not rest:
            return None
        visits = whole_number(rest)
        if visits is None:
            self._refuse("was not understood")
        return visits

    def _within(self, kind: Unit, interval: int, end: datetime) -> int:
        starts = Repeat(kind, max(interval, 1), MAX_VISITS + 1).starts(self.first, self.zone)
        return 1 + sum(1 for _ in takewhile(lambda start: start < end.astimezone(UTC), starts))

    def _refuse(self, problem: str) -> NoReturn:
        raise InvalidArguments(
            f"{self.field} {problem}.",
            'Say how often and how many visits in all, or until when: "weekly, 6 visits", "every 3 weeks x4", '
            '"fortnightly until 12 March".',
            field=self.field,
        )
