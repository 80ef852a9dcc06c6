"""The later records of a series: which they are, and that the days of the first twelve are told."""

from datetime import timedelta
from typing import Any

import pytest

from cliniko_mcp.approvals.facts import Facts
from cliniko_mcp.approvals.series import Later, later_cancelled
from tests.guards.every_kind import WEEKLY
from tests.guards.gate import START, App, call, run


def days(number: int, known: int) -> str:
    starts = tuple(START + timedelta(days=day) for day in range(known))
    told: str = run(lambda: Later(number, starts).days(Facts(App().clinic, START), None))
    return told


def later(app: App, identity: str, *, every: bool = False, read: str = "get_individual_appointment") -> Any:
    """How many go with this one, the days of their starts, and the site."""

    async def story() -> Any:
        record = await app.clinic.perform(call(read, id=identity))
        found, site = await later_cancelled(Facts(app.clinic, START), record, every=every)
        return (found.number, [start.day for start in found.starts], site) if found is not None else (None, site)

    return run(story)


def held(identity: str, **fields: Any) -> App:
    """The usual clinic with these fields of one of three appointments: 23 November, 1 and 8 December."""
    app = App()
    app.clinic.records["individual_appointments"][identity] |= fields
    return app


def test_twelve_days_are_told_and_how_many_more_there_are() -> None:
    assert days(2, 2) == "Mon 23 November 2026, Tue 24 November 2026"
    assert days(12, 12).endswith("Fri 4 December 2026")
    assert days(13, 13).endswith("Fri 4 December 2026 and 1 more")


def test_where_no_start_is_known_no_day_is_told() -> None:
    assert days(3, 0) == ""


def test_later_is_what_comes_after_it_and_not_itself() -> None:
    assert later(App(), "20") == (2, [1, 8], "9")
    assert later(App(), "21") == (1, [8], "9")


def test_the_first_of_a_series_that_was_moved_behind_it_counts_too() -> None:
    assert later(held("20", starts_at="2026-12-20T22:30:00Z"), "21") == (2, [8, 20], "9")


def test_one_that_says_that_it_repeats_itself_is_counted_once() -> None:
    assert later(held("20", repeated_from_id="20"), "20") == (2, [1, 8], "9")


@pytest.mark.parametrize(("every", "number"), [(False, 0), (True, 2)])
def test_one_that_stands_alone_by_its_own_words_is_only_looked_behind_where_all_go(every: bool, number: int) -> None:
    assert later(held("20", repeat_rule={}), "20", every=every)[0] == number


def test_of_what_is_neither_an_appointment_nor_a_place_nothing_is_known() -> None:
    assert later(App(), "1", read="get_patient") == (None, None)
    app = App()
    del app.clinic.records["attendees"]["40"]["patient_id"]
    assert later(app, "40", read="get_attendee") == (None, None)


@pytest.mark.parametrize(
    ("identity", "fields", "number"),
    [("20", {"repeat_rule": WEEKLY}, 2), ("21", {"repeat_rule": {}}, 1), ("20", {"repeat_rule": {}, "notes": []}, 2)],
    ids=["it repeats", "it repeats another", "what it says cannot be read"],
)
def test_one_that_does_not_say_that_it_stands_alone_is_looked_behind(
    identity: str, fields: dict[str, Any], number: int
) -> None:
    assert later(held(identity, **fields), identity)[0] == number


@pytest.mark.parametrize(("rule", "every", "number"), [({}, False, 0), ({}, True, 1), (WEEKLY, False, 1)])
def test_a_place_in_a_group_goes_with_the_later_places_of_its_patient(rule: Any, every: bool, number: int) -> None:
    app = App()
    groups = app.clinic.records["group_appointments"]
    groups["30"]["repeat_rule"] = rule
    groups["31"] = {**groups["30"], "id": "31", "starts_at": "2026-12-01T22:30:00Z", "repeated_from_id": "30"}
    groups["32"] = {**groups["31"], "id": "32", "patient_ids": ["1"]}
    assert later(app, "40", every=every, read="get_attendee")[0] == number
