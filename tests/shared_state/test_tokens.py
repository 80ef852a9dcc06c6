"""One key's requests a minute, counted for all replicas by a real Redis, on its own clock."""

import random
import socket
import time
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any

import anyio
import httpx2
import pytest

from cliniko_mcp.client.rate_limit import Throttle
from cliniko_mcp.errors import RateLimited, Unavailable
from cliniko_mcp.shared_state.connection import open_state
from cliniko_mcp.shared_state.tokens import SharedTokens
from tests.client.gate import NOON
from tests.shared_state.redis_server import RedisServer


def nobody() -> int:
    """Nobody goes first in this replica."""
    return 0


def told(story: Callable[..., Awaitable[Any]], redis: RedisServer, account: str, *, trusted: bool = True) -> Any:
    """The story, told of what makes the tokens of a replica."""
    if trusted:
        redis.trusted(account)

    async def inner() -> Any:
        chance = random.Random(account)
        async with open_state(redis.url) as one, open_state(redis.url) as two:

            def tokens(replica: int = 0, per_minute: int = 200, **options: Any) -> SharedTokens:
                state = (one, two)[replica % 2]
                return SharedTokens(state, account, per_minute, lambda: chance.randbytes(8), **options)

            with anyio.fail_after(120):
                return await story(tokens)

    return anyio.run(inner)


def test_the_tokens_of_a_minute_are_those_of_all_replicas_together(redis: RedisServer) -> None:
    async def story(tokens: Callable[..., SharedTokens]) -> None:
        here, there = tokens(0, 10), tokens(1, 10)
        taken = [await (here, there)[number % 2].take(sweep=False, ahead=nobody) for number in range(10)]
        assert [wait for wait, *_ in taken] == [0.0] * 10
        assert len({token for _, token, _ in taken}) == 10
        assert (await here.take(sweep=False, ahead=nobody))[0] == 60.0, "only what is under way could help"
        await there.answered(taken[0][1])
        wait, *_ = await here.take(sweep=False, ahead=nobody)
        assert 55 < wait <= 60
        await here.give_back(taken[1][1])
        assert (await there.take(sweep=False, ahead=lambda: 1))[0] > 0, "another of this replica goes first"
        assert (await there.take(sweep=False, ahead=nobody))[0] == 0.0

    told(story, redis, "together")


def test_a_sweep_leaves_a_tenth_to_others(redis: RedisServer) -> None:
    async def story(tokens: Callable[..., SharedTokens]) -> None:
        one = tokens(0, 10)
        waits = [(await one.take(sweep=True, ahead=nobody))[0] for _ in range(10)]
        assert waits == [0.0] * 9 + [60.0]
        assert (await one.take(sweep=False, ahead=nobody))[0] == 0.0

    told(story, redis, "sweep")


def test_after_a_429_nothing_goes_out_from_any_replica(redis: RedisServer) -> None:
    async def story(tokens: Callable[..., SharedTokens]) -> None:
        here, there = tokens(0), tokens(1)
        _, token, _ = await here.take(sweep=False, ahead=nobody)
        assert await there.closed() == 0.0
        await here.answered(token, pause=7.5)
        _, other = 0.0, await there.closed()
        assert 7 < other <= 7.5
        wait, *_ = await there.take(sweep=False, ahead=nobody)
        assert 7 < wait <= 7.5
        await here.answered(token, pause=1.0)
        assert await there.closed() > 6, "a shorter pause does not end a longer one"

    told(story, redis, "pause")


def test_what_was_under_way_when_a_replica_ended_comes_back_when_its_lease_is_over(redis: RedisServer) -> None:
    async def story(tokens: Callable[..., SharedTokens]) -> None:
        ended, other = tokens(0, 1, lease=0.3), tokens(1, 1)
        assert (await ended.take(sweep=False, ahead=nobody))[0] == 0.0
        assert (await other.take(sweep=False, ahead=nobody))[0] > 0
        await anyio.sleep(0.35)
        assert (await other.take(sweep=False, ahead=nobody))[0] == 0.0

    told(story, redis, "lease")


