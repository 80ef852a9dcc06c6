"""A thousand callers at once, and many callers for a while in every kind of trouble."""

import asyncio
import json
from pathlib import Path

import anyio
import pytest
from conftest import in_process

from cliniko_mcp.guards.hash_chain import HashChain

from .crowd import Soak, held

pytestmark = pytest.mark.anyio


@pytest.mark.long
async def test_a_thousand_calls_at_once_get_a_thousand_right_answers() -> None:
    async with in_process() as assistant:
        ids = [row["id"] for row in await assistant.rows("list_patients", limit=100, fields="id")]
        wrong: list[str] = []
        answered = 0

        async def ask(number: int) -> None:
            nonlocal answered
            wanted = ids[number % len(ids)]
            body = await assistant.call("get_patient", id=wanted)
            answered += 1
            if body.get("item", {}).get("id") != wanted:
                wrong.append(json.dumps(body))

        with anyio.fail_after(300):
            async with anyio.create_task_group() as group:
                for number in range(1_000):
                    group.start_soon(ask, number)
        assert answered == 1_000
        assert wrong == []


@pytest.mark.long
async def test_hundreds_of_writes_at_once_are_each_done_once() -> None:
    async with in_process() as assistant:
        made: list[str] = []

        async def write(number: int) -> None:
            body = await assistant.call("create_concession_type", name=f"Type {number}")
            made.append(body["item"]["id"])

        with anyio.fail_after(300):
            async with anyio.create_task_group() as group:
                for number in range(300):
                    group.start_soon(write, number)
        assert len(set(made)) == 300
        assert (await assistant.call("count_records", operation="list_concession_types"))["count"] >= 300


@pytest.mark.long
async def test_twenty_seconds_of_everything_lose_nothing_double_nothing_and_leave_nothing_hanging(
    tmp_path: Path,
) -> None:
    audit = tmp_path / "audit.jsonl"
    soak = Soak(seconds=20)
    async with in_process(audit_file=str(audit)) as assistant:
        await assistant.call("list_practitioners")
        before = asyncio.all_tasks()
        await soak.run(assistant)
        await held(assistant, soak)
        assert asyncio.all_tasks() <= before
    assert soak.calls > 100
    assert soak.outcomes["ok"] < soak.calls, "there was no trouble at all"
    assert HashChain(audit).verify().problem is None
    entries = list(HashChain(audit).entries())
    begun = {str(entry["n"]) for entry in entries if entry["outcome"] == "begun"}
    assert begun == {str(entry["of"]) for entry in entries if "of" in entry}
