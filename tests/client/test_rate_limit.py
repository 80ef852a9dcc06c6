"""The limit of requests a minute, held in every window of a minute and for every caller."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import anyio
import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cliniko_mcp.client.rate_limit import PATIENCE, PERIOD, Throttle, one_call
from cliniko_mcp.errors import RateLimited

from .virtual import run

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Upstream(httpx2.AsyncBaseTransport):
    """Answers after `latency`, and remembers when each request reached it."""

    def __init__(self, latency: float = 0.05, answer: Callable[[int], httpx2.Response] | None = None) -> None:
        self.latency = latency
        self.arrivals: list[float] = []
        self.labels: list[str] = []
        self.answer = answer or (lambda _: httpx2.Response(200))

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.arrivals.append(anyio.current_time())
        self.labels.append(request.url.path)
        await anyio.sleep(self.latency)
        return self.answer(len(self.arrivals))


def wall() -> datetime:
    return NOON + timedelta(seconds=anyio.current_time())


def throttle(upstream: Upstream, per_minute: int) -> Throttle:
    return Throttle(upstream, per_minute=per_minute, wall=wall)


def request(label: str = "x", **extensions: object) -> httpx2.Request:
    return httpx2.Request("GET", f"https://api.example/{label}", extensions=extensions)


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
        gate = throttle(upstream, per_minute)

        async def call(at: float, sweep: bool, leaves_after: float | None) -> None:
            await anyio.sleep(at)
            begin = anyio.current_time()
            with anyio.move_on_after(leaves_after):
                try:
                    await gate.handle_async_request(request(sweep=sweep))
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
                group.start_soon(gate.handle_async_request, request())
        # Whatever happened before, a minute later the whole allowance is there again, at once.
        assert len(upstream.arrivals) == before + per_minute
        assert len({round(arrival, 6) for arrival in upstream.arrivals[before:]}) == 1

    run(story)
    assert busiest_minute(upstream.arrivals) <= per_minute
    assert all(seconds <= PATIENCE + 0.01 for seconds in waited)
    assert all(1 <= seconds <= 61 for seconds in refused)


def test_a_whole_minutes_worth_goes_out_at_once_and_the_next_is_told_how_long_to_wait() -> None:
    upstream = Upstream()

    async def story() -> object:
        gate = throttle(upstream, 10)
        for _ in range(10):
            await gate.handle_async_request(request())
        await anyio.sleep(30)
        with pytest.raises(RateLimited) as limit:
            await gate.handle_async_request(request())
        return limit.value.details["retry_after"], anyio.current_time()

    wait, now = run(story)  # type: ignore[misc]
    assert (wait, round(now, 2)) == (30, 30.5)
    assert len(upstream.arrivals) == 10


def test_a_short_wait_is_waited_for() -> None:
    upstream = Upstream(latency=0)

    async def story() -> None:
        gate = throttle(upstream, 1)
        await gate.handle_async_request(request())
        await anyio.sleep(45)
        await gate.handle_async_request(request())

    run(story)
    assert upstream.arrivals == pytest.approx([0, 60], abs=0.01)
    assert upstream.arrivals[1] >= 60


def test_a_sweep_leaves_a_tenth_to_single_calls() -> None:
    upstream = Upstream()

    async def story() -> None:
        gate = throttle(upstream, 20)
        for _ in range(18):
            await gate.handle_async_request(request(sweep=True))
        with pytest.raises(RateLimited):
            await gate.handle_async_request(request(sweep=True))
        await gate.handle_async_request(request())
        await gate.handle_async_request(request())

    run(story)
    assert len(upstream.arrivals) == 20


def test_those_who_wait_go_in_the_order_they_came_with_sweeps_last() -> None:
    upstream = Upstream(latency=0)

    async def story() -> None:
        gate = throttle(upstream, 10)
        for _ in range(10):
            await gate.handle_async_request(request("first"))
            await anyio.sleep(0.2)
        await anyio.sleep(45)
        async with anyio.create_task_group() as group:
            for label, sweep in (("sweep", True), ("one", False), ("two", False), ("three", False)):
                group.start_soon(gate.handle_async_request, request(label, sweep=sweep))
                await anyio.sleep(0.01)

    run(story)
    assert upstream.labels[10:] == ["/one", "/two", "/three", "/sweep"]


def test_a_single_call_overtakes_a_waiting_sweep_even_without_a_reserve() -> None:
    upstream = Upstream(latency=0)

    async def story() -> None:
        gate = throttle(upstream, 2)
        await gate.handle_async_request(request())
        await anyio.sleep(10)
        await gate.handle_async_request(request())
        await anyio.sleep(45)
        async with anyio.create_task_group() as group:
            for label, sweep in (("sweep", True), ("single", False)):
                group.start_soon(gate.handle_async_request, request(label, sweep=sweep))
                await anyio.sleep(0.01)

    run(story)
    assert upstream.labels[2:] == ["/single", "/sweep"]


def test_who_leaves_the_line_gives_the_place_to_the_next() -> None:
    upstream = Upstream(latency=0)

    async def story() -> None:
        gate = throttle(upstream, 2)
        await gate.handle_async_request(request())
        await anyio.sleep(10)
        await gate.handle_async_request(request())
        await anyio.sleep(40)

        async def impatient() -> None:
            with anyio.move_on_after(5):
                await gate.handle_async_request(request("impatient"))

        async with anyio.create_task_group() as group:
            group.start_soon(impatient)
            await anyio.sleep(0.01)
            group.start_soon(gate.handle_async_request, request("patient"))

    run(story)
    assert upstream.labels[2:] == ["/patient"]
    assert upstream.arrivals[2] == pytest.approx(60, abs=1.1)


def test_after_a_429_nobody_goes_before_the_limit_opens_again() -> None:
    reset = str(int(NOON.timestamp()) + 12)
    answers = [httpx2.Response(429, headers={"X-RateLimit-Reset": reset})]
    upstream = Upstream(latency=0, answer=lambda number: answers[0] if number == 1 else httpx2.Response(200))

    async def story() -> None:
        gate = throttle(upstream, 200)
        assert (await gate.handle_async_request(request())).status_code == 429
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(gate.handle_async_request, request())

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
def test_the_wait_after_a_429_is_read_with_care(headers: dict[str, str], wait: int) -> None:
    upstream = Upstream(latency=0, answer=lambda _: httpx2.Response(429, headers=headers))

    async def story() -> object:
        gate = throttle(upstream, 200)
        await gate.handle_async_request(request())
        with pytest.raises(RateLimited) as limit:
            await gate.handle_async_request(request(throttle_wait=0.5))
        return limit.value.details["retry_after"]

    assert run(story) == wait


def test_a_429_while_others_wait_is_heard_by_them() -> None:
    late = httpx2.Response(429, headers={"Retry-After": "60"})
    upstream = Upstream(latency=0, answer=lambda number: late if number == 3 else httpx2.Response(200))

    async def story() -> object:
        gate = throttle(upstream, 3)
        await gate.handle_async_request(request())
        await gate.handle_async_request(request())
        await anyio.sleep(50)
        found: list[object] = []

        async def waits() -> None:
            with pytest.raises(RateLimited) as limit:
                await gate.handle_async_request(request())
            found.append(limit.value.details["retry_after"])

        async with anyio.create_task_group() as group:
            group.start_soon(gate.handle_async_request, request())
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
        gate = Throttle(Broken(), per_minute=2, wall=wall)
        for _ in range(2):
            with pytest.raises(httpx2.ReadError):
                await gate.handle_async_request(request())
        with pytest.raises(RateLimited):
            await gate.handle_async_request(request())
        await anyio.sleep(61)
        with pytest.raises(httpx2.ReadError):
            await gate.handle_async_request(request())

    run(story)


def test_less_than_one_request_a_minute_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        throttle(Upstream(), 0)


def test_the_requests_of_one_tool_call_wait_twenty_seconds_together_and_not_each() -> None:
    upstream = Upstream()

    async def story() -> float:
        gate = throttle(upstream, 1)
        await gate.handle_async_request(request())
        await anyio.sleep(45.5)
        with one_call():
            await gate.handle_async_request(request())  # waits 15 s of the 20
            begin = anyio.current_time()
            with pytest.raises(RateLimited):
                await gate.handle_async_request(request())
            refused_after = anyio.current_time() - begin
            await anyio.sleep(54)
            with pytest.raises(RateLimited):  # 6 s would do, and 5 are left
                await gate.handle_async_request(request())
        await gate.handle_async_request(request())  # what is no part of that call waits as ever
        return refused_after

    assert run(story) < 0.001
    assert len(upstream.arrivals) == 3


def test_waits_at_the_same_time_count_once_for_a_tool_call() -> None:
    upstream = Upstream()

    async def story() -> None:
        gate = throttle(upstream, 4)
        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(gate.handle_async_request, request())
        await anyio.sleep(48)
        with one_call():
            async with anyio.create_task_group() as group:
                for _ in range(4):  # 12 s each, 48 in all
                    group.start_soon(gate.handle_async_request, request())

    run(story)
    assert len(upstream.arrivals) == 8
