"""Every convention of the clinic's way of speaking about time, one sentence a test."""

import pytest

from cliniko_mcp.errors import NotUnderstood

from .formatting import day, days, formatted, hours, parse

NEXT_WEEK = days("2026-11-30", "2026-12-06")


def test_a_day_runs_from_local_midnight_to_midnight() -> None:
    assert formatted(parse("today")) == "2026-11-24T00:00 2026-11-25T00:00"


@pytest.mark.parametrize(
    ("part", "start", "end"),
    [
        ("morning", "00:00", "12:00"),
        ("afternoon", "12:00", "17:00"),
        ("arvo", "12:00", "17:00"),
        ("evening", "17:00", "24:00"),
        ("night", "17:00", "24:00"),
        ("lunchtime", "12:00", "14:00"),
        ("first thing", "00:00", "10:00"),
        ("am", "00:00", "12:00"),
        ("pm", "12:00", "24:00"),
        ("after 3pm", "15:00", "24:00"),
        ("before 10", "00:00", "10:00"),
        ("after lunch", "14:00", "24:00"),
        ("before lunch", "00:00", "12:00"),
    ],
)
def test_the_parts_of_a_day(part: str, start: str, end: str) -> None:
    assert formatted(parse(f"Thursday {part}")) == hours("2026-11-26", start, end)
    assert formatted(parse(f"{part} on Thursday")) == hours("2026-11-26", start, end)


def test_tonight_is_this_evening() -> None:
    assert formatted(parse("tonight")) == hours("2026-11-24", "17:00", "24:00")


@pytest.mark.parametrize(
    ("hour", "expected"),
    [(1, 13), (2, 14), (3, 15), (4, 16), (5, 17), (6, 18), (7, 7), (8, 8), (9, 9), (10, 10), (11, 11), (12, 12)],
)
def test_bare_hours_from_1_to_6_are_pm_and_from_7_to_11_am_and_12_is_noon(hour: int, expected: int) -> None:
    point = f"2026-11-25T{expected:02d}:00 2026-11-25T{expected:02d}:01"
    assert formatted(parse(f"tomorrow at {hour}")) == point
    assert formatted(parse(f"tomorrow {hour} o'clock")) == point


@pytest.mark.parametrize("phrase", ["half two", "half past two", "half 2", "2:30", "2.30pm", "14:30", "1430"])
def test_half_two_is_half_past_two(phrase: str) -> None:
    assert formatted(parse(phrase)) == "2026-11-24T14:30 2026-11-24T14:31"


def test_a_point_in_time_is_one_minute_long() -> None:
    assert formatted(parse("tomorrow at 3")) == "2026-11-25T15:00 2026-11-25T15:01"
    assert formatted(parse("now")) == "2026-11-24T10:37 2026-11-24T10:38"


def test_this_week_is_today_through_sunday() -> None:
    assert formatted(parse("this week")) == days("2026-11-24", "2026-11-29")
    assert formatted(parse("this week", "2026-11-29T20:00")) == day("2026-11-29")


def test_this_month_and_this_year_begin_today_likewise() -> None:
    assert formatted(parse("this month")) == days("2026-11-24", "2026-11-30")
    assert formatted(parse("this year")) == days("2026-11-24", "2026-12-31")
    assert formatted(parse("this quarter")) == days("2026-11-24", "2026-12-31")


@pytest.mark.parametrize("now", ["2026-11-23T00:00", "2026-11-24T10:37", "2026-11-29T23:59"])
def test_next_week_is_the_monday_to_sunday_that_follow(now: str) -> None:
    assert formatted(parse("next week", now)) == NEXT_WEEK


def test_a_weekend_is_saturday_and_sunday() -> None:
    assert formatted(parse("the weekend")) == days("2026-11-28", "2026-11-29")
    assert formatted(parse("next weekend")) == days("2026-12-05", "2026-12-06")


