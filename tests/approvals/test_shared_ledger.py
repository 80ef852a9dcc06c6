"""Questions that replicas share, told in virtual time: who waits hears an answer, and what was said is kept.

Only the place where the questions lie is in memory here; tests/shared_state plays some of this on a real Redis.
"""

import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from cliniko_mcp.approvals.questions import Matter, PendingQuestion, Verdict
from cliniko_mcp.approvals.shared_ledger import SharedLedger
from cliniko_mcp.approvals.shown import NOWHERE, Preview
from cliniko_mcp.errors import Unavailable
from cliniko_mcp.guards.shared_parts import shared_ledger
from cliniko_mcp.shared_state.keys import KeyRing
from tests.client.virtual import run

START = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
MATTER = Matter("ana", "archive_patient", "{}", "patients/1", "f", "removal")
PREVIEW = Preview("Archive this patient", "Keep them", "Archived", ())
PAGE = (Path(__file__).parents[2] / "docs" / "replicas.md").read_text("utf-8")
RING = KeyRing([b"the ring of this test's operator"], random.Random(1).randbytes)


def the_time() -> datetime:
    return START + timedelta(seconds=anyio.current_time())


class Place:
    """Where the replicas keep their questions; the way there and back takes `seconds`."""

    def __init__(self) -> None:
        self.number, self.record, self.seconds, self.away, self.looks = 0, b"", 0.0, False, 0

    async def version(self) -> int:
        self.looks += 1
        return (await self.read())[0]

    async def read(self) -> tuple[int, bytes]:
        await anyio.sleep(self.seconds)
        return self.number, self.record

    async def swap(self, version: int, record: bytes, attempt: bytes) -> bool:
        await anyio.sleep(self.seconds)
        if self.away:
            raise Unavailable("It is away.", "Wait.")
        if version != self.number:
            return False
        self.number, self.record = version + 1, record
        return True


class Replicas:
    """Replicas of one account."""

    def __init__(self) -> None:
        self.place = Place()

    def __call__(self) -> SharedLedger:
        chance = random.Random(2)
        return SharedLedger(self.place, RING, "clinic", the_time, lambda: chance.randbytes(16))


def told(story: Callable[[Replicas], Awaitable[None]]) -> None:
    run(lambda: story(Replicas()))


async def on_the_page(ledger: SharedLedger, matter: Matter = MATTER) -> PendingQuestion:
    pending = await ledger.create(matter, PREVIEW)
    assert await ledger.show(pending)
    return pending


class Waiting:
    """A call that waits for an answer: until when it did, in seconds since the story began."""

    def __init__(self, ledger: SharedLedger, pending: PendingQuestion) -> None:
        self._ledger, self._pending, self.until = ledger, pending, -1.0

    async def __call__(self, seconds: float) -> None:
        await self._ledger.changed(self._pending, self._pending.changes, seconds)
        self.until = anyio.current_time()


@pytest.mark.parametrize("seconds", [0.0, 0.125, 1.0, 5.0])
def test_a_wait_that_nobody_answers_ends_when_its_time_is_over_and_not_before(seconds: float) -> None:
    async def story(replicas: Replicas) -> None:
        ledger = replicas()
        waiting = Waiting(ledger, await on_the_page(ledger))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(waiting, seconds)
            await anyio.sleep(seconds)
            # A wait without an end would keep the clock of this test from going on.
            for _ in range(10):
                await checkpoint()
            assert waiting.until == seconds

    told(story)


def test_a_call_that_waits_hears_an_answer_through_another_replica_within_a_quarter_of_a_second() -> None:
    async def story(replicas: Replicas) -> None:
        here, there = replicas(), replicas()
        pending = await on_the_page(here)
        waiting = Waiting(here, pending)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(waiting, 60)
            await anyio.sleep(0.1)
            assert await there.decide(pending.question.challenge, True, "page")
        assert pending.verdict is Verdict.YES and waiting.until == 0.25

    told(story)


def test_two_calls_that_wait_out_of_step_both_hear_an_answer_within_a_quarter_of_a_second() -> None:
    async def story(replicas: Replicas) -> None:
        here, there = replicas(), replicas()
        pending = await on_the_page(here)
        first, second = Waiting(here, pending), Waiting(here, pending)
        answer_at = anyio.current_time() + 0.3
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(first, 60)
            await anyio.sleep(0.125)
            tasks.start_soon(second, 60)
            await anyio.sleep_until(answer_at)
            assert await there.decide(pending.question.challenge, True, "page")
        assert max(first.until, second.until) <= answer_at + 0.25

    told(story)


def test_calls_that_wait_at_about_the_same_time_look_once_for_all_of_them() -> None:
    async def story(replicas: Replicas) -> None:
        ledger = replicas()
        pending = await on_the_page(ledger)
        async with anyio.create_task_group() as tasks:
            for _ in range(10):
                tasks.start_soon(Waiting(ledger, pending), 1.0)
                await anyio.sleep(0.01)
        assert replicas.place.looks == 4

    told(story)


