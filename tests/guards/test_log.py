"""A line of the audit log is written where it is given unless it had to wait, and lines keep their order."""

import asyncio
import os
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.guards.hash_chain import HashChain
from cliniko_mcp.guards.log import LocalLog
from cliniko_mcp.private_files import locked


@contextmanager
def another_writes(chain: HashChain) -> Generator[None]:
    """The lock of the log is another process's meanwhile: another descriptor is as good."""
    head = os.open(chain.path.with_name(f"{chain.path.name}.head"), os.O_RDWR)
    try:
        with locked(head):
            yield
    finally:
        os.close(head)


def written(chain: HashChain) -> list[object]:
    """The names of the lines in their order, of a chain that is whole."""
    assert chain.verify().problem is None
    return [entry["name"] for entry in chain.entries()]


@pytest.fixture
def chain(tmp_path: Path) -> HashChain:
    made = HashChain(tmp_path / "audit.jsonl")
    assert made.append({"name": "first"}) == 1
    return made


def test_at_once_a_line_is_written_unless_another_process_is_writing(chain: HashChain) -> None:
    began = time.monotonic()
    with another_writes(chain):
        assert chain.append_at_once({"name": "second"}) is None
    assert time.monotonic() - began < 0.9
    assert chain.append_at_once({"name": "third"}) == 2
    assert written(chain) == ["first", "third"]


def test_at_once_the_first_line_is_written_into_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    assert HashChain(tmp_path / "own" / "audit.jsonl").append_at_once({}) == 1


def test_a_line_that_is_copied_is_not_written_at_once(tmp_path: Path) -> None:
    copied: list[bytes] = []
    chain = HashChain(tmp_path / "audit.jsonl", copy=copied.append)
    assert chain.append_at_once({"name": "first"}) is None
    assert (chain.files(), copied) == ([], [])
    assert anyio.run(LocalLog(chain).append, {"name": "second"}) == 1
    assert len(copied) == 1


def test_lines_that_wait_are_written_in_the_order_in_which_they_were_given(chain: HashChain) -> None:
    log, names = LocalLog(chain), [f"line {number}" for number in range(20)]

    async def story() -> None:
        async with anyio.create_task_group() as group:
            with another_writes(chain):
                for name in names:
                    group.start_soon(log.append, {"name": name})
                await anyio.sleep(0.05)

    anyio.run(story)
    assert written(chain) == ["first", *names]


def test_a_line_that_need_not_wait_is_written_at_once_also_after_one_that_had_to(chain: HashChain) -> None:
    at_once = list[str]()
    write = chain.append_at_once

    def counted(entry: Mapping[str, JsonValue]) -> int | None:
        at_once.append(str(entry["name"]))
        return write(entry)

    chain.append_at_once = counted  # type: ignore[method-assign]
    log = LocalLog(chain)

    async def story() -> None:
        await log.append({"name": "second"})
        async with anyio.create_task_group() as group:
            with another_writes(chain):
                group.start_soon(log.append, {"name": "third"})
                await anyio.lowlevel.checkpoint()
        await log.append({"name": "fourth"})

    anyio.run(story)
    assert at_once == ["second", "third", "fourth"]
    assert log.place == str(chain.path)


def test_a_line_given_while_an_earlier_one_waits_comes_after_it(chain: HashChain) -> None:
    log = LocalLog(chain)

    async def story() -> None:
        async with anyio.create_task_group() as group:
            with another_writes(chain):
                group.start_soon(log.append, {"name": "second"})
                await anyio.lowlevel.checkpoint()
            group.start_soon(log.append, {"name": "third"})
        assert await log.append({"name": "fourth"}) == 4

    anyio.run(story)
    assert written(chain) == ["first", "second", "third", "fourth"]


def test_a_line_that_waits_is_written_though_its_call_is_cancelled_which_then_ends_with_its_next_wait(
    chain: HashChain,
) -> None:
    log, done = LocalLog(chain), list[object]()

    async def call() -> None:
        done.append(await log.append({"name": "second"}))
        await anyio.lowlevel.checkpoint()
        done.append("went on")

    async def story() -> None:
        task = asyncio.create_task(call())
        with another_writes(chain):
            await anyio.lowlevel.checkpoint()
            task.cancel()
            await anyio.lowlevel.checkpoint()
        await asyncio.wait((task,))
        assert (task.cancelled(), task.cancelling()) == (True, 1)

    anyio.run(story)
    assert done == [2]
    assert written(chain) == ["first", "second"]