def test_on_a_weekend_the_weekend_is_the_one_going_on_from_today() -> None:
    assert formatted(parse("this weekend", "2026-11-28T09:00")) == days("2026-11-28", "2026-11-29")
    assert formatted(parse("the weekend", "2026-11-29T09:00")) == day("2026-11-29")


def test_a_weekday_is_monday_to_friday() -> None:
    assert formatted(parse("weekdays next week")) == days("2026-11-30", "2026-12-04")
    assert formatted(parse("weekdays")) == "2026-11-25T00:00 2026-12-02T00:00 mon,tue,wed,thu,fri"


def test_early_next_week_is_monday_and_tuesday() -> None:
    assert formatted(parse("early next week")) == days("2026-11-30", "2026-12-01")


def test_late_next_week_is_thursday_to_sunday() -> None:
    assert formatted(parse("late next week")) == days("2026-12-03", "2026-12-06")


def test_a_bare_weekday_is_the_next_one_after_today() -> None:
    assert formatted(parse("Thursday")) == day("2026-11-26")
    assert formatted(parse("Monday")) == day("2026-11-30")
    assert formatted(parse("Tuesday")) == day("2026-12-01")


def test_a_weekday_is_today_when_this_or_today_is_said_on_it() -> None:
    assert formatted(parse("this Tuesday")) == day("2026-11-24")
    assert formatted(parse("Tuesday today")) == day("2026-11-24")
    assert formatted(parse("this Thursday")) == day("2026-11-26")


@pytest.mark.parametrize("now", ["2026-11-23T08:00", "2026-11-24T10:37", "2026-11-25T08:00", "2026-11-29T08:00"])
def test_next_tuesday_is_the_one_in_the_following_iso_week(now: str) -> None:
    assert formatted(parse("next Tuesday", now)) == day("2026-12-01")


def test_next_said_once_holds_for_the_weekdays_joined_to_it() -> None:
    assert formatted(parse("any time next Tuesday or Thursday before noon")) == (
        "2026-12-01T00:00 2026-12-04T00:00 tue,thu 00:00-12:00"
    )


def test_tuesday_week_is_the_coming_one_plus_seven_days() -> None:
    assert formatted(parse("Thursday week")) == day("2026-12-03")
    assert formatted(parse("Tuesday week")) == day("2026-12-08")
    assert formatted(parse("a week on Thursday")) == day("2026-12-03")


def test_in_two_weeks_is_that_one_day() -> None:
    assert formatted(parse("in 2 weeks")) == day("2026-12-08")
    assert formatted(parse("in a fortnight")) == day("2026-12-08")
    assert formatted(parse("in 3 days")) == day("2026-11-27")


def test_in_the_next_two_weeks_is_now_to_then() -> None:
    assert formatted(parse("in the next 2 weeks")) == "2026-11-24T10:37 2026-12-08T10:37"
    assert formatted(parse("next fortnight")) == "2026-11-24T10:37 2026-12-08T10:37"


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("yesterday", day("2026-11-23")),
        ("2 weeks ago", day("2026-11-10")),
        ("in the last 2 weeks", "2026-11-10T10:37 2026-11-24T10:37"),
        ("past 30 days", "2026-10-25T10:37 2026-11-24T10:37"),
        ("past fortnight", "2026-11-10T10:37 2026-11-24T10:37"),
        ("last week", days("2026-11-16", "2026-11-22")),
        ("last month", days("2026-10-01", "2026-10-31")),
        ("last year", days("2025-01-01", "2025-12-31")),
        ("last weekend", days("2026-11-21", "2026-11-22")),
        ("last Thursday", day("2026-11-19")),
        ("last Tuesday", day("2026-11-17")),
        ("this past Monday", day("2026-11-23")),
        ("since Monday", "2026-11-23T00:00 2026-11-24T10:37"),
        ("this month so far", "2026-11-01T00:00 2026-11-24T10:37"),
        ("last night", hours("2026-11-23", "17:00", "24:00")),
    ],
)
def test_past_phrases_mirror_those_ahead(phrase: str, expected: str) -> None:
    assert formatted(parse(phrase)) == expected


