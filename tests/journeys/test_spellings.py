"""Spellings that hosts send, for what they mean: one of each kind, over the wire, by every route."""

import json
from typing import Any

import pytest
from conftest import Assistant, in_process

pytestmark = pytest.mark.anyio

PLAIN: dict[str, Any] = {"operation": "list_patients", "arguments": {"last_name": "Lima", "limit": 2}}


@pytest.mark.parametrize(
    "spelling",
    [
        {"last_name": "Lima", "email": "", "date_of_birth": None, "id": [], "sort": "", "cursor": "", "limit": 2},
        {"last_name": "Lima", "limit": 2.0, "detail": "null", "fields": "undefined"},
        {"last_name": "Lima", "limit": "2", "created_at": "null"},
    ],
    ids=["empty", "a number", "words for nothing"],
)
async def test_a_list_answers_the_same_however_it_is_spelt_and_by_whatever_tool(
    desk: Assistant, spelling: dict[str, Any]
) -> None:
    plain = await desk.call("list_patients", **PLAIN["arguments"])

    assert plain["items"]
    assert await desk.call("list_patients", **spelling) == plain
    assert await desk.call("cliniko_read", operation="list_patients", arguments=spelling) == plain
    assert await desk.call("cliniko_read", operation="list_patients", arguments=json.dumps(spelling)) == plain
    count = await desk.call("count_records", operation="list_patients", arguments=spelling)
    assert count["count"] == (await desk.call("count_records", **PLAIN))["count"]


@pytest.mark.parametrize("nothing", [None, "", [], "null"])
async def test_no_arguments_for_an_executor_are_no_arguments(desk: Assistant, nothing: Any) -> None:
    answer = await desk.call("cliniko_read", operation="list_taxes", arguments=nothing)
    assert "items" in answer


async def test_none_is_a_filter(desk: Assistant) -> None:
    with_none = await desk.call("count_records", operation="list_patients", arguments={"email": "none"})
    whole = await desk.call("count_records", operation="list_patients", arguments={})
    assert with_none["count"] < whole["count"]


@pytest.mark.long
async def test_one_practitioner_by_name_or_id_is_a_list_of_one(desk: Assistant) -> None:
    listed = await desk.call("find_times", type="Standard consult", when="this week", practitioner=["Mei Ng"])
    row = next(row for row in await desk.rows("list_practitioners") if "Mei Ng" in row["label"])

    for one in ("Mei Ng", row["id"], json.dumps([row["id"]])):
        found = await desk.call("find_times", type="Standard consult", when="this week", practitioner=one, kind="")
        assert found["items"] == listed["items"]
    assert (await desk.call("find_times", type="Standard consult", practitioner="null"))["code"] == "not_found"


async def test_a_number_is_an_id_unless_it_may_have_lost_digits(desk: Assistant) -> None:
    assert (await desk.call("cancel_appointment", appointment=1, reason="sick"))["code"] == "not_found"
    refused = await desk.call("cancel_appointment", appointment=1104000000422323183, reason="sick")
    assert "appointment must be text" in refused["message"]


async def test_empty_in_an_update_is_refused_with_what_to_do_and_words_are_told() -> None:
    async with in_process() as assistant:
        patient = (await assistant.first("list_patients"))["id"]
        refused = await assistant.call("update_patient", id=patient, notes="", first_name=None)
        assert 'give clear: ["notes"]' in refused["message"]
        assert "first_name cannot be null" in refused["message"]
        assert assistant.changes() == []

        told = await assistant.call("update_patient", id=patient, notes="none", reminder_type="None")
        assert any('clear: ["notes"]' in note for note in told["notes"])
        assert told["item"]["reminder_type"] == "None"
        assert not any("reminder_type" in note for note in told["notes"])


@pytest.mark.parametrize(
    ("tool", "wrong"),
    [
        ("list_patients", {"limit": 0}),
        ("list_patients", {"limit": "many"}),
        ("list_patients", {"surname": "Lima"}),
        ("list_patients", {"created_at": "some day"}),
        ("list_patients", {"detail": "long"}),
        ("find_patients", {"limit": 0}),
        ("find_patients", {"limit": "many"}),
        ("find_patients", {"surname": "Lima"}),
        ("report", {"kind": "no_shows", "practitioner": {"a": 1}}),
        ("report", {"kind": "gossip"}),
        ("show_diary", {"limit": 10_000}),
    ],
    ids=str,
)
async def test_a_wrong_argument_gets_one_error_by_every_route(
    desk: Assistant, tool: str, wrong: dict[str, Any]
) -> None:
    arguments = {"query": "Lima", **wrong} if tool == "find_patients" else wrong
    answer = await desk.call(tool, **arguments)

    (name,) = [name for name in wrong if name not in ("kind",) or len(wrong) == 1]
    assert answer["code"] == "invalid_arguments"
    assert [field.partition("[")[0] for field in answer["fields"]] == [name]
    assert name in answer["message"]
    assert name in answer.get("schema", {}) or answer["fix"].startswith(f"{tool} takes ")
    assert await desk.call("cliniko_read", operation=tool, arguments=arguments) == answer
