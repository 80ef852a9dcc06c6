"""A question's life: what is carried out without a call, what a no reaches, and what one caller cannot do to others."""

from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import pytest

from cliniko_mcp.approvals.question_table import MAX_SHOWN_EACH
from cliniko_mcp.approvals.questions import AskFirst, Verdict
from cliniko_mcp.cliniko.calls import Risk
from cliniko_mcp.errors import AlreadyDone, ApprovalNeeded, Declined, NotFound, Rejected
from cliniko_mcp.guards.pipeline import Caller
from tests.client.virtual import run as in_virtual_time
from tests.guards.gate import App, Form, RoundTrip, call, on_its_way, passed, run
from tests.guards.test_confirm import ARCHIVE, CANCEL, DONE, TWIN, asked

YES, NO, NONE = Verdict.YES, Verdict.NO, Verdict.NONE
VISIT: dict[str, Any] = {"id": "20"}


async def waiting(app: App, called: Any = ARCHIVE, **caller: Any) -> None:
    with pytest.raises(ApprovalNeeded, match="a person has been asked"):
        await app.act(called, Caller(**caller))


def test_a_yes_on_the_page_is_carried_out_without_a_call_everything_read_again_first() -> None:
    app = App()

    async def story() -> None:
        await waiting(app)
        app.board.answer(True)
        await app.goes_on()
        assert app.clinic.destroyed == DONE
        (ended,) = app.questions.recent()
        assert (ended.ending, ended.place) == ("done", "page")
        with pytest.raises(AlreadyDone):
            await app.act(ARCHIVE)

    run(story)
    assert app.clinic.destroyed == DONE


def test_what_changed_before_it_was_carried_out_is_not_done_and_on_the_page_once_more() -> None:
    app = App()

    async def story() -> None:
        await waiting(app)
        app.board.answer(True)
        app.clinic.records["patients"]["1"]["last_name"] = "Silva"
        await app.goes_on()
        (changed,) = app.questions.recent()
        assert changed.ending == "changed"
        (newer,) = app.questions.waiting()
        assert "Silva" in newer.question.text
        app.board.answer(True)
        await app.goes_on()

    run(story)
    assert app.clinic.destroyed == DONE


def test_what_failed_without_a_call_is_told_once_to_whoever_comes_back() -> None:
    app = App()

    async def refuse(_: object) -> None:
        raise Rejected("Cliniko did not take it.")

    async def story() -> None:
        await waiting(app)
        app.board.answer(True)
        ((pending, _),) = app.work
        app.work = [(pending, refuse)]
        await app.goes_on()
        assert pending.ending == "failed"
        with pytest.raises(Rejected, match="Cliniko did not take it"):
            await app.act(ARCHIVE)
        await waiting(app)

    run(story)
    assert app.clinic.destroyed == []


def test_what_broke_without_a_call_before_it_began_has_failed(caplog: pytest.LogCaptureFixture) -> None:
    app = App()

    async def break_off(_: object) -> None:
        raise RuntimeError("broken")

    async def story() -> None:
        await waiting(app)
        app.board.answer(True)
        ((pending, _),) = app.work
        app.work = [(pending, break_off)]
        await app.goes_on()
        assert pending.ending == "failed"
        assert app.questions.unused() == []

    run(story)
    assert "archive_patient failed after a yes" in caplog.text


def test_a_record_that_is_gone_when_the_yes_comes_is_not_touched() -> None:
    app = App()

    async def story() -> None:
        await waiting(app)
        app.clinic.gone.add(("patients", "1"))
        app.board.answer(True)
        await app.goes_on()
        (ended,) = app.questions.recent()
        assert isinstance(ended.problem, NotFound)

    run(story)
    assert app.clinic.destroyed == []


def test_a_yes_that_was_taken_back_is_never_carried_out_and_counts_as_a_no() -> None:
    app = App()

    async def story() -> None:
        await waiting(app)
        app.board.answer(True)
        (unused,) = app.questions.unused()
        assert app.questions.take_back(unused.question.challenge)
        assert not app.questions.take_back(unused.question.challenge)
        await app.goes_on()
        with pytest.raises(Declined, match="took their yes back"):
            await app.act(ARCHIVE)

    run(story)
    assert app.clinic.destroyed == []


