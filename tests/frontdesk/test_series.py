"""Repeats in words: the number is that of the visits in all, an end is read from the first visit on."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cliniko_mcp.errors import InvalidArguments, NotUnderstood
from cliniko_mcp.frontdesk.series import MAX_VISITS, Repeat, Unit, read_repeat
from cliniko_mcp.frontdesk.series_dates import planned, without_exceptions

SYDNEY = ZoneInfo("Australia/Sydney")
NOW = datetime(2026, 11, 24, 9, tzinfo=SYDNEY)
FRIDAY = datetime(2026, 11, 27, 16, tzinfo=SYDNEY)


def read(phrase: str, first: datetime = FRIDAY) -> Repeat:
    return read_repeat(phrase, first, NOW, SYDNEY, "AU")


@pytest.mark.parametrize(("phrase", "due"), [
    ("weekly x6", Repeat("Weekly", 1, 6)), ("Weekly, 6 visits", Repeat("Weekly", 1, 6)),
    ("6 weekly visits", Repeat("Weekly", 1, 6)), ("once a week for six weeks", Repeat("Weekly", 1, 6)),
    ("six weekly sessions", Repeat("Weekly", 1, 6)), ("weekly for six weeks", Repeat("Weekly", 1, 6)),
    ("one visit a week for 6 weeks", Repeat("Weekly", 1, 6)), ("6 sessions a week apart", Repeat("Weekly", 1, 6)),
    ("every week for 6 weeks, 6 visits", Repeat("Weekly", 1, 6)), ("weekly six", Repeat("Weekly", 1, 6)),
    ("weekly, 6 visits in all", Repeat("Weekly", 1, 6)), ("a dozen weekly visits", Repeat("Weekly", 1, 12)),
    ("weekly, half a dozen", Repeat("Weekly", 1, 6)), ("a half dozen weekly visits", Repeat("Weekly", 1, 6)),
    ("daily, two dozen", Repeat("Daily", 1, 24)), ("weekly, one dozen in all", Repeat("Weekly", 1, 12)),
    ("weekly, dozen", Repeat("Weekly", 1, 12)),
    ("weekly, 5 more", Repeat("Weekly", 1, 6)), ("fortnightly, another 3", Repeat("Weekly", 2, 4)),
    ("weekly for the next month", Repeat("Weekly", 1, 5)), ("monthly over the next year", Repeat("Monthly", 1, 12)),
    ("every Friday for a month", Repeat("Weekly", 1, 5)), ("Fridays until 18 December", Repeat("Weekly", 1, 4)),
    ("every other Friday, 5 appointments", Repeat("Weekly", 2, 5)), ("weekly on Fridays x3", Repeat("Weekly", 1, 3)),
    ("fortnightly until March", Repeat("Weekly", 2, 9)), ("weekly before 18 December", Repeat("Weekly", 1, 3)),
    ("weekly up to and including 18 December", Repeat("Weekly", 1, 4)),
    ("weekly to 18 December", Repeat("Weekly", 1, 4)),
    ("weekly for the rest of the year", Repeat("Weekly", 1, 5)), ("weekly until 2026-12-18", Repeat("Weekly", 1, 4)),
    ("every 3 weeks x4", Repeat("Weekly", 3, 4)), ("4 visits, 3 weeks apart", Repeat("Weekly", 3, 4)),
    ("every second week, four visits", Repeat("Weekly", 2, 4)),
    ("every three weeks, two times", Repeat("Weekly", 3, 2)),
    ("every fortnight x3", Repeat("Weekly", 2, 3)), ("every 2 weeks for 3 months", Repeat("Weekly", 2, 7)),
    ("daily for 5", Repeat("Daily", 1, 5)), ("every day for five days", Repeat("Daily", 1, 5)),
    ("monthly for six months", Repeat("Monthly", 1, 6)), ("once a month, 3 times", Repeat("Monthly", 1, 3)),
    ("once weekly for five weeks", Repeat("Weekly", 1, 5)), ("6 wkly", Repeat("Weekly", 1, 6)),
    ("every week, five times in a row", Repeat("Weekly", 1, 5)), ("the next five Fridays", Repeat("Weekly", 1, 5)),
    ("weekly for 5 weeks straight", Repeat("Weekly", 1, 5)), ("a course of 6, weekly", Repeat("Weekly", 1, 6)),
    ("4 consecutive Fridays", Repeat("Weekly", 1, 4)), ("weekly, last one 18 December", Repeat("Weekly", 1, 4)),
    ("weekly, finishing on 18 December", Repeat("Weekly", 1, 4)), ("1/52 x 6", Repeat("Weekly", 1, 6)),
    ("every 2/52, four visits", Repeat("Weekly", 2, 4)), ("weekly x6 starting that Friday", Repeat("Weekly", 1, 6)),
    ("weekly for twenty-six weeks", Repeat("Weekly", 1, 26)), ("monthly x52", Repeat("Monthly", 1, 52)),
    ("twenty-six, one a week", Repeat("Weekly", 1, 26)), ("twenty-two one week apart", Repeat("Weekly", 1, 22)),
])  # fmt: skip
def test_what_a_desk_says_is_read_as_that_many_visits_in_all(phrase: str, due: Repeat) -> None:
    assert read(phrase) == due
    assert due.rule.number_of_repeats == due.visits - 1


@pytest.mark.parametrize(("phrase", "why"), [
    ("", "not understood"), ("weekly", "how many"), ("weekly x0", "2 to 52"), ("weekly x1", "one visit"),
    ("weekly x53", "2 to 52"), ("every 101 weeks x2", "every 1 to 100 weeks"),
    ("sometimes x3", "not understood"), ("5", "not understood"),
    ("every x weeks", "not understood"), ("yearly x2", "not understood"), ("biweekly x2", "not understood"),
    ("twice a week x6", "not understood"), ("3 times a week", "not understood"), ("6 times weekly", "not understood"),
    ("2 visits a week for 3 weeks", "not understood"), ("every Monday x3", "first visit is on Friday"),
    ("Mondays and Fridays x3", "first visit is on Friday"), ("daily on Fridays x3", "another frequency"),
    ("weekly x6 until 18 December", "names 6 visits, but 4 fit"), ("weekly in December", "first visit is before it"),
    ("weekly until 20 November 2026", "ends before"), ("every third Friday of the month x3", "not understood"),
    ("weekly for 4 more weeks", "not understood"), ("weekly " + "x" * 200, "too long"),
])  # fmt: skip
def test_other_words_are_refused_with_the_reason(phrase: str, why: str) -> None:
    with pytest.raises((InvalidArguments, NotUnderstood)) as raised:
        read(phrase)
    assert why in raised.value.message or raised.type is NotUnderstood, raised.value.message


def test_an_end_that_depends_on_the_day_of_the_call_is_asked_about() -> None:
    with pytest.raises(InvalidArguments, match="could end on"):
        read("weekly until the end of next month", datetime(2026, 12, 4, 16, tzinfo=SYDNEY))
    with pytest.raises(NotUnderstood):
        read("weekly until Christmas")


def test_a_monthly_repeat_takes_the_last_day_of_a_short_month_and_keeps_the_local_time() -> None:
    first = datetime(2027, 1, 31, 10, 0, tzinfo=SYDNEY).astimezone(UTC)
    later = [start.astimezone(SYDNEY) for start in Repeat("Monthly", 1, 4).starts(first, SYDNEY)]
    assert [f"{start:%m-%d %H:%M %z}" for start in later] == [
        "02-28 10:00 +1100",
        "03-31 10:00 +1100",
        "04-30 10:00 +1000",
    ]


UNITS: dict[Unit, str] = {"Daily": "day", "Weekly": "week", "Monthly": "month"}


@given(
    st.sampled_from(list(UNITS)),
    st.integers(1, 100),
    st.integers(2, MAX_VISITS),
    st.sampled_from(
        ["every {0} {1}s, {2} visits", "{2} visits, {0} {1}s apart", "every {0} {1} x{2}", "x {2} every {0} {1}s"]
    ),
)
def test_any_number_is_the_number_of_visits(kind: Unit, interval: int, visits: int, wording: str) -> None:
    assert read(wording.format(interval, UNITS[kind], visits)) == Repeat(kind, interval, visits)


@pytest.mark.long
@given(st.integers(2, 51), st.sampled_from(["until {0:%-d %B %Y}", "through {0:%-d %B %Y}", "up to {0:%Y-%m-%d}"]))
def test_until_the_day_of_a_visit_has_that_visit_in_it(visits: int, wording: str) -> None:
    last = FRIDAY + timedelta(weeks=visits - 1)
    assert read(f"weekly {wording.format(last)}").visits == visits
    assert read(f"weekly before {last + timedelta(days=1):%-d %B %Y}").visits == visits


def dates(phrase: str, *changes: str, first: datetime = FRIDAY) -> list[str]:
    rest, left_out = without_exceptions(phrase)
    length, repeat = timedelta(minutes=30), read(rest, first)
    series = planned(first.astimezone(UTC), length, repeat, [*left_out, *changes], NOW, SYDNEY, "AU")
    return [f"{time.starts.astimezone(SYDNEY):%d.%m %H:%M}" for time in series.times]


@pytest.mark.parametrize(("phrase", "changes", "due"), [
    ("weekly x4 except 4 December", (), ["27.11", "11.12", "18.12"]),
    ("weekly x4, skipping 4 December and 18 December", (), ["27.11", "11.12"]),
    ("weekly x4 but not on 27 November", (), ["04.12", "11.12", "18.12"]),
    ("weekly x4", ("11/12",), ["27.11", "04.12", "18.12"]),
    ("weekly x4", ("2026-12-11T16:00+11:00 Fri",), ["27.11", "04.12", "18.12"]),
    ("weekly x4", ("1 December to 12 December",), ["27.11", "18.12"]),
    ("weekly x4", ("4 December -> 3 December",), ["27.11", "03.12", "11.12", "18.12"]),
    ("weekly x4", ("4 December moved to the day before",), ["27.11", "03.12", "11.12", "18.12"]),
])  # fmt: skip
def test_single_dates_are_left_out_or_moved(phrase: str, changes: tuple[str, ...], due: list[str]) -> None:
    assert dates(phrase, *changes) == [f"{day} 16:00" for day in due]


@pytest.mark.parametrize(("left_out", "due"), [
    ("10 December", ["17.12", "24.12"]), ("17 December", ["10.12", "24.12"]), ("Friday", ["17.12", "24.12"]),
])  # fmt: skip
def test_a_day_without_a_year_is_one_of_the_series_however_far_ahead_that_begins(left_out: str, due: list[str]) -> None:
    first = datetime(2027, 12, 10, 16, tzinfo=SYDNEY)
    assert dates(f"weekly x3 except {left_out}", first=first) == [f"{day} 16:00" for day in due]


def test_a_time_alone_moves_a_visit_within_its_day() -> None:
    assert dates("weekly x2", "4 Dec -> 10:30") == ["27.11 16:00", "04.12 10:30"]


@pytest.mark.parametrize("changes", [("5 December",), ("27 November", "4 December"), ("1 to 31 December -> 10", "x")])
def test_a_change_that_meets_no_visit_or_leaves_none_is_refused(changes: tuple[str, ...]) -> None:
    with pytest.raises((InvalidArguments, NotUnderstood)):
        dates("weekly x2", *changes)
