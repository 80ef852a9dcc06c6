"""A challenge is good for one call of one person, of what was shown, once: not forged, changed, late or doubled."""

from typing import Any

import anyio
import pytest

from cliniko_mcp.approvals.question_table import MAX_SHOWN_EACH
from cliniko_mcp.approvals.questions import Question, Verdict
from cliniko_mcp.errors import AlreadyDone, ApprovalNeeded, Declined, NotFound
from cliniko_mcp.guards.pipeline import Caller
from tests.client.virtual import run as in_virtual_time
from tests.guards.gate import App, Form, RoundTrip, call, on_its_way, passed, run
from tests.guards.test_confirm import ARCHIVE, CANCEL, DONE, NO, NONE, TWIN, YES, asked


@pytest.mark.parametrize(
    ("called", "caller"),
    [
        (TWIN, {}),
        (call("archive_patient", id="2"), {}),
        (CANCEL, {}),
        (ARCHIVE, {"principal": "somebody else"}),
    ],
)
def test_a_challenge_is_good_for_its_own_call_and_person_only(called: Any, caller: dict[str, Any]) -> None:
    app = App()

    async def story() -> None:
        question = await asked(app)
        app.clock.pass_(seconds=51)  # by then another user's call may be asked about the same record
        other = await asked(app, called, RoundTrip(question.challenge, YES), **caller)
        assert other.challenge != question.challenge
        if called is TWIN:
            with pytest.raises(ApprovalNeeded, match="a newer question about the same record"):
                await app.act(ARCHIVE, Caller(asker=RoundTrip(question.challenge, YES)))
        else:
            await app.act(ARCHIVE, Caller(asker=RoundTrip(question.challenge, YES)))

    run(story)
    assert app.clinic.destroyed == ([] if called is TWIN else DONE)


def test_a_challenge_is_bound_to_every_argument() -> None:
    app = App()

    async def story() -> None:
        question = await asked(app, CANCEL)
        for change in ({"apply_to_repeats": False}, {"cancellation_reason": "away"}, {"cancellation_note": "x"}):
            arguments = {"id": "20", "cancellation_reason": "sick", "apply_to_repeats": True} | change
            other = call("cancel_individual_appointment", **arguments)
            await asked(app, other, RoundTrip(question.challenge, YES))

    run(story)
    assert app.clinic.destroyed == []


def test_the_same_arguments_written_differently_are_the_same() -> None:
    app = App()

    async def story() -> None:
        question = await asked(app, CANCEL)
        again = call("cancel_individual_appointment", apply_to_repeats=True, cancellation_reason=30, id=20)
        await app.act(again, Caller(asker=RoundTrip(question.challenge, YES)))

    run(story)
    assert app.clinic.destroyed == [("PATCH", "/individual_appointments/20/cancel")]


def test_a_made_up_or_expired_challenge_only_leads_to_a_new_question() -> None:
    app = App()

    async def story() -> None:
        for forged in ("", "x", "0" * 64):
            assert (await asked(app, asker=RoundTrip(forged, YES))).challenge != forged
        question = await asked(app)
        app.clock.pass_(minutes=10)
        assert (await asked(app, asker=RoundTrip(question.challenge, YES))).challenge != question.challenge

    run(story)
    assert app.clinic.destroyed == []


def test_a_challenge_whose_facts_have_changed_is_burnt_even_if_they_change_back() -> None:
    app = App()

    async def story() -> None:
        question = await asked(app)
        patient = app.clinic.records["patients"]["1"]
        patient["last_name"] = "Silva"
        changed = await asked(app, asker=RoundTrip(question.challenge, YES))
        assert "Silva" in changed.text
        patient["last_name"] = "Lima"
        await asked(app, asker=RoundTrip(question.challenge, YES))
        await asked(app, asker=RoundTrip(changed.challenge, YES))

    run(story)
    assert app.clinic.destroyed == []


