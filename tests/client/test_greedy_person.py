"""One person who asks for everything at once does not keep the others of a key waiting."""

import anyio
import pytest

from cliniko_mcp.client.rate_limit import Throttle
from cliniko_mcp.client.tokens import LocalTokens
from cliniko_mcp.limit_share import MAX_CALLS, Share
from cliniko_mcp.sandbox.core import Sandbox
from cliniko_mcp.sandbox.transport import SandboxTransport

from .gate import NOON
from .greedy_desk import LIMIT, Away, Day, wall, worked
from .virtual import run


def desk_of(people: int) -> Day:
    async def story() -> Day:
        sandbox = Sandbox(now=NOON, monotonic=anyio.current_time, rate_limit=LIMIT)
        gate = Throttle(Away(SandboxTransport(sandbox)), per_minute=LIMIT, wall=wall)
        return await worked([gate], sandbox.base_url, next(iter(sandbox.keys.values())), 240, people)

    return run(story)


@pytest.mark.long
def test_nine_people_wait_less_than_five_seconds_while_a_tenth_asks_for_fifty_things_at_once() -> None:
    day = desk_of(9)
    assert set(day.statuses) == {200}, "the clinic's own limit is never met"
    assert len(day.waits) > 250
    assert day.p95() <= 5
    assert day.greedy >= LIMIT // 3 * 4, "a third of each minute is theirs all the same"


@pytest.mark.long
def test_who_works_alone_has_the_whole_minute() -> None:
    day = desk_of(0)
    assert set(day.statuses) == {200}
    assert day.greedy >= LIMIT * 4


async def times(tokens: LocalTokens, number: int, share: Share) -> list[str]:
    """So many tokens taken, and by what they are given back."""
    found: list[str] = []
    for _ in range(number):
        wait, token, _ = await tokens.take(sweep=False, ahead=lambda: 0, share=share)
        assert wait == 0
        found.append(token)
    return found


def test_who_has_had_a_third_leaves_half_to_others_at_work() -> None:
    async def story() -> None:
        tokens = LocalTokens(12, anyio.current_time)
        ana, ben = Share("ana", 1), Share("ben", 2)
        await times(tokens, 1, ben)
        mine = await times(tokens, 5, ana)
        wait, _, over = await tokens.take(sweep=False, ahead=lambda: 0, share=ana)
        assert wait > 0 and over
        await times(tokens, 2, Share("ben", 3))
        await tokens.give_back(mine[0])
        assert (await tokens.take(sweep=False, ahead=lambda: 0, share=ana)).wait > 0
        assert (await tokens.take(sweep=False, ahead=lambda: 0, share=Share())).wait == 0, (
            "what is nobody's has no share"
        )

    run(story)


def test_who_has_eight_calls_under_way_leaves_half_for_the_ninth_and_the_eight_go_on() -> None:
    async def story() -> None:
        tokens = LocalTokens(60, anyio.current_time)
        await times(tokens, 1, Share("ben", 99))
        calls = [(await times(tokens, 1, Share("ana", number)))[0] for number in range(1, MAX_CALLS + 1)]
        await times(tokens, 15, Share("cyd", 98))
        await times(tokens, 6, Share("dan", 97))
        assert (await tokens.take(sweep=False, ahead=lambda: 0, share=Share("ana", 9))).wait > 0
        assert (await tokens.take(sweep=False, ahead=lambda: 0, share=Share("ana", 8))).wait == 0
        await tokens.answered(calls[0])
        assert (await tokens.take(sweep=False, ahead=lambda: 0, share=Share("ana", 9))).wait == 0

    run(story)


def test_a_minute_later_nothing_is_held_against_anybody() -> None:
    async def story() -> None:
        tokens = LocalTokens(6, anyio.current_time)
        for token in [*await times(tokens, 3, Share("ana", 1)), *await times(tokens, 1, Share("ben", 2))]:
            await tokens.answered(token)
        assert (await tokens.take(sweep=False, ahead=lambda: 0, share=Share("ana", 1))).over
        await anyio.sleep(61)
        wait, _, over = await tokens.take(sweep=False, ahead=lambda: 0, share=Share("ana", 1))
        assert (wait, over) == (0, False)

    run(story)
