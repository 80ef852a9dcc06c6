"""Availability against an independent, slow computation: minute by minute, each minute asked what its local time is."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cliniko_mcp.sandbox.rules.availability import (
    Hours,
    OnlineBookingLimits,
    Span,
    free,
    instant,
    joined,
    offered,
    openings,
    starts,
)

MINUTE = timedelta(minutes=1)
DAYS = [
    ("Australia/Sydney", date(2026, 10, 4)),  # the clocks go forward
    ("Australia/Sydney", date(2027, 4, 4)),  # and back
    ("Australia/Lord_Howe", date(2026, 10, 4)),  # by half an hour
    ("Europe/London", date(2026, 10, 25)),
    ("America/New_York", date(2027, 3, 14)),
    ("Australia/Perth", date(2026, 11, 24)),  # no change
]

clocks = st.integers(0, 24 * 4).map(lambda quarter: f"{quarter // 4:02d}:{quarter % 4 * 15:02d}")
hours = st.builds(Hours, weekday=st.integers(1, 7), starts=clocks, ends=clocks)
zoned_days = st.sampled_from(DAYS)


def _minutes(first: datetime, count: int) -> list[datetime]:
    return [first + MINUTE * number for number in range(count)]


def _spans(draw: st.DrawFn, start: datetime) -> list[Span]:
    pieces = draw(st.lists(st.tuples(st.integers(0, 3 * 1440), st.integers(1, 300)), max_size=8))
    return [Span(start + MINUTE * at, start + MINUTE * (at + length)) for at, length in pieces]


@st.composite
def diaries(draw: st.DrawFn) -> tuple[str, date, list[Hours], list[Span], list[Span]]:
    zone, day = draw(zoned_days)
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=1)
    return zone, day, draw(st.lists(hours, max_size=6)), _spans(draw, start), _spans(draw, start)


def _is_open(minute: datetime, zone: ZoneInfo, weekly: list[Hours], first: date, last: date) -> bool:
    """Whether a minute lies in the weekly hours, by when a clock on the wall reaches their ends."""
    local = minute.astimezone(zone)
    for hours in weekly:
        for day in {local.date(), local.date() - timedelta(days=1)}:
            if not first <= day <= last or hours.weekday != day.isoweekday():
                continue
            if _reached(day, hours.starts, zone) <= minute < _reached(day, hours.ends, zone):
                return True
    return False


@cache
def _reached(day: date, clock: str, zone: ZoneInfo) -> datetime:
    """The first minute of that local day (or after it) at which the wall clock shows this time or a later one."""
    minute = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=1)
    while (local := minute.astimezone(zone)).date() < day or (local.date() == day and local.strftime("%H:%M") < clock):
        minute += MINUTE
    return minute


@pytest.mark.long
@settings(max_examples=120, deadline=None)
@given(diaries(), st.sampled_from([15, 20, 30, 45, 60]), st.sampled_from([15, 30, 45, 60, 90]))
def test_starts_are_those_of_a_minute_by_minute_search(
    diary: tuple[str, date, list[Hours], list[Span], list[Span]], step: int, length: int
) -> None:
    name, day, weekly, blocks, taken = diary
    zone = ZoneInfo(name)
    first, last = day - timedelta(days=1), day + timedelta(days=1)
    opened = openings(first, last, zone, weekly, blocks)
    found = list(starts(free(opened, taken), MINUTE * step, MINUTE * length))

    begin = datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(days=2)
    minutes = _minutes(begin, 7 * 1440)
    available = {
        minute
        for minute in minutes
        if (_is_open(minute, zone, weekly, first, last) or any(s.starts <= minute < s.ends for s in blocks))
        and not any(s.starts <= minute < s.ends for s in taken)
    }
    expected: list[datetime] = []
    edge: datetime | None = None
    for minute in minutes:
        if minute not in available:
            edge = None
            continue
        edge = edge or minute
        whole = all(minute + MINUTE * ahead in available for ahead in range(length))
        if whole and (minute - edge) % (MINUTE * step) == timedelta():
            expected.append(minute)
    assert found == expected


@pytest.mark.long
@settings(deadline=None)
@given(zoned_days, clocks)
def test_an_instant_is_when_the_wall_clock_gets_there(zoned: tuple[str, date], clock: str) -> None:
    zone = ZoneInfo(zoned[0])
    assert instant(zoned[1], clock, zone) == _reached(zoned[1], clock, zone)


def test_a_working_day_over_the_change_is_an_hour_shorter_or_longer() -> None:
    sydney = ZoneInfo("Australia/Sydney")
    for day, expected in ((date(2026, 10, 4), 23), (date(2027, 4, 4), 25), (date(2026, 11, 22), 24)):
        (span,) = openings(day, day, sydney, [Hours(7, "00:00", "24:00")], [])
        assert span.ends - span.starts == timedelta(hours=expected)


def _span(start: int, end: int) -> Span:
    origin = datetime(2026, 11, 24, tzinfo=UTC)
    return Span(origin + MINUTE * start, origin + MINUTE * end)


def test_spans_that_touch_are_one_and_cuts_are_half_open() -> None:
    assert joined([_span(30, 60), _span(0, 30), _span(10, 20), _span(90, 91)]) == [_span(0, 60), _span(90, 91)]
    assert free([_span(0, 60)], [_span(60, 90), _span(-30, 0)]) == [_span(0, 60)]
    assert free([_span(0, 60), _span(70, 90)], [_span(10, 80), _span(20, 30)]) == [_span(0, 10), _span(80, 90)]
    assert free([_span(0, 60)], [_span(0, 60)]) == []


def test_what_is_offered_is_bounded_at_both_ends_inclusively() -> None:
    at = [_span(minute, minute + 1).starts for minute in (0, 30, 60, 90)]
    bounds = OnlineBookingLimits(earliest=at[1], latest=at[2])
    assert offered([at[3], at[2], at[1], at[1], at[0]], ZoneInfo("UTC"), bounds) == [at[1], at[2]]
