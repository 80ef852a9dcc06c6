"""A question about an update lives as every other: carried out without a call, refused in whatever words, told once."""

from typing import Any

import anyio
import pytest

from cliniko_mcp.approvals.effect_rules import EMPTIED
from cliniko_mcp.approvals.effects import TABLE
from cliniko_mcp.approvals.ledger import LocalLedger
from cliniko_mcp.approvals.questions import AS_GOOD_AS_REMOVED, AskFirst, Question, Verdict
from cliniko_mcp.errors import AlreadyDone, ApprovalNeeded, Declined
from cliniko_mcp.guards.confirm import Confirm
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.guards.memory import Memory
from cliniko_mcp.guards.pipeline import Caller
from tests.client.virtual import run as in_virtual_time
from tests.guards.every_kind import NOTE, PATIENT_FIELDS, an_app, asked_about, content
from tests.guards.gate import App, Board, Form, RoundTrip, call, run
from tests.guards.test_bursts import Busy
from tests.guards.test_sent_once import CALL, VISIT, Front, done, too_many

EMPTYING = call("update_patient", id="3", clear=PATIENT_FIELDS)
SHORTENING = call("update_treatment_note", id="27", content=content("x"))


async def waits(app: App, called: Any) -> None:
    with pytest.raises(ApprovalNeeded, match="a person has been asked"):
        await app.act(called)


def test_a_yes_on_the_page_is_carried_out_without_a_call_and_told_once() -> None:
    app = an_app()

    async def story() -> None:
        await waits(app, EMPTYING)
        app.board.answer(True)
        await app.goes_on()
        (update,) = app.clinic.updates
        assert "email" not in update.after
        with pytest.raises(AlreadyDone, match="approved on the approval page"):
            await app.act(EMPTYING)
        # Nothing is lost by it any more.
        await app.act(EMPTYING)

    run(story)


def test_what_changed_meanwhile_is_not_done_and_shown_as_it_is_now() -> None:
    app = an_app()

    async def story() -> None:
        await waits(app, EMPTYING)
        app.board.answer(True)
        app.clinic.records["patients"]["3"]["email"] = "new@example.com"
        await app.goes_on()
        assert app.clinic.updates == []
        (question,) = app.questions.waiting()
        assert "new@example.com" in question.question.text

    run(story)


def test_a_yes_to_what_is_lost_by_then_does_nothing() -> None:
    app = an_app()

    async def story() -> None:
        await waits(app, EMPTYING)
        app.board.answer(True)
        for name in PATIENT_FIELDS:
            app.clinic.records["patients"]["3"].pop(name)
        await app.goes_on()
        assert app.clinic.updates == []
        (ended,) = app.questions.recent()
        assert ended.ending == "changed"

    run(story)


@pytest.mark.parametrize(
    "again",
    [
        SHORTENING,
        call("update_treatment_note", id="27", content=content("y")),
        call("update_treatment_note", id="27", clear=["content"]),
        call("update_treatment_note", id="27", content=content("y"), patient_id="3"),
    ],
)
def test_a_no_holds_for_the_record_and_the_effect_in_whatever_words(again: Any) -> None:
    app, form = an_app(), Form(Verdict.YES)

    async def story() -> None:
        with pytest.raises(Declined):
            await app.act(SHORTENING, Caller(asker=Form(Verdict.NO)))
        with pytest.raises(Declined):
            await app.act(again, Caller(asker=form))
        await app.act(call("update_treatment_note", id="27", content=content(NOTE[:200])), Caller(asker=form))

    run(story)
    assert (form.asked, len(app.clinic.updates)) == ([], 1)


async def fill(app: Busy, many: int = 30) -> None:
    for number in range(many):
        await app.act(call("update_patient", id=str(100 + number), city="Perth"))


ONE_MORE = call("update_patient", id="130", city="Perth")


def test_a_yes_to_many_changes_counts_when_the_minute_is_over() -> None:
    app = Busy()
    app.confirm.acts.start = app.keep

    async def story() -> None:
        await fill(app)
        await waits(app, ONE_MORE)
        app.seconds.now += 90
        app.board.answer(True)
        await app.goes_on()
        assert len(app.clinic.updates) == 31
        (ended,) = app.questions.recent()
        assert (ended.ending, ended.question.preview.done) == ("done", "Allowed")
        for number in range(31, 70):
            await app.act(call("update_patient", id=str(100 + number), city="Perth"))

    run(story)


def test_a_no_to_many_changes_counts_when_the_minute_is_over_and_after_a_yes() -> None:
    app = Busy()

    async def asked(called: Any) -> Question:
        with pytest.raises(AskFirst) as first:
            await app.act(called, Caller(asker=RoundTrip(), route="http"))
        return first.value.question

    async def answered(called: Any, question: Question, verdict: Verdict) -> None:
        await app.act(called, Caller(asker=RoundTrip(question.challenge, verdict), route="http"))

    async def story() -> None:
        await fill(app)
        other = call("update_patient", id="131", city="Perth")
        one, two = await asked(ONE_MORE), await asked(other)
        app.seconds.now += 90
        await answered(ONE_MORE, one, Verdict.YES)
        with pytest.raises(Declined):
            await answered(other, two, Verdict.NO)
        await fill(app, 29)
        with pytest.raises(Declined):
            await app.act(other, Caller(asker=RoundTrip(), route="http"))
        assert len(app.clinic.updates) == 60

    run(story)


