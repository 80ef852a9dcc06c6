"""Values by key: asked for once, kept briefly, shared by those who ask at the same moment."""

from collections.abc import Sequence

import anyio
import pytest

from cliniko_mcp.client.memory import MAX_VALUES, SingleFlightCache
from cliniko_mcp.errors import NotAllowed, Unavailable

from .virtual import run


class Source:
    """Knows the ids below 100; each request takes a second."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.problems: list[Exception] = []

    async def fetch(self, ids: Sequence[str]) -> dict[str, str]:
        self.asked.append(list(ids))
        await anyio.sleep(1)
        if self.problems:
            raise self.problems.pop(0)
        return {key: f"record {key}" for key in ids if int(key) < 100}


class Cache:
    """A cache that keeps what this source knows for a minute."""

    def __init__(self, source: Source, **most: int) -> None:
        self.source = source
        self.kept = SingleFlightCache[str, str](60, anyio.current_time, **most)

    async def get(self, *ids: str) -> list[str]:
        found = await self.kept.get_many(ids, self.source.fetch)
        assert all(value == f"record {key}" for key, value in found.items())
        return list(found)


def test_keys_are_answered_once_each_in_their_order_and_unknown_ones_are_absent() -> None:
    source = Source()
    assert run(lambda: Cache(source).get("3", "500", "1", "3")) == ["3", "1"]
    assert source.asked == [["3", "500", "1"]]


def test_of_no_keys_nothing_is_asked() -> None:
    source = Source()
    assert run(lambda: Cache(source).get()) == []
    assert source.asked == []


def test_what_is_known_is_not_asked_for_again_within_a_minute() -> None:
    source = Source()

    async def story() -> None:
        cache = Cache(source)
        await cache.get("1", "500")
        await anyio.sleep(59)
        await cache.get("1", "2", "500")
        assert source.asked == [["1", "500"], ["2"]]
        await anyio.sleep(30)
        await cache.get("1", "2")
        assert source.asked[2:] == [["1"]]

    run(story)


def test_those_who_ask_at_the_same_moment_share_their_requests() -> None:
    source = Source()

    async def story() -> None:
        cache = Cache(source)
        found: list[list[str]] = []

        async def ask(*ids: str) -> None:
            found.append(await cache.get(*ids))

        async with anyio.create_task_group() as group:
            for ids in (("1", "2"), ("1", "2"), ("2", "3"), ("3",)):
                group.start_soon(ask, *ids)
        assert sorted(found) == [["1", "2"], ["1", "2"], ["2", "3"], ["3"]]
        assert source.asked == [["1", "2"], ["3"]]

    run(story)


def test_when_the_first_to_ask_leaves_the_others_ask_themselves() -> None:
    source = Source()

    async def story() -> None:
        cache = Cache(source)

        async def first() -> None:
            with anyio.move_on_after(0.5):
                await cache.get("1")

        async with anyio.create_task_group() as group:
            group.start_soon(first)
            await anyio.sleep(0.1)
            assert await cache.get("1") == ["1"]
        assert source.asked == [["1"], ["1"]]

    run(story)


def test_what_cliniko_refused_the_first_to_ask_it_refused_those_who_wait_and_the_next_asks_anew() -> None:
    source = Source()
    source.problems = [Unavailable("down")]

    async def story() -> None:
        cache = Cache(source)

        async def ask() -> None:
            with pytest.raises(Unavailable):
                await cache.get("1")

        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(ask)
        assert source.asked == [["1"]]
        assert await cache.get("1") == ["1"]

    run(story)


@pytest.mark.parametrize("problem", [NotAllowed("not this caller"), ZeroDivisionError()])
def test_what_stopped_the_first_to_ask_for_a_reason_of_its_own_does_not_stop_those_who_wait(problem: Exception) -> None:
    source = Source()
    source.problems = [problem]
    outcomes: list[object] = []

    async def story() -> None:
        cache = Cache(source)

        async def ask() -> None:
            try:
                outcomes.append(await cache.get("1"))
            except (NotAllowed, ZeroDivisionError) as stopped:
                outcomes.append(stopped)

        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(ask)

    run(story)
    assert outcomes == [problem, ["1"], ["1"]]
    assert source.asked == [["1"], ["1"]]


def test_what_nobody_asked_for_in_a_minute_takes_no_room() -> None:
    source = Source()

    async def story() -> None:
        cache = Cache(source)
        for begin in range(0, 20_000, 500):
            await cache.get(*map(str, range(begin, begin + 500)))
            await anyio.sleep(30)
        assert len(cache.kept._known) <= MAX_VALUES

    run(story)


def test_what_came_in_a_rush_goes_when_its_time_is_over() -> None:
    source = Source()

    async def story() -> None:
        cache = Cache(source)
        await cache.get(*map(str, range(MAX_VALUES + 1)))
        await anyio.sleep(59)
        await cache.get("1", "2")
        assert len(source.asked) == 1
        await cache.get(str(MAX_VALUES + 1))
        assert len(cache.kept._known) == 1

    run(story)


def test_what_is_forgotten_while_it_is_asked_for_is_not_remembered() -> None:
    source = Source()

    async def story() -> None:
        cache = Cache(source)
        async with anyio.create_task_group() as group:
            group.start_soon(cache.get, "1")
            await anyio.sleep(0.5)
            cache.kept.forget()
        await cache.get("1")
        assert source.asked == [["1"], ["1"]]

    run(story)


def test_who_waits_for_what_is_forgotten_meanwhile_reads_it_anew() -> None:
    source = Source()

    async def story() -> None:
        cache = Cache(source)
        async with anyio.create_task_group() as group:
            group.start_soon(cache.get, "1")
            await anyio.sleep(0.1)
            group.start_soon(cache.get, "1")
            await anyio.sleep(0.1)
            cache.kept.forget()
        assert source.asked == [["1"], ["1"]]

    run(story)


def test_of_five_thousand_values_all_are_known_and_of_one_more_the_oldest_is_asked_for_anew() -> None:
    source = Source()

    async def story() -> None:
        cache = Cache(source)
        await cache.get(*map(str, range(5_000)))
        await cache.get("0", "4999")
        assert len(source.asked) == 1
        await cache.get("5000")
        await cache.get("1", "5000")
        await cache.get("0")
        assert source.asked[1:] == [["5000"], ["0"]]

    run(story)


def test_what_was_read_anew_is_not_the_oldest() -> None:
    source = Source()

    async def story() -> None:
        cache = Cache(source, most=2)
        await cache.get("1")
        await anyio.sleep(30)
        await cache.get("2")
        await anyio.sleep(30)
        for asked in ("1", "3", "1", "2"):
            await cache.get(asked)
        assert source.asked == [["1"], ["2"], ["1"], ["3"], ["2"]]

    run(story)


def test_everything_that_is_known_is_what_exists_and_was_read_within_a_minute() -> None:
    source = Source()

    async def story() -> None:
        cache = Cache(source)
        assert cache.kept.values() == []
        await cache.get("1", "500")
        await anyio.sleep(30)
        await cache.get("2")
        assert cache.kept.values() == ["record 1", "record 2"]
        await anyio.sleep(29)
        assert anyio.current_time() == 61  # a minute after the first were read
        assert cache.kept.values() == ["record 2"]
        assert len(source.asked) == 2

    run(story)
