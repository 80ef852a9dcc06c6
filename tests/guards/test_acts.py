"""What was approved is carried out once and its end told, where several replicas keep the questions in one place.

Each replica knows a question as it was when it looked last, as with a real Redis; only the place itself is in memory.
"""

import random
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from cliniko_mcp.approvals.questions import Asker, Matter, PendingQuestion
from cliniko_mcp.approvals.shared_ledger import SharedLedger
from cliniko_mcp.approvals.shown import Preview
from cliniko_mcp.errors import AlreadyDone, ApprovalNeeded, Unavailable
from cliniko_mcp.guards.acts import Acts
from cliniko_mcp.guards.pipeline import GuardedCall
from cliniko_mcp.guards.turns import Locks, Turns
from cliniko_mcp.shared_state.keys import KeyRing
from tests.client.virtual import run
from tests.guards.gate import START, on_its_way
from tests.guards.test_confirm import ARCHIVE

PREVIEW = Preview("Archive this patient", "Keep them", "Archived", ())


class Place:
    """Where the replicas keep their table of questions."""

    def __init__(self) -> None:
        self.number, self.record, self.away, self.reads = 0, b"", False, 0

    async def version(self) -> int:
        await checkpoint()
        self.reads += 1
        assert self.reads < 5_000, "it is read without a pause"
        if self.away:
            raise Unavailable("It is away.", "Wait.")
        return self.number

    async def read(self) -> tuple[int, bytes]:
        return await self.version(), self.record

    async def swap(self, version: int, record: bytes, attempt: bytes) -> bool:
        self.number, self.record = version + 1, record
        return True


def the_time(behind: float = 0) -> datetime:
    return START + timedelta(seconds=anyio.current_time() - behind)


class Replica:
    """One process of several: its questions, its acts, and what it wrote down."""

    def __init__(self, place: Place, locks: Locks, behind: float = 0) -> None:
        now = partial(the_time, behind)
        ring = KeyRing([b"the ring of this test's operator"], random.Random(1).randbytes)
        self.ledger = SharedLedger(place, ring, "clinic", now, lambda: random.randbytes(16))
        self.acts = Acts(self.ledger, now, nullcontext, None, self._note, locks)
        self.noted: list[tuple[float, str, str]] = []
        self.acted = 0

    async def _note(self, guarded: GuardedCall, outcome: str, channel: str) -> None:
        self.noted.append((anyio.current_time(), outcome, channel))

    async def asked(self, *, on_page: bool = True) -> PendingQuestion:
        pending = await self.ledger.create(Matter.of("local", ARCHIVE), PREVIEW)
        assert not on_page or await self.ledger.show(pending)
        return pending

    async def again(self, asker: Asker) -> None:
        self.acted += 1

    async def follow(self, pending: PendingQuestion) -> None:
        await self.acts.follow(pending, self.again, guarded=on_its_way(ARCHIVE))


def told(story: Callable[[Replica, Replica, Place], Awaitable[Any]]) -> None:
    """The story of two replicas, in virtual time that starts at 0."""
    place, locks = Place(), Turns()
    run(lambda: story(Replica(place, locks), Replica(place, locks), place))


async def carried_out(replica: Replica, seconds: float, ending: Any = "done") -> None:
    """A question that is asked and carried out there, which takes so long."""
    pending = await replica.asked()
    async with replica.acts.locks.at(pending.matter.target):
        assert await replica.ledger.decide(pending.question.challenge, True, "page")
        assert await replica.ledger.start(pending, "page", told=False)
        await anyio.sleep(seconds)
        await replica.ledger.finish(pending, ending)


@pytest.mark.parametrize("behind", [0, 9])
def test_what_was_carried_out_elsewhere_since_the_call_looked_is_told_and_not_asked_again(behind: float) -> None:
    async def story(here: Replica, there: Replica, place: Place) -> None:
        there = Replica(place, there.acts.locks, behind)
        await carried_out(there, 1)
        await anyio.sleep(1)
        known = await here.ledger.ended(Matter.of("local", ARCHIVE))
        assert known is not None
        await carried_out(there, 1)
        await anyio.sleep(1)
        pending = await here.asked(on_page=False)
        with pytest.raises(AlreadyDone, match="Archived at"):
            await here.acts.give_way(on_its_way(ARCHIVE), pending, known)
        assert await here.ledger.find(pending.question.challenge) is None
        assert sorted(done.told for done in (await there.ledger.listed())[2]) == [False, True]

    told(story)


