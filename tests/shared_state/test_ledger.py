"""Questions that replicas share in a real Redis: one acts on a yes, all keep to a no, nobody can read them there."""

import multiprocessing
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import anyio
import pytest

from cliniko_mcp.approvals.kept_questions import table_of, text_of
from cliniko_mcp.approvals.ledger import Ledger
from cliniko_mcp.approvals.question_table import Questions
from cliniko_mcp.approvals.questions import Matter, PendingQuestion, Verdict
from cliniko_mcp.approvals.shared_ledger import SharedLedger
from cliniko_mcp.approvals.shown import Account, Fact, Preview
from cliniko_mcp.errors import NotFound, RateLimited, Unavailable
from cliniko_mcp.shared_state.cell import Cell
from cliniko_mcp.shared_state.connection import open_state
from cliniko_mcp.shared_state.keys import KeyRing
from tests.shared_state.redis_server import RedisServer

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
SECRET = b"the ring of this test's operator"
PREVIEW = Preview(
    "Archive this patient",
    "Keep them",
    "Archived",
    [Fact("Patient", "Ana Lima", "in 4 days"), Fact("Born", "1984", becomes="1985")],
    [Fact("Notes", "one\ntwo")],
    ["What follows."],
    "It can be undone.",
    True,
    "d" * 64,
)
ACCOUNT = Account("Northside", "Mei Ng", True, ZoneInfo("Australia/Sydney"))
Replica = Callable[[], SharedLedger]


def a_matter(principal: str = "ana", target: str = "patients/1", facts: str = "f") -> Matter:
    return Matter(principal, "archive_patient", "{}", target, facts, "removal")


def ring(*secrets: bytes) -> KeyRing:
    return KeyRing(secrets or (SECRET,), random.Random(1).randbytes)


class Replicas:
    """Replicas of one account, each with a connection of its own, on one clock."""

    def __init__(self, account: str, states: list[Any], first: int = 1) -> None:
        self.account, self._states, self.now = account, states, NOW
        self._numbers = count(first)

    def __call__(self, secrets: KeyRing | None = None) -> SharedLedger:
        number = next(self._numbers)
        kept = Cell(self._states[number % len(self._states)], self.account, "questions", 1_500)
        chance = random.Random(number)
        return SharedLedger(kept, secrets or ring(), self.account, lambda: self.now, lambda: chance.randbytes(16))


def told(story: Callable[[Replicas], Awaitable[Any]], redis: RedisServer, account: str) -> Any:
    async def inner() -> Any:
        async with open_state(redis.url) as one, open_state(redis.url) as two:
            with anyio.fail_after(120):
                return await story(Replicas(account, [one, two]))

    return anyio.run(inner)


async def asked(ledger: Ledger, matter: Matter | None = None) -> PendingQuestion:
    pending = await ledger.create(matter or a_matter(), PREVIEW, "claude", ACCOUNT, "call")
    assert await ledger.show(pending)
    return pending


def test_a_question_asked_by_one_is_answered_through_another_and_acted_on_by_a_third_once(redis: RedisServer) -> None:
    async def story(replicas: Replicas) -> None:
        first, second, third = replicas(), replicas(), replicas()
        challenge = (await asked(first)).question.challenge
        [waiting] = await second.waiting()
        assert waiting.question.text == (await first.waiting())[0].question.text
        assert (waiting.question.preview.title, waiting.question.account) == ("Archive this patient?", ACCOUNT)
        assert await second.decide(challenge, True, "page")
        found = await third.recognise(challenge, a_matter())
        assert found is not None and found.verdict is Verdict.YES
        assert await third.start(found, "page")
        for ledger in (first, second, third):
            again = await ledger.find(challenge)
            assert again is not None and again.acting and not await ledger.start(again, "page")
        await third.finish(found, "failed", RateLimited("Too many.", "Wait.", retry_after=3))
        ended = await first.ended(a_matter())
        assert ended is not None and (ended.ending, ended.told) == ("failed", True)
        assert isinstance(ended.problem, RateLimited) and ended.problem.details == {"retry_after": 3}

    told(story, redis, "thrice")


def test_a_no_through_one_holds_at_all_for_a_quarter_of_an_hour(redis: RedisServer) -> None:
    async def story(replicas: Replicas) -> None:
        first, second = replicas(), replicas()
        challenge = (await asked(first)).question.challenge
        assert await second.decide(challenge, False, "page")
        replicas.now += timedelta(minutes=14, seconds=59)
        assert await first.denied(a_matter()) and await second.denied(a_matter(facts="others"))
        assert not await first.denied(a_matter(principal="eve"))
        replicas.now += timedelta(seconds=1)
        assert not await first.denied(a_matter())

    told(story, redis, "no")


