"""What one tool call and one person may have of the limit while others wait, and what is told of a wait."""

import anyio
import pytest

from cliniko_mcp.client.rate_limit import one_call
from cliniko_mcp.errors import RateLimited

from .gate import Limited
from .virtual import run


def test_the_requests_of_one_tool_call_wait_twenty_seconds_together_and_not_each(limited: Limited) -> None:
    gate, upstream = limited(1)

    async def story() -> float:
        await gate.send()
        await anyio.sleep(45.5)
        with one_call():
            await gate.send()  # waits 15 s of the 20
            begin = anyio.current_time()
            with pytest.raises(RateLimited):
                await gate.send()
            refused_after = anyio.current_time() - begin
            await anyio.sleep(54)
            with pytest.raises(RateLimited):  # 6 s would do, and 5 are left
                await gate.send()
        await gate.send()  # what is no part of that call waits as ever
        return refused_after

    assert run(story) < 0.001
    assert len(upstream.arrivals) == 3


def test_waits_at_the_same_time_count_once_for_a_tool_call(limited: Limited) -> None:
    gate, upstream = limited(4)

    async def story() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(gate.send)
        await anyio.sleep(48)
        with one_call():
            async with anyio.create_task_group() as group:
                for _ in range(4):  # 12 s each, 48 in all
                    group.start_soon(gate.send)

    run(story)
    assert len(upstream.arrivals) == 8


@pytest.mark.parametrize("person", ["", "one"])
def test_who_has_had_a_third_of_a_minute_for_one_call_goes_after_others_who_wait(limited: Limited, person: str) -> None:
    gate, upstream = limited(12, latency=0)

    async def other() -> None:
        with one_call(person):
            await gate.send("other")

    async def story() -> None:
        for _ in range(12):
            with one_call(person):
                await gate.send("before")
            await anyio.sleep(1)
        await anyio.sleep(43)
        async with anyio.create_task_group() as group:
            with one_call(person):
                for _ in range(8):
                    group.start_soon(gate.send, "greedy")
            await anyio.sleep(0.1)
            for _ in range(4):
                group.start_soon(other)

    run(story)
    assert upstream.labels[12:] == ["/greedy"] * 4 + ["/other"] * 4 + ["/greedy"] * 4


def test_a_third_of_a_minute_is_the_share_of_one_person_while_another_waits(limited: Limited) -> None:
    gate, upstream = limited(10, latency=0)

    async def fruitless(number: int) -> None:
        with one_call("one"):
            await gate.send(f"one-{number}")

    async def other() -> None:
        with one_call("two"):
            await gate.send("two")

    async def story() -> None:
        for number in range(10):
            await fruitless(number)
            await anyio.sleep(1)
        await anyio.sleep(45)
        async with anyio.create_task_group() as group:
            for number in range(10, 14):
                group.start_soon(fruitless, number)
            await anyio.sleep(0.1)
            group.start_soon(other)

    run(story)
    assert upstream.labels[10] == "/two"


def test_a_wait_is_told_every_few_seconds_to_whoever_waits_for_the_call(limited: Limited) -> None:
    gate, _ = limited(2, latency=0)
    told: list[tuple[float, float]] = []

    async def tell(seconds: float) -> None:
        told.append((anyio.current_time(), seconds))

    async def story() -> None:
        for _ in range(2):
            await gate.send()
        await anyio.sleep(48)
        with one_call("desk", tell):
            async with anyio.create_task_group() as group:
                for _ in range(2):
                    group.start_soon(gate.send)

    run(story)
    assert [(round(at), round(seconds)) for at, seconds in told] == [(48, 12), (53, 7), (58, 2)]