def test_what_was_carried_out_elsewhere_before_the_call_looked_does_not_stand_in_its_way() -> None:
    async def story(here: Replica, there: Replica, _: Place) -> None:
        await carried_out(there, 1)
        await anyio.sleep(1)
        pending = await here.asked(on_page=False)
        known = await here.ledger.ended(pending.matter)
        await here.acts.give_way(on_its_way(ARCHIVE), pending, known)
        assert await here.ledger.find(pending.question.challenge) is pending

    told(story)


@pytest.mark.parametrize(
    ("seconds", "ending", "told_after", "problem", "words"),
    [
        (3.4, "done", 2.4, AlreadyDone, "Archived at"),
        (9.0, "done", 3.5, ApprovalNeeded, "being carried out now"),
        (3.4, "failed", 2.4, ApprovalNeeded, "being carried out now"),
    ],
)
def test_what_is_being_carried_out_elsewhere_is_waited_for_a_little_and_not_asked_again(
    seconds: float, ending: Any, told_after: float, problem: type[Exception], words: str
) -> None:
    async def story(here: Replica, there: Replica, _: Place) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(carried_out, there, seconds, ending)
            await anyio.sleep(1)
            pending = await here.asked(on_page=False)
            with pytest.raises(problem, match=words):
                await here.acts.give_way(on_its_way(ARCHIVE), pending, None)
            assert anyio.current_time() == 1 + told_after
            assert await here.ledger.find(pending.question.challenge) is None

    told(story)


@pytest.mark.parametrize(("on_page", "at"), [(True, 2.5), (False, 7.0)])
def test_a_question_that_is_gone_is_written_down_when_it_is_looked_at_next(on_page: bool, at: float) -> None:
    async def story(here: Replica, there: Replica, _: Place) -> None:
        await anyio.sleep(2)
        pending = await here.asked(on_page=on_page)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(here.follow, pending)
            await anyio.sleep(0.1)
            same = await there.ledger.find(pending.question.challenge)
            assert same is not None and await there.ledger.take(same)
        assert here.noted == [(at, "lapsed", "none")]

    told(story)


def test_a_form_that_nobody_answers_is_written_down_the_moment_it_can_be_answered_no_more() -> None:
    async def story(here: Replica, _there: Replica, _: Place) -> None:
        pending = await here.asked(on_page=False)
        await anyio.sleep(2)
        await here.follow(pending)
        assert here.noted == [(600, "lapsed", "none")]

    told(story)


def test_a_yes_is_not_carried_out_in_the_second_in_which_it_is_good_no_more() -> None:
    async def story(here: Replica, _there: Replica, _: Place) -> None:
        pending = await here.asked()
        assert await here.ledger.decide(pending.question.challenge, True, "page")
        await anyio.sleep(600)
        await here.follow(pending)
        assert (here.acted, here.noted) == (0, [(600, "lapsed", "none")])

    told(story)


@pytest.mark.parametrize("taken_up", [False, True])
def test_a_yes_that_another_replica_takes_up_in_time_is_not_carried_out_here(taken_up: bool) -> None:
    async def story(here: Replica, there: Replica, _: Place) -> None:
        pending = await here.asked()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(here.follow, pending)
            assert await there.ledger.decide(pending.question.challenge, True, "page")
            await anyio.sleep(0.4)  # seen by now, and left to a call that waits for it
            same = await there.ledger.find(pending.question.challenge)
            assert same is not None and (not taken_up or await there.ledger.start(same, "page"))
        assert (here.acted, here.noted) == (0 if taken_up else 1, [])

    told(story)


def test_a_yes_is_tried_also_where_nobody_can_say_whether_it_was_taken_up() -> None:
    async def story(here: Replica, _there: Replica, place: Place) -> None:
        pending = await here.asked()
        assert await here.ledger.decide(pending.question.challenge, True, "page")
        place.away = True
        await here.follow(pending)
        assert (here.acted, here.noted) == (1, [])

    told(story)


def test_while_the_questions_cannot_be_reached_they_are_looked_for_twice_a_second() -> None:
    async def story(here: Replica, there: Replica, place: Place) -> None:
        pending = await here.asked()
        place.away = True
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(here.follow, pending)
            before = place.reads
            await anyio.sleep(9.9)
            assert place.reads - before == 20
            place.away = False
            assert await there.ledger.decide(pending.question.challenge, True, "page")
        assert (here.acted, here.noted) == (1, [])

    told(story)


def test_a_no_that_a_call_has_told_is_not_written_down_when_it_is_lifted() -> None:
    async def story(here: Replica, _there: Replica, _: Place) -> None:
        pending = await here.asked(on_page=False)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(here.follow, pending)
            await here.ledger.deny(pending)
            await here.ledger.tell(pending)
            await anyio.sleep(6)
            assert await here.ledger.reopen(pending.question.challenge)
        assert here.noted == []

    told(story)
