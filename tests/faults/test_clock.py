"""A clock that jumps: waits are measured by a clock that cannot, and what expires by the day's time expires safely."""

from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import httpx2
import pytest
from conftest import YES

from cliniko_mcp.sandbox.clock import SandboxClock
from tests.client.virtual import run

from .weather import Forward, fair, some, under

YEAR = timedelta(days=365)


def jump(assistant: Any, by: timedelta) -> None:
    clock = assistant.app.sandbox.clock
    assert isinstance(clock, SandboxClock)
    clock.advance(by)


@pytest.mark.parametrize("by", [YEAR, -YEAR, timedelta(hours=1), -timedelta(hours=1)], ids=str)
def test_a_jump_in_the_middle_of_a_wait_neither_ends_nor_stretches_it(by: timedelta) -> None:
    async def story() -> None:
        async with under() as (assistant, weather):
            app = assistant.app
            assert app is not None
            await assistant.call("list_practitioners")

            async def limited(request: httpx2.Request, forward: Forward) -> httpx2.Response:
                opens = app.sandbox.clock.now() + timedelta(seconds=10)
                return httpx2.Response(429, headers={"X-RateLimit-Reset": str(int(opens.timestamp()))})

            weather.trouble = some(1, limited)
            began = anyio.current_time()
            async with anyio.create_task_group() as group:
                group.start_soon(assistant.call, "list_practitioners")
                await anyio.sleep(2)
                jump(assistant, by)
            assert 9 <= anyio.current_time() - began <= 14

    run(story)


@pytest.mark.parametrize("seconds", [-(10**9), -1, 0, 10**9, 10**18], ids=str)
def test_a_reset_time_from_another_world_makes_nobody_wait_for_ever_or_hammer(seconds: int) -> None:
    async def story() -> None:
        async with under() as (assistant, weather):
            await assistant.call("list_practitioners")

            async def odd(request: httpx2.Request, forward: Forward) -> httpx2.Response:
                return httpx2.Response(429, headers={"X-RateLimit-Reset": str(1_795_000_000 + seconds)})

            weather.trouble = odd
            before, began = len(weather.attempts), anyio.current_time()
            answer = await assistant.call("get_public_settings")
            assert answer["code"] == "rate_limited"
            assert 1 <= answer["retry_after"] <= 60
            assert len(weather.attempts) - before <= 4
            assert anyio.current_time() - began <= 21
            weather.trouble = fair
            await anyio.sleep(60)
            assert (await assistant.call("get_public_settings"))["item"]

    run(story)


@pytest.mark.parametrize("by", [YEAR, -YEAR], ids=["ahead", "back"])
def test_an_approval_never_outlives_a_jump_by_more_than_its_question(by: timedelta) -> None:
    async def story() -> None:
        async with under(answer=YES) as (assistant, _):
            patient = await assistant.first("list_patients", limit=1)
            jump(assistant, by)
            answer = await assistant.call("archive_patient", id=patient["id"])
            assert "done" in answer
            assert len(assistant.asked) == 1
            year = (datetime.fromisoformat("2026-11-24T09:00+11:00").astimezone(UTC) + by).year
            assert answer["now"].startswith(str(year))

    run(story)


@pytest.mark.long
@pytest.mark.parametrize("by", [YEAR, -YEAR, timedelta(days=180)], ids=["ahead", "back", "into the other half-year"])
def test_the_same_question_after_a_jump_is_answered_for_the_new_day(by: timedelta) -> None:
    async def story() -> None:
        async with under() as (assistant, _):
            first = await assistant.call("show_diary", when="today")
            jump(assistant, by)
            second = await assistant.call("show_diary", when="today")
            assert "code" not in first
            assert "code" not in second
            assert first["now"][:10] != second["now"][:10]

    run(story)
