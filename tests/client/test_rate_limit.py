"""The limit of requests a minute, held in every window of a minute and for every caller."""

from collections.abc import Sequence
from functools import partial

import anyio
import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cliniko_mcp.client.rate_limit import PATIENCE, PERIOD
from cliniko_mcp.errors import RateLimited

from .gate import NOON, Gate, Limited, Upstream
from .virtual import run


def busiest_minute(arrivals: Sequence[float]) -> int:
    return max((sum(begin <= arrival < begin + 60 for arrival in arrivals) for begin in arrivals), default=0)


CALLER = st.tuples(
    st.floats(0, 200),  # when it comes
    st.booleans(),  # whether it is part of a sweep
    st.one_of(st.none(), st.floats(0, 5)),  # when its caller walks away
)


@settings(deadline=None)
@given(st.lists(CALLER, max_size=40), st.integers(1, 12), st.sampled_from([0.0, 0.05, 3.0]))
def test_no_window_of_a_minute_sees_more_than_the_limit_and_nothing_leaks(
    callers: list[tuple[float, bool, float | None]], per_minute: int, latency: float
) -> None:
    upstream = Upstream(latency)
    waited: list[float] = []
    refused: list[int] = []

    async def story() -> None:
        gate = Gate(per_minute, upstream)

        async def call(at: float, sweep: bool, leaves_after: float | None) -> None:
            await anyio.sleep(at)
            begin = anyio.current_time()
            with anyio.move_on_after(leaves_after):
                try:
                    await gate.send(sweep=sweep)
                except RateLimited as limit:
                    refused.append(int(str(limit.details["retry_after"])))
            waited.append(anyio.current_time() - begin - latency)

        async with anyio.create_task_group() as group:
            for caller in callers:
                group.start_soon(call, *caller)
        await anyio.sleep(PERIOD + 1)
        before = len(upstream.arrivals)
        async with anyio.create_task_group() as group:
            for _ in range(per_minute):
                group.start_soon(gate.send)
        # Whatever happened before, a minute later the whole allowance is there again, at once.
        assert len(upstream.arrivals) == before + per_minute
        assert len({round(arrival, 6) for arrival in upstream.arrivals[before:]}) == 1

    run(story)
    assert busiest_minute(upstream.arrivals) <= per_minute
    assert all(seconds <= PATIENCE + 0.01 for seconds in waited)
    assert all(1 <= seconds <= 61 for seconds in refused)


def test_a_whole_minutes_worth_goes_out_at_once_and_the_next_is_told_how_long_to_wait(limited: Limited) -> None:
    gate, upstream = limited(10)

    async def story() -> object:
        for _ in range(10):
            await gate.send()
        await anyio.sleep(30)
        return await gate.seconds_to_wait(), anyio.current_time()

    wait, now = run(story)  # type: ignore[misc]
    assert (wait, round(now, 2)) == (30, 30.5)
    assert len(upstream.arrivals) == 10


def test_a_short_wait_is_waited_for(limited: Limited) -> None:
    gate, upstream = limited(1, latency=0)

    async def story() -> None:
        await gate.send()
        await anyio.sleep(45)
        await gate.send()

    run(story)
    assert upstream.arrivals == pytest.approx([0, 60], abs=0.01)
    assert upstream.arrivals[1] >= 60


def test_a_sweep_leaves_a_tenth_to_single_calls(limited: Limited) -> None:
    gate, upstream = limited(20)

    async def story() -> None:
        for _ in range(18):
            await gate.send(sweep=True)
        with pytest.raises(RateLimited):
            await gate.send(sweep=True)
        await gate.send()
        await gate.send()

    run(story)
    assert len(upstream.arrivals) == 20


def test_those_who_wait_go_in_the_order_they_came_with_sweeps_last(limited: Limited) -> None:
    gate, upstream = limited(10, latency=0)

    async def story() -> None:
        for _ in range(10):
            await gate.send("first")
            await anyio.sleep(0.2)
        await anyio.sleep(45)
        async with anyio.create_task_group() as group:
            for label, sweep in (("sweep", True), ("one", False), ("two", False), ("three", False)):
                group.start_soon(partial(gate.send, label, sweep=sweep))
                await anyio.sleep(0.01)

    run(story)
    assert upstream.labels[10:] == ["/one", "/two", "/three", "/sweep"]


