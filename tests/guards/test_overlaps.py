"""Calls, questions and answers about the same that overlap: what was done, refused or changed counts for the others."""

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from cliniko_mcp.approvals.questions import PageYes, Question, Verdict
from cliniko_mcp.errors import AlreadyDone, ApprovalNeeded, Declined, NotAllowed, NotFound
from cliniko_mcp.guards.confirm import Confirm
from cliniko_mcp.guards.pipeline import Caller, GuardedCall
from tests.client.virtual import run as in_virtual_time
from tests.guards.every_kind import PATIENT, PATIENT_FIELDS, an_app
from tests.guards.gate import App, Form, RoundTrip, call, on_its_way, run
from tests.guards.test_confirm import ARCHIVE, CANCEL, DONE, asked
from tests.guards.test_lives import waiting
from tests.guards.test_lives_of_updates import EMPTYING

YES, NO, NONE = Verdict.YES, Verdict.NO, Verdict.NONE


def slow(app: App, changes: Callable[[Any], bool], seconds: float = 2) -> None:
    """Let these calls take so long."""
    perform = app.clinic.perform

    async def slowly(called: Any, /) -> Any:
        if changes(called):
            await anyio.sleep(seconds)
        return await perform(called)

    app.clinic.perform = slowly  # type: ignore[method-assign]


async def without_a_call(app: App) -> GuardedCall:
    """The call as the server makes it again by itself for the first question that it follows."""
    pending, again = app.work[0]
    passing = await again(PageYes(pending))
    assert isinstance(passing, GuardedCall)
    return passing


def test_what_is_carried_out_without_a_call_has_the_channel_of_its_yes() -> None:
    app = App()

    async def story() -> None:
        await waiting(app)
        (question,) = app.questions.waiting()
        assert app.questions.decide(question.question.challenge, True, "terminal")
        assert (await without_a_call(app)).outcome.channel == "terminal"

    run(story)
    assert app.clinic.destroyed == DONE


@pytest.mark.parametrize("reopened", [False, True])
def test_a_yes_that_was_taken_back_just_before_it_is_carried_out_does_nothing(reopened: bool) -> None:
    app = App()

    async def story() -> None:
        await waiting(app)
        (question,) = app.questions.waiting()
        app.board.answer(True)
        assert app.questions.take_back(question.question.challenge)
        if reopened:
            assert app.questions.reopen(question.question.challenge)
        with pytest.raises(ApprovalNeeded, match="has changed since"):
            await without_a_call(app)
        assert app.questions.waiting() == ([question] if reopened else [])

    run(story)
    assert app.clinic.destroyed == []


def test_what_a_call_has_put_on_the_page_as_it_is_now_is_not_put_there_twice() -> None:
    app = App()

    async def story() -> None:
        await waiting(app)
        app.board.answer(True)
        app.clinic.records["patients"]["1"]["last_name"] = "Silva"
        await waiting(app)
        with pytest.raises(ApprovalNeeded, match="has changed since"):
            await without_a_call(app)
        assert len(app.questions.waiting()) == 1

    run(story)
    assert app.clinic.destroyed == []


@pytest.mark.parametrize("on_page", [False, True])
def test_a_question_that_came_up_at_the_moment_of_a_no_cannot_be_approved(on_page: bool) -> None:
    app = App()

    async def story() -> None:
        await waiting(app)
        (refused,) = app.questions.waiting()
        app.board.answer(False)
        # As another process can that had looked just before.
        late = app.questions.create(refused.matter, refused.question.preview)
        with pytest.raises(ApprovalNeeded if on_page else Declined):
            if on_page:
                assert app.questions.show(late)
                app.board.answer(True)
                ((_, again),) = app.work
                await again(PageYes(late))
            else:
                await app.act(ARCHIVE, Caller(asker=RoundTrip(late.question.challenge, YES)))

    run(story)
    assert app.clinic.destroyed == []


def test_a_no_that_comes_while_the_record_is_read_counts() -> None:
    app, form = App(), Form(YES)

    def refuse() -> None:
        app.board.answer(False)

    async def story() -> None:
        await waiting(app)
        app.clinic.before_read = refuse
        with pytest.raises(Declined):
            await app.act(ARCHIVE, Caller(asker=form))

    run(story)
    assert (form.asked, app.clinic.destroyed) == ([], [])