def test_a_series_that_grew_while_the_person_thought_is_asked_about_anew() -> None:
    app = App()
    rows = app.clinic.records["individual_appointments"]

    def grow() -> Verdict:
        rows["23"] = rows["22"] | {"id": "23"}
        return YES

    form = Form(grow, YES)
    run(lambda: app.act(CANCEL, Caller(asker=form)))
    assert ["2 later" in form.asked[0].text, "3 later" in form.asked[1].text] == [True, True]
    assert app.clinic.destroyed == [("PATCH", "/individual_appointments/20/cancel")]
    assert [asked.ending for asked in app.questions.recent()] == ["done", "changed"]


def test_what_keeps_changing_is_given_up() -> None:
    app = App()

    def change() -> Verdict:
        app.clinic.records["patients"]["1"]["notes"] = str(len(form.asked))
        return YES

    form = Form(*[change] * 10)
    with pytest.raises(ApprovalNeeded, match="has changed since"):
        run(lambda: app.act(ARCHIVE, Caller(asker=form)))
    assert (len(form.asked), app.clinic.destroyed) == (3, [])


@pytest.mark.parametrize(("took", "times"), [(45, 2), (45.1, 1)])
def test_a_person_is_not_asked_anew_in_the_last_moments_of_a_call(took: float, times: int) -> None:
    app = App()

    class Slow(Form):
        async def ask(self, question: Question) -> Verdict:
            self.asked.append(question)
            await anyio.sleep(took if len(self.asked) == 1 else 0)
            app.clinic.records["patients"]["1"]["notes"] = f"changed {len(self.asked)} times"
            return YES if len(self.asked) == 1 else NO

    form = Slow()
    with pytest.raises(ApprovalNeeded if times == 1 else Declined):
        in_virtual_time(lambda: app.act(ARCHIVE, Caller(asker=form)))
    assert (len(form.asked), app.clinic.destroyed) == (times, [])


def test_a_page_question_whose_facts_changed_is_replaced() -> None:
    app = App()

    async def story() -> None:
        with pytest.raises(ApprovalNeeded):
            await app.act(ARCHIVE)
        app.board.answer(True)
        app.clinic.records["patients"]["1"]["last_name"] = "Silva"
        with pytest.raises(ApprovalNeeded):
            await app.act(ARCHIVE)
        (waiting,) = app.questions.waiting()
        assert "Silva" in waiting.question.text
        assert app.board.invited == 2

    run(story)
    assert app.clinic.destroyed == []


def test_a_target_that_was_archived_meanwhile_is_not_found_and_nothing_is_sent() -> None:
    app = App()

    def elsewhere() -> Verdict:
        app.clinic.gone.add(("patients", "1"))
        return YES

    with pytest.raises(NotFound):
        run(lambda: app.act(ARCHIVE, Caller(asker=Form(elsewhere))))
    assert app.clinic.reached == []


@pytest.mark.parametrize("second", [ARCHIVE, TWIN])
def test_two_simultaneous_yeses_act_once(second: Any) -> None:
    app = App()
    errors: list[Exception] = []

    async def one(called: Any) -> None:
        try:
            await app.act(called, Caller(asker=Form(YES)))
        except (AlreadyDone, ApprovalNeeded) as problem:
            errors.append(problem)

    async def story() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(one, ARCHIVE)
            tasks.start_soon(one, second)

    run(story)
    assert (len(app.clinic.destroyed), len(errors)) == (1, 1)


def test_two_calls_that_wait_for_one_question_act_once() -> None:
    app = App(wait=5)
    outcomes: list[str] = []

    async def one() -> None:
        try:
            await app.act(ARCHIVE)
            outcomes.append("done")
        except AlreadyDone:
            outcomes.append("done before")

    async def story() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(one)
            tasks.start_soon(one)
            await anyio.sleep(1)
            assert len(app.questions.waiting()) == 1
            app.board.answer(True)

    in_virtual_time(story)
    assert sorted(outcomes) == ["done", "done before"]
    assert app.clinic.destroyed == DONE


