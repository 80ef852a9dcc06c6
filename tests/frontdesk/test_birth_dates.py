"""Dates of birth: every way of writing a day means that day, and what has two readings none."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cliniko_mcp.errors import InvalidArguments
from cliniko_mcp.frontdesk.birth_dates import OLDEST, read_birth_date

TODAY = date(2026, 11, 24)
DAYS = st.dates(date(TODAY.year - OLDEST, 1, 1), TODAY)


def read(text: str, *, month_first: bool = False) -> date | None:
    try:
        return read_birth_date(text, TODAY, month_first=month_first)
    except InvalidArguments:
        return None


@pytest.mark.long
@given(DAYS)
def test_a_day_written_out_means_itself_however_it_is_written(day: date) -> None:
    texts = (
        day.isoformat(), f"{day:%d/%m/%Y}", f"{day.day}.{day.month}.{day.year}", f"{day.day} {day:%B} {day.year}",
        f"{day:%A} {day.day} {day:%b} {day.year}", f"{day:%B} {day.day}, {day.year}",
        f"born {day.day}th {day:%b} {day.year}",
        f"DOB: {day:%d-%m-%Y}",
    )  # fmt: skip
    assert {read(text) for text in texts} == {day}
    assert read(f"{day:%m/%d/%Y}", month_first=True) == day


@given(DAYS, st.integers(1, 6))
def test_a_weekday_that_the_day_was_not_is_refused(day: date, off: int) -> None:
    wrong = day + timedelta(days=off)
    assert read(f"{wrong:%A} {day.day} {day:%B} {day.year}") is None


@given(DAYS)
def test_two_digits_of_a_year_are_read_only_where_one_century_fits(day: date) -> None:
    fitting = []
    for year in (1900 + day.year % 100, 2000 + day.year % 100):
        try:
            whole = date(year, day.month, day.day)
        except ValueError:
            continue
        if whole <= TODAY:
            fitting.append(whole)
    due = fitting[0] if len(fitting) == 1 else None
    assert read(f"{day:%d/%m/%y}") == due
    assert read(f"{day.day} {day:%b} '{day:%y}") == read(f"b. {day.day}th of {day:%B} ’{day:%y}") == due


@pytest.mark.parametrize("text", [
    "13/13/1984", "05/31/1984", "31/02/1984", "29 Feb 1985", "25/11/2026", "3 May 2027", "1 Jan 1890", "1984",
    "May 1984", "42", "forty", "3/5", "next Tuesday", "3 Mai 1984x", "",
])  # fmt: skip
def test_what_is_no_day_of_the_past_is_refused(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize(
    ("text", "month_first", "told"),
    [
        ("3/13/1984", False, "has no month 13: the day stands first here."),
        ("13/3/1984", True, "has no month 13: the month stands first here."),
        ("1984-13-03", False, "has no month 13."),
        ("1984-13-03", True, "has no month 13."),
    ],
)
def test_a_month_that_there_is_not_tells_which_number_stands_first_unless_the_year_does(
    text: str, month_first: bool, told: str
) -> None:
    with pytest.raises(InvalidArguments) as refused:
        read_birth_date(text, TODAY, month_first=month_first)
    assert refused.value.message == f"The date of birth {told}"