def test_an_answer_is_heard_by_the_call_that_waits_though_others_look_while_it_is_kept() -> None:
    async def story(replicas: Replicas) -> None:
        ledger = replicas()
        pending = await on_the_page(ledger)
        waiting = Waiting(ledger, pending)
        replicas.place.seconds = 0.01
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(waiting, 60)
            tasks.start_soon(ledger.decide, pending.question.challenge, True, "page")
            await anyio.sleep(0.005)
            await ledger.find(pending.question.challenge)
        assert pending.verdict is Verdict.YES and waiting.until < 0.5

    told(story)


def test_a_yes_that_could_not_be_kept_is_not_heard_by_the_call_that_waits() -> None:
    async def story(replicas: Replicas) -> None:
        ledger = replicas()
        pending = await on_the_page(ledger)
        waiting = Waiting(ledger, pending)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(waiting, 5)
            await anyio.sleep(0.1)
            replicas.place.away = True
            with pytest.raises(Unavailable):
                await ledger.decide(pending.question.challenge, True, "page")
            replicas.place.away = False
        assert pending.verdict is Verdict.NONE and waiting.until == 5

    told(story)


def test_how_a_question_ended_is_kept_though_the_call_that_carried_it_out_was_cancelled() -> None:
    async def story(replicas: Replicas) -> None:
        here, there = replicas(), replicas()
        pending = await here.create(MATTER, PREVIEW)
        assert await here.start(pending, "form", told=False)
        with anyio.CancelScope() as call:
            call.cancel()
            await here.finish(pending, "done")
        ended = await there.ended(MATTER)
        assert ended is not None and (ended.ending, ended.told) == ("done", False)

    told(story)


def test_a_no_is_kept_though_the_call_that_asked_was_cancelled() -> None:
    async def story(replicas: Replicas) -> None:
        here, there = replicas(), replicas()
        pending = await here.create(MATTER, PREVIEW)
        with anyio.CancelScope() as call:
            call.cancel()
            await here.deny(pending)
        assert await there.denied(MATTER)

    told(story)


def test_a_no_holds_though_it_comes_when_the_question_has_expired() -> None:
    async def story(replicas: Replicas) -> None:
        here, there = replicas(), replicas()
        pending = await here.create(MATTER, PREVIEW)
        await anyio.sleep(601)
        assert await here.find(pending.question.challenge) is None
        await here.deny(pending)
        assert await here.denied(MATTER) and await there.denied(MATTER)

    told(story)


def test_that_a_caller_was_told_how_it_ended_is_known_at_every_replica() -> None:
    async def story(replicas: Replicas) -> None:
        here, there = replicas(), replicas()
        pending = await here.create(MATTER, PREVIEW)
        assert await here.start(pending, "form", told=False)
        await here.finish(pending, "done")
        known = await there.ended(MATTER)
        assert known is not None and not known.told
        await there.tell(known)
        assert await here.ended(MATTER) is pending and pending.told

    told(story)


def test_every_replica_knows_who_asked_by_which_call_and_who_answered() -> None:
    async def story(replicas: Replicas) -> None:
        here, there, third = replicas(), replicas(), replicas()
        pending = await here.create(MATTER, PREVIEW, made_by="a call", asked_by="Ana")
        challenge = pending.question.challenge
        assert await here.show(pending) and await there.decide(challenge, True, "page", by="people:mei")
        assert await here.start(pending, "page")
        await here.finish(pending, "done")
        done = await third.done_by("ana", "a call")
        assert done is not None and (done.asked_by, done.answered_by) == ("Ana", "people:mei")

    told(story)


def test_a_form_that_is_never_shown_is_noticed_at_every_replica_though_its_question_is_used_up() -> None:
    async def story(replicas: Replicas) -> None:
        here, there = replicas(), replicas()
        pending = await here.create(MATTER, PREVIEW)
        await here.sent(pending, 2)
        assert await here.take(pending)
        assert await there.unheard(MATTER)
        await there.heard("ana")
        assert not await here.unheard(MATTER)

    told(story)


def test_where_the_zone_of_the_clinic_is_not_known_every_replica_tells_times_in_utc() -> None:
    async def story(replicas: Replicas) -> None:
        here, there = replicas(), replicas()
        pending = await here.create(MATTER, PREVIEW)
        await here.deny(pending)
        [[denied]] = (await there.listed())[3:]
        assert denied.question.account == NOWHERE and denied.at == pending.at == "1:00 am"

    told(story)


class Expiring:
    """A Redis that notes for how many milliseconds it is to keep what it is given."""

    def __init__(self) -> None:
        self.milliseconds = 0

    async def run(self, script: object, keys: object, values: tuple[Any, ...] = ()) -> list[bytes]:
        if not values:
            return [b"0", b""]
        self.milliseconds = values[2]
        return [b"1"]


def test_what_is_kept_of_questions_goes_by_itself_within_25_minutes_as_the_page_on_replicas_says() -> None:
    async def story() -> None:
        redis: Any = Expiring()
        await on_the_page(shared_ledger(redis, RING, "clinic", the_time))
        assert redis.milliseconds == 25 * 60 * 1000

    run(story)
    assert "goes from Redis by itself within 25 minutes" in PAGE