def test_the_same_challenge_answered_twice_at_once_acts_once() -> None:
    app = App()
    errors: list[BaseException] = []

    async def story() -> None:
        question = await asked(app)

        async def one() -> None:
            try:
                await app.act(ARCHIVE, Caller(asker=RoundTrip(question.challenge, YES)))
            except AlreadyDone as problem:
                errors.append(problem)

        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(one)

    run(story)
    assert app.clinic.destroyed == DONE
    assert len(errors) == 4


def test_a_used_yes_is_not_given_back_when_the_act_fails() -> None:
    app = App()
    attempts: list[int] = []

    async def fail() -> None:
        attempts.append(1)
        raise NotFound("No.")

    async def story() -> None:
        with pytest.raises(ApprovalNeeded):
            await app.act(ARCHIVE)
        app.board.answer(True)
        with pytest.raises(NotFound):
            await passed([app.confirm], on_its_way(ARCHIVE, clinic=app.clinic), fail)
        with pytest.raises(ApprovalNeeded):
            await app.act(ARCHIVE)

    run(story)
    assert attempts == [1]
    assert app.clinic.destroyed == []


def test_more_questions_than_a_person_can_read_are_not_put_to_them() -> None:
    app = App()
    for number in range(100, 100 + MAX_SHOWN_EACH + 1):
        app.clinic.records["taxes"][str(number)] = {"id": str(number), "name": f"T{number}"}

    async def story() -> None:
        for number in range(100, 100 + MAX_SHOWN_EACH):
            with pytest.raises(ApprovalNeeded, match="It is on the page"):
                await app.act(call("delete_tax", id=str(number)))
        with pytest.raises(ApprovalNeeded, match="too many questions"):
            await app.act(call("delete_tax", id=str(100 + MAX_SHOWN_EACH)))

    run(story)
    assert len(app.questions.waiting()) == MAX_SHOWN_EACH
    assert app.clinic.destroyed == []


def test_questions_turned_away_push_none_off_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cliniko_mcp.approvals.question_table.MAX_SHOWN_EACH", 1)
    monkeypatch.setattr("cliniko_mcp.approvals.question_table.MAX_KEPT", 3)
    app = App()

    async def story() -> None:
        with pytest.raises(ApprovalNeeded, match="It is on the page"):
            await app.act(ARCHIVE)
        for _ in range(5):
            with pytest.raises(ApprovalNeeded, match="too many questions"):
                await app.act(call("archive_patient", id="2"))

    run(story)
    assert [question.matter.operation for question in app.questions.waiting()] == ["archive_patient"]


def test_a_question_that_came_back_without_an_answer_is_used_up() -> None:
    app = App(paged=False)

    async def story() -> None:
        question = await asked(app)
        with pytest.raises(ApprovalNeeded):
            await app.act(ARCHIVE, Caller(asker=RoundTrip(question.challenge, NONE)))
        assert (await asked(app, asker=RoundTrip(question.challenge, YES))).challenge != question.challenge

    run(story)
    assert app.clinic.destroyed == []


def test_a_question_that_never_reached_the_page_cannot_be_answered_there() -> None:
    app = App()

    async def story() -> None:
        question = await asked(app)
        assert app.questions.waiting() == []
        assert not app.questions.decide(question.challenge, True, "page")

    run(story)


@pytest.mark.parametrize(("approved", "verdict"), [(True, YES), (False, NO)])
def test_an_answer_on_the_page_is_taken_once_and_as_given(approved: bool, verdict: Verdict) -> None:
    app = App()
    with pytest.raises(ApprovalNeeded):
        run(lambda: app.act(ARCHIVE))
    (waiting,) = app.questions.waiting()
    answers = [
        app.questions.decide(waiting.question.challenge, answer, "terminal") for answer in (approved, not approved)
    ]
    assert answers == [True, False]
    assert (waiting.verdict, waiting.place) == (verdict, "terminal")


def test_a_cancelled_call_leaves_nothing_done() -> None:
    app = App(wait=40)

    async def story() -> None:
        with anyio.move_on_after(1):
            await app.act(ARCHIVE)
        app.board.answer(True)

    in_virtual_time(story)
    assert app.clinic.destroyed == []
