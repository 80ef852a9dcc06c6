"""A yes to many changes: which calls it covers that overlap with the question, and that a no closes it for all."""

from typing import Any

import anyio
import pytest

from cliniko_mcp.approvals.questions import AskFirst, Question, Verdict
from cliniko_mcp.errors import ApprovalNeeded, Declined
from cliniko_mcp.guards.pipeline import Caller
from tests.client.virtual import run as in_virtual_time
from tests.guards.gate import Form, RoundTrip, call, run
from tests.guards.test_bursts import Busy
from tests.guards.test_lives import waiting
from tests.guards.test_lives_of_updates import ONE_MORE, fill
from tests.guards.test_overlaps import without_a_call

YES, NONE = Verdict.YES, Verdict.NONE
TWO_MORE = call("update_patient", id="131", city="Perth")


def a_busy_app() -> Busy:
    app = Busy()
    app.confirm.acts.start = app.keep
    return app


def test_a_change_after_a_yes_to_many_is_sent_as_one_that_nobody_was_asked_about() -> None:
    app = Busy()

    async def story() -> None:
        await fill(app)
        passing = await app.act(ONE_MORE, Caller(asker=Form(YES)))
        # What was reserved for the question itself is given back by now.
        assert (passing.outcome.channel, passing.outcome.act) == ("form", None)

    run(story)
    assert len(app.clinic.updates) == 31


def test_a_yes_to_many_changes_that_a_call_has_used_meanwhile_makes_no_other_without_one() -> None:
    app = a_busy_app()

    async def story() -> None:
        await fill(app)
        await waiting(app, ONE_MORE)
        app.board.answer(True)
        await app.act(TWO_MORE)
        with pytest.raises(ApprovalNeeded):
            await without_a_call(app)

    run(story)
    assert len(app.clinic.updates) == 31


def test_calls_that_wait_for_one_yes_on_the_page_to_many_changes_all_go_on_after_it() -> None:
    app = a_busy_app()

    async def story() -> None:
        await fill(app)
        app.confirm.channels.wait = 5
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(app.act, ONE_MORE)
            tasks.start_soon(app.act, TWO_MORE)
            await anyio.sleep(1)
            app.board.answer(True)

    in_virtual_time(story)
    assert len(app.clinic.updates) == 32


def test_a_call_that_waits_goes_on_where_the_server_has_used_the_yes_to_many_changes_for_another() -> None:
    app = a_busy_app()

    async def progress(done: float, total: float | None, message: str) -> None:
        app.board.answer(True)
        await app.goes_on()

    async def story() -> None:
        await fill(app)
        await waiting(app, ONE_MORE)
        app.confirm.channels.wait = 40
        await app.act(TWO_MORE, Caller(program="claude-code", progress=progress))

    in_virtual_time(story)
    assert len(app.clinic.updates) == 32


def test_an_answer_to_a_question_about_many_changes_that_a_no_has_closed_changes_nothing() -> None:
    app = a_busy_app()

    async def question(called: Any) -> Question:
        with pytest.raises(AskFirst) as first:
            await app.act(called, Caller(asker=RoundTrip(), route="http"))
        return first.value.question

    async def yes(called: Any, question: Question) -> None:
        await app.act(called, Caller(asker=RoundTrip(question.challenge, YES), route="http"))

    async def story() -> None:
        await fill(app)
        one, two = await question(ONE_MORE), await question(TWO_MORE)
        await waiting(app, call("update_patient", id="132", city="Perth"))
        await yes(ONE_MORE, one)
        app.board.answer(False)
        with pytest.raises(Declined):
            await yes(TWO_MORE, two)

    run(story)
    assert len(app.clinic.updates) == 31


class Hanging(Form):
    """A form that nobody answers."""

    async def ask(self, question: Question) -> Verdict:
        self.asked.append(question)
        await anyio.sleep_forever()
        return NONE


def test_a_call_that_waited_for_the_question_about_many_changes_is_told_that_it_was_put() -> None:
    app, form, late = Busy(), Hanging(), Form(YES)

    async def first() -> None:
        with pytest.raises(ApprovalNeeded):
            await app.act(ONE_MORE, Caller(asker=form, route="http"))

    async def story() -> None:
        await fill(app)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(first)
            await anyio.sleep(1)
            with pytest.raises(ApprovalNeeded, match="It is one question about many changes"):
                await app.act(TWO_MORE, Caller(asker=late, route="http"))

    in_virtual_time(story)
    assert (len(form.asked), late.asked, len(app.clinic.updates)) == (1, [], 30)