def test_a_redis_that_came_up_without_what_it_knew_gives_nothing_out_until_it_has_been_up_a_minute(
    redis: RedisServer,
) -> None:
    async def story(tokens: Callable[..., SharedTokens]) -> None:
        wait, *_ = await tokens().take(sweep=False, ahead=nobody)
        up = int(redis_uptime(redis))
        assert up >= 60 or 0 < wait <= 60 - up + 1

    told(story, redis, "unknown", trusted=False)


def redis_uptime(redis: RedisServer) -> str:
    script = "return string.match(redis.call('INFO','server'),'uptime_in_seconds:(%d+)')"
    with socket.create_connection(("127.0.0.1", redis.port)) as wire:
        words = ("EVAL", script, "0")
        wire.sendall("".join([f"*{len(words)}\r\n", *(f"${len(word)}\r\n{word}\r\n" for word in words)]).encode())
        lines = wire.makefile("rb")
        lines.readline()
        return lines.readline().decode().strip()


class Cliniko(httpx2.AsyncBaseTransport):
    """The other side of one key: notes when each request came, and refuses none."""

    def __init__(self) -> None:
        self.came: list[float] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.came.append(time.monotonic())
        await anyio.sleep(random.Random(len(self.came)).random() * 0.05)
        return httpx2.Response(200)


def test_of_450_calls_at_once_over_three_replicas_no_minute_sees_more_than_200(redis: RedisServer) -> None:
    cliniko = Cliniko()
    refused: list[object] = []

    async def story(tokens: Callable[..., SharedTokens]) -> None:
        replicas = [Throttle(cliniko, per_minute=200, wall=lambda: NOON, tokens=tokens(number)) for number in range(3)]

        async def call(number: int) -> None:
            request = httpx2.Request("GET", "https://api.example/x", extensions={"throttle_wait": 1.0})
            try:
                await replicas[number % 3].handle_async_request(request)
            except RateLimited as limit:
                refused.append(limit.details["retry_after"])

        async with anyio.create_task_group() as calls:
            for number in range(450):
                calls.start_soon(call, number)

    told(story, redis, "four-fifty")
    assert 198 <= len(cliniko.came) <= 200 and len(cliniko.came) + len(refused) == 450
    assert cliniko.came[-1] - cliniko.came[0] < 60
    assert all(earlier <= later for earlier, later in pairwise(cliniko.came))


def test_while_redis_is_away_nothing_is_sent_and_soon_after_all_is(redis: RedisServer) -> None:
    cliniko = Cliniko()

    async def story(tokens: Callable[..., SharedTokens]) -> None:
        gate = Throttle(cliniko, per_minute=200, wall=lambda: NOON, tokens=tokens())

        async def send() -> httpx2.Response:
            return await gate.handle_async_request(httpx2.Request("GET", "https://api.example/x"))

        assert (await send()).status_code == 200
        redis.stop()
        began = anyio.current_time()
        with pytest.raises(Unavailable, match="nothing was sent"):
            await send()
        assert 4 < anyio.current_time() - began < 10
        assert len(cliniko.came) == 1
        await anyio.to_thread.run_sync(redis.start)
        assert (await send()).status_code == 200
        redis.stop()
        async with anyio.create_task_group() as calls:
            for _ in range(20):
                calls.start_soon(send)
            await anyio.sleep(2)
            await anyio.to_thread.run_sync(redis.start)
        assert len(cliniko.came) == 22, "a Redis that is away for two seconds fails no call"

    told(story, redis, "away")


def test_an_answer_that_came_is_not_lost_because_redis_is_away(redis: RedisServer) -> None:
    async def story(tokens: Callable[..., SharedTokens]) -> None:
        one = tokens(0, 1)

        class Last(httpx2.AsyncBaseTransport):
            async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
                redis.stop()
                return httpx2.Response(200)

        gate = Throttle(Last(), per_minute=1, wall=lambda: NOON, tokens=one)
        try:
            assert (await gate.handle_async_request(httpx2.Request("GET", "https://api.example/x"))).status_code == 200
        finally:
            await anyio.to_thread.run_sync(redis.start)
        assert (await tokens(1, 1).take(sweep=False, ahead=nobody))[0] == 60.0, "its token is believed to be under way"

    told(story, redis, "last")
