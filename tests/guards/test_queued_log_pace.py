"""When the lines of a clinic are written to the database, and who waits for it: told in virtual time."""

import asyncio
import logging
from contextlib import AsyncExitStack
from itertools import pairwise

import anyio
import pytest

from cliniko_mcp.errors import Unavailable
from cliniko_mcp.guards.clinic_logs import queued_logs
from cliniko_mcp.guards.queued_log import QueuedLog
from tests.client.virtual import run
from tests.guards.kept_lines import Kept, opened


async def noted(log: QueuedLog, lines: int) -> None:
    for number in range(lines):
        await log.note({"a": number})


async def refused(log: QueuedLog, told: list[tuple[float, str]]) -> None:
    """Announce a change, and tell when and why that was refused."""
    try:
        await log.append({"change": 1})
    except OSError as problem:
        told.append((anyio.current_time(), str(problem)))


def test_what_is_noted_waits_a_second_for_more_and_is_written_with_it() -> None:
    async def story() -> Kept:
        kept = Kept()
        async with opened(kept) as log:
            for moment in (10.25, 10.75, 20.5):
                await anyio.sleep_until(moment)
                await noted(log, 1)
            await anyio.sleep_until(30)
            assert log.queued == 0
        return kept

    assert run(story).written == [(11.25, 2), (21.5, 1)]


def test_an_announcement_is_written_at_once_with_what_waits_and_notes_rest_again_afterwards() -> None:
    async def story() -> Kept:
        kept = Kept()
        async with opened(kept) as log:
            await anyio.sleep_until(10.25)
            await noted(log, 2)
            await log.append({"change": 1})
            await noted(log, 1)
            await anyio.sleep_until(20)
        return kept

    assert run(story).written == [(10.25, 3), (11.25, 1)]


def test_a_full_queue_is_written_at_once_five_hundred_lines_a_statement() -> None:
    """The number that docs/replicas.md names."""

    async def story() -> Kept:
        kept = Kept()
        async with opened(kept) as log:
            for moment, lines in ((10.25, 500), (20.25, 1000), (30.25, 1030), (40.25, 499)):
                await anyio.sleep_until(moment)
                await noted(log, lines)
            await anyio.sleep_until(50)
        return kept

    assert run(story).written == [
        (10.25, 500),
        *((20.25, 500), (20.25, 500)),
        *((30.25, 500), (30.25, 500), (31.25, 30)),
        (41.25, 499),
    ]


def test_an_announcement_finds_its_place_in_a_full_statement() -> None:
    async def story() -> Kept:
        kept = Kept()
        async with opened(kept) as log:
            await noted(log, 500)
            await log.append({"change": 1})
        return kept

    kept = run(story)
    assert [lines for _, lines in kept.written] == [500, 1]
    assert '{"change":1}' in kept.lines[:500]


def test_while_the_database_is_away_it_is_asked_twice_a_second_though_changes_are_tried_meanwhile() -> None:
    async def story() -> Kept:
        kept = Kept()
        kept.away, kept.takes = True, 0.01
        async with opened(kept) as log:
            await noted(log, 1)
            for moment in (3.25, 4.25):
                await anyio.sleep_until(moment)
                with pytest.raises(OSError, match="it is away"):
                    await log.append({"change": 1})
            await anyio.sleep_until(10)
            kept.away = False
            await anyio.sleep_until(11)
            assert log.queued == 0
        return kept

    kept = run(story)
    assert 15 <= len(kept.tried) <= 25
    assert all(later - sooner < 0.6 for sooner, later in pairwise(kept.tried))
    assert kept.lines == ['{"a":0}']


def test_what_is_noted_after_a_refused_change_is_written_within_a_second() -> None:
    async def story() -> Kept:
        kept = Kept()
        async with opened(kept) as log:
            kept.away = True
            with pytest.raises(OSError, match="it is away"):
                await log.append({"change": 1})
            kept.away = False
            await noted(log, 1)
            await anyio.sleep_until(5)
        return kept

    assert run(story).written == [(1.0, 1)]


def test_a_change_is_tried_at_once_once_the_database_is_back_also_between_two_attempts() -> None:
    async def story() -> Kept:
        kept = Kept()
        kept.away = True
        async with opened(kept) as log:
            await noted(log, 1)
            await anyio.sleep_until(1.25)
            kept.away = False
            assert await log.append({"change": 1}) == 2
        return kept

    assert run(story).written == [(1.25, 1), (1.25, 1)]


def test_changes_that_came_while_the_database_failed_are_refused_with_the_first_and_never_written() -> None:
    async def story() -> tuple[Kept, list[tuple[float, str]]]:
        kept, told = Kept(), list[tuple[float, str]]()
        kept.away, kept.takes = True, 2.0
        async with opened(kept) as log, anyio.create_task_group() as group:
            group.start_soon(refused, log, told)
            await anyio.sleep_until(1)
            group.start_soon(refused, log, told)
            await anyio.sleep_until(3)
            kept.away = False
            assert await log.append({"change": 2}) == 1
        return kept, told

    kept, told = run(story)
    assert told == [(2.0, "it is away")] * 2
    assert kept.lines == ['{"change":2}']


def test_each_time_the_database_goes_away_is_warned_of_once_and_names_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        kept = Kept()
        async with opened(kept) as log:
            for moment in (5, 15):
                kept.away = True
                await noted(log, 1)
                await anyio.sleep_until(moment)
                kept.away = False
                await anyio.sleep_until(moment + 5)
            async with AsyncExitStack() as many:
                for _ in range(501):  # nobody has to wait for it any more
                    await many.enter_async_context(log.room())

    run(story)
    warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warned == ["the audit log north in Postgres cannot be written (it is away)"] * 2