def test_the_server_follows_a_question_and_leaves_a_yes_to_the_call_that_waits_for_it() -> None:
    app = App(start=None)

    async def story() -> None:
        async with anyio.create_task_group() as tasks:

            def start(work: Callable[[], Coroutine[object, object, None]]) -> None:
                tasks.start_soon(work)

            app.confirm.acts.start = start
            await waiting(app)
            app.board.answer(True)
            await anyio.sleep(2)
            assert app.clinic.destroyed == DONE
            app.clinic.gone.clear()
            app.confirm.channels.wait = 40
            tasks.start_soon(app.act, ARCHIVE, Caller(program="claude-code"))
            await anyio.sleep(2)
            app.board.answer(True)
            await anyio.sleep(2)
            tasks.cancel_scope.cancel()

    in_virtual_time(story)
    assert app.clinic.destroyed == DONE * 2


def test_a_call_that_comes_back_right_after_the_yes_carries_it_out_itself() -> None:
    app = App(start=None)

    async def story() -> None:
        async with anyio.create_task_group() as tasks:

            def start(work: Callable[[], Coroutine[object, object, None]]) -> None:
                tasks.start_soon(work)

            app.confirm.acts.start = start
            await waiting(app)
            app.board.answer(True)
            await anyio.sleep(0.35)
            await app.act(ARCHIVE)
            (ended,) = app.questions.recent()
            assert (ended.ending, ended.told) == ("done", True)
            tasks.cancel_scope.cancel()

    in_virtual_time(story)
    assert app.clinic.destroyed == DONE


@pytest.mark.parametrize(
    "again",
    [
        TWIN,
        ARCHIVE,
    ],
)
def test_a_no_reaches_the_old_name_of_the_same_thing(again: Any) -> None:
    app, form = App(), Form(YES)

    async def story() -> None:
        with pytest.raises(Declined):
            await app.act(ARCHIVE, Caller(asker=Form(NO)))
        with pytest.raises(Declined):
            await app.act(again, Caller(asker=form))

    run(story)
    assert (form.asked, app.clinic.destroyed) == ([], [])


def test_a_no_to_a_visit_reaches_every_note_reason_and_way_of_removing_it() -> None:
    app, form = App(), Form(*[YES] * 30)
    others = [
        *(
            call("cancel_individual_appointment", **VISIT, cancellation_reason="sick", cancellation_note=f"n{number}")
            for number in range(12)
        ),
        *(call("cancel_individual_appointment", **VISIT, cancellation_reason=reason) for reason in ("away", "work")),
        call("archive_individual_appointment", **VISIT),
        call("delete_individual_appointment", **VISIT),
    ]

    async def story() -> None:
        with pytest.raises(Declined):
            await app.act(CANCEL, Caller(asker=Form(NO)))
        for other in others:
            with pytest.raises(Declined):
                await app.act(other, Caller(asker=form))

    run(story)
    assert (form.asked, app.clinic.destroyed) == ([], [])


def test_twenty_wordings_about_one_record_are_one_question_and_leave_room_for_another() -> None:
    app = App()

    async def story() -> None:
        for number in range(20):
            note = call(
                "cancel_individual_appointment", **VISIT, cancellation_reason="sick", cancellation_note=f"n{number}"
            )
            await waiting(app, note)
        await waiting(app, ARCHIVE)

    run(story)
    assert len(app.questions.waiting()) == 2


def test_one_caller_cannot_fill_the_page_for_another() -> None:
    app = App()
    for number in range(100, 130):
        app.clinic.records["taxes"][str(number)] = {"id": str(number), "name": f"T{number}"}

    async def story() -> None:
        for number in range(100, 100 + MAX_SHOWN_EACH):
            await waiting(app, call("delete_tax", id=str(number)), principal="greedy")
        for number in range(120, 125):
            with pytest.raises(ApprovalNeeded, match="too many questions"):
                await app.act(call("delete_tax", id=str(number)), Caller(principal="greedy"))
        await waiting(app, ARCHIVE, principal="modest")

    run(story)


