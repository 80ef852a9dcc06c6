"""Connections that break before, during and after a request, and upstreams that are slow or never answer."""

from collections.abc import Sequence
from typing import Any

import anyio
import httpx2
import pytest

from cliniko_mcp.sandbox.faults import Fault
from tests.client.virtual import run

from .weather import Trouble, breaking, fair, some, under

BEFORE = [httpx2.ConnectError("refused"), httpx2.ConnectTimeout("slow"), httpx2.PoolTimeout("full")]
DURING = [
    httpx2.ReadError("reset"),
    httpx2.WriteError("broken pipe"),
    httpx2.RemoteProtocolError("closed without an answer"),
    httpx2.ReadTimeout("stuck"),
    httpx2.WriteTimeout("stuck"),
]
NEW = {"first_name": "Only", "last_name": "Once"}


def named(problems: Sequence[Exception]) -> Any:
    return pytest.mark.parametrize("problem", problems, ids=lambda problem: type(problem).__name__)


async def outcome(trouble: Trouble) -> tuple[dict[str, Any], int, list[str]]:
    """What a write in this trouble says, how often it was done, and the writes that were tried."""
    async with under() as (assistant, weather):
        await assistant.call("list_practitioners")
        weather.trouble = trouble
        answer = await assistant.call("create_patient", **NEW)
        weather.trouble = fair
        found = await assistant.call("list_patients", last_name="Once")
        return answer, found["page"]["total"], weather.writes()


@named([*BEFORE, *DURING])
def test_a_read_gets_over_a_connection_that_breaks(problem: Exception) -> None:
    async def story() -> None:
        async with under(some(2, breaking(problem))) as (assistant, weather):
            assert (await assistant.call("get_public_settings"))["item"]
            assert weather.attempts[:3] == [weather.attempts[0]] * 3

    run(story)


@named(BEFORE)
def test_a_write_that_never_left_is_tried_again_and_done_once(problem: Exception) -> None:
    answer, made, tried = run(lambda: outcome(some(2, breaking(problem), method="POST")))
    assert answer["item"]["first_name"] == "Only"
    assert made == 1
    assert len(tried) == 3


@named(BEFORE)
def test_a_write_that_finds_no_connection_at_all_says_that_nothing_was_changed(problem: Exception) -> None:
    answer, made, _ = run(lambda: outcome(breaking(problem)))
    assert answer["code"] == "unavailable"
    assert "Nothing was changed" in answer["fix"]
    assert made == 0


@named(DURING)
@pytest.mark.parametrize("done", [False, True], ids=["before it was done", "after it was done"])
def test_a_write_whose_connection_breaks_is_never_repeated_and_says_that_its_outcome_is_unknown(
    problem: Exception, done: bool
) -> None:
    answer, made, tried = run(lambda: outcome(breaking(problem, done=done)))
    assert answer["code"] == "outcome_unknown"
    assert "Do not repeat it yet" in answer["fix"]
    assert made == int(done)
    assert len(tried) == 1


def test_a_slow_upstream_is_waited_for() -> None:
    async def story() -> None:
        async with under() as (assistant, _):
            assert assistant.app is not None
            assistant.app.sandbox.faults.set(Fault("slow", seconds=20))
            assert (await assistant.call("get_public_settings"))["item"]
            assert 20 <= anyio.current_time() < 45

    run(story)


@pytest.mark.parametrize("name", ["get_public_settings", "list_patients", "create_patient"])
def test_a_stuck_upstream_is_given_up_within_a_call_s_time_and_others_go_on_meanwhile(name: str) -> None:
    async def story() -> None:
        async with under() as (assistant, _):
            assert assistant.app is not None
            await assistant.call("get_authenticated_user")
            stuck = {"get_public_settings": "/settings/public"}.get(name, "/patients")
            assistant.app.sandbox.faults.set(Fault("slow", path=stuck, seconds=10_000))
            began = anyio.current_time()
            answers: list[dict[str, Any]] = []

            async def ask() -> None:
                answers.append(await assistant.call(name, **(NEW if name == "create_patient" else {})))

            async with anyio.create_task_group() as group:
                group.start_soon(ask)
                await anyio.sleep(1)
                assert (await assistant.call("list_practitioners"))["items"]
                assert anyio.current_time() - began < 2
            assert answers[0]["code"] == ("outcome_unknown" if name == "create_patient" else "unavailable")
            assert anyio.current_time() - began <= 46

    run(story)


def test_a_stuck_later_page_gives_the_rows_before_it() -> None:
    async def story() -> None:
        async with under() as (assistant, weather):
            whole = await assistant.call("list_individual_appointments", fields="id", limit=300, cancelled_at="all")

            async def stuck(request: httpx2.Request, forward: Any) -> httpx2.Response:
                if request.url.params.get("page") not in (None, "1"):
                    await anyio.sleep(10_000)
                return await forward(request)

            weather.trouble = stuck
            began = anyio.current_time()
            answer = await assistant.call("list_individual_appointments", fields="id", limit=300, cancelled_at="all")
            assert anyio.current_time() - began <= 46
            assert answer["page"]["complete"] is False
            assert answer["items"] == whole["items"][: len(answer["items"])]
            assert len(answer["items"]) == 100
            assert answer["page"]["next_cursor"]

    run(story)
