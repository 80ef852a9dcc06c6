"""Weeks in which the clock changes: days of 23 and 25 hours, times that are skipped and times that come twice."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cliniko_mcp.errors import NotUnderstood
from cliniko_mcp.phrases import When, day_bounds

from .formatting import SYDNEY, formatted, hours, parse

# Sydney goes from 02:00 to 03:00 on 4 October 2026 and from 03:00 back to 02:00 on 5 April 2026
SPRING = "2026-10-03T22:00"
AUTUMN = "2026-04-04T22:00"


def length(when: When) -> timedelta:
    return when.end.astimezone(UTC) - when.start.astimezone(UTC)


@pytest.mark.parametrize(
    ("zone", "day", "long"),
    [
        (SYDNEY, "2026-10-04", 23),
        (SYDNEY, "2026-04-05", 25),
        ("Pacific/Auckland", "2026-09-27", 23),
        ("Europe/London", "2026-03-29", 23),
        ("Europe/Dublin", "2026-10-25", 25),
        ("America/New_York", "2026-11-01", 25),
        ("America/Toronto", "2026-03-08", 23),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        # the clock skips midnight itself, or repeats the hour after it
        ("America/Havana", "2026-03-08", 23),
        ("America/Havana", "2026-11-01", 25),
        ("Australia/Brisbane", "2026-10-04", 24),
    ],
)
def test_a_local_day_is_as_long_as_the_clock_makes_it(zone: str, day: str, long: float) -> None:
    start, end = day_bounds(date.fromisoformat(day), ZoneInfo(zone))
    assert end.astimezone(UTC) - start.astimezone(UTC) == timedelta(hours=long)
    assert length(parse(day, f"{day}T12:00", zone)) == timedelta(hours=long)
    before, after = date.fromisoformat(day) - timedelta(days=1), date.fromisoformat(day) + timedelta(days=1)
    assert day_bounds(before, ZoneInfo(zone))[1] == start
    assert day_bounds(after, ZoneInfo(zone))[0] == end


def test_a_point_that_the_clock_skips_is_refused() -> None:
    for phrase in ("tomorrow at 2:30am", "4 October at 2:30am", "2026-10-04T02:30"):
        with pytest.raises(NotUnderstood, match="clock skips 02:30"):
            parse(phrase, SPRING)


def test_an_interval_ends_or_begins_at_the_skip() -> None:
    assert formatted(parse("tomorrow from 1am to 2:30am", SPRING)) == hours("2026-10-04", "01:00", "03:00")
    assert length(parse("tomorrow from 1am to 2:30am", SPRING)) == timedelta(hours=1)
    assert length(parse("tomorrow from 2:30am to 4am", SPRING)) == timedelta(hours=1)


def test_an_interval_holds_both_showings_of_a_repeated_hour() -> None:
    assert length(parse("tomorrow from 2am to 3am", AUTUMN)) == timedelta(hours=2)
    assert length(parse("tomorrow morning", AUTUMN)) == timedelta(hours=13)


def test_a_repeated_point_is_its_first_showing() -> None:
    point = parse("tomorrow at 2:30am", AUTUMN)
    assert point.start.utcoffset() == timedelta(hours=11)
    assert length(point) == timedelta(minutes=1)


def test_hours_are_true_durations_and_days_keep_the_time_of_day() -> None:
    assert formatted(parse("in 24 hours", SPRING)) == "2026-10-04T23:00 2026-10-04T23:01"
    assert formatted(parse("in the next 24 hours", AUTUMN)) == "2026-04-04T22:00 2026-04-05T21:00"
    assert formatted(parse("in the next 2 days", SPRING)) == "2026-10-03T22:00 2026-10-05T22:00"
    assert formatted(parse("past 2 days", "2026-10-05T22:00")) == "2026-10-03T22:00 2026-10-05T22:00"


def test_an_ambiguous_now_is_its_first_showing_unless_its_offset_says_which() -> None:
    assert parse("now", "2026-04-05T02:30").start.utcoffset() == timedelta(hours=11)
    assert parse("now", "2026-04-05T02:30+10:00").start.utcoffset() == timedelta(hours=10)


def test_windows_of_a_span_leave_out_the_day_that_skips_them() -> None:
    when = parse("2026-10-02 to 2026-10-06 at 2:30am", "2026-10-01T09:00")
    assert [start.day for start, _ in when.windows()] == [2, 3, 5, 6]


def test_an_interval_contains_its_instants_and_no_others() -> None:
    when = parse("Mon or Wed arvo in the next 2 weeks", "2026-09-29T13:30")
    zone = ZoneInfo(SYDNEY)
    assert when.contains(datetime(2026, 9, 30, 12, tzinfo=zone))
    assert when.contains(datetime(2026, 10, 5, 16, 59, tzinfo=zone).astimezone(UTC))
    assert not when.contains(datetime(2026, 10, 5, 17, tzinfo=zone))
    assert not when.contains(datetime(2026, 10, 6, 13, tzinfo=zone))
    assert not when.contains(datetime(2026, 10, 14, 13, tzinfo=zone))
    assert parse("tomorrow at 2:30am", AUTUMN).contains(datetime(2026, 4, 5, 2, 30, tzinfo=zone))
    assert not parse("tomorrow at 2:30am", AUTUMN).contains(datetime(2026, 4, 5, 2, 30, fold=1, tzinfo=zone))


def test_windows_of_an_unbroken_interval_are_the_interval() -> None:
    when = parse("Thursday after 3")
    assert list(when.windows()) == [(when.start, when.end)]


def test_an_aware_now_is_brought_to_the_clinic() -> None:
    assert formatted(parse("today", "2026-11-23T20:00+00:00")) == "2026-11-24T00:00 2026-11-25T00:00"
    western = parse("today", "2026-11-24T03:00+00:00", "America/Los_Angeles")
    assert formatted(western) == "2026-11-23T00:00 2026-11-24T00:00"