def test_not_like_this_lets_one_changed_question_through_and_no_more() -> None:
    app = App()
    changed = call("cancel_individual_appointment", **VISIT, cancellation_reason="away")
    third = call("cancel_individual_appointment", **VISIT, cancellation_reason="work")

    async def story() -> None:
        await waiting(app, CANCEL)
        (question,) = app.questions.waiting()
        assert app.questions.decide(question.question.challenge, False, "page", other=True)
        with pytest.raises(Declined, match="not like this"):
            await app.act(CANCEL)
        await waiting(app, changed)
        await waiting(app, changed)
        with pytest.raises(Declined):
            await app.act(third)
        app.board.answer(True)
        await app.goes_on()

    run(story)
    assert app.clinic.destroyed == [("PATCH", "/individual_appointments/20/cancel")]


def test_another_users_call_is_told_that_somebody_is_being_asked() -> None:
    app = App()

    async def story() -> None:
        question = await asked(app, principal="one", route="http")
        with pytest.raises(ApprovalNeeded, match="Somebody is being asked about this record"):
            await app.act(ARCHIVE, Caller(principal="two", route="http", asker=RoundTrip()))
        app.clock.pass_(seconds=51)
        await asked(app, principal="two", route="http")
        await app.act(ARCHIVE, Caller(principal="one", route="http", asker=RoundTrip(question.challenge, YES)))

    run(story)
    assert app.clinic.destroyed == DONE


def test_a_call_whose_act_failed_says_so_itself_and_is_asked_about_anew() -> None:
    app = App()

    async def fail() -> None:
        raise Rejected("No.")

    async def story() -> None:
        with pytest.raises(Rejected):
            await passed([app.confirm], on_its_way(ARCHIVE, Caller(asker=Form(YES)), clinic=app.clinic), fail)
        with pytest.raises(AskFirst):
            await app.act(ARCHIVE, Caller(asker=RoundTrip()))

    run(story)


def test_an_act_that_breaks_ends_its_question_and_the_break_goes_on() -> None:
    app = App()

    async def break_off() -> None:
        raise RuntimeError("broken")

    async def story() -> None:
        with pytest.raises(RuntimeError, match="broken"):
            await passed([app.confirm], on_its_way(ARCHIVE, Caller(asker=Form(YES)), clinic=app.clinic), break_off)
        (ended,) = app.questions.recent()
        assert (ended.ending, ended.problem, ended.told) == ("failed", None, True)

    run(story)


def test_a_call_that_is_made_again_while_its_act_goes_on_asks_nobody_and_hears_how_it_ends() -> None:
    app, first, second = App(), Form(YES), Form(YES)
    perform = app.clinic.perform

    async def slowly(called: Any, /) -> Any:
        if called.operation.risk is Risk.DESTRUCTIVE:
            await anyio.sleep(2)
        return await perform(called)

    app.clinic.perform = slowly  # type: ignore[method-assign]

    async def story() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(app.act, ARCHIVE, Caller(asker=first))
            await anyio.sleep(1)
            with pytest.raises(AlreadyDone, match=r"^Done: Archived at"):
                await app.act(ARCHIVE, Caller(asker=second))

    in_virtual_time(story)
    assert (len(first.asked), second.asked, app.clinic.destroyed) == (1, [], DONE)


def test_a_yes_that_is_being_carried_out_without_a_call_can_be_taken_back_no_more() -> None:
    app, seen = App(), list[object]()
    perform = app.clinic.perform

    async def watched(called: Any, /) -> Any:
        if called.operation.risk is Risk.DESTRUCTIVE:
            (now,) = app.questions.recent()
            seen.extend((now.acting, app.questions.unused(), app.questions.take_back(now.question.challenge)))
        return await perform(called)

    app.clinic.perform = watched  # type: ignore[method-assign]

    async def story() -> None:
        await waiting(app)
        app.board.answer(True)
        await app.goes_on()

    run(story)
    assert seen == [True, [], False] and app.clinic.destroyed == DONE
