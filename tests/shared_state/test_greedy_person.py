"""The share of each person is counted over all replicas, by a real Redis."""

import random
import time
from collections.abc import Callable
from typing import Any

import pytest

from cliniko_mcp.client.rate_limit import Throttle
from cliniko_mcp.limit_share import MAX_CALLS, Share
from cliniko_mcp.sandbox.core import Sandbox
from cliniko_mcp.sandbox.transport import SandboxTransport
from cliniko_mcp.shared_state.tokens import SharedTokens
from tests.client.gate import NOON
from tests.client.greedy_desk import LIMIT, Away, Day, wall, worked
from tests.shared_state.redis_server import RedisServer
from tests.shared_state.test_tokens import nobody, told


async def times(tokens: SharedTokens, number: int, share: Share) -> list[str]:
    found = [await tokens.take(sweep=False, ahead=nobody, share=share) for _ in range(number)]
    assert [one.wait for one in found] == [0.0] * number
    return [one.token for one in found]


def test_who_has_had_a_third_at_all_replicas_leaves_half_to_others_at_work(redis: RedisServer) -> None:
    async def story(tokens: Callable[..., SharedTokens]) -> None:
        here, there = tokens(0, 12), tokens(1, 12)
        await times(there, 1, Share("ben", 1))
        mine = [*await times(here, 3, Share("ana", 1)), *await times(there, 2, Share("ana", 1))]
        wait, _, over = await here.take(sweep=False, ahead=nobody, share=Share("ana", 1))
        assert wait > 0 and over
        await times(here, 2, Share("ben", 2))
        await there.give_back(mine[0])
        assert (await there.take(sweep=False, ahead=nobody, share=Share("ana", 2))).wait > 0
        assert (await there.take(sweep=False, ahead=nobody, share=Share())).wait == 0

    told(story, redis, "third")


def test_who_works_alone_has_the_whole_minute_at_all_replicas(redis: RedisServer) -> None:
    async def story(tokens: Callable[..., SharedTokens]) -> None:
        for number in range(6):
            await times(tokens(number, 12), 2, Share("ana", number + 1))

    told(story, redis, "alone")


def test_calls_under_way_are_those_at_all_replicas(redis: RedisServer) -> None:
    async def story(tokens: Callable[..., SharedTokens]) -> None:
        here, there = tokens(0, 60), tokens(1, 60)
        await times(there, 15, Share("cyd", 1))
        await times(there, 7, Share("dan", 2))
        half = MAX_CALLS // 2
        calls = [
            (await times(one, 1, Share("ana", number)))[0] for one in (here, there) for number in range(1, half + 1)
        ]
        assert (await here.take(sweep=False, ahead=nobody, share=Share("ana", 9))).wait > 0
        assert (await here.take(sweep=False, ahead=nobody, share=Share("ana", 1))).wait == 0
        await there.answered(calls[-1])
        assert (await here.take(sweep=False, ahead=nobody, share=Share("ana", 9))).wait == 0

    told(story, redis, "calls")


@pytest.mark.long
def test_at_three_replicas_nine_people_wait_less_than_five_seconds_while_a_tenth_asks_for_fifty_things_at_once(
    redis: RedisServer,
) -> None:
    """Over a minute, as it takes one for the first requests to come back."""

    async def story(tokens: Callable[..., SharedTokens]) -> Day:
        sandbox = Sandbox(now=NOON, monotonic=time.monotonic, rate_limit=LIMIT)
        transport = Away(SandboxTransport(sandbox))
        gates = [Throttle(transport, per_minute=LIMIT, wall=wall, tokens=tokens(number)) for number in range(3)]
        return await worked(gates, sandbox.base_url, next(iter(sandbox.keys.values())), 75)

    day: Any = told(story, redis, f"desk {random.random()}")
    assert set(day.statuses) == {200}
    assert len(day.waits) > 60
    assert day.p95() <= 5, sorted(day.waits)
    assert day.greedy >= LIMIT // 3
