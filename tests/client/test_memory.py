"""Records by id: asked for once, kept briefly, shared by those who ask at the same moment."""

from collections.abc import Sequence

import anyio
import pytest

from cliniko_mcp.client.memory import MOST_KEPT, Lookups
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.errors import Unavailable

from .virtual import run


class Source:
    """Knows the ids below 100; each request takes a second."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.fails = 0

    async def find(self, _: str, ids: Sequence[str]) -> dict[str, Record]:
        self.asked.append(list(ids))
        await anyio.sleep(1)
        if self.fails:
            self.fails -= 1
            raise Unavailable("down")
        return {each: Record.read({"id": each}) for each in ids if int(each) < 100}

    def lookups(self) -> Lookups:
        return Lookups(self.find, anyio.current_time)


def test_ids_are_answered_once_each_in_their_order_and_unknown_ones_are_absent() -> None:
    source = Source()
    found = run(lambda: source.lookups().by_id("list_x", ["3", "500", "1", "3"]))
    assert list(found) == ["3", "1"]
    assert source.asked == [["3", "500", "1"]]


def test_what_is_known_is_not_asked_for_again_within_a_minute() -> None:
    source = Source()

    async def story() -> None:
        lookups = source.lookups()
        await lookups.by_id("list_x", ["1", "500"])
        await anyio.sleep(59)
        await lookups.by_id("list_x", ["1", "2", "500"])
        assert source.asked == [["1", "500"], ["2"]]
        await anyio.sleep(30)
        await lookups.by_id("list_x", ["1", "2"])
        assert source.asked[2:] == [["1"]]
        await lookups.by_id("list_y", ["2"])
        assert source.asked[3:] == [["2"]]

    run(story)


def test_those_who_ask_at_the_same_moment_share_their_requests() -> None:
    source = Source()

    async def story() -> None:
        lookups = source.lookups()
        found: list[list[str]] = []

        async def ask(*ids: str) -> None:
            found.append(list(await lookups.by_id("list_x", ids)))

        async with anyio.create_task_group() as group:
            for ids in (("1", "2"), ("1", "2"), ("2", "3"), ("3",)):
                group.start_soon(ask, *ids)
        assert sorted(found) == [["1", "2"], ["1", "2"], ["2", "3"], ["3"]]
        assert source.asked == [["1", "2"], ["3"]]

    run(story)


def test_when_the_first_to_ask_leaves_the_others_ask_themselves() -> None:
    source = Source()

    async def story() -> None:
        lookups = source.lookups()

        async def first() -> None:
            with anyio.move_on_after(0.5):
                await lookups.by_id("list_x", ["1"])

        async with anyio.create_task_group() as group:
            group.start_soon(first)
            await anyio.sleep(0.1)
            assert list(await lookups.by_id("list_x", ["1"])) == ["1"]
        assert source.asked == [["1"], ["1"]]

    run(story)


def test_when_the_first_to_ask_fails_so_do_those_who_wait_and_the_next_asks_anew() -> None:
    source = Source()
    source.fails = 1

    async def story() -> None:
        lookups = source.lookups()

        async def ask() -> None:
            with pytest.raises(Unavailable):
                await lookups.by_id("list_x", ["1"])

        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(ask)
        assert source.asked == [["1"]]
        assert list(await lookups.by_id("list_x", ["1"])) == ["1"]

    run(story)


def test_what_nobody_asked_for_in_a_minute_takes_no_room() -> None:
    source = Source()

    async def story() -> None:
        lookups = source.lookups()
        for begin in range(0, 20_000, 500):
            await lookups.by_id("list_x", map(str, range(begin, begin + 500)))
            await anyio.sleep(30)
        assert len(lookups._known) <= 2 * MOST_KEPT

    run(story)


def test_what_is_forgotten_while_it_is_asked_for_is_not_remembered() -> None:
    source = Source()

    async def story() -> None:
        lookups = source.lookups()
        async with anyio.create_task_group() as group:
            group.start_soon(lookups.by_id, "list_x", ["1"])
            await anyio.sleep(0.5)
            lookups.forget()
        await lookups.by_id("list_x", ["1"])
        assert source.asked == [["1"], ["1"]]

    run(story)
