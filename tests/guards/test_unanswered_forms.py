"""A form that nobody answers: which way a question takes to a person after it, and when forms are trusted again."""

from typing import Any

import anyio
import pytest

from cliniko_mcp.approvals.questions import Question, Verdict
from cliniko_mcp.errors import ApprovalNeeded, Declined
from cliniko_mcp.guards.pipeline import Caller
from tests.client.virtual import run as in_virtual_time
from tests.guards.gate import App, Form, RoundTrip, call, run
from tests.guards.test_confirm import ARCHIVE, asked

NO, NONE = Verdict.NO, Verdict.NONE


@pytest.mark.parametrize("route", ["stdio", "http"])
def test_two_rounds_of_a_form_without_an_answer_lead_to_the_next_channel(route: Any) -> None:
    app = App()

    async def story() -> None:
        await asked(app, route=route)
        await asked(app, route=route)
        with pytest.raises(ApprovalNeeded) as third:
            await app.act(ARCHIVE, Caller(route=route, asker=RoundTrip()))
        words = {"stdio": "It is on the page", "http": "does not show it"}
        assert words[route] in third.value.message
        if route == "http":
            await asked(app, route=route)

    run(story)
    assert app.board.invited == (1 if route == "stdio" else 0)


def test_an_answer_shows_that_forms_are_shown() -> None:
    app = App()

    async def story() -> None:
        await asked(app)
        question = await asked(app)
        with pytest.raises(Declined):
            await app.act(ARCHIVE, Caller(asker=RoundTrip(question.challenge, NO)))
        await asked(app, call("archive_patient", id="2"))

    run(story)


def test_a_form_that_waited_in_vain_is_not_tried_again_for_another_record() -> None:
    class Hanging(Form):
        async def ask(self, question: Question) -> Verdict:
            self.asked.append(question)
            await anyio.sleep(1_000)
            return NONE

    app, form = App(), Hanging()

    async def story() -> None:
        for identity in ("1", "2"):
            with pytest.raises(ApprovalNeeded, match="It is on the page"):
                await app.act(call("archive_patient", id=identity), Caller(asker=form))

    in_virtual_time(story)
    assert len(form.asked) == 1
