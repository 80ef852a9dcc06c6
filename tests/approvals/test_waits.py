"""Waits for a person in front of an assistant end when the server is told to stop, with nothing done."""

from typing import Any, cast

import anyio
import mcp_types as types
import pytest
from mcp.server.context import ServerRequestContext

from cliniko_mcp.approvals.questions import AskFirst, Question, Verdict
from cliniko_mcp.approvals.waits import Waits
from cliniko_mcp.errors import ApprovalNeeded
from cliniko_mcp.guards.pipeline import Caller
from cliniko_mcp.protocol import elicitation
from tests.approvals.desktop import seen
from tests.guards.gate import App, Form, run
from tests.guards.test_confirm import ARCHIVE

QUESTION = Question(seen(), "c" * 64, 0.0)


class Session:
    """A client that shows the form to nobody."""

    def __init__(self) -> None:
        self.shown = anyio.Event()

    async def elicit_form(self, *_: object, **__: object) -> types.ElicitResult:
        self.shown.set()
        await anyio.sleep_forever()
        raise AssertionError


class Context:
    """What a call of the older era brings along, as far as a form needs it."""

    request_id = 1

    def __init__(self) -> None:
        self.session = Session()


def form_of(context: Context, waits: Waits) -> elicitation.Form:
    return elicitation.Form(cast("ServerRequestContext[Any, Any]", context), waits)


def test_a_stop_ends_every_wait_and_those_that_come_later_at_once() -> None:
    async def story() -> None:
        waits, context, told = Waits(), Context(), list[str]()

        async def ask() -> None:
            with pytest.raises(ApprovalNeeded) as stopped:
                await form_of(context, waits).ask(QUESTION)
            told.append(stopped.value.message)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            tasks.start_soon(ask)
            await context.session.shown.wait()
            assert not waits.over and told == []
            waits.end()
        assert waits.over
        context.session.shown = anyio.Event()
        await ask()
        assert not context.session.shown.is_set()
        assert told == ["Archive this patient: not done. The server is being stopped, and nobody had answered. "
                        "Nothing was changed."] * 3  # fmt: skip

    run(story)


def test_a_stop_leaves_what_is_done_after_the_wait_alone() -> None:
    async def story() -> None:
        waits = Waits()
        with waits.one():
            pass
        waits.end()
        await anyio.lowlevel.checkpoint()

    run(story)


def test_a_question_that_would_come_back_with_a_later_call_is_not_asked_any_more() -> None:
    async def story() -> None:
        waits, yes = Waits(), types.ElicitResult(action="accept", content={"approve": True})
        with pytest.raises(AskFirst):
            await elicitation.RoundTrip(None, {}, waits).ask(QUESTION)
        waits.end()
        with pytest.raises(ApprovalNeeded, match="Nothing was changed"):
            await elicitation.RoundTrip(None, {}, waits).ask(QUESTION)
        # An answer that is there already counts.
        answered = elicitation.RoundTrip(QUESTION.challenge, {elicitation.KEY: yes}, waits)
        assert await answered.ask(QUESTION) is Verdict.YES

    run(story)


def test_the_question_that_was_asked_is_open_no_longer() -> None:
    app = App()

    def stopped() -> Verdict:
        raise ApprovalNeeded("It is being stopped.")

    form = Form(stopped)
    with pytest.raises(ApprovalNeeded, match="being stopped"):
        run(lambda: app.act(ARCHIVE, Caller(asker=form)))
    assert app.questions.find(form.asked[0].challenge) is None
    assert app.clinic.destroyed == [] and app.board.invited == 0


def test_a_wait_that_has_ended_is_kept_no_longer() -> None:
    async def story() -> None:
        waits = Waits()
        with waits.one():
            assert len(waits._scopes) == 1
        assert waits._scopes == set()

    run(story)
