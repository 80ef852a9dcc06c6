"""How the beginning and the end of something are written beside each other."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from cliniko_mcp.frontdesk.clock_text import end_of, times
from cliniko_mcp.results.moments import local_text

SYDNEY = ZoneInfo("Australia/Sydney")


def at(local: str, *, fold: int = 0) -> datetime:
    return datetime.fromisoformat(local).replace(tzinfo=SYDNEY, fold=fold).astimezone(ZoneInfo("UTC"))


@pytest.mark.parametrize(
    ("starts", "ends", "end", "span"),
    [
        ("2026-11-24T09:30", "2026-11-24T10:00", "10:00", "09:30-10:00"),
        ("2026-11-24T22:00", "2026-11-24T23:59", "23:59", "22:00-23:59"),
        ("2026-11-24T22:00", "2026-11-25T00:00", "24:00", "22:00-24:00"),
        ("2026-11-24T00:00", "2026-11-25T00:00", "24:00", "00:00-24:00"),
        (
            "2026-11-24T22:00",
            "2026-11-25T00:01",
            "2026-11-25T00:01+11:00 Wed",
            "2026-11-24 22:00 to 2026-11-25 00:01",
        ),
        (
            "2026-11-24T22:00",
            "2026-11-25T01:00",
            "2026-11-25T01:00+11:00 Wed",
            "2026-11-24 22:00 to 2026-11-25 01:00",
        ),
        (
            "2026-11-24T22:00",
            "2026-11-26T00:00",
            "2026-11-26T00:00+11:00 Thu",
            "2026-11-24 22:00 to 2026-11-25 24:00",
        ),
        (
            "2026-11-24T22:00",
            "2026-11-26T00:30",
            "2026-11-26T00:30+11:00 Thu",
            "2026-11-24 22:00 to 2026-11-26 00:30",
        ),
        (
            "2026-12-31T22:00",
            "2027-01-02T00:00",
            "2027-01-02T00:00+11:00 Sat",
            "2026-12-31 22:00 to 2027-01-01 24:00",
        ),
    ],
)
def test_an_end_on_another_day_carries_its_date(starts: str, ends: str, end: str, span: str) -> None:
    assert end_of(at(starts), at(ends), SYDNEY) == end
    assert times(at(starts), at(ends), SYDNEY) == span


def test_an_end_after_the_clock_changed_is_written_in_full() -> None:
    starts, ends = at("2027-04-04T02:30"), at("2027-04-04T02:30", fold=1)

    assert end_of(starts, ends, SYDNEY) == "2027-04-04T02:30+10:00 Sun"
    assert times(starts, ends, SYDNEY) == "02:30-02:30"


def test_midnight_after_the_clock_changed_is_the_end_of_the_day() -> None:
    assert end_of(at("2027-04-04T01:00"), at("2027-04-05T00:00"), SYDNEY) == "24:00"


@pytest.mark.parametrize(
    ("local", "text"),
    [
        ("2026-11-23T09:30", "2026-11-23T09:30+11:00 Mon"),
        ("2026-11-24T09:30:59", "2026-11-24T09:30+11:00 Tue"),
        ("2026-11-25T00:00", "2026-11-25T00:00+11:00 Wed"),
        ("2026-11-26T23:59", "2026-11-26T23:59+11:00 Thu"),
        ("2026-11-27T09:30", "2026-11-27T09:30+11:00 Fri"),
        ("2026-11-28T09:30", "2026-11-28T09:30+11:00 Sat"),
        ("2026-07-05T09:30", "2026-07-05T09:30+10:00 Sun"),
    ],
)
def test_a_moment_is_written_to_the_minute_with_its_offset_and_weekday(local: str, text: str) -> None:
    assert local_text(at(local), SYDNEY) == text
