"""Laws that hold for every phrase, moment and zone."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cliniko_mcp.errors import NotUnderstood
from cliniko_mcp.phrases import When, parse_when
from cliniko_mcp.phrases.vocabulary import DAY_PARTS, UNDATED, VAGUE, WORDS

from .formatting import formatted
from .test_phrases import DAYS, MIXTURES, SPANS, TIMES

ZONES = [
    *(
        "Australia/Sydney",
        "Australia/Perth",
        "Australia/Lord_Howe",
        "Pacific/Auckland",
        "Europe/London",
        "Europe/Dublin",
    ),
    *("America/New_York", "America/Los_Angeles", "America/Toronto", "America/St_Johns", "Pacific/Honolulu", "UTC"),
]
zones = st.sampled_from(ZONES)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2040, 12, 31)).map(
    lambda moment: moment.replace(second=0, microsecond=0)
)
known_phrases = st.sampled_from([*DAYS, *SPANS, *TIMES, *MIXTURES])

spans = st.sampled_from(
    ["next week", "in the next 2 weeks", "this week", "next month", "in the next 10 days", "today", ""]
)
weekday_words = st.sampled_from(
    ["", "Monday", "Mon or Wed", "weekdays", "Tue to Thu", "Tue, Thu and Sat", "the weekend"]
)
hour_words = st.sampled_from(
    ["", "mornings", "after 3", "before 10", "between 9 and 11:30", "2-4pm", "at noon", "arvo"]
)
exceptions = st.sampled_from(
    ["", "except Wednesday", "except weekends", "but not Monday or Friday", "except lunchtime"]
)
mixtures = st.tuples(spans, weekday_words, hour_words, exceptions).map(
    lambda words: " ".join(word for word in words if word)
)

vocabulary = st.sampled_from(
    [
        *WORDS,
        *sorted(VAGUE),
        *sorted(UNDATED),
        *DAY_PARTS,
        *("or", "and", ",", "-", "to", "/", "&", "24", "9", "3pm", "24/11", "2026", "15:30", "2026-11-24", "1530"),
        *("31st", "0", "99", "nd", "2026-11-24T10:00", "half", "quarter", "past", "the", "next", "in", "before"),
    ]
)


# a shared machine may pause in the middle of an example
no_deadline = settings(deadline=None)


def parse_or_none(phrase: str, now: datetime, zone: str) -> When | None:
    try:
        return parse_when(phrase, now=now, zone=zone)
    except NotUnderstood:
        return None


def utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


@no_deadline
@given(st.text(max_size=250), moments, zones)
@example("2026-11-24T10:00+99:99", datetime(2026, 1, 1), "UTC")
@example("ﷺ" * 200, datetime(2026, 1, 1), "UTC")
def test_any_text_is_understood_or_refused(text: str, now: datetime, zone: str) -> None:
    parse_or_none(text, now, zone)


@pytest.mark.long
@settings(max_examples=800, deadline=None)
@given(st.lists(vocabulary, min_size=1, max_size=9).map(" ".join), moments, zones)
def test_any_words_of_time_are_understood_or_refused(text: str, now: datetime, zone: str) -> None:
    when = parse_or_none(text, now, zone)
    if when is not None:
        assert utc(when.start) < utc(when.end)


@pytest.mark.long
@no_deadline
@given(st.one_of(known_phrases, mixtures), moments, zones)
def test_an_interval_ends_after_it_starts_and_its_windows_lie_within_it_in_order(
    phrase: str, now: datetime, zone: str
) -> None:
    when = parse_or_none(phrase, now, zone)
    if when is None:
        return
    assert when.zone.key == zone
    end = utc(when.start)
    found = False
    for opens, closes in when.windows():
        found = True
        assert end <= utc(opens) < utc(closes) <= utc(when.end)
        assert when.contains(opens)
        assert not (when.weekdays or when.times) or not when.weekdays or opens.isoweekday() in when.weekdays
        assert opens.tzinfo is when.start.tzinfo
        end = utc(closes)
    assert found
    assert not when.contains(when.end)
    assert not when.contains(when.start - timedelta(minutes=1))


@pytest.mark.long
@no_deadline
@given(mixtures, moments, zones, st.integers(-3, 3))
def test_constraints_agree_with_asking_every_quarter_of_an_hour(
    phrase: str, now: datetime, zone: str, shift: int
) -> None:
    """`contains` and `windows` are two ways to the same answer."""
    when = parse_or_none(phrase, now, zone)
    if when is None:
        return
    windows = [(utc(opens), utc(closes)) for opens, closes in when.windows()]
    moment = utc(when.start) + timedelta(minutes=15 * shift)
    for _ in range(200):
        assert when.contains(moment) == any(opens <= moment < closes for opens, closes in windows)
        moment += timedelta(minutes=105)


# Phrases counted in weeks and days only; months have no such law.
WEEKLY = [
    *("today", "tomorrow", "yesterday", "Thursday", "next Tuesday", "last Friday", "this weekend", "next weekend"),
    *(
        "Tuesday week",
        "a week on Monday",
        "in 2 weeks",
        "in the next 2 weeks",
        "past fortnight",
        "last week",
        "this week",
    ),
    *("next week mornings except Wednesday", "Mon or Wed arvo in the next 2 weeks", "weekdays", "Mon-Fri 9-5", "at 9"),
    *("by Friday", "before the end of next week", "early next week", "late next week", "since Monday", "tonight"),
    *(
        "tomorrow between 9 and 11:30",
        "in 3 days",
        "2 weeks ago",
        "rest of the week",
        "the week after next",
        "half two",
    ),
]


@pytest.mark.long
@no_deadline
@given(st.sampled_from(WEEKLY), moments, st.integers(-60, 60))
def test_saying_it_a_week_later_means_a_week_later(phrase: str, now: datetime, weeks: int) -> None:
    zone = ZoneInfo("Australia/Brisbane")
    first = parse_when(phrase, now=now, zone=zone)
    later = parse_when(phrase, now=now + timedelta(weeks=weeks), zone=zone)
    assert later.start - first.start == later.end - first.end == timedelta(weeks=weeks)
    assert (later.weekdays, later.times) == (first.weekdays, first.times)


@pytest.mark.long
@no_deadline
@given(known_phrases, moments)
def test_capitals_spaces_and_politeness_change_nothing(phrase: str, now: datetime) -> None:
    plain = parse_or_none(phrase, now, "Europe/London")
    assert parse_or_none(f"  {phrase.upper().replace(' ', '   ')} ", now, "Europe/London") == plain
    if '"' not in phrase and "'" not in phrase:
        assert parse_or_none(f"please {phrase}", now, "Europe/London") == plain


@pytest.mark.long
@no_deadline
@given(known_phrases, moments, zones)
def test_a_phrase_means_the_same_wherever_the_moment_was_written_down(phrase: str, now: datetime, zone: str) -> None:
    aware = now.replace(tzinfo=UTC)
    abroad = aware.astimezone(ZoneInfo("Asia/Tokyo"))
    assert parse_or_none(phrase, aware, zone) == parse_or_none(phrase, abroad, zone)


@pytest.mark.long
@no_deadline
@given(st.dates(datetime(2000, 1, 1).date(), datetime(2100, 12, 31).date()), moments)
def test_every_date_is_read_in_every_way_of_writing_it(day: datetime, now: datetime) -> None:
    start = f"{day:%Y-%m-%d}T00:00"
    year = f"{day.year:04d}"
    for phrase in (
        f"{day:%Y-%m-%d}",
        f"{day.day}/{day.month}/{year}",
        f"{day.day} {day:%B} {year}",
        f"{day:%b} {day.day}, {year}",
        f"{day:%A} {day.day} {day:%b} {year}",
        f"the {day.day}th of {day:%B} {year}",
    ):
        assert formatted(parse_when(phrase, now=now, zone="Europe/London")).startswith(start), phrase


@pytest.mark.long
@no_deadline
@given(st.integers(0, 1439), moments)
def test_every_minute_of_a_day_is_read_on_both_clocks(minute: int, now: datetime) -> None:
    hour, past = divmod(minute, 60)
    suffix = "am" if hour < 12 else "pm"
    expected = f"T{hour:02d}:{past:02d} "
    for text in (
        f"{hour:02d}:{past:02d}",
        f"{(hour - 1) % 12 + 1}:{past:02d}{suffix}",
        f"{(hour - 1) % 12 + 1}.{past:02d} {suffix}",
    ):
        assert expected in formatted(parse_when(f"tomorrow at {text}", now=now, zone="Australia/Brisbane"))


@pytest.mark.long
@pytest.mark.parametrize("machine", ["UTC", "Pacific/Kiritimati", "America/Los_Angeles"])
def test_the_machines_zone_and_locale_do_not_matter(machine: str) -> None:
    program = (
        "from datetime import datetime\n"
        "from cliniko_mcp.phrases import parse_when\n"
        "for phrase in ('tonight', 'next Tuesday or Thursday before noon', 'in 2 hours', '3/12'):\n"
        "    print(parse_when(phrase, now=datetime(2026, 10, 3, 23, 30), zone='Australia/Sydney'))\n"
    )
    environment = {**os.environ, "TZ": machine, "LC_ALL": "C"}
    answer = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert answer.stdout.splitlines() == [
        str(parse_when(phrase, now=datetime(2026, 10, 3, 23, 30), zone="Australia/Sydney"))
        for phrase in ("tonight", "next Tuesday or Thursday before noon", "in 2 hours", "3/12")
    ]


def test_no_phrase_takes_long() -> None:
    """A bound far above the usual fifth of a millisecond: it catches a reading that explodes, not a slow machine."""
    phrases = [*DAYS, *SPANS, *TIMES, *MIXTURES, "24 to " * 33, "Mon or " * 28, "the " * 50, "in the next 2 " * 14]
    start = time.process_time()
    for phrase in phrases:
        parse_or_none(phrase, datetime(2026, 11, 24, 10, 37), "Australia/Sydney")
    assert (time.process_time() - start) / len(phrases) < 0.01
