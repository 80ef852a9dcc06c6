"""Me and my: the practitioner whose key this is, in every tool and filter that takes a practitioner."""

from typing import Any

import pytest
from conftest import in_process
from tools.curated.reception import Reception

from cliniko_mcp.errors import Ambiguous, NotFound
from cliniko_mcp.frontdesk.roster import Roster

from .clinics import front_desk

pytestmark = pytest.mark.anyio

TOOLS: dict[str, dict[str, Any]] = {
    "show_diary": {"when": "today"},
    "find_times": {"type": "Standard consult", "when": "this week"},
    "report": {"kind": "no_shows", "when": "last week"},
    "fill_gap": {"when": "tomorrow 10 to 10:30"},
    "block_time": {"when": "20 January 2027 17:00 to 17:30", "type": "lunch"},
    "list_bookings": {},
    "list_practitioner_appointment_types": {},
}


def user_of(reception: Reception) -> dict[str, Any]:
    """The raw row of the key's user."""
    return next(row for row in reception.rows("users") if (row["first_name"], row["last_name"]) == ("Mei", "Ng"))


@pytest.mark.parametrize("words", ["me", "My", "mine", "ME", "myself", " my diary "])
async def test_me_is_the_practitioner_of_the_key_s_user(words: str) -> None:
    async with front_desk() as (reception, clinic):
        user = user_of(reception)
        own = next(row["id"] for row in reception.rows("practitioners") if row["user_id"] == user["id"])
        assert (await Roster.load(clinic)).practitioner(words).id == own


@pytest.mark.long_but_one
@pytest.mark.parametrize("tool", TOOLS)
async def test_each_tool_and_filter_takes_me_for_the_own_name(tool: str) -> None:
    field = "practitioner_id" if tool.startswith("list_") else "practitioner"
    async with in_process() as assistant:
        mine = await assistant.call(tool, **TOOLS[tool], **{field: "me"})
    async with in_process() as assistant:
        named = await assistant.call(tool, **TOOLS[tool], **{field: "Dr Mei Ng"})
    assert "code" not in mine, mine
    # what is made has an id of its own, and a cursor is sealed with a key of its own
    for answer in (mine, named):
        answer.pop("page", None)
        for row in answer.get("items", []) if tool == "block_time" else []:
            row.pop("id", None)
    assert mine == named


@pytest.mark.long
async def test_a_user_who_is_no_practitioner_is_told_so_and_nothing_is_written() -> None:
    async with in_process() as assistant:
        reception = Reception(assistant)
        for row in reception.rows("practitioners"):
            if row["user_id"] == user_of(reception)["id"]:
                reception.store.put("practitioners", {**row, "user_id": None})
        for tool, arguments in TOOLS.items():
            field = "practitioner_id" if tool.startswith("list_") else "practitioner"
            answer = await assistant.call(tool, **arguments, **{field: "my"})
            assert answer["code"] == "not_found", answer
            assert "no practitioner" in answer["message"] and len(answer["candidates"]) == 5
        overview = await assistant.call("clinic_overview")
        assert overview["you"] == {"name": "Mei Ng", "role": "administrator"}
        assert "You are Mei Ng, administrator: no practitioner, so “me” and “my” stand for nobody." in overview["notes"]
        assert assistant.changes() == []


async def test_one_who_is_called_my_makes_it_ambiguous_and_one_who_left_does_not_count() -> None:
    async with front_desk() as (reception, clinic):
        user = user_of(reception)
        reception.put("practitioners", label="Old Me", active=False, user_id=user["id"])
        assert (await Roster.load(clinic)).practitioner("me").name == "Dr Mei Ng"
        other = reception.put("practitioners", label="My Tran", active=True, user_id=None)
        reception.forget()
        roster = await Roster.load(clinic)
        with pytest.raises(Ambiguous) as problem:
            roster.practitioner("my")
        assert other in str(problem.value.details["candidates"])
        assert roster.practitioner("My Tran").id == other


async def test_with_the_user_switched_off_nobody_is_me() -> None:
    async with front_desk(exclude_tools=("get_authenticated_user",)) as (_, clinic):
        roster = await Roster.load(clinic)
        with pytest.raises(NotFound, match="may not be read"):
            roster.practitioner("me")


async def test_the_overview_says_who_you_are() -> None:
    async with in_process() as assistant:
        answer = await assistant.call("clinic_overview")
        assert answer["you"]["name"] == "Mei Ng" and answer["you"]["practitioner"] == "Dr Mei Ng"
        assert "You are Mei Ng, administrator: “me” and “my” are the practitioner Dr Mei Ng." in answer["notes"]
        mine = await assistant.call("list_bookings", practitioner_id=answer["you"]["practitioner"], limit=1)
        assert mine["page"]["total"] > 0


async def test_of_two_practitioners_of_one_name_each_label_in_an_answer_is_taken_back() -> None:
    async with front_desk() as (reception, clinic):
        twins = [reception.put("practitioners", label="Robin Gale", active=True) for _ in range(2)]
        roster = await Roster.load(clinic)
        for twin in twins:
            printed = roster.name("practitioner_id", twin)
            assert printed == f"Robin Gale ({twin})" and roster.practitioner(printed).id == twin
        with pytest.raises(Ambiguous):
            roster.practitioner("Robin Gale")
        with pytest.raises(NotFound):
            roster.practitioner(f"Somebody Else ({twins[0]})")
        for known in roster.practitioners.values():
            assert roster.practitioner(roster.name("practitioner_id", known.id)).id == known.id
        for known in roster.businesses.values():
            assert roster.business(roster.name("business_id", known.id)).id == known.id
        for known in roster.types.values():
            assert roster.type(roster.name("appointment_type_id", known.id)).id == known.id
