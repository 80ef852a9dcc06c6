"""A call that is cancelled, at whatever point: nothing is left under way or done twice, and the next call works."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import httpx2
import pytest

from cliniko_mcp.app import App
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.guards.hash_chain import HashChain
from cliniko_mcp.guards.pipeline import Caller
from cliniko_mcp.sandbox.core import Sandbox
from tests.client.virtual import run

from .weather import Forward, under

Work = Callable[[App], Coroutine[Any, Any, object]]


async def brief(request: httpx2.Request, forward: Forward) -> httpx2.Response:
    """Every request takes a moment before and after it is done, so that there is something to cancel."""
    await anyio.lowlevel.checkpoint()
    await anyio.lowlevel.checkpoint()
    response = await forward(request)
    await anyio.lowlevel.checkpoint()
    return response


def calling(name: str, **arguments: JsonValue) -> Work:
    return lambda app: app.call(name, arguments, Caller())


async def cancelled_after(work: Coroutine[Any, Any, object], steps: int) -> bool:
    """Run the work for so many turns of the loop, then cancel it; whether it was still under way."""
    task = asyncio.ensure_future(work)
    for _ in range(steps):
        if task.done():
            break
        await asyncio.sleep(0)
    if task.done():
        await task
        return False
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return task.cancelled()


async def at_every_await(work: Work, check: Callable[[App], Awaitable[None]], audit: Path) -> int:
    """Cancel this work after 1, 2, 3 ... turns of the loop until it ends by itself; how many turns it takes.

    The first round of turns opens the clinic, too. After each, nothing of it is left and `check` holds.
    """
    sandbox: Sandbox | None = None
    for steps in range(1, 2_000):
        async with under(brief, sandbox=sandbox, audit_file=str(audit)) as (assistant, _):
            app = assistant.app
            assert app is not None
            sandbox = app.sandbox
            sandbox.requests.clear()
            before = asyncio.all_tasks()
            cancelled = await cancelled_after(work(app), steps)
            for _ in range(3):
                await asyncio.sleep(0)
            assert asyncio.all_tasks() <= before, f"after {steps} turns something is left under way"
            await check(app)
            if not cancelled:
                return steps
    raise AssertionError("it never ends")


async def alive(app: App) -> None:
    with anyio.fail_after(60):
        assert (await app.call("list_practitioners", {}, Caller()))["items"]


READS = {
    "one record": calling("get_authenticated_user"),
    "a list with names": calling("list_individual_appointments", limit=3),
    "a list of several pages": calling("list_individual_appointments", limit=300, fields="id", cancelled_at="all"),
    "a count": calling("count_records", operation="list_patients"),
    "a curated tool": calling("show_diary", when="today"),
}


@pytest.mark.long
@pytest.mark.parametrize("work", READS.values(), ids=READS)
def test_a_read_can_be_cancelled_at_every_await(work: Work, tmp_path: Path) -> None:
    assert run(lambda: at_every_await(work, alive, tmp_path / "audit.jsonl")) > 5


def test_a_write_cancelled_at_every_await_is_done_once_or_not_at_all_and_is_written_down(tmp_path: Path) -> None:
    audit = tmp_path / "audit.jsonl"

    def lines() -> list[dict[str, Any]]:
        return [json.loads(line) for line in audit.read_text().splitlines()] if audit.exists() else []

    async def check(app: App) -> None:
        made = [request for request in app.sandbox.requests if request.method == "POST"]
        written = [line for line in lines() if line["operation"] == "create_patient"]
        begun = [line["n"] for line in written if line["outcome"] == "begun"]
        ended = [line["of"] for line in written if line["outcome"] != "begun"]
        assert begun == ended, "every change that was begun has its end"
        nonlocal total
        total += len(made)
        assert len(made) <= 1
        assert len(begun) >= total, "nothing was sent that was not written down before"
        found = await app.call("list_patients", {"last_name": "Cancelled"}, Caller())
        assert found["page"]["total"] == total  # pyright: ignore[reportArgumentType, reportCallIssue, reportIndexIssue, reportOptionalSubscript]

    total = 0
    work = calling("create_patient", first_name="Was", last_name="Cancelled")
    turns = run(lambda: at_every_await(work, check, audit))
    outcomes = {line["outcome"] for line in lines()}
    assert {"begun", "interrupted", "ok"} <= outcomes
    assert turns > 4
    assert HashChain(audit).verify().problem is None


@pytest.mark.long
def test_callers_who_wait_for_the_same_names_do_not_go_down_with_the_one_who_asked(tmp_path: Path) -> None:
    async def story() -> None:
        sandbox: Sandbox | None = None
        for steps in range(1, 60, 3):
            async with under(brief, sandbox=sandbox) as (assistant, _):
                app = assistant.app
                assert app is not None
                sandbox = app.sandbox
                others = [
                    asyncio.ensure_future(app.call("list_individual_appointments", {"limit": 3}, Caller()))
                    for _ in range(4)
                ]
                await cancelled_after(app.call("list_individual_appointments", {"limit": 3}, Caller()), steps)
                others[0].cancel()
                rows = [await other for other in others[1:]]
                assert rows[0] == rows[1] == rows[2]
                assert "patient" in str(rows[0])

    run(story)


def test_a_client_that_cancels_its_call_stops_the_work_and_goes_on_with_others() -> None:
    async def story() -> None:
        stopped = anyio.Event()

        async def stuck(request: httpx2.Request, forward: Forward) -> httpx2.Response:
            if request.url.path.endswith("/settings/public"):
                try:
                    await anyio.sleep_forever()
                finally:
                    stopped.set()
            return await forward(request)

        for mode in ("legacy", "2026-07-28"):
            async with under(stuck, mode=mode) as (assistant, _):
                with anyio.move_on_after(5) as scope:
                    await assistant.call("get_public_settings")
                assert scope.cancelled_caught
                with anyio.fail_after(5):
                    await stopped.wait()
                assert (await assistant.call("list_practitioners"))["items"]

    run(story)