def test_what_is_carried_out_without_a_call_is_sent_once_and_after_a_429_once_more_on_another_look() -> None:
    front = Front(too_many, done)
    board, work = Board(front.questions), list[Any]()

    async def story() -> None:
        async with front.account.clinic(200) as client:
            confirm = Confirm(LocalLedger(front.questions), now=client.now, wait=0, page=board, start=work.append)
            clinic = GuardedClinic(client, [confirm], Caller(), "some_tool", Memory(anyio.current_time, client.now))
            with pytest.raises(ApprovalNeeded):
                await clinic.perform(CALL)
            board.answer(True)
            for follow in work:
                await follow()

    in_virtual_time(story)
    (ended,) = front.questions.recent()
    assert (ended.ending, front.cancelled) == ("done", 2)
    sent = [at for at, request in enumerate(front.account.asked) if request.endswith("/cancel")]
    readings = front.account.asked.count(f"GET /individual_appointments/{VISIT}")
    assert (readings, f"GET /individual_appointments/{VISIT}" in front.account.asked[sent[0] : sent[1]]) == (3, True)


AWAY = {"starts_at": "1999-01-01T09:00:00Z", "clear": ["ends_at"]}
AS_GOOD_AS: list[tuple[Any, Any]] = [
    (call("archive_patient", id="3"), EMPTYING),
    (call("archive_treatment_note", id="27"), SHORTENING),
    (call("delete_treatment_note", id="27"), SHORTENING),
    (call("archive_medical_alert", id="26"), call("update_medical_alert", id="26", name="-")),
    (
        call("cancel_individual_appointment", id="20", cancellation_reason="sick"),
        call("update_individual_appointment", id="20", **AWAY),
    ),
    (call("archive_individual_appointment", id="20"), call("update_individual_appointment", id="20", **AWAY)),
    (call("archive_group_appointment", id="30"), call("update_group_appointment", id="30", **AWAY)),
    (call("archive_business", id="9"), call("update_business", id="9", appointment_type_ids=[])),
    (call("archive_appointment_type", id="8"), call("update_appointment_type", id="8", practitioner_ids=[])),
    (call("archive_patient_form", id="28"), call("update_patient_form", id="28", patient_form_template_id="34")),
    (
        call("archive_treatment_note_template", id="33"),
        call("update_treatment_note_template", id="33", content={"sections": [{"name": "S"}]}),
    ),
]


@pytest.mark.parametrize(("removal", "update"), AS_GOOD_AS, ids=lambda called: called.operation.name)
def test_a_no_to_a_removal_holds_for_an_update_that_leaves_as_little(removal: Any, update: Any) -> None:
    app = an_app()
    assert len(asked_about(app, removal, Verdict.NO)[0]) == 1
    assert asked_about(app, update, Verdict.YES) == ([], False)


@pytest.mark.parametrize(("removal", "update"), AS_GOOD_AS, ids=lambda called: called.operation.name)
def test_a_no_to_such_an_update_leaves_the_removal_to_be_asked_about(removal: Any, update: Any) -> None:
    app = an_app()
    assert len(asked_about(app, update, Verdict.NO)[0]) == 1
    assert len(asked_about(app, removal)[0]) == 1


def test_a_no_to_a_removal_says_nothing_about_another_change_or_another_record() -> None:
    app = an_app()
    asked_about(app, call("archive_individual_appointment", id="20"), Verdict.NO)
    assert len(asked_about(app, call("update_individual_appointment", id="20", patient_id="3"))[0]) == 1
    assert len(asked_about(app, call("update_individual_appointment", id="21", **AWAY))[0]) == 1


def test_what_counts_as_a_removal_are_rules_of_the_table() -> None:
    names = {rule.name for own in TABLE.values() for rule in own} | {EMPTIED.name}
    assert names >= AS_GOOD_AS_REMOVED
    assert names - AS_GOOD_AS_REMOVED == {"answers", "link", "patient", "removed", "reopened", "series", "zone"}


def test_an_answer_to_another_question_does_not_stop_an_update_that_nobody_is_asked_about() -> None:
    app = an_app()

    async def story() -> None:
        with pytest.raises(AskFirst) as first:
            await app.act(EMPTYING, Caller(asker=RoundTrip(), route="http"))
        answered = RoundTrip(first.value.question.challenge, Verdict.YES)
        await app.act(call("update_patient", id="3", city="Ayr"), Caller(asker=answered, route="http"))

    run(story)
    (update,) = app.clinic.updates
    assert (update.after["city"], update.after["email"]) == ("Ayr", "ida@example.com")
