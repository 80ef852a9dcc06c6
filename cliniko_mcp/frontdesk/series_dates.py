"""The dates of a series one by one: as the rule makes them, left out, or moved singly.

Cliniko's rule can do neither of the last two (cliniko-api.md#appointments), so such a series is booked visit by visit.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cliniko_mcp.errors import InvalidArguments
from cliniko_mcp.frontdesk.series import Repeat
from cliniko_mcp.frontdesk.spans import start_of
from cliniko_mcp.frontdesk.working_hours import Stretch
from cliniko_mcp.phrases import Anchor, When, parse_when
from cliniko_mcp.results.rows import local_text

_EXCEPT: Final = re.compile(
    r"[,;]? (?:but )?(?:except(?: for)?|excluding|excl|skipping|skip|not|leaving out|leave out|apart from|other than"
    r"|without)(?: on)? (?P<dates>.+)$",
    re.IGNORECASE,
)
_BETWEEN: Final = re.compile(r", (?:and )?| and | & |;")
_MOVED: Final = re.compile(r" (?:moved|moves|move) to | to be on | instead on |\s*(?:->|→|=>)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SeriesDate:
    """One visit of a series: when it is (UTC), when the rule would have it, and whether it is left out."""

    time: Stretch
    was: datetime
    skipped: bool = False

    @property
    def moved(self) -> bool:
        """Whether it is at another time than the rule would have it."""
        return self.time.starts != self.was


@dataclass(frozen=True, slots=True)
class Series:
    """The visits of a booking in the order of the rule; a single visit is a series of one, without a repeat."""

    dates: tuple[SeriesDate, ...]
    repeat: Repeat | None = None

    @property
    def times(self) -> tuple[Stretch, ...]:
        """When its visits are, those left out not among them, the earliest first."""
        return tuple(sorted(date.time for date in self.dates if not date.skipped))

    @property
    def by_rule(self) -> bool:
        """Whether Cliniko's rule makes exactly these visits."""
        return self.repeat is not None and not any(date.skipped or date.moved for date in self.dates)


def without_exceptions(phrase: str) -> tuple[str, list[str]]:
    """A repeat without what follows "except", and the dates named there."""
    match = _EXCEPT.search(phrase)
    if match is None:
        return phrase, []
    return phrase[: match.start()], [part.strip() for part in _BETWEEN.split(match["dates"]) if part.strip()]


def planned(
    first: datetime,
    length: timedelta,
    repeat: Repeat | None,
    changes: Sequence[str],
    now: datetime,
    zone: ZoneInfo,
    country: str | None,
) -> Series:
    """The visits from `first` (UTC) on, each of this length, with the changes that phrases ask for, in their order.

    A change is a day or a time ("25 December"), whose visits are left out, or one visit and its new time
    ("25 December -> 24 December at 10:00"), which is read from that visit. Raises InvalidArguments where none of the
    visits is meant, or none is left, and NotUnderstood for what is no time.
    """
    starts = [first, *(repeat.starts(first, zone) if repeat else ())]
    series = Series(tuple(SeriesDate(Stretch(at, at + length), at) for at in starts), repeat)
    if changes and repeat is None:
        raise InvalidArguments("skip is for a series.", "Leave it out, or give repeat.", field="skip")
    for change in changes:
        series = _Changes(now, zone, country).apply(series, change)
    if not series.times:
        raise InvalidArguments("Every visit of the series is left out.", "Leave at least one in.", field="skip")
    return series


@dataclass(frozen=True, slots=True)
class _Changes:
    now: datetime
    zone: ZoneInfo
    country: str | None

    def apply(self, series: Series, change: str) -> Series:
        which, *target = _MOVED.split(change.strip(), maxsplit=1)
        found = self._meant(series, which)
        if target and len(found) > 1:
            raise InvalidArguments(
                f"{len(found)} visits of the series are then.", "Name one visit to move.", field="skip"
            )
        dates = list(series.dates)
        for place in found:
            date = dates[place]
            dates[place] = self._moved(date, target[0]) if target else replace(date, skipped=True)
        return replace(series, dates=tuple(dates))

    def _moved(self, date: SeriesDate, target: str) -> SeriesDate:
        anchor = Anchor(date.time.starts, date.time.ends)
        when = parse_when(target, now=self.now, zone=self.zone, country=self.country, anchor=anchor)
        starts = start_of(when, date.time.length)
        return replace(date, time=Stretch(starts, starts + date.time.length))

    def _meant(self, series: Series, which: str) -> list[int]:
        """The places of the visits that a day or a time means: read from now, else from before the first visit."""
        whens = list(self._readings(series, which))
        for when in whens:
            found = [place for place, date in enumerate(series.dates) if when.contains(date.was)]
            if found:
                return found
        raise InvalidArguments(
            f"No visit of the series is then: {whens[-1].description}.",
            f"skip takes the days of its visits: {self._days(series)}.",
            field="skip",
        )

    def _readings(self, series: Series, which: str) -> Iterator[When]:
        for now in (self.now, series.dates[0].was - timedelta(days=1)):
            yield parse_when(which, now=now, zone=self.zone, country=self.country)

    def _days(self, series: Series) -> str:
        shown = [local_text(date.was, self.zone)[:10] for date in series.dates[:6]]
        return ", ".join(shown) + (" ..." if len(series.dates) > len(shown) else "")