@pytest.mark.parametrize("country", ["AU", "NZ", "GB", "IE", "CA", "za"])
def test_numbers_are_day_first(country: str) -> None:
    assert formatted(parse("3/12", country=country)) == day("2026-12-03")
    with pytest.raises(NotUnderstood):
        parse("11/24", country=country)


@pytest.mark.parametrize("country", ["US", "us", "USA"])
def test_numbers_are_month_first_in_the_united_states(country: str) -> None:
    assert formatted(parse("12/3", country=country)) == day("2026-12-03")
    with pytest.raises(NotUnderstood):
        parse("24/11", country=country)


@pytest.mark.parametrize(
    ("zone", "first"),
    [
        ("America/New_York", "month"),
        ("America/Indiana/Knox", "month"),
        ("Pacific/Honolulu", "month"),
        ("US/Pacific", "month"),
        ("America/Toronto", "day"),
        ("America/Vancouver", "day"),
        ("Pacific/Auckland", "day"),
        ("Europe/London", "day"),
        ("Europe/Dublin", "day"),
    ],
)
def test_without_a_country_the_zone_decides_the_order(zone: str, first: str) -> None:
    assert formatted(parse("3/12", zone=zone)) == day("2027-03-12" if first == "month" else "2026-12-03")


def test_what_is_left_open_and_past_is_the_next_to_come() -> None:
    assert formatted(parse("20 November")) == day("2027-11-20")
    assert formatted(parse("24 November")) == day("2026-11-24")
    assert formatted(parse("the 20th")) == day("2026-12-20")
    assert formatted(parse("at 9")) == "2026-11-25T09:00 2026-11-25T09:01"
    assert formatted(parse("at 11")) == "2026-11-24T11:00 2026-11-24T11:01"
    assert formatted(parse("before 10")) == hours("2026-11-25", "00:00", "10:00")


def test_the_31st_skips_months_without_one() -> None:
    assert formatted(parse("the 31st")) == day("2026-12-31")
    assert formatted(parse("the 31st", "2027-02-01T09:00")) == day("2027-03-31")


def test_29_february_waits_for_a_leap_year() -> None:
    assert formatted(parse("29 February")) == day("2028-02-29")
    assert formatted(parse("29 February", "2028-02-29T12:00")) == day("2028-02-29")
    assert formatted(parse("29/2", "2097-01-01T12:00")) == day("2104-02-29")


def test_the_end_of_a_month_is_its_last_seven_days() -> None:
    assert formatted(parse("end of the month")) == days("2026-11-24", "2026-11-30")
    assert formatted(parse("end of next month")) == days("2026-12-25", "2026-12-31")
    assert formatted(parse("end of February", "2028-01-05T09:00")) == days("2028-02-23", "2028-02-29")


def test_by_and_before_the_end_mean_now_to_its_end() -> None:
    assert formatted(parse("by Friday")) == "2026-11-24T10:37 2026-11-28T00:00"
    assert formatted(parse("by the end of the month")) == "2026-11-24T10:37 2026-12-01T00:00"
    assert formatted(parse("before the end of next week")) == "2026-11-24T10:37 2026-12-07T00:00"
    assert formatted(parse("by Friday at 3")) == "2026-11-24T10:37 2026-11-27T15:00"


def test_before_a_day_stops_where_it_begins() -> None:
    assert formatted(parse("before Friday")) == "2026-11-24T10:37 2026-11-27T00:00"


def test_spans_include_their_last_day() -> None:
    assert formatted(parse("24 to 28 November")) == days("2026-11-24", "2026-11-28")
    assert formatted(parse("Monday to Thursday")) == days("2026-11-30", "2026-12-03")
    assert formatted(parse("24 Dec to 3 Jan")) == days("2026-12-24", "2027-01-03")
    assert formatted(parse("2026-11-24/2026-11-28")) == days("2026-11-24", "2026-11-28")


