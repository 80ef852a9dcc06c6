"""The newer era: a question goes out with an answer of its own, and the repeated call brings a person's answer back."""

from typing import Any, Literal

import anyio
import pytest

from cliniko_mcp.errors import AlreadyDone, ApprovalNeeded, Declined
from cliniko_mcp.guards.confirm import Confirm
from cliniko_mcp.guards.pipeline import Caller
from tests.guards.gate import App, Form, RoundTrip, call, on_its_way, passed, run
from tests.guards.test_confirm import ARCHIVE, DONE, NO, NONE, TWIN, YES, asked


class Counted(App):
    """An app that counts how often a record was read on its own."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.readings = 0
        self.clinic.before_read = self._count

    def _count(self) -> None:
        self.readings += 1


@pytest.mark.parametrize("verdict", [YES, NO])
def test_the_call_that_brings_an_answer_back_reads_the_record_once(verdict: Any) -> None:
    app = Counted()

    async def story() -> None:
        question = await asked(app)
        assert app.readings == 1
        if verdict is YES:
            passing = await app.act(ARCHIVE, Caller(asker=RoundTrip(question.challenge, YES)))
            assert passing.outcome.channel == "form"
        else:
            with pytest.raises(Declined):
                await app.act(ARCHIVE, Caller(asker=RoundTrip(question.challenge, NO)))

    run(story)
    assert app.readings == 2
    assert app.clinic.destroyed == (DONE if verdict is YES else [])


def test_a_challenge_that_nobody_made_costs_no_reading_of_its_own() -> None:
    app = Counted()
    run(lambda: asked(app, asker=RoundTrip("made up", YES)))
    assert app.readings == 1


@pytest.mark.parametrize("second", [ARCHIVE, TWIN])
def test_of_two_answers_at_the_same_moment_the_second_sees_what_the_first_did(second: Any) -> None:
    app = App()
    errors: list[Exception] = []

    async def act(called: Any, challenge: str) -> None:
        async def slowly() -> None:
            await anyio.sleep(0.01)
            await app.clinic.perform(called)

        caller = Caller(asker=RoundTrip(challenge, YES))
        try:
            await passed([app.confirm], on_its_way(called, caller, clinic=app.clinic), slowly)
        except (AlreadyDone, ApprovalNeeded) as problem:
            errors.append(problem)

    async def story() -> None:
        first, other = await asked(app), await asked(app, second)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(act, ARCHIVE, first.challenge)
            tasks.start_soon(act, second, other.challenge)

    run(story)
    assert (len(app.clinic.destroyed), len(errors)) == (1, 1)


def test_a_yes_is_too_late_after_a_no_to_the_same_call() -> None:
    app = App()

    async def story() -> None:
        first, second = await asked(app), await asked(app)
        with pytest.raises(Declined):
            await app.act(ARCHIVE, Caller(asker=RoundTrip(second.challenge, NO)))
        with pytest.raises(Declined):
            await app.act(ARCHIVE, Caller(asker=RoundTrip(first.challenge, YES)))

    run(story)
    assert app.clinic.destroyed == []


def test_a_yes_in_the_client_does_not_count_where_only_the_page_does() -> None:
    app = App()
    strict = Confirm(app.ledger, now=app.clock, policy="strict", wait=0)

    async def story() -> None:
        question = await asked(app)
        passing = on_its_way(ARCHIVE, Caller(asker=RoundTrip(question.challenge, YES)), clinic=app.clinic)
        with pytest.raises(ApprovalNeeded):
            await passed([strict], passing, lambda: app.clinic.perform(ARCHIVE))

    run(story)
    assert app.clinic.destroyed == []


def test_while_the_question_is_on_the_page_it_is_answered_there() -> None:
    app = App()

    async def story() -> None:
        question = await asked(app)
        with pytest.raises(ApprovalNeeded, match="It is on the page"):
            await app.act(ARCHIVE)
        with pytest.raises(ApprovalNeeded, match="on the approval page already"):
            await app.act(ARCHIVE, Caller(asker=RoundTrip(question.challenge, YES)))
        assert app.clinic.destroyed == []
        app.board.answer(True)
        await app.act(ARCHIVE, Caller(asker=RoundTrip(question.challenge, YES)))

    run(story)
    assert app.clinic.destroyed == DONE


@pytest.mark.parametrize("route", ["http", "terminal"])
def test_what_is_on_this_computers_page_is_asked_anew_of_somebody_elsewhere(route: Literal["http", "terminal"]) -> None:
    app, form = App(), Form(YES)

    async def story() -> None:
        with pytest.raises(ApprovalNeeded, match="It is on the page"):
            await app.act(ARCHIVE)
        await app.act(ARCHIVE, Caller(asker=form, route=route))

    run(story)
    assert (len(form.asked), app.clinic.destroyed) == (1, DONE)


@pytest.mark.parametrize("route", ["http", "stdio"])
def test_a_question_that_went_unanswered_goes_to_the_next_channel_and_not_out_again(
    route: Literal["http", "stdio"],
) -> None:
    app = App()

    async def story() -> None:
        question = await asked(app)
        with pytest.raises(ApprovalNeeded, match="on the page" if route == "stdio" else "nobody can be asked"):
            await app.act(ARCHIVE, Caller(asker=RoundTrip(question.challenge, NONE), route=route))

    run(story)
    assert app.board.invited == (1 if route == "stdio" else 0)
    assert app.clinic.destroyed == []


def test_a_form_that_nobody_answered_cannot_be_answered_later() -> None:
    app, form = App(paged=False), Form(NONE)

    async def story() -> None:
        with pytest.raises(ApprovalNeeded):
            await app.act(ARCHIVE, Caller(asker=form))
        late = await asked(app, asker=RoundTrip(form.asked[0].challenge, YES))
        assert late.challenge != form.asked[0].challenge

    run(story)
    assert app.clinic.destroyed == []


def test_an_answer_in_the_older_era_shows_that_forms_are_shown_too() -> None:
    app, other = App(), call("archive_patient", id="2")

    async def story() -> None:
        await asked(app)
        with pytest.raises(Declined):
            await app.act(other, Caller(asker=Form(NO)))
        await asked(app)
        await asked(app)  # the second round without an answer since then

    run(story)
    assert app.board.invited == 0
