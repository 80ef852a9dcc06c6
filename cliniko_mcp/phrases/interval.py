"""The result of a phrase of time: a half-open local interval, and the weekdays and hours that count within it.

A phrase such as "before March" or "more than 6 months ago", read facing back, has no start.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from cliniko_mcp.phrases.zones import DAY_MINUTES, instant, on_day

Window = tuple[datetime, datetime]
Minutes = tuple[int, int]


@dataclass(frozen=True, slots=True)
class When:
    """An interval of clinic time.

    `start` (included) and `end` (excluded) are aware, in the clinic's zone. Where `weekdays` (ISO numbers, Monday is 1)
    or `times` (minutes after local midnight, 0 to 1440) are not empty, only those days and hours within the interval
    count. An interval without gaps has neither. `description` states it in words, for people to check.
    """

    start: datetime
    end: datetime
    weekdays: frozenset[int]
    times: tuple[Minutes, ...]
    description: str

    @property
    def zone(self) -> ZoneInfo:
        """The clinic's zone: that of `start` and `end`."""
        zone = self.start.tzinfo
        assert isinstance(zone, ZoneInfo)
        return zone

    def windows(self) -> Iterator[Window]:
        """The periods that count, as aware half-open pairs in chronological order.

        Without weekdays and times there is one, from start to end; otherwise each lies within one local day.
        """
        return windows(self.start, self.end, self.weekdays, self.times)

    def contains(self, moment: datetime) -> bool:
        """Whether an aware datetime lies in one of the windows."""
        here = instant(moment)
        if not instant(self.start) <= here < instant(self.end):
            return False
        day = moment.astimezone(self.zone).date()
        return any(
            instant(start) <= here < instant(end)
            for start, end in day_windows(day, self.start, self.end, self.weekdays, self.times)
        )


@dataclass(frozen=True, slots=True)
class OpenWhen:
    """All clinic time before a moment: `start` is None, `end` (excluded) is aware, in the clinic's zone.

    `weekdays`, `times` and `description` are as in `When`.
    """

    end: datetime
    weekdays: frozenset[int]
    times: tuple[Minutes, ...]
    description: str
    start: None = None

    @property
    def zone(self) -> ZoneInfo:
        """The clinic's zone: that of `end`."""
        zone = self.end.tzinfo
        assert isinstance(zone, ZoneInfo)
        return zone

    def contains(self, moment: datetime) -> bool:
        """Whether an aware datetime lies before the end, on one of the weekdays and in one of the hours that count."""
        return self.since(moment - timedelta(days=1)).contains(moment)

    def since(self, start: datetime) -> When:
        """The same interval with a start, such as the clinic's first record; it may be empty."""
        return When(start.astimezone(self.zone), self.end, self.weekdays, self.times, self.description)


def windows(start: datetime, end: datetime, weekdays: frozenset[int], times: tuple[Minutes, ...]) -> Iterator[Window]:
    """The windows of an interval limited to weekdays and times, in order; none where no time is left."""
    if not weekdays and not times:
        yield start, end
        return
    day, last = start.date(), end.date()
    while day <= last:
        yield from day_windows(day, start, end, weekdays, times)
        day += timedelta(days=1)


def day_windows(
    day: date, start: datetime, end: datetime, weekdays: frozenset[int], times: tuple[Minutes, ...]
) -> Iterator[Window]:
    """The windows of one local day; a window includes both showings of a repeated hour, and no skipped time."""
    zone = start.tzinfo
    assert isinstance(zone, ZoneInfo)
    if weekdays and day.isoweekday() not in weekdays:
        return
    for first, final in times or ((0, DAY_MINUTES),):
        opens = on_day(day, first, zone)
        closes = on_day(day, final, zone, last=True)
        if final - first == 1 and instant(opens) < instant(closes):
            closes = (instant(opens) + timedelta(minutes=1)).astimezone(zone)
        opens = max(opens, start, key=instant)
        closes = min(closes, end, key=instant)
        if instant(opens) < instant(closes):
            yield opens, closes