def test_a_read_finds_room_for_the_last_line_while_the_database_is_slow() -> None:
    async def story() -> float:
        kept = Kept()
        async with opened(kept) as log:
            kept.slow = anyio.Event()
            await noted(log, 499)
            async with log.room():
                entered = anyio.current_time()
            kept.slow.set()
        return entered

    assert run(story) == 0


def test_a_read_that_finds_no_room_for_five_seconds_ends_and_one_for_which_room_comes_goes_on_at_once() -> None:
    """The seconds that docs/replicas.md names."""

    async def story() -> list[float]:
        kept, ended = Kept(), list[float]()
        kept.away = True
        async with opened(kept) as log:
            await noted(log, 500)
            await anyio.sleep_until(10)
            with pytest.raises(Unavailable, match="audit log"):
                async with log.room():
                    raise AssertionError
            ended.append(anyio.current_time())
            await anyio.sleep_until(20.25)  # between two attempts
            kept.away = False
            async with log.room():
                ended.append(anyio.current_time())
        return ended

    assert run(story) == [15, 20.25]


def test_a_read_that_waits_goes_on_as_soon_as_a_slow_database_has_taken_the_lines() -> None:
    async def story() -> float:
        kept = Kept()
        kept.takes = 2.0
        async with opened(kept) as log:
            await noted(log, 500)
            async with log.room():
                return anyio.current_time()

    assert run(story) == 2


def test_while_the_database_is_away_a_read_that_waits_takes_the_room_that_another_gives_back() -> None:
    entered: list[float] = []

    async def story() -> None:
        kept = Kept()
        kept.away = True
        async with opened(kept) as log:
            await noted(log, 1)
            await anyio.sleep_until(2)
            async with AsyncExitStack() as others, anyio.create_task_group() as group:
                for _ in range(498):
                    await others.enter_async_context(log.room())
                last = await AsyncExitStack().__aenter__()
                await last.enter_async_context(log.room())

                async def leave() -> None:
                    await anyio.sleep_until(3.25)
                    await last.aclose()

                group.start_soon(leave)
                async with log.room():
                    entered.append(anyio.current_time())
            kept.away = False

    run(story)
    assert entered == [3.25]


def test_a_stop_writes_all_that_waits_at_once_and_takes_no_longer() -> None:
    async def story() -> tuple[list[tuple[float, int]], float]:
        kept = Kept()
        async with opened(kept) as log:
            await anyio.sleep_until(10.25)
            await noted(log, 480)
            await anyio.sleep_until(10.5)
            kept.slow = anyio.Event()
            await noted(log, 220)
            kept.slow.set()
        return kept.written, anyio.current_time()

    assert run(story) == ([(10.5, 500), (10.5, 200)], 10.5)


def test_a_stop_with_nothing_to_write_takes_no_time() -> None:
    async def story() -> float:
        async with opened(Kept()):
            await anyio.sleep_until(10.25)
        return anyio.current_time()

    assert run(story) == 10.25


def test_a_stop_does_not_let_a_note_that_has_only_just_come_wait_for_more() -> None:
    async def story() -> float:
        async with opened(Kept()) as log:
            await noted(log, 1)
            await anyio.sleep_until(0.25)
        return anyio.current_time()

    assert run(story) == 0.25


def test_a_change_that_is_announced_in_the_moment_of_the_stop_is_still_kept() -> None:
    async def story() -> int:
        async with queued_logs(Kept(), lambda: "x") as logs:

            async def announce() -> int:
                return await logs.of("north").append({"change": 1})

            change = asyncio.create_task(announce())
            await anyio.lowlevel.checkpoint()
        return await change

    assert run(story) == 1


def test_a_stop_waits_eight_seconds_for_a_database_that_does_not_answer_then_ends_every_call() -> None:
    """The seconds that docs/replicas.md names."""

    async def story() -> list[tuple[float, str]]:
        kept, told = Kept(), list[tuple[float, str]]()
        kept.slow = anyio.Event()
        async with anyio.create_task_group() as group, queued_logs(kept, lambda: "x") as logs:
            log = logs.of("north")
            assert isinstance(log, QueuedLog)
            for moment in (10, 20):
                group.start_soon(refused, log, told)
                await anyio.sleep_until(moment)
        return told

    assert run(story) == [(28.0, "the server is stopping")] * 2


@pytest.mark.parametrize(("away", "lines", "moment"), [(False, 1, 3), (True, 0, 5)])
def test_a_run_that_is_cancelled_also_waits_for_a_slow_database_but_not_for_ever(
    away: bool, lines: int, moment: float, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> tuple[int, float]:
        kept = Kept()
        kept.away, kept.takes = away, 3.0
        asyncio.get_running_loop().call_later(20, setattr, kept, "away", False)
        with anyio.CancelScope() as scope:
            async with opened(kept, 5.0) as log:
                await noted(log, 1)
                scope.cancel()
        return len(kept.lines), anyio.current_time()

    assert run(story) == (lines, moment)
    assert ("1 lines of the audit log of north could not be written" in caplog.text) is away


def test_what_waits_is_counted_over_all_clinics() -> None:
    async def story() -> list[int]:
        async with queued_logs(Kept(), lambda: "x") as logs:
            counts = [logs.queued]
            await logs.of("north").note({"a": 1})
            await logs.of("south").note({"a": 1})
            await logs.of("south").note({"a": 2})
            counts.append(logs.queued)
            await anyio.sleep_until(2)
            return [*counts, logs.queued]

    assert run(story) == [0, 3, 0]


def test_what_goes_wrong_in_a_run_comes_out_of_it_as_it_is() -> None:
    async def story() -> None:
        async with opened(Kept()):
            raise ValueError("as it is")

    with pytest.raises(ValueError, match="as it is"):
        run(story)
