"""What a desk says of moving a visit around its new time, and what of a broken-off phrase a correction leaves."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cliniko_mcp.errors import NotUnderstood
from cliniko_mcp.phrases import Anchor, parse_when

SYDNEY = ZoneInfo("Australia/Sydney")
NOW = datetime(2026, 11, 26, 8, 30, tzinfo=SYDNEY)
VISIT = Anchor(datetime(2026, 11, 30, 9, 15, tzinfo=SYDNEY), datetime(2026, 11, 30, 9, 45, tzinfo=SYDNEY))


def moved(phrase: str) -> str:
    return f"{parse_when(phrase, now=NOW, zone=SYDNEY, anchor=VISIT).start:%a %-d %H:%M}"


@pytest.mark.parametrize(("phrase", "due"), [
    ("push her back to quarter past two", "Mon 30 14:15"), ("can you move it to 2pm", "Mon 30 14:00"),
    ("bring it forward an hour", "Mon 30 08:15"), ("push it back by 45 mins", "Mon 30 10:00"),
    ("put him back half an hour please", "Mon 30 09:45"), ("shift to Tuesday same time", "Tue 1 09:15"),
    ("let's make it Thursday at 3", "Thu 3 15:00"), ("move up 15 min", "Mon 30 09:00"),
    ("same day, half 3 instead", "Mon 30 15:30"), ("the Wednesday of that week, same time", "Wed 2 09:15"),
    ("Friday that week at noon", "Fri 4 12:00"),
    ("back to 10", "Mon 30 10:00"),
    ("move it to three", "Mon 30 15:00"), ("forward to Friday 3pm", "Fri 4 15:00"),
    ("same slot Thursday", "Thu 3 09:15"),
    ("the week after, same day and time", "Mon 7 09:15"), ("2pm sharp that day", "Mon 30 14:00"),
    ("that afternoon", "Mon 30 12:00"), ("that arvo at 3", "Mon 30 15:00"),
    ("the day after, 11ish no make that 11:15", "Tue 1 11:15"), ("Wednesday 3ish, sorry, 3:20", "Wed 2 15:20"),
])  # fmt: skip
def test_the_words_around_a_new_time_change_nothing_of_it(phrase: str, due: str) -> None:
    assert moved(phrase) == due


@pytest.mark.parametrize("phrase", ["move it back an hour", "move it by an hour", "push it", "bring it up", "instead"])
def test_a_way_of_moving_with_two_meanings_or_without_a_time_is_refused(phrase: str) -> None:
    with pytest.raises(NotUnderstood):
        moved(phrase)


@pytest.mark.parametrize("phrase", [
    "the Tuesday of whichever week suits, no, 4pm", "some Wednesday or other, sorry, 10:30",
    "next month at the usual hour, wait, 3pm",
])  # fmt: skip
def test_a_correction_of_the_hour_does_not_lose_a_day_that_could_not_be_read(phrase: str) -> None:
    with pytest.raises(NotUnderstood):
        moved(phrase)
    with pytest.raises(NotUnderstood):
        parse_when(phrase, now=NOW + timedelta(days=1), zone=SYDNEY)


@pytest.mark.parametrize(("phrase", "due"), [
    ("tmrw 10", "Fri 27 10:00"), ("tomorrow 3", "Fri 27 15:00"), ("today 4", "Thu 26 16:00"),
    ("tonight 6", "Thu 26 18:00"), ("tomorrow two", "Fri 27 14:00"),
])  # fmt: skip
def test_a_bare_number_after_today_or_tomorrow_is_an_hour(phrase: str, due: str) -> None:
    assert f"{parse_when(phrase, now=NOW, zone=SYDNEY).start:%a %-d %H:%M}" == due
    with pytest.raises(NotUnderstood):  # it may be the day of the month as well
        parse_when(phrase.replace(phrase.split()[0], "Monday"), now=NOW, zone=SYDNEY)