def test_what_another_process_carries_out_is_waited_for_and_asked_about_no_more() -> None:
    app, first, second = App(), Form(YES), Form(YES)
    slow(app, lambda called: called is ARCHIVE)
    other = Confirm(app.ledger, now=app.clock, wait=0, locks=app.confirm.acts.locks)

    async def story() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(app.act, ARCHIVE, Caller(asker=first))
            await anyio.sleep(1)
            app.confirm = other
            with pytest.raises(AlreadyDone):
                await app.act(ARCHIVE, Caller(asker=second))

    in_virtual_time(story)
    assert (len(first.asked), second.asked, app.clinic.destroyed) == (1, [], DONE)


@pytest.mark.parametrize(("route", "where"), [("stdio", "in the assistant"), ("terminal", "in a terminal")])
def test_who_calls_again_hears_where_it_was_approved(route: Any, where: str) -> None:
    app = App()

    async def story() -> None:
        await app.act(ARCHIVE, Caller(asker=Form(YES), route=route))
        with pytest.raises(AlreadyDone, match=f"approved {where}"):
            await app.act(ARCHIVE, Caller(route=route))

    run(story)


@pytest.mark.parametrize(("route", "place"), [("stdio", "form"), ("http", "form"), ("terminal", "terminal")])
def test_a_no_is_kept_with_the_place_where_it_was_said(route: Any, place: str) -> None:
    app = App()

    async def story() -> None:
        with pytest.raises(Declined):
            await app.act(ARCHIVE, Caller(asker=Form(NO), route=route))

    run(story)
    assert [denied.place for denied in app.questions.denials()] == [place]


def test_a_question_that_nobody_answered_in_the_client_was_not_done() -> None:
    app = App()

    async def story() -> None:
        question = await asked(app, route="http")
        with pytest.raises(ApprovalNeeded):
            await app.act(ARCHIVE, Caller(asker=RoundTrip(question.challenge, NONE), route="http"))

    run(story)
    assert app.questions.recent() == []


def test_of_two_calls_that_wait_for_one_question_about_an_update_one_makes_it_and_the_other_hears_of_it() -> None:
    app, ends = an_app(wait=5), list[str]()

    async def one() -> None:
        try:
            await app.act(EMPTYING)
            ends.append("made")
        except AlreadyDone:
            ends.append("made before")

    async def story() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(one)
            tasks.start_soon(one)
            await anyio.sleep(1)
            app.board.answer(True)

    in_virtual_time(story)
    assert (sorted(ends), len(app.clinic.updates)) == (["made", "made before"], 1)


def test_an_update_that_is_being_made_after_a_yes_is_not_made_again() -> None:
    app = an_app()
    slow(app, lambda called: called is EMPTYING)

    async def story() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(app.act, EMPTYING, Caller(asker=Form(YES)))
            await anyio.sleep(1)
            with pytest.raises(AlreadyDone):
                await app.act(EMPTYING, Caller(asker=Form(YES)))

    in_virtual_time(story)
    assert len(app.clinic.updates) == 1


def test_an_answer_that_comes_twice_changes_the_record_once() -> None:
    app = an_app()

    async def story() -> None:
        question = await asked(app, EMPTYING)
        answer = Caller(asker=RoundTrip(question.challenge, YES))
        await app.act(EMPTYING, answer)
        with pytest.raises(AlreadyDone):
            await app.act(EMPTYING, answer)

    run(story)
    assert len(app.clinic.updates) == 1


def test_a_record_that_vanishes_while_a_question_about_it_is_written_is_not_said_to_be_done() -> None:
    app, left = an_app(), ["first reading", "second reading"]

    def vanish() -> None:
        left.pop(0)
        if not left:
            del app.clinic.records["patients"]["3"]

    async def story() -> None:
        await app.act(EMPTYING, Caller(asker=Form(YES)))
        app.clinic.records["patients"]["3"] = dict(PATIENT)
        app.clinic.before_read = vanish
        with pytest.raises(NotFound):
            await app.act(call("update_patient", id="3", clear=PATIENT_FIELDS[1:]), Caller(asker=Form(YES)))

    run(story)
    assert len(app.clinic.updates) == 1