def test_a_single_call_overtakes_a_waiting_sweep_even_without_a_reserve(limited: Limited) -> None:
    gate, upstream = limited(2, latency=0)

    async def story() -> None:
        await gate.send()
        await anyio.sleep(10)
        await gate.send()
        await anyio.sleep(45)
        async with anyio.create_task_group() as group:
            for label, sweep in (("sweep", True), ("single", False)):
                group.start_soon(partial(gate.send, label, sweep=sweep))
                await anyio.sleep(0.01)

    run(story)
    assert upstream.labels[2:] == ["/single", "/sweep"]


def test_who_leaves_the_line_gives_the_place_to_the_next(limited: Limited) -> None:
    gate, upstream = limited(2, latency=0)

    async def story() -> None:
        await gate.send()
        await anyio.sleep(10)
        await gate.send()
        await anyio.sleep(40)

        async def impatient() -> None:
            with anyio.move_on_after(5):
                await gate.send("impatient")

        async with anyio.create_task_group() as group:
            group.start_soon(impatient)
            await anyio.sleep(0.01)
            group.start_soon(gate.send, "patient")

    run(story)
    assert upstream.labels[2:] == ["/patient"]
    assert upstream.arrivals[2] == pytest.approx(60, abs=1.1)


def test_after_a_429_nobody_goes_before_the_limit_opens_again(limited: Limited) -> None:
    reset = str(int(NOON.timestamp()) + 12)
    answers = [httpx2.Response(429, headers={"X-RateLimit-Reset": reset})]
    gate, upstream = limited(200, latency=0, answer=lambda number: answers[0] if number == 1 else httpx2.Response(200))

    async def story() -> None:
        assert (await gate.send()).status_code == 429
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(gate.send)

    run(story)
    assert upstream.arrivals == pytest.approx([0, 12, 12, 12], abs=0.01)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"X-RateLimit-Reset": str(int(NOON.timestamp()) + 4000)}, 60),
        ({"X-RateLimit-Reset": str(int(NOON.timestamp()) + 30)}, 30),
        ({"X-RateLimit-Reset": str(int(NOON.timestamp()) - 30)}, 1),
        ({"X-RateLimit-Reset": "soon", "Retry-After": "25"}, 25),
        ({"X-RateLimit-Reset": "inf"}, 5),
        ({"X-RateLimit-Reset": "nan", "Retry-After": "Tue"}, 5),
        ({}, 5),
    ],
)
def test_the_wait_after_a_429_is_read_with_care(limited: Limited, headers: dict[str, str], wait: int) -> None:
    gate, _ = limited(200, latency=0, answer=lambda _: httpx2.Response(429, headers=headers))

    async def story() -> object:
        await gate.send()
        return await gate.seconds_to_wait(throttle_wait=0.5)

    assert run(story) == wait


def test_a_429_while_others_wait_is_heard_by_them(limited: Limited) -> None:
    late = httpx2.Response(429, headers={"Retry-After": "60"})
    gate, _ = limited(3, latency=0, answer=lambda number: late if number == 3 else httpx2.Response(200))

    async def story() -> object:
        await gate.send()
        await gate.send()
        await anyio.sleep(50)
        found: list[object] = []

        async def waits() -> None:
            found.append(await gate.seconds_to_wait())

        async with anyio.create_task_group() as group:
            group.start_soon(gate.send)
            await anyio.sleep(0.01)
            group.start_soon(waits)
        return found

    (wait,) = run(story)  # type: ignore[misc]
    assert 58 <= wait <= 60


def test_a_failed_attempt_counts_and_does_not_jam_the_gate() -> None:
    class Broken(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            raise httpx2.ReadError("broke off")

    async def story() -> None:
        gate = Gate(2, Broken())
        for _ in range(2):
            with pytest.raises(httpx2.ReadError):
                await gate.send()
        with pytest.raises(RateLimited):
            await gate.send()
        await anyio.sleep(61)
        with pytest.raises(httpx2.ReadError):
            await gate.send()

    run(story)


def test_less_than_one_request_a_minute_is_refused(limited: Limited) -> None:
    with pytest.raises(ValueError, match="at least one"):
        limited(0)
