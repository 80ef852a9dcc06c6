"""The ledger wakes whoever waits for an answer, from whichever thread it comes, and changes nothing of the table."""

import inspect
import threading
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import TypeVar

import anyio
import pytest

from cliniko_mcp.approvals.ledger import Ledger, LocalLedger
from cliniko_mcp.approvals.question_table import Questions
from cliniko_mcp.approvals.questions import Matter, PendingQuestion, Verdict
from cliniko_mcp.approvals.shown import Preview
from tests.guards.gate import Clock, run

T = TypeVar("T")
MATTER = Matter("local", "archive_patient", "{}", "patients/1", "f", "removal")
PREVIEW = Preview(act="Archive", keep="Keep", done="Archived", facts=())


def a_ledger() -> LocalLedger:
    numbers = count()
    return LocalLedger(Questions(Clock(), lambda: f"nonce-{next(numbers)}"))


async def on_the_page(ledger: LocalLedger) -> PendingQuestion:
    pending = await ledger.create(MATTER, PREVIEW)
    assert await ledger.show(pending)
    return pending


@pytest.mark.parametrize("approved", [True, False])
def test_an_answer_from_another_thread_wakes_the_call_that_waits_for_it(approved: bool) -> None:
    async def story() -> None:
        ledger = a_ledger()
        pending = await on_the_page(ledger)
        seen = pending.changes

        async def wait() -> None:
            await ledger.changed(pending, seen, 100)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            answering = (pending.question.challenge, approved, "page")
            threading.Thread(target=ledger.table.decide, args=answering).start()
        assert pending.verdict is (Verdict.YES if approved else Verdict.NO)
        assert not ledger._waits

    with_limit(story)


def test_what_became_of_a_question_before_the_wait_began_is_not_waited_for() -> None:
    async def story() -> None:
        ledger = a_ledger()
        pending = await on_the_page(ledger)
        seen = pending.changes
        assert await ledger.decide(pending.question.challenge, True, "page")
        await ledger.changed(pending, seen, 100)
        seen = pending.changes
        assert await ledger.take_back(pending.question.challenge)
        await ledger.changed(pending, seen, 100)
        seen = pending.changes
        assert await ledger.reopen(pending.question.challenge)
        await ledger.changed(pending, seen, 100)
        assert pending.verdict is Verdict.NONE

    with_limit(story)


def test_a_wait_ends_when_its_time_is_over_and_another_question_does_not_end_it() -> None:
    async def story() -> None:
        ledger = a_ledger()
        pending = await on_the_page(ledger)
        other = await ledger.create(Matter("local", "archive_patient", "{}", "patients/2", "f", "removal"), PREVIEW)
        async with anyio.create_task_group() as tasks:
            with anyio.CancelScope() as scope:
                tasks.start_soon(ledger.deny, other)
                await ledger.changed(pending, pending.changes, 0.2)
            assert not scope.cancel_called
        assert pending.verdict is Verdict.NONE and other.verdict is Verdict.NO

    with_limit(story)


def test_the_ledger_of_this_process_does_everything_that_a_ledger_does_with_the_same_arguments() -> None:
    promised = {name for name, member in vars(Ledger).items() if inspect.isfunction(member) and name[0] != "_"}
    assert promised
    for name in promised:
        own = inspect.signature(getattr(LocalLedger, name))
        assert own == inspect.signature(getattr(Ledger, name)), name
    for name in promised - {"changed", "tell"}:
        taken = inspect.signature(getattr(Ledger, name)).parameters
        assert taken == inspect.signature(getattr(Questions, name)).parameters, name


def with_limit(story) -> None:
    async def limited() -> None:
        with anyio.fail_after(30):
            await story()

    run(limited)


def test_what_the_ledger_tells_is_what_the_table_holds() -> None:
    async def story() -> None:
        ledger = a_ledger()
        pending = await on_the_page(ledger)
        challenge = pending.question.challenge
        assert [*await ledger.waiting()] == [*ledger.table.waiting()] == [pending]
        assert await ledger.listed() == ledger.table.listed() != []
        assert await ledger.knows(challenge, MATTER) and not await ledger.knows(None, MATTER)
        assert await ledger.find(challenge) is await ledger.shown(MATTER) is pending
        assert await ledger.decide(challenge, True, "page")
        assert await ledger.start(pending, "page", told=False)
        assert await ledger.ended(MATTER) is pending and not pending.told
        await ledger.finish(pending, "done")
        await ledger.tell(pending)
        assert pending.told
        made = await ledger.create(MATTER, PREVIEW, made_by="a call")
        assert await ledger.start(made, "form")
        await ledger.finish(made, "done")
        assert await ledger.done_by("local", "a call") is made

    with_limit(story)


def test_what_others_ask_about_the_same_record_and_forms_that_nobody_heard_of_are_told() -> None:
    async def story() -> None:
        ledger = a_ledger()
        pending = await on_the_page(ledger)
        assert await ledger.elsewhere(replace(MATTER, principal="another")) and not await ledger.elsewhere(MATTER)
        assert not await ledger.unheard(MATTER)
        await ledger.sent(pending, 9)
        assert await ledger.unheard(MATTER)
        await ledger.heard(MATTER.principal)
        assert not await ledger.unheard(MATTER)

    with_limit(story)


def test_where_a_call_brings_no_answer_nothing_is_looked_up() -> None:
    class Watched(LocalLedger):
        looks = 0

        async def _do(self, act: Callable[[Questions], T]) -> T:
            self.looks += 1
            return await super()._do(act)

    async def story() -> None:
        ledger = Watched(a_ledger().table)
        assert not await ledger.knows(None, MATTER) and ledger.looks == 0
        assert not await ledger.knows("unheard of", MATTER) and ledger.looks == 1

    with_limit(story)


def test_what_becomes_of_each_question_is_told_once() -> None:
    told: list[str] = []

    async def story() -> None:
        ledger = a_ledger()
        ledger.became = told.append  # type: ignore[method-assign, assignment]
        pending = await on_the_page(ledger)
        assert told == ["asked"]
        assert not await ledger.decide("unheard of", False, "page")
        assert await ledger.decide(pending.question.challenge, True, "page")
        assert told == ["asked"], "a yes counts when it is used"
        assert await ledger.start(pending, "page")
        assert told == ["asked", "yes"]
        assert not await ledger.start(pending, "page")
        assert told == ["asked", "yes"]
        await ledger.deny(await on_the_page(ledger))
        other = await on_the_page(ledger)
        assert await ledger.decide(other.question.challenge, False, "page")
        assert told[2:] == ["asked", "no", "asked", "no"]

    with_limit(story)
