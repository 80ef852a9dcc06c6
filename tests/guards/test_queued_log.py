"""The queue before a database: what is announced is kept when it is told so, what is noted is never dropped."""

import asyncio
import logging
from contextlib import AsyncExitStack

import anyio
import pytest

from cliniko_mcp.errors import Unavailable
from cliniko_mcp.guards import queued_log
from cliniko_mcp.guards.clinic_logs import QueuedLogs, queued_logs
from cliniko_mcp.guards.queued_log import MAX_QUEUED, QueuedLog
from tests.client.virtual import VirtualLoop
from tests.guards.kept_lines import Kept, opened

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    """Time that is the tests' own, however busy the computer is."""
    return "asyncio", {"loop_factory": VirtualLoop}


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queued_log, "_PAUSE", 0.01)
    monkeypatch.setattr(queued_log, "PATIENCE", 0.05)


async def test_what_is_announced_is_kept_with_what_was_noted_before_it_and_its_number_told() -> None:
    kept = Kept()
    async with opened(kept) as log:
        await log.note({"a": 1})
        await log.note({"a": 2})
        assert kept.lines == []
        assert await log.append({"a": 3}) == 3
        assert kept.lines == ['{"a":1}', '{"a":2}', '{"a":3}']
        numbers = dict[int, int]()

        async def announce(number: int) -> None:
            numbers[number] = await log.append({"b": number})

        async with anyio.create_task_group() as group:
            for number in range(10):
                group.start_soon(announce, number)
        assert sorted(numbers.values()) == list(range(4, 14))
        assert all(kept.lines[number - 1] == f'{{"b":{one}}}' for one, number in numbers.items())
    assert len(kept.batches) < 6


async def test_what_is_noted_is_written_in_one_statement_within_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queued_log, "FLUSH_SECONDS", 0.05)
    kept = Kept()
    async with opened(kept) as log:
        for number in range(20):
            await log.note({"a": number})
        with anyio.fail_after(2):
            while log.queued:  # noqa: ASYNC110 - a queue sets no event
                await anyio.sleep(0.01)
        assert [size for size, _, _ in kept.batches] == [20]
    assert len(kept.lines) == 20


async def test_a_full_queue_is_written_at_once_at_most_so_many_lines_a_statement() -> None:
    kept = Kept()
    async with opened(kept) as log:
        for number in range(MAX_QUEUED + 30):
            await log.note({"a": number})
        with anyio.fail_after(0.9):
            while log.queued >= MAX_QUEUED:  # noqa: ASYNC110 - the same
                await anyio.sleep(0.01)
        assert kept.batches[0][0] == MAX_QUEUED
    assert kept.lines == [f'{{"a":{number}}}' for number in range(MAX_QUEUED + 30)]


async def test_while_it_is_away_changes_are_refused_at_once_and_reads_go_on_up_to_the_queue_then_wait(
    caplog: pytest.LogCaptureFixture,
) -> None:
    kept = Kept()
    kept.away = True
    async with opened(kept) as log:
        with pytest.raises(OSError, match="it is away"):
            await log.append({"change": 1})
        for number in range(MAX_QUEUED):
            async with log.room():
                await log.note({"a": number})
        with anyio.fail_after(1), pytest.raises(OSError, match="it is away"):
            await log.append({"change": 2})
        with pytest.raises(Unavailable, match="audit log") as refused:
            async with log.room():
                raise AssertionError
        assert refused.value.details["retry_after"] == 30
        later = anyio.current_time() + 0.03

        async def back() -> None:
            await anyio.sleep_until(later)
            kept.away = False

        async with anyio.create_task_group() as group:
            group.start_soon(back)
            async with log.room():
                await log.note({"a": MAX_QUEUED})
        assert await log.append({"change": 3}) == MAX_QUEUED + 2
    assert kept.lines == [*(f'{{"a":{number}}}' for number in range(MAX_QUEUED + 1)), '{"change":3}']
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 1


async def test_many_calls_at_once_of_one_person_leave_room_for_others_while_lines_are_written() -> None:
    async with opened(Kept()) as log, AsyncExitStack() as greedy:
        for _ in range(MAX_QUEUED):
            await greedy.enter_async_context(log.room())
        async with log.room():
            await log.note({"a": 1})


async def test_while_it_is_away_room_is_held_for_what_will_be_noted_and_given_back() -> None:
    kept = Kept()
    kept.away = True
    async with opened(kept) as log:
        with pytest.raises(OSError, match="away"):
            await log.append({"change": 1})
        held = [log.room() for _ in range(MAX_QUEUED)]
        for one in held:
            await one.__aenter__()
        with pytest.raises(Unavailable):
            async with log.room():
                raise AssertionError
        await held[0].__aexit__(None, None, None)
        async with log.room():
            await log.note({"a": 1})
        for one in held[1:]:
            await one.__aexit__(None, None, None)
        kept.away = False
    assert kept.lines == ['{"a":1}']


async def test_a_batch_whose_answer_was_lost_is_tried_under_its_name_without_what_was_announced() -> None:
    kept = Kept()
    kept.lost = 1
    async with opened(kept) as log:
        await log.note({"a": 1})
        with pytest.raises(OSError, match="was lost"):
            await log.append({"change": 1})
        assert await log.append({"change": 2}) == 3
    assert kept.lines == ['{"a":1}', '{"change":1}', '{"change":2}']
    assert [(size, again) for size, _, again in kept.batches] == [(2, False), (1, True), (1, False)]
    assert kept.batches[0][1] == kept.batches[1][1] != kept.batches[2][1]


async def test_an_announcement_is_written_to_its_end_though_its_call_is_cancelled() -> None:
    kept, done = Kept(), list[object]()
    kept.slow = anyio.Event()

    async def call(log: QueuedLog) -> None:
        done.append(await log.append({"change": 1}))
        await anyio.lowlevel.checkpoint()
        done.append("went on")

    async with opened(kept) as log:
        task = asyncio.create_task(call(log))
        await anyio.sleep(0.01)
        task.cancel()
        await anyio.sleep(0.01)
        assert not task.done()
        kept.slow.set()
        await asyncio.wait((task,))
    assert (done, task.cancelled()) == ([1], True)


async def test_a_stop_writes_what_waits_also_where_the_run_is_cancelled() -> None:
    kept, used = Kept(), list[QueuedLog]()
    with anyio.CancelScope() as scope:
        async with opened(kept) as log:
            used.append(log)
            await log.note({"a": 1})
            scope.cancel()
            await anyio.sleep(1)
    assert kept.lines == ['{"a":1}']
    with pytest.raises(OSError, match="stopping"):
        await used[0].append({"late": 1})


async def test_a_stop_does_not_wait_for_ever_and_says_how_many_lines_are_lost(caplog: pytest.LogCaptureFixture) -> None:
    kept = Kept()
    kept.away = True
    async with opened(kept, 0.05) as log:
        await log.note({"a": 1})
        await log.note({"a": 2})
    assert "2 lines of the audit log of north could not be written" in caplog.text


async def test_logs_that_were_never_used_end_at_once() -> None:
    kept = Kept()
    with anyio.fail_after(1):
        async with queued_logs(kept, lambda: "x") as logs:
            assert isinstance(logs, QueuedLogs)