def test_except_wednesday_removes_it() -> None:
    assert formatted(parse("next week except Wednesday")) == "2026-11-30T00:00 2026-12-07T00:00 mon,tue,thu,fri,sat,sun"
    assert formatted(parse("next week mornings except Wednesday")) == (
        "2026-11-30T00:00 2026-12-07T00:00 mon,tue,thu,fri,sat,sun 00:00-12:00"
    )


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("2026-11-24", day("2026-11-24")),
        ("20261124", day("2026-11-24")),
        ("2026-W48", days("2026-11-23", "2026-11-29")),
        ("2026-W48-2", day("2026-11-24")),
        ("2026-328", day("2026-11-24")),
        ("2026-12", days("2026-12-01", "2026-12-31")),
        ("2026-11-24T15:00", "2026-11-24T15:00 2026-11-24T15:01"),
        ("2026-11-24T15", "2026-11-24T15:00 2026-11-24T15:01"),
        ("20261124T1500", "2026-11-24T15:00 2026-11-24T15:01"),
        ("2026-11-24 15:00", "2026-11-24T15:00 2026-11-24T15:01"),
        ("2026-11-24 15:00:00+11:00", "2026-11-24T15:00 2026-11-24T15:01"),
        ("2026-11-24T15:00Z", "2026-11-25T02:00 2026-11-25T02:01"),
        ("2026-11-24T15:00-05:00", "2026-11-25T07:00 2026-11-25T07:01"),
        ("2026-11-24T24:00", "2026-11-25T00:00 2026-11-25T00:01"),
        ("2026-11-24T15:00/2026-11-24T17:00", "2026-11-24T15:00 2026-11-24T17:00"),
        ("2026-11-24T15:00/17:00", "2026-11-24T15:00 2026-11-24T17:00"),
        ("2026-11-24 15:00-16:00", "2026-11-24T15:00 2026-11-24T16:00"),
    ],
)
@pytest.mark.parametrize("country", ["AU", "US"])
def test_iso_dates_and_times_are_always_read(phrase: str, expected: str, country: str) -> None:
    assert formatted(parse(phrase, country=country)) == expected


def test_an_interval_without_gaps_has_neither_weekdays_nor_times() -> None:
    for phrase in ("Thursday after 3", "Mon to Thu next week", "weekdays next week", "next week except Monday"):
        when = parse(phrase)
        assert (when.weekdays, when.times) == (frozenset(), ())


def test_what_was_understood_is_repeated_in_words() -> None:
    assert parse("Thursday after 3").description == "Thursday 26 November 2026, 15:00 to 24:00 (Australia/Sydney)"
    assert parse("tomorrow").description == "Wednesday 25 November 2026, all day (Australia/Sydney)"
    assert parse("tomorrow at 3").description == "Wednesday 25 November 2026 at 15:00 (Australia/Sydney)"
    assert parse("next week mornings except Wednesday").description == (
        "Monday 30 November 2026 to Sunday 6 December 2026, every day except Wednesday, 00:00 to 12:00"
        " (Australia/Sydney)"
    )
    assert parse("Mon or Wed arvo in the next 2 weeks").description == (
        "Tuesday 24 November 2026 10:37 to Tuesday 8 December 2026 10:37, on Monday and Wednesday, 12:00 to 17:00"
        " (Australia/Sydney)"
    )


def test_a_time_with_its_offset_keeps_the_weekday_of_the_place_it_was_written_for() -> None:
    printed = "2026-11-24T09:30+11:00 Tue"
    assert formatted(parse(printed, zone="Europe/London")) == hours("2026-11-23", "22:30", "22:31")
    assert formatted(parse("Monday 2026-11-24T09:30+11:00", zone="Europe/London")) == hours(
        "2026-11-23", "22:30", "22:31"
    )
    with pytest.raises(NotUnderstood, match="not a Wednesday"):
        parse("2026-11-24T09:30+11:00 Wed", zone="Europe/London")
