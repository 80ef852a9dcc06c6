"""Nothing is archived, deleted or cancelled until a person has seen what it means and said yes."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

import anyio
import pytest

from cliniko_mcp.approvals.host_waits import UNKNOWN_SECONDS
from cliniko_mcp.approvals.questions import AskFirst, Question, Verdict
from cliniko_mcp.errors import AlreadyDone, ApprovalNeeded, Declined, NotAllowed, NotFound
from cliniko_mcp.guards.pipeline import Caller
from tests.client.virtual import run as in_virtual_time
from tests.guards.gate import App, Form, RoundTrip, call, run

ARCHIVE = call("archive_patient", id="1")
TWIN = call("delete_patient", id="1")
CANCEL = call("cancel_individual_appointment", id="20", cancellation_reason="sick", apply_to_repeats=True)
YES, NO, NONE = Verdict.YES, Verdict.NO, Verdict.NONE
DONE = [("POST", "/patients/1/archive")]


async def asked(app: App, called: Any = ARCHIVE, asker: Any = None, **more: Any) -> Question:
    with pytest.raises(AskFirst) as first:
        await app.act(called, Caller(asker=asker or RoundTrip(), **more))
    return first.value.question


def story_of(app: App, story: Callable[[App], Awaitable[Any]]) -> Any:
    return run(lambda: story(app))


def test_reads_and_writes_pass_unasked() -> None:
    app = App()
    run(lambda: app.act(call("list_patients")))
    run(lambda: app.act(call("update_patient", id="1", first_name="Bo")))
    assert app.clinic.reached == [("GET", "/patients"), ("PATCH", "/patients/{id}")]
    assert app.board.invited == 0


def test_a_yes_in_the_form_acts_once_and_leaves_its_channel() -> None:
    app, form = App(), Form(YES)
    passing = run(lambda: app.act(ARCHIVE, Caller(asker=form, program="Host")))
    assert app.clinic.destroyed == DONE
    assert passing.outcome.channel == "form"
    assert form.asked[0].title == "Archive this patient?"
    assert form.asked[0].text.startswith("Patient: Ana Lima, born 1984\n")
    # Whoever carries it out knows what was shown, and the record as it was.
    assert passing.outcome.told == form.asked[0].preview.text
    assert passing.outcome.before is not None and passing.outcome.before.id == "1"


def test_a_question_whose_form_is_given_up_when_the_server_stops_is_not_open_any_more() -> None:
    def stopping() -> Verdict:
        raise ApprovalNeeded("The server is being stopped.", "Call again.")

    app, form = App(), Form(stopping)
    with pytest.raises(ApprovalNeeded, match="being stopped"):
        run(lambda: app.act(ARCHIVE, Caller(asker=form)))
    assert app.questions.find(form.asked[0].challenge) is None
    assert app.clinic.destroyed == []


def test_a_no_in_the_form_ends_it_and_is_remembered_for_a_quarter_of_an_hour() -> None:
    app = App()

    async def story() -> None:
        with pytest.raises(Declined):
            await app.act(ARCHIVE, Caller(asker=Form(NO)))
        form = Form(YES)
        app.clock.pass_(minutes=14, seconds=59)
        with pytest.raises(Declined):
            await app.act(ARCHIVE, Caller(asker=form))
        assert form.asked == []
        app.clock.pass_(seconds=1)
        await app.act(ARCHIVE, Caller(asker=form))

    run(story)
    assert app.clinic.destroyed == DONE
    assert app.board.invited == 0


def test_a_no_holds_for_those_arguments_and_that_principal_only() -> None:
    app = App()

    async def story() -> None:
        with pytest.raises(Declined):
            await app.act(ARCHIVE, Caller(asker=Form(NO)))
        await app.act(call("archive_patient", id="2"), Caller(asker=Form(YES)))
        await app.act(ARCHIVE, Caller(principal="other", asker=Form(YES)))

    run(story)
    assert len(app.clinic.destroyed) == 2


@pytest.mark.parametrize("policy", ["auto", "strict", "block"])
@pytest.mark.parametrize("route", ["http", "stdio", "terminal"])
def test_without_anybody_to_ask_it_is_refused(policy: str, route: Literal["http", "stdio", "terminal"]) -> None:
    app = App(policy=policy, paged=False)
    with pytest.raises((ApprovalNeeded, NotAllowed)) as refused:
        run(lambda: app.act(ARCHIVE, Caller(route=route)))
    assert app.clinic.reached == []
    words = f"{refused.value.message} {refused.value.fix}"
    assert refused.value.code == ("not_allowed" if policy == "block" else "approval_needed")
    assert "allow-destroy" not in words
    assert "in Cliniko" in words


def test_block_asks_nobody_and_wins_over_the_operators_list() -> None:
    app, form = App(policy="block", allowed={"archive_patient"}), Form(YES)
    with pytest.raises(NotAllowed):
        run(lambda: app.act(ARCHIVE, Caller(asker=form)))
    assert (form.asked, app.board.invited, app.clinic.reached) == ([], 0, [])


def test_strict_passes_over_the_form_but_not_over_a_terminal() -> None:
    app, form = App(policy="strict"), Form(YES)
    with pytest.raises(ApprovalNeeded):
        run(lambda: app.act(ARCHIVE, Caller(asker=form)))
    assert (form.asked, app.board.invited) == ([], 1)
    app = App(policy="strict")
    passing = run(lambda: app.act(ARCHIVE, Caller(asker=Form(YES), route="terminal")))
    assert (passing.outcome.channel, app.clinic.destroyed) == ("terminal", DONE)


def test_strict_over_http_is_refused_even_where_a_form_could_be_shown() -> None:
    app, form = App(policy="strict"), Form(YES)
    with pytest.raises(ApprovalNeeded):
        run(lambda: app.act(ARCHIVE, Caller(asker=form, route="http")))
    assert (form.asked, app.board.invited) == ([], 0)


def test_the_page_is_only_for_the_person_at_this_computer() -> None:
    for route in ("http", "terminal"):
        app = App()
        with pytest.raises(ApprovalNeeded):
            run(lambda app=app, route=route: app.act(ARCHIVE, Caller(asker=Form(NONE), route=route)))
        assert app.board.invited == 0


def test_what_the_operator_listed_passes_unasked_and_says_so_but_its_twin_does_not() -> None:
    app = App(allowed={"archive_patient"})
    passing = run(lambda: app.act(ARCHIVE))
    assert (passing.outcome.channel, app.clinic.destroyed) == ("allowed", DONE)
    with pytest.raises(NotFound):
        run(lambda: app.act(TWIN))
    with pytest.raises(ApprovalNeeded):
        run(lambda: app.act(call("delete_patient", id="2")))
    assert app.clinic.destroyed == DONE


def test_a_form_without_an_answer_leads_to_the_page_and_a_later_call_finds_the_yes() -> None:
    app = App()

    async def story() -> None:
        with pytest.raises(ApprovalNeeded, match="It is on the page"):
            await app.act(ARCHIVE, Caller(asker=Form(NONE)))
        with pytest.raises(ApprovalNeeded):
            await app.act(ARCHIVE, Caller(asker=Form(NONE)))
        assert app.board.invited == 1
        app.board.answer(True)
        late = Form(NONE)
        passing = await app.act(ARCHIVE, Caller(asker=late))
        assert (passing.outcome.channel, late.asked) == ("page", [])

    run(story)
    assert app.clinic.destroyed == DONE


def test_a_yes_on_the_page_holds_for_ten_minutes_and_one_act() -> None:
    app = App()

    async def story() -> None:
        with pytest.raises(ApprovalNeeded):
            await app.act(ARCHIVE)
        app.board.answer(True)
        app.clock.pass_(minutes=10)
        with pytest.raises(ApprovalNeeded):
            await app.act(ARCHIVE)
        assert app.clinic.destroyed == []
        app.board.answer(True)
        app.clock.pass_(minutes=9, seconds=59)
        await app.act(ARCHIVE)
        with pytest.raises(AlreadyDone, match=r"^Done: Archived at 12:19 pm, approved on the approval page"):
            await app.act(ARCHIVE)
        app.clinic.gone.clear()
        app.clock.pass_(seconds=1)
        with pytest.raises(ApprovalNeeded):
            await app.act(ARCHIVE)

    run(story)
    assert app.clinic.destroyed == DONE


def test_a_no_on_the_page_is_found_by_a_later_call() -> None:
    app = App()

    async def story() -> None:
        with pytest.raises(ApprovalNeeded):
            await app.act(ARCHIVE)
        app.board.answer(False)
        with pytest.raises(Declined):
            await app.act(ARCHIVE)

    run(story)
    assert app.clinic.destroyed == []


@pytest.mark.parametrize("approved", [True, False])
def test_a_call_waits_at_the_page_with_progress(approved: bool) -> None:
    app = App(wait=40)
    told: list[tuple[float, float | None]] = []

    async def progress(done: float, total: float | None, message: str) -> None:
        assert message == "Waiting for a person to approve or deny."
        told.append((done, total))
        if len(told) == 3:
            app.board.answer(approved)

    async def story() -> None:
        await anyio.sleep(100)
        if approved:
            await app.act(ARCHIVE, Caller(progress=progress, program="claude-code"))
        else:
            with pytest.raises(Declined):
                await app.act(ARCHIVE, Caller(progress=progress, program="claude-code"))
        assert 106 <= anyio.current_time() < 107

    in_virtual_time(story)
    assert [round(done) for done, _ in told] == [2, 4, 6]
    assert {round(total or 0, 6) for _, total in told} == {40}
    assert app.clinic.destroyed == (DONE if approved else [])


def test_a_call_waits_no_longer_than_asked_for_and_never_more_than_50_seconds_in_all() -> None:
    async def waited(app: App, asker: Any) -> float:
        with pytest.raises(ApprovalNeeded):
            await app.act(ARCHIVE, Caller(asker=asker, program="Claude-AI"))
        return anyio.current_time()

    class Hanging(Form):
        def __init__(self, seconds: float) -> None:
            super().__init__()
            self.seconds = seconds

        async def ask(self, question: Question) -> Verdict:
            await anyio.sleep(self.seconds)
            return Verdict.NONE

    assert in_virtual_time(lambda: waited(App(wait=40), None)) == pytest.approx(40)
    assert in_virtual_time(lambda: waited(App(wait=3.05), None)) == pytest.approx(3.05)
    assert in_virtual_time(lambda: waited(App(wait=0), None)) == 0
    assert in_virtual_time(lambda: waited(App(wait=40), Hanging(3))) == pytest.approx(43)
    assert in_virtual_time(lambda: waited(App(wait=40), Hanging(30))) == pytest.approx(50)
    assert in_virtual_time(lambda: waited(App(wait=40), Hanging(1_000))) == pytest.approx(50)


def test_a_person_at_a_terminal_may_take_their_time() -> None:
    class Slow(Form):
        async def ask(self, question: Question) -> Verdict:
            await anyio.sleep(500)
            return Verdict.YES

    app = App()
    in_virtual_time(lambda: app.act(ARCHIVE, Caller(asker=Slow(), route="terminal")))
    assert app.clinic.destroyed == DONE


def test_in_the_newer_era_the_question_goes_out_and_its_answer_acts_once() -> None:
    app = App()

    async def story() -> None:
        question = await asked(app)
        await app.act(ARCHIVE, Caller(asker=RoundTrip(question.challenge, YES)))
        app.clinic.gone.clear()
        again = await asked(app, asker=RoundTrip(question.challenge, YES))
        assert again.challenge != question.challenge

    run(story)
    assert app.clinic.destroyed == DONE


def test_in_the_newer_era_a_no_is_a_no() -> None:
    app = App()

    async def story() -> None:
        question = await asked(app)
        with pytest.raises(Declined):
            await app.act(ARCHIVE, Caller(asker=RoundTrip(question.challenge, NO)))
        with pytest.raises(Declined):
            await app.act(ARCHIVE, Caller(asker=RoundTrip(question.challenge, YES)))

    run(story)
    assert app.clinic.destroyed == []


def test_a_call_that_waits_is_told_at_once_when_a_newer_question_takes_the_place_of_its_own() -> None:
    app = App(wait=40)

    async def first() -> None:
        with pytest.raises(ApprovalNeeded, match="a newer question about the same record has taken its place"):
            await app.act(CANCEL, Caller(program="claude-code"))
        assert anyio.current_time() < 1.5

    async def story() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(first)
            await anyio.sleep(1)
            newer = call("cancel_individual_appointment", id="20", cancellation_reason="away")
            with pytest.raises(ApprovalNeeded, match="has been asked"):
                await app.act(newer, Caller(program="claude-code"))

    in_virtual_time(story)


def test_a_host_that_nobody_knows_is_answered_within_its_seconds_however_long_reading_took() -> None:
    app = App(wait=40)
    perform = app.clinic.perform

    async def slowly(called: Any, /) -> Any:
        await anyio.sleep(1)
        return await perform(called)

    app.clinic.perform = slowly  # type: ignore[method-assign]

    async def waited() -> float:
        with pytest.raises(ApprovalNeeded):
            await app.act(ARCHIVE, Caller(program="mcp"))
        return anyio.current_time()

    assert in_virtual_time(waited) == pytest.approx(UNKNOWN_SECONDS)
