"""Cohorts of new patients: who came back within how many days, and for whom it is too early to tell."""

from datetime import date, timedelta

from cliniko_mcp.frontdesk.reports.cohorts import cohorts, first_days

FIRST = date(2026, 3, 31)


def test_the_day_that_counts_is_the_next_later_one() -> None:
    on = [FIRST, FIRST, FIRST - timedelta(days=1), FIRST + timedelta(days=9), FIRST + timedelta(days=3)]
    assert first_days(on).again == FIRST + timedelta(days=3)
    assert first_days([FIRST, FIRST]).again is None


def test_the_last_day_of_a_number_of_days_is_in_it() -> None:
    people = [first_days([FIRST, FIRST + timedelta(days=number)]) for number in (14, 15, 30, 31)]
    [march] = cohorts(people, FIRST + timedelta(days=60))
    assert {number: figure.count for number, figure in march.came_back.items()} == {"14": 1, "30": 3, "60": 4}
    assert {figure.of for figure in march.came_back.values()} == {4} and march.new_patients == 4


def test_a_share_is_told_once_so_many_days_have_passed_for_everyone_of_a_month() -> None:
    people = [first_days([FIRST - timedelta(days=30)]), first_days([FIRST]), first_days([FIRST + timedelta(days=1)])]
    march, april = cohorts(people, FIRST + timedelta(days=14))
    assert (march.name, [*march.came_back]) == ("2026-03", ["14"])
    assert (april.name, [*april.came_back]) == ("2026-04", [])
    assert cohorts([], FIRST) == []
