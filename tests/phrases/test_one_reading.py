"""Hours that may be of the morning or the evening, and lengths that are no whole number of days, are never guessed."""

from datetime import date, timedelta

import pytest

from cliniko_mcp.errors import NotUnderstood
from cliniko_mcp.phrases import Anchor, parse_when
from cliniko_mcp.phrases.vocabulary import WEEKDAY_NAMES

from .formatting import SYDNEY, TUESDAY
from .test_from_a_visit import visit_on

HOURS = range(1, 13)


def span(phrase: str, anchor: Anchor | None = None) -> tuple[str, str]:
    found = parse_when(phrase, now=TUESDAY, zone=SYDNEY, anchor=anchor)
    return f"{found.start:%Y-%m-%d %H:%M}", f"{found.end:%Y-%m-%d %H:%M}"


SHAPES = ("Monday {} to {}", "Monday {} - {}", "between {} and {} on Monday")


def test_after_a_morning_hour_an_end_without_am_or_pm_has_one_reading_or_is_refused() -> None:
    for hour in HOURS:
        start = hour % 12 * 60
        for end_hour in HOURS:
            early = end_hour % 12 * 60 + 30
            usual = early if end_hour in range(7, 12) else early + 720
            phrase = SHAPES[(hour + end_hour) % 3].format(f"{hour}am", f"{end_hour}:30")
            if start < early < usual:
                with pytest.raises(NotUnderstood, match="am or pm"):
                    span(phrase)
            elif start < usual:
                expected = (f"2026-11-30 {start // 60:02d}:{start % 60:02d}", f"{usual // 60:02d}:{usual % 60:02d}")
                assert (span(phrase)[0], span(phrase)[1][-5:]) == expected, phrase


def test_so_many_and_a_half_is_read_where_the_half_is_so_many_minutes_or_months() -> None:
    assert span("Sunday 2:30 for two and a half hours") == ("2026-11-29 14:30", "2026-11-29 17:00")
    assert span("3 and a half hours from 9 on Monday") == ("2026-11-30 09:00", "2026-11-30 12:30")
    for unit in ("weeks", "days", "months"):
        for phrase in (f"in two and a half {unit}", f"two and a half {unit} later"):
            with pytest.raises(NotUnderstood, match="Half a"):
                span(phrase, visit_on(date(2026, 12, 9), TUESDAY.time().replace(hour=14), SYDNEY))


def test_until_lunch_stops_where_lunch_begins_from_wherever_it_is_counted() -> None:
    for phrase in ("from now until lunch", "until lunch", "Tuesday until lunch", "now till lunchtime"):
        assert span(phrase)[1][-5:] == "12:00", phrase


@pytest.mark.parametrize("words", ["the following {}", "following {}", "the {} after", "on the {} following"])
def test_the_weekday_after_a_visit_is_read_where_only_one_can_be_meant(words: str) -> None:
    for ahead in range(15, 22):
        day = date(2026, 11, 24) + timedelta(days=ahead)
        visit = visit_on(day, TUESDAY.time().replace(hour=14, minute=15), SYDNEY)
        for number, name in enumerate(WEEKDAY_NAMES):
            phrase = words.format(name)
            if number > day.weekday():
                with pytest.raises(NotUnderstood, match="say the date"):
                    span(phrase, visit)
            else:
                expected = day + timedelta(days=7 - day.weekday() + number)
                assert span(phrase, visit)[0] == f"{expected} 14:15", (phrase, day)
