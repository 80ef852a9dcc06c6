"""By whatever route a call comes, typed, executor, curated or old name, nothing is destroyed without a person's yes."""

import json
from typing import Any

import pytest
from conftest import DECLINE, UNTICKED, YES, Answer, Assistant, in_process
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ROUTES = (
    "typed",
    "old name",
    "executor",
    "executor with text",
    "wrong executor",
    "curated",
    "wrong case",
    "as a write",
    "by an update",
    "by an update in the executor",
)
LONG_GONE = {"starts_at": "1999-01-01T09:00:00Z", "clear": ["ends_at"]}
"""What takes a visit out of the diary without cancelling it."""


def destructive(seen: list[str]) -> list[str]:
    """The requests that archived, deleted or cancelled something."""
    return [request for request in seen if request.startswith("DELETE") or request.endswith(("/archive", "/cancel"))]


async def attempt(assistant: Assistant, route: str, target: dict[str, str], extra: dict[str, Any]) -> dict[str, Any]:
    """One call that would destroy something if it were let through, with whatever a model might add to it."""
    patient, visit = target["patient"], target["visit"]
    nested = {"operation": "archive_patient", "arguments": {"id": patient, **extra}}
    match route:
        case "typed":
            return await assistant.call("archive_patient", id=patient, **extra)
        case "old name":
            return await assistant.call("delete_individual_appointment", id=visit, **extra)
        case "executor":
            return await assistant.call("cliniko_destroy", **nested)
        case "executor with text":
            return await assistant.call(
                "cliniko_destroy", operation="archive_patient", arguments=json.dumps({"id": patient})
            )
        case "wrong executor":
            return await assistant.call("cliniko_read", **nested)
        case "as a write":
            return await assistant.call("cliniko_write", **nested)
        case "by an update":
            return await assistant.call("update_individual_appointment", id=visit, **LONG_GONE, **extra)
        case "by an update in the executor":
            arguments = {"id": visit, **LONG_GONE, **extra}
            return await assistant.call("cliniko_write", operation="update_individual_appointment", arguments=arguments)
        case "wrong case":
            return await assistant.call("cliniko_destroy", operation="Archive_Patient", arguments={"id": patient})
        case _:
            return await assistant.call("cancel_appointment", appointment=visit, reason="sick", **extra)


async def targets(assistant: Assistant) -> dict[str, str]:
    patient = await assistant.first("list_patients", limit=1)
    visit = await assistant.first("list_individual_appointments", starts_at=">2026-11-25", limit=1)
    return {"patient": patient["id"], "visit": visit["id"]}


EXTRAS = st.dictionaries(
    st.sampled_from(
        ["confirm", "approve", "approved", "force", "dry_run", "user_said_yes", "requestState", "challenge"]
    ),
    st.sampled_from([True, "yes", "true", 1, {"approve": True}]),
    max_size=2,
)


@pytest.mark.long
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    calls=st.lists(st.tuples(st.sampled_from(ROUTES), EXTRAS), min_size=1, max_size=6),
    answer=st.sampled_from([None, DECLINE, UNTICKED]),
    mode=st.sampled_from(["legacy", "2026-07-28"]),
)
def test_no_sequence_of_calls_destroys_anything_unapproved(
    calls: list[tuple[str, dict[str, Any]]], answer: Answer | None, mode: str
) -> None:
    import anyio

    async def play() -> None:
        async with in_process(mode=mode, answer=answer, approval_wait=0) as assistant:
            target = await targets(assistant)
            for route, extra in calls:
                refused = await attempt(assistant, route, target, extra)
                assert refused["code"] in ("approval_needed", "declined", "invalid_arguments", "unknown_tool")
            assert assistant.changes() == []

    anyio.run(play)


@pytest.mark.long_but_one
@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
@pytest.mark.parametrize("route", ["typed", "old name", "executor", "executor with text", "curated"])
async def test_each_route_that_may_destroy_does_so_once_after_a_yes(route: str, mode: str) -> None:
    async with in_process(mode=mode, answer=YES) as assistant:
        answer = await attempt(assistant, route, await targets(assistant), {})
        assert "code" not in answer, answer
        assert len(destructive(assistant.changes())) == 1
        assert len(assistant.asked) == 1


@pytest.mark.anyio
async def test_an_answer_is_for_one_call_and_cannot_be_carried_to_another() -> None:
    async with in_process(mode="2026-07-28", answer=YES) as assistant:
        rows = await assistant.rows("list_patients", limit=2)
        for row in rows:
            assert (await assistant.call("archive_patient", id=row["id"]))["done"]
        assert len(assistant.asked) == 2


@pytest.mark.long_but_one
@pytest.mark.anyio
@pytest.mark.parametrize("route", ROUTES)
async def test_read_only_and_exclusion_hold_on_every_route(route: str) -> None:
    gated = "archive_patient,archive_individual_appointment,cancel_individual_appointment,update_individual_appointment"
    for name, setting in (("read_only", True), ("exclude_tools", gated)):
        async with in_process(answer=YES, **dict[str, Any]({name: setting})) as assistant:
            answer = await attempt(assistant, route, await targets(assistant), {})
            assert answer["code"] in ("not_allowed", "invalid_arguments", "unknown_tool"), (name, answer)
            assert assistant.changes() == []
            assert assistant.asked == []


@pytest.mark.anyio
async def test_a_default_fee_is_not_taken_off_a_type_by_clearing_the_old_field_unasked() -> None:
    async with in_process(answer=DECLINE, approval_wait=0) as assistant:
        charged = await assistant.first("list_appointment_types", limit=1)
        target = {"id": charged["id"], "clear": ["billable_item_id"]}
        before = await assistant.call("count_records", operation="list_appointment_type_billable_items")
        answer = await assistant.call("cliniko_write", operation="update_appointment_type", arguments=target)
        after = await assistant.call("count_records", operation="list_appointment_type_billable_items")
        assert answer["code"] == "declined"
        assert "This will be lost:\nBillable item: " in assistant.asked[-1]
        assert assistant.changes() == []
        assert before["count"] == after["count"]


@pytest.mark.anyio
async def test_a_yes_takes_the_default_fee_off_once() -> None:
    async with in_process(answer=YES, approval_wait=0) as assistant:
        charged = await assistant.first("list_appointment_types", limit=1)
        target = {"id": charged["id"], "clear": ["billable_item_id"]}
        answer = await assistant.call("cliniko_write", operation="update_appointment_type", arguments=target)
        assert "code" not in answer, answer
        assert len(assistant.asked) == len(assistant.changes()) == 1