def test_a_call_that_has_no_time_left_for_a_person_to_answer_asks_nobody_and_says_so() -> None:
    app, form = an_app(), Form(YES)
    slow(app, lambda called: called.operation.name == "get_patient", 46)
    with pytest.raises(ApprovalNeeded, match="nobody was asked"):
        in_virtual_time(lambda: app.act(EMPTYING, Caller(asker=form)))
    assert (form.asked, app.clinic.updates) == ([], [])


@pytest.mark.parametrize("seconds", [0, 5], ids=["done by then", "under way by then"])
def test_a_call_that_looked_before_the_yes_was_carried_out_asks_nobody_again(seconds: float) -> None:
    app = App()
    slow(app, lambda called: called is ARCHIVE, seconds)
    perform, left = app.clinic.perform, [5.0]

    async def looking(called: Any, /) -> Any:
        found = await perform(called)
        if called.operation.name == "get_patient" and left:
            await anyio.sleep(left.pop())
        return found

    async def late() -> None:
        with pytest.raises(AlreadyDone):
            await app.act(ARCHIVE)

    async def story() -> None:
        await waiting(app)
        app.clinic.perform = looking  # type: ignore[method-assign]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(late)
            await anyio.sleep(1)
            app.board.answer(True)
            await app.goes_on()
        assert app.questions.waiting() == []

    in_virtual_time(story)
    assert app.clinic.destroyed == DONE


def test_a_call_that_finds_the_record_gone_while_the_yes_is_carried_out_hears_how_that_ends() -> None:
    app = App()
    perform, left = app.clinic.perform, [2.0]

    async def lately(called: Any, /) -> Any:
        if called.operation.name == "get_patient" and left:
            await anyio.sleep(left.pop())
        found = await perform(called)
        if called is ARCHIVE:  # gone, and Cliniko's answer still under way
            await anyio.sleep(2)
        return found

    async def late() -> None:
        with pytest.raises(AlreadyDone):
            await app.act(ARCHIVE)

    async def story() -> None:
        await waiting(app)
        app.clinic.perform = lately  # type: ignore[method-assign]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(late)
            await anyio.sleep(1)
            app.board.answer(True)
            await app.goes_on()

    in_virtual_time(story)
    assert app.clinic.destroyed == DONE


def test_a_yes_in_a_form_whose_question_a_newer_one_has_replaced_does_nothing_and_is_not_asked_for_again() -> None:
    class Slow(Form):
        async def ask(self, question: Question) -> Verdict:
            self.asked.append(question)
            await anyio.sleep(2)
            return YES

    app, form = App(), Slow()

    async def older() -> None:
        with pytest.raises(ApprovalNeeded, match="a newer question about the same record"):
            await app.act(CANCEL, Caller(asker=form))

    async def story() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(older)
            await anyio.sleep(1)
            await waiting(app, call("cancel_individual_appointment", id="20", cancellation_reason="away"))

    in_virtual_time(story)
    assert (len(form.asked), app.clinic.destroyed) == (1, [])


def test_who_may_not_go_on_meanwhile_gets_nothing_done_by_a_yes_and_calls_are_not_looked_at_so() -> None:
    seen: list[str] = []

    async def still(principal: str) -> None:
        seen.append(principal)
        raise NotAllowed("Signed out.", "Sign in.")

    app = App(still=still)

    async def story() -> None:
        await waiting(app)
        assert seen == []
        app.board.answer(True)
        with pytest.raises(NotAllowed, match="Signed out"):
            await without_a_call(app)
        assert seen == ["local"]

    run(story)
    assert app.clinic.destroyed == []


def test_a_question_that_expires_unheard_is_counted_as_such_and_no_other_is() -> None:
    app, counted = App(), list[str]()

    async def story() -> None:
        app.ledger.became = counted.append  # type: ignore[method-assign, assignment]
        await waiting(app)
        (pending, again) = app.work[0]
        app.clock.pass_(hours=1)
        await app.confirm.acts.follow(pending, again, guarded=on_its_way(ARCHIVE, clinic=app.clinic))
        assert counted[-1] == "expired"
        await waiting(app)
        (pending, again) = app.work[-1]
        app.questions.finish(pending, "changed")
        app.clock.pass_(hours=1)
        await app.confirm.acts.follow(pending, again, guarded=on_its_way(ARCHIVE, clinic=app.clinic))

    run(story)
    assert counted.count("expired") == 1
