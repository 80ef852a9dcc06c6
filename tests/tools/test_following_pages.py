"""A list goes on where it ended, also when rows came or went meanwhile."""

from typing import Any

import pytest

from tests.tools.curated.reception import Reception, reception

pytestmark = [pytest.mark.anyio, pytest.mark.long_but_one]

MOVED = (
    "Rows came or went before this place meanwhile. This goes on right after the last one given; what is new before it "
    "shows only in a list that is started again."
)
LOST = "The list changed so much that rows may be missing or repeated here; start it again to be sure."


async def first_page(clinic: Reception) -> str:
    """The cursor after the first eight of twenty taxes that are called after their numbers."""
    clinic.empty("taxes")
    for number in range(20):
        clinic.put("taxes", id=f"{100 + number}", name=f"T{number:02}", rate="1.0", amount="1.0")
    answer = await clinic.assistant.call("list_taxes", sort="name", limit=8)
    assert names(answer) == numbered(range(8))
    assert answer["page"] == {
        "returned": 8,
        "total": 20,
        "complete": False,
        "next_cursor": answer["page"]["next_cursor"],
    }
    return answer["page"]["next_cursor"]


def names(answer: dict[str, Any]) -> list[str]:
    return [row["name"] for row in answer["items"]]


def numbered(numbers: range) -> list[str]:
    return [f"T{number:02}" for number in numbers]


def gone(clinic: Reception, numbers: range) -> None:
    rows = [row for row in clinic.rows("taxes") if row["name"] not in numbered(numbers)]
    clinic.empty("taxes")
    for row in rows:
        clinic.store.put("taxes", row)


async def follow(clinic: Reception, cursor: str, **more: Any) -> dict[str, Any]:
    return await clinic.assistant.call("list_taxes", cursor=cursor, **more)


async def test_the_last_page_is_complete_and_has_no_cursor() -> None:
    async with reception() as clinic:
        second = await follow(clinic, await first_page(clinic), limit=8)
        third = await follow(clinic, second["page"]["next_cursor"])

    assert names(second) == numbered(range(8, 16))
    assert second["notes"] == [
        "4 of 20 taxes are not shown: call again with next_cursor to go on, or narrow the filters."
    ]
    assert names(third) == numbered(range(16, 20))
    assert third["page"] == {"returned": 4, "total": 20, "complete": True}
    assert "notes" not in third


async def test_exactly_as_many_rows_as_were_asked_for_are_complete() -> None:
    async with reception() as clinic:
        cursor = await first_page(clinic)
        exactly = await follow(clinic, cursor, limit=12)
        one_less = await follow(clinic, cursor, limit=11)

    assert exactly["page"] == {"returned": 12, "total": 20, "complete": True}
    assert one_less["page"]["complete"] is False
    assert one_less["notes"] == [
        "1 of 20 taxes is not shown: call again with next_cursor to go on, or narrow the filters."
    ]


@pytest.mark.parametrize("numbers", [range(7, 8), range(4, 8), range(2)])
async def test_where_rows_went_the_list_goes_on_after_the_last_one_that_is_left(numbers: range) -> None:
    async with reception() as clinic:
        cursor = await first_page(clinic)
        gone(clinic, numbers)
        answer = await follow(clinic, cursor, limit=3)

    assert names(answer) == numbered(range(8, 11))
    assert answer["notes"][0] == MOVED


async def test_where_rows_came_none_is_shown_twice() -> None:
    async with reception() as clinic:
        cursor = await first_page(clinic)
        clinic.put("taxes", name="T00 new", rate="1.0", amount="1.0")
        answer = await follow(clinic, cursor, limit=3)

    assert names(answer) == numbered(range(8, 11))
    assert answer["notes"][0] == MOVED


async def test_where_the_last_five_rows_are_all_gone_that_is_said() -> None:
    async with reception() as clinic:
        cursor = await first_page(clinic)
        gone(clinic, range(3, 8))
        answer = await follow(clinic, cursor, limit=3)

    assert answer["notes"][0] == LOST
    assert names(answer) == numbered(range(13, 16))


async def test_a_cursor_goes_with_the_arguments_it_was_given_for_or_with_none() -> None:
    async with reception() as clinic:
        cursor = await first_page(clinic)
        same = await follow(clinic, cursor, sort="name", limit=2)
        other = await follow(clinic, cursor, sort="name:desc")
        more = await follow(clinic, cursor, fields="name")
        start = await follow(clinic, "", sort="name", limit=1)

    assert names(same) == numbered(range(8, 10))
    for answer in (other, more):
        assert answer["message"] == (
            "With a cursor, the other arguments are left out or repeated exactly; only limit may differ."
        )
        assert answer["fix"] == "Give the cursor alone, or start a new list without it."
    assert names(start) == ["T00"]