def test_what_changed_since_is_asked_about_anew_by_whichever_replica(redis: RedisServer) -> None:
    async def story(replicas: Replicas) -> None:
        first, second = replicas(), replicas()
        pending = await asked(first)
        challenge = pending.question.challenge
        assert await second.decide(challenge, True, "page")
        assert await second.recognise(challenge, a_matter(facts="other")) is None
        assert not await first.start(pending, "page")
        assert pending.ending == "changed"

    told(story, redis, "changed")


def test_a_call_that_waits_at_one_hears_an_answer_through_another(redis: RedisServer) -> None:
    async def story(replicas: Replicas) -> None:
        first, second = replicas(), replicas()
        pending = await asked(first)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(first.changed, pending, pending.changes, 60)
            await anyio.sleep(0.3)
            assert await second.decide(pending.question.challenge, True, "page")
        assert pending.verdict is Verdict.YES

    told(story, redis, "hears")


def test_a_question_is_one_object_in_a_replica_however_it_is_found(redis: RedisServer) -> None:
    async def story(replicas: Replicas) -> None:
        ledger = replicas()
        pending = await asked(ledger)
        challenge = pending.question.challenge
        assert await ledger.find(challenge) is pending is await ledger.shown(a_matter())
        assert await ledger.recognise(challenge, a_matter()) is pending
        pending.told = True
        await ledger.tell(pending)
        other = await replicas().find(challenge)
        assert other is not None and other.told

    told(story, redis, "object")


def test_nothing_that_a_person_was_shown_can_be_read_where_it_is_kept(redis: RedisServer, tmp_path: Any) -> None:
    async def story(replicas: Replicas) -> None:
        await asked(replicas())

    told(story, redis, "secret")
    kept = b"".join(path.read_bytes() for path in redis.files())
    assert b"cm:1:{secret}:questions" in kept
    for word in (b"Ana", b"Lima", b"patients", b"archive", b"Mei", b"Northside", b"claude"):
        assert word not in kept


def test_a_ring_is_turned_without_losing_a_question_and_a_wrong_ring_does_nothing(redis: RedisServer) -> None:
    old, new = b"o" * 32, b"n" * 32

    async def story(replicas: Replicas) -> None:
        challenge = (await asked(replicas(ring(old)))).question.challenge
        for order in ((old, new), (new, old)):
            assert await replicas(ring(*order)).find(challenge) is not None
        assert await replicas(ring(new, old)).decide(challenge, False, "page")
        assert await replicas(ring(new)).denied(a_matter())
        for act in (lambda ledger: ledger.denied(a_matter()), lambda ledger: asked(ledger)):
            with pytest.raises(Unavailable, match="nothing was done"):
                await act(replicas(ring(b"w" * 32)))
        assert await replicas(ring(new)).denied(a_matter())

    told(story, redis, "ring")


def test_while_redis_is_away_nobody_may_act_and_a_no_is_still_there_when_it_is_back(redis: RedisServer) -> None:
    async def story(replicas: Replicas) -> None:
        ledger = replicas()
        pending = await asked(ledger)
        other = await asked(ledger, a_matter(target="patients/2"))
        assert await ledger.decide(pending.question.challenge, True, "page")
        assert await ledger.decide(other.question.challenge, False, "page")
        redis.stop()
        try:
            with pytest.raises(Unavailable):
                await ledger.start(pending, "page")
        finally:
            await anyio.to_thread.run_sync(redis.start)
        assert await ledger.denied(a_matter(target="patients/2"))
        assert await ledger.start(pending, "page")

    told(story, redis, "away")


def taken_by_a_process(url: str, account: str, number: int, challenges: list[str], found: Any) -> None:
    """How many of these questions this process got to act on."""

    async def story() -> int:
        async with open_state(url) as state:
            ledger = Replicas(account, [state], 1_000 + number)()
            acts = 0
            order = random.Random(number).sample(challenges, len(challenges))
            for challenge in order:
                pending = await ledger.find(challenge)
                if pending is not None and not pending.acting and await ledger.start(pending, "page"):
                    acts += 1
            return acts

    found.put(anyio.run(story))


