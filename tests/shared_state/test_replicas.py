"""Two replicas of one account, each an app of its own on one demo clinic: they work as one, through a real Redis."""

import random
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from cliniko_mcp.app import App, open_app
from cliniko_mcp.approvals.questions import AskFirst
from cliniko_mcp.errors import ClinikoMcpError, Declined, InvalidCursor, NotFound
from cliniko_mcp.guards.pipeline import Caller
from cliniko_mcp.guards.shared_parts import shared_parts
from cliniko_mcp.settings import Settings
from cliniko_mcp.shared_state.connection import SharedState, open_state
from cliniko_mcp.shared_state.keys import KeyRing
from tests.conftest import NOW
from tests.guards.gate import RoundTrip, Verdict
from tests.shared_state.redis_server import RedisServer

RING = KeyRing([b"r" * 32], random.Random(3).randbytes)
SETTINGS = {"sandbox": True, "sandbox_now": NOW, "sandbox_clock": "frozen", "rate_limit": 200, "transport": "http"}


def told(
    story: Callable[..., Awaitable[Any]], redis: RedisServer, account: str, *, per_minute: int = 200, number: int = 2
) -> None:
    """The story, told of replicas that share everything that replicas share."""
    redis.trusted(account)

    async def inner() -> None:
        states: list[SharedState] = []
        apps: list[App] = []
        async with open_state(redis.url) as one, open_state(redis.url) as two:
            states = [one, two]

            async def with_replicas(left: int) -> None:
                if not left:
                    await story(*apps)
                    return
                parts = shared_parts(states[left % 2], RING, account, per_minute=per_minute)
                async with open_app(Settings.load(SETTINGS, {}), parts) as app:
                    if apps:
                        app.use_sandbox(apps[0].sandbox)
                    apps.append(app)
                    await with_replicas(left - 1)

            with anyio.fail_after(200):
                await with_replicas(number)

    anyio.run(inner)


def test_a_cursor_of_one_replica_is_read_by_the_other_for_the_same_person_alone(redis: RedisServer) -> None:
    async def story(one: App, two: App) -> None:
        first = await one.call("list_patients", {"limit": 3}, Caller("ana", "http"))
        cursor = {"cursor": first["page"]["next_cursor"]}  # pyright: ignore[reportArgumentType, reportCallIssue, reportIndexIssue, reportOptionalSubscript]
        second = await two.call("list_patients", cursor, Caller("ana", "http"))
        assert second["items"] and second["items"] != first["items"]
        with pytest.raises(InvalidCursor):
            await two.call("list_patients", cursor, Caller("eve", "http"))

    told(story, redis, "cursor")


def test_a_yes_to_a_form_of_one_replica_is_acted_on_by_another_once(redis: RedisServer) -> None:
    async def story(one: App, two: App, three: App) -> None:
        apps, arguments = (one, two, three), await a_patient(one)
        with pytest.raises(AskFirst) as asked:
            await one.call("archive_patient", arguments, Caller("ana", "http", RoundTrip()))
        challenge = asked.value.question.challenge
        ended: list[str] = []

        async def answer(app: App) -> None:
            try:
                await app.call("archive_patient", arguments, Caller("ana", "http", RoundTrip(challenge, Verdict.YES)))
                ended.append("done")
            except AskFirst:
                ended.append("asked")
            except ClinikoMcpError as problem:
                ended.append(problem.code)

        async with anyio.create_task_group() as calls:
            for app in (*apps, *apps):
                calls.start_soon(answer, app)
        assert ended.count("done") >= 1, ended
        acts = [request for request in one.sandbox.requests if request.path.endswith("/archive")]
        assert len(acts) == 1, ended

    told(story, redis, "yes", number=3)


def test_an_answer_of_somebody_else_acts_on_nothing(redis: RedisServer) -> None:
    async def story(one: App, two: App) -> None:
        arguments = await a_patient(one)
        with pytest.raises(AskFirst) as asked:
            await one.call("archive_patient", arguments, Caller("ana", "http", RoundTrip()))
        answer = RoundTrip(asked.value.question.challenge, Verdict.YES)
        with pytest.raises(Exception) as refused:
            await two.call("archive_patient", arguments, Caller("eve", "http", answer))
        assert not isinstance(refused.value, AssertionError)
        assert not [request for request in one.sandbox.requests if request.path.endswith("/archive")]

    told(story, redis, "somebody")


def test_a_no_to_one_replica_is_kept_by_the_other(redis: RedisServer) -> None:
    async def story(one: App, two: App) -> None:
        arguments = await a_patient(one)
        with pytest.raises(AskFirst) as asked:
            await one.call("archive_patient", arguments, Caller("ana", "http", RoundTrip()))
        answer = RoundTrip(asked.value.question.challenge, Verdict.NO)
        with pytest.raises(Declined):
            await two.call("archive_patient", arguments, Caller("ana", "http", answer))
        with pytest.raises(Declined):
            await one.call("archive_patient", arguments, Caller("ana", "http", RoundTrip()))

    told(story, redis, "no")


def test_a_change_through_one_replica_is_seen_through_the_other_at_once(redis: RedisServer) -> None:
    async def story(one: App, two: App) -> None:
        listed: Any = await two.call("list_appointment_types", {"limit": 1, "detail": "full"}, Caller("ana", "http"))
        [kind] = listed["items"]
        named = {"type": str(kind["name"])}
        assert await two.call("find_times", named, Caller("ana", "http"))
        body = {"id": str(kind["id"]), "name": "Renamed just now"}
        await one.call("update_appointment_type", body, Caller("ana", "http"))
        with pytest.raises(NotFound):
            await two.call("find_times", named, Caller("ana", "http"))

    told(story, redis, "change")


async def a_patient(app: App) -> dict[str, Any]:
    listed = await app.call("list_patients", {"limit": 1}, Caller("ana", "http"))
    return {"id": listed["items"][0]["id"]}  # pyright: ignore[reportArgumentType, reportCallIssue, reportIndexIssue, reportOptionalSubscript]
