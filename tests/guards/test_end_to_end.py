"""The guards as a whole server has them: what reaches the demo clinic stands in the audit log, with its requests."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from conftest import YES, Assistant, in_process

from tests.sandbox.test_outside_client import served

pytestmark = pytest.mark.anyio

SWITCHED_OFF = "Reading the key's user is switched off here, so times are in UTC."
ANA = "1104000000422323183"


def lines(audit: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in audit.read_text("utf-8").splitlines()]


def requests_of(assistant: Assistant) -> list[str]:
    assert assistant.app is not None
    return [f"{request.method} {request.path.removeprefix('/v1')}" for request in assistant.app.sandbox.requests]


CALLS: list[tuple[str, dict[str, Any]]] = [
    ("list_patients", {"limit": 2}),
    ("list_individual_appointments", {"limit": 2, "starts_at": ">=2026-11-24T08:00"}),
    ("get_patient", {"id": ANA}),
    ("create_tax", {"name": "Levy", "rate": "5"}),
    ("find_patients", {"query": "Ana Lima"}),
    ("find_patients", {"query": ANA}),
    ("clinic_overview", {}),
    ("show_diary", {"when": "today"}),
    ("patient_brief", {"patient": "Ana Lima"}),
    ("count_records", {"operation": "list_patients"}),
]


@pytest.mark.parametrize(("tool", "arguments"), CALLS, ids=lambda part: part if isinstance(part, str) else "")
async def test_every_request_stands_in_the_audit_log(tool: str, arguments: dict[str, Any], tmp_path: Path) -> None:
    audit = tmp_path / "audit.jsonl"
    async with in_process(audit_file=str(audit)) as assistant:
        assert "code" not in await assistant.call(tool, **arguments)
        ended = [line for line in lines(audit) if line["outcome"] != "begun"]
        assert sum(line["requests"] for line in ended) == len(requests_of(assistant)) > 0
        assert {line["tool"] for line in ended} == {tool}


async def test_a_name_that_was_given_by_id_stands_in_the_audit_log(tmp_path: Path) -> None:
    audit = tmp_path / "audit.jsonl"
    async with in_process(audit_file=str(audit)) as assistant:
        await assistant.call("list_individual_appointments", limit=1)
        labels = Counter(line["operation"] for line in lines(audit) if line.get("for") == "label")
        assert labels["list_patients"] == 1
        await assistant.call("list_individual_appointments", limit=1)
        again = [line for line in lines(audit) if line.get("for") == "label" and line["operation"] == "list_patients"]
        assert [line["requests"] for line in again] == [1, 0]


@pytest.mark.parametrize(("mode", "readings"), [("auto", 2), ("legacy", 2)])
async def test_a_yes_costs_one_reading_to_show_and_one_to_act(mode: str, readings: int, tmp_path: Path) -> None:
    audit = tmp_path / "audit.jsonl"
    async with in_process(audit_file=str(audit), mode=mode, answer=YES) as assistant:
        assert "code" not in await assistant.call("archive_patient", id=ANA)
        seen = Counter(requests_of(assistant))
        assert (seen[f"GET /patients/{ANA}"], seen["GET /bookings"]) == (readings, readings)
        assert seen[f"POST /patients/{ANA}/archive"] == 1
        shown = [line for line in lines(audit) if line.get("for") == "preview"]
        assert {line["operation"] for line in shown} == {"get_patient", "list_bookings", "get_public_settings"}
        assert seen["GET /user"] == 1  # read with the zone
        acted = [line for line in lines(audit) if line["operation"] == "archive_patient"]
        assert (acted[-1]["outcome"], acted[-1]["channel"], acted[-1]["requests"]) == ("ok", "form", 1)


@pytest.mark.parametrize(("tool", "arguments"), CALLS, ids=lambda part: part if isinstance(part, str) else "")
async def test_without_the_keys_user_every_call_goes_on_in_utc_or_its_sites_zone(
    tool: str, arguments: dict[str, Any]
) -> None:
    async with in_process(exclude_tools=("get_authenticated_user",)) as assistant:
        answer = await assistant.call(tool, **arguments)
        assert "code" not in answer
        assert answer["time_zone"] != "UTC" or SWITCHED_OFF in answer["notes"]
        assert "GET /user" not in requests_of(assistant)


async def test_with_nothing_but_one_tool_on_offer_its_zone_and_its_question_can_still_be_read() -> None:
    async with in_process(tools=("archive_patient",), answer=YES) as assistant:
        answer = await assistant.call("archive_patient", id=ANA)
        assert (answer["done"], answer["time_zone"]) == (f"Archived patient {ANA}.", "Australia/Sydney")
        assert (await assistant.call("cliniko_read", operation="get_patient", arguments={"id": ANA}))[
            "code"
        ] == "not_allowed"


async def test_what_a_person_would_have_to_be_shown_is_not_read_where_it_is_switched_off_by_name() -> None:
    async with in_process(exclude_tools=("get_patient",), answer=YES) as assistant:
        answer = await assistant.call("archive_patient", id=ANA)
        assert answer["code"] == "not_allowed"
        assert assistant.changes() == [] and assistant.asked == []


@pytest.mark.long
async def test_a_demo_clinic_at_another_address_is_named_as_one_in_the_question() -> None:
    """By what its answers say of it; the address alone says nothing."""
    for office in served("--rate-limit", "0"):
        address: dict[str, Any] = {"sandbox": False, "base_url": office.url, "api_key": office.key}
        async with in_process(answer=YES, contact_email="me@example.org", **address) as assistant:
            assert (await assistant.call("archive_patient", id=ANA))["done"] == f"Archived patient {ANA}."
        (question,) = assistant.asked
        assert "\nDemo clinic: nothing in it is real\n" in question