@pytest.mark.long
def test_of_processes_that_race_for_many_approvals_each_is_acted_on_once(redis: RedisServer) -> None:
    number = 60

    async def story(replicas: Replicas) -> list[str]:
        ledger = replicas()
        challenges: list[str] = []
        for one in range(number):
            matter = a_matter(principal=f"p{one % 6}", target=f"patients/{one}")
            challenges.append((await ledger.create(matter, PREVIEW)).question.challenge)
        return challenges

    challenges = told(story, redis, "race")
    context = multiprocessing.get_context("fork")
    found: Any = context.Queue()
    racers = [
        context.Process(target=taken_by_a_process, args=(redis.url, "race", racer, challenges, found))
        for racer in range(3)
    ]
    for racer in racers:
        racer.start()
    acts = [found.get(timeout=120) for _ in racers]
    for racer in racers:
        racer.join()
    assert sum(acts) == number and all(acts)


def test_a_table_is_the_same_after_it_was_kept() -> None:
    numbers = count()
    table = Questions(lambda: NOW, lambda: f"nonce-{next(numbers)}")
    matters = [a_matter(target=f"patients/{number}") for number in range(6)]
    first, second, third, fourth, fifth, sixth = (table.create(matter, PREVIEW, "x", ACCOUNT) for matter in matters)
    for pending in (first, second, third, fourth, fifth):
        assert table.show(pending)
    assert table.decide(first.question.challenge, False, "page", other=True)
    assert table.decide(second.question.challenge, True, "terminal")
    assert table.decide(third.question.challenge, True, "page") and table.start(third, "page")
    table.finish(fourth, "failed", NotFound("Gone.", "Look.", id="4"))
    table.sent(sixth, 2)
    text = text_of(table.holds)
    known: dict[str, PendingQuestion] = {}
    again = table_of(text, known)
    assert text_of(again) == text and len(known) == 6
    assert table_of(text, known).open[second.question.challenge] is again.open[second.question.challenge]
    assert [(key, one.spare, one.until) for key, one in again.denied.items()] == [
        (key, one.spare, one.until) for key, one in table.holds.denied.items()
    ]
    assert again.closed[fourth.question.challenge].problem.as_json() == fourth.problem.as_json()  # pyright: ignore
    assert again.silent == {"ana": {sixth.question.challenge: (known[sixth.question.challenge], 2)}}
    for challenge, pending in known.items():
        before = table.find(challenge)
        assert before is not None
        assert (pending.matter, pending.question.text, pending.question.expires) == (
            before.matter,
            before.question.text,
            before.question.expires,
        )
    assert table_of(b"", known).open == {}


class Lossy:
    """Keeps a table in this process, until it is away."""

    def __init__(self) -> None:
        self._version, self._record, self.away, self.reads = 0, b"", False, 0

    async def version(self) -> int:
        return self._version

    async def read(self) -> tuple[int, bytes]:
        self.reads += 1
        return self._version, self._record

    async def swap(self, version: int, record: bytes, attempt: bytes) -> bool:
        if self.away:
            raise Unavailable("Redis is away.", "Wait.")
        if version != self._version:
            return False
        self._version, self._record = version + 1, record
        return True


@pytest.mark.anyio
async def test_a_yes_that_could_not_be_kept_begins_nothing() -> None:
    kept, chance = Lossy(), random.Random(2)
    ledger = SharedLedger(kept, ring(), "account", lambda: NOW, lambda: chance.randbytes(16))
    pending = await asked(ledger)
    kept.away = True
    with pytest.raises(Unavailable):  # as the page then tells whoever pressed the button
        await ledger.decide(pending.question.challenge, True, "page", by="people:ben")
    kept.away = False
    assert not await ledger.start(pending, "page")
    assert [one.verdict for one in await ledger.waiting()] == [Verdict.NONE]


@pytest.mark.anyio
async def test_who_waits_does_not_read_all_questions_again_and_again_and_hears_an_answer_all_the_same() -> None:
    kept, chance = Lossy(), random.Random(2)
    here, there = [SharedLedger(kept, ring(), "account", lambda: NOW, lambda: chance.randbytes(16)) for _ in range(2)]
    waiting = [await asked(here, a_matter(target=f"patients/{number}")) for number in range(10)]
    kept.reads = 0
    async with anyio.create_task_group() as tasks:
        for pending in waiting:
            tasks.start_soon(here.changed, pending, pending.changes, 1.0)
    assert kept.reads == 0
    async with anyio.create_task_group() as tasks:
        for pending in waiting:
            tasks.start_soon(here.changed, pending, pending.changes, 2.0)
        await there.decide(waiting[3].question.challenge, True, "page")
        before = kept.reads
        await anyio.sleep(1.0)
        assert waiting[3].verdict is Verdict.YES and kept.reads == before + 1
        tasks.cancel_scope.cancel()
