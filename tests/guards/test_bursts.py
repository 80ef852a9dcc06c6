"""Many small changes are seen as the large one they are: bursts, and records and texts that shrink step by step."""

from contextlib import suppress
from typing import Any

import anyio
import pytest

from cliniko_mcp.approvals.question_table import Questions
from cliniko_mcp.approvals.questions import Verdict
from cliniko_mcp.errors import ApprovalNeeded, ClinikoMcpError, Declined, NotAllowed, NotFound, Rejected
from cliniko_mcp.guards.confirm import Confirm
from cliniko_mcp.guards.effects import BURST, Effects
from cliniko_mcp.guards.pipeline import Caller
from tests.guards.every_kind import NOTE, PATIENT_FIELDS, an_app, asked_about, content
from tests.guards.gate import App, Form, call, run


class Ticking:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Busy(App):
    """The small clinic on a clock of its own, with a hundred patients more."""

    def __init__(self, **options: Any) -> None:
        self.seconds = Ticking()
        super().__init__(**options)
        self.confirm = Confirm(
            self.ledger,
            now=self.clock,
            page=self.board,
            wait=options.get("wait", 0),
            policy=options.get("policy", "auto"),
            allowed=options.get("allowed", frozenset()),
            effects=Effects(self.clock, self.seconds),
        )
        patient = self.clinic.records["patients"]["1"]
        self.clinic.records["patients"] |= {str(100 + n): {**patient, "id": str(100 + n)} for n in range(100)}


def changing(app: App, numbers: range, answer: Verdict = Verdict.NONE, principal: str = "local") -> tuple[int, int]:
    """How many questions so many changes of patients led to, and how many of them reached the clinic."""
    form, before = Form(*[answer] * len(numbers)), len(app.clinic.reached)

    async def story() -> None:
        for number in numbers:
            try:
                called = call("update_patient", id=str(100 + number), city="Perth")
                await app.act(called, Caller(principal, asker=form, route="http"))
            except ClinikoMcpError:
                pass

    run(story)
    return len(form.asked), len(app.clinic.reached) - before


def test_thirty_records_of_a_kind_may_be_changed_within_a_minute_and_then_a_person_is_asked_once_for_the_lot() -> None:
    app = Busy()
    assert changing(app, range(BURST)) == (0, 30)
    assert changing(app, range(30, 31)) == (1, 0)
    assert changing(app, range(10)) == (0, 10), "those of the thirty may be changed again"
    assert changing(app, range(30, 90), Verdict.YES) == (1, 60)


def test_a_no_to_a_burst_ends_it() -> None:
    app = Busy()
    assert changing(app, range(40), Verdict.NO) == (1, 30)


def test_a_yes_to_a_burst_is_for_this_kind_this_caller_and_ten_minutes() -> None:
    app = Busy()
    assert changing(app, range(40), Verdict.YES) == (1, 40)
    assert changing(app, range(40), principal="another") == (10, 30)
    app.seconds.now += 599
    assert changing(app, range(40)) == (0, 40)
    app.seconds.now += 1
    assert changing(app, range(40, 80)) == (40, 0)


def test_a_minute_later_thirty_more_may_be_changed() -> None:
    app = Busy()
    changing(app, range(30))
    app.seconds.now += 59.9
    assert changing(app, range(30, 31)) == (1, 0)
    app.seconds.now += 0.1
    assert changing(app, range(30, 60)) == (0, 30)


def test_the_same_record_counts_once_and_attendance_and_new_records_do_not_count() -> None:
    app = Busy()
    app.clinic.records["attendees"] |= {str(n): {"id": str(n), "patient_id": "1"} for n in range(500, 540)}

    async def story() -> None:
        for _ in range(40):
            await app.act(call("update_patient", id="1", city="Perth"))
        for number in range(500, 540):
            await app.act(call("update_attendee", id=str(number), arrived=True))
        for _ in range(40):
            await app.act(call("create_patient", first_name="A", last_name="B"))

    run(story)
    assert changing(app, range(29)) == (0, 29)


def test_many_at_once_are_asked_about_once() -> None:
    app = Busy()
    form = Form(*[Verdict.YES] * 60)

    async def one(number: int) -> None:
        await app.act(call("update_patient", id=str(100 + number), city="Perth"), Caller(asker=form, route="http"))

    async def story() -> None:
        async with anyio.create_task_group() as tasks:
            for number in range(60):
                tasks.start_soon(one, number)

    run(story)
    assert (len(form.asked), len(app.clinic.reached)) == (1, 60)
    assert form.asked[0].text.startswith("30 patients were changed within a minute")


def test_on_the_page_a_burst_is_one_question_too() -> None:
    app = Busy(wait=0)

    async def story() -> None:
        for number in range(40):
            with suppress(ApprovalNeeded):
                await app.act(call("update_patient", id=str(100 + number), city="Perth"))

    run(story)
    assert len(app.questions.waiting()) == 1
    app.board.answer(True)
    run(story)
    assert len(app.clinic.reached) == 30 + 40


def test_fields_emptied_one_by_one_are_added_up() -> None:
    app, asked, emptied = an_app(), [], []
    for name in PATIENT_FIELDS:
        questions, reached = asked_about(app, call("update_patient", id="3", clear=[name]))
        asked += questions
        if reached:
            emptied.append(name)
    # Of ten things that it held, five may go.
    assert (len(emptied), len(asked)) == (5, 2)


def test_a_text_shortened_step_by_step_is_measured_against_what_it_was() -> None:
    app, lengths = an_app(), []
    for length in (200, 100, 55, 45, 30):
        questions, _ = asked_about(app, call("update_treatment_note", id="27", content=content(NOTE[:length])))
        lengths.append((length, len(questions)))
    assert lengths[:2] == [(200, 0), (100, 0)]
    assert lengths[-1] == (30, 1)


@pytest.mark.parametrize(
    ("name", "arguments", "changed", "why"),
    [
        ("update_treatment_note", {"id": "27", "clear": ["content"]}, {"draft": False}, "final note"),
        ("update_individual_appointment", {"id": "20", "starts_at": "2020-01-01T09:00:00Z",
                                           "ends_at": "2020-01-01T08:00:00Z"}, {}, "end before it starts"),
        ("update_communication", {"id": "32", "patient_id": "3"}, {"category_code": 3}, "only memos"),
    ],
)  # fmt: skip
def test_what_cliniko_is_known_to_refuse_is_refused_before_anybody_is_asked(
    name: str, arguments: dict[str, Any], changed: dict[str, Any], why: str
) -> None:
    app = an_app()
    module = {"27": "treatment_notes", "20": "individual_appointments", "32": "communications"}[arguments["id"]]
    app.clinic.records[module][arguments["id"]].update(changed)
    with pytest.raises(Rejected, match=why) as refused:
        asked_about(app, call(name, **arguments))
    assert "nobody was asked" in refused.value.fix
    assert app.clinic.reached == []


def test_an_archived_patient_is_not_put_into_a_visit() -> None:
    app = an_app()
    app.clinic.records["patients"]["3"]["archived_at"] = "2026-01-01T00:00:00Z"
    with pytest.raises(Rejected, match="archived patients cannot be booked"):
        asked_about(app, call("update_individual_appointment", id="20", patient_id="3"))


EMPTYING = call("update_patient", id="3", clear=PATIENT_FIELDS)


def test_block_refuses_what_would_be_asked_about_and_nothing_else() -> None:
    app = an_app(policy="block")
    with pytest.raises(NotAllowed, match="takes this much away is switched off"):
        asked_about(app, EMPTYING)
    assert asked_about(app, call("update_patient", id="3", city="Perth")) == ([], True)
    busy = Busy(policy="block")
    assert changing(busy, range(40)) == (0, 30)


def test_an_update_that_the_operator_allowed_empties_records_and_goes_on_unasked_and_no_other_does() -> None:
    app = an_app(allowed=frozenset({"update_patient"}))

    async def story() -> Any:
        return await app.act(EMPTYING, Caller(route="http"))

    passed = run(story)
    assert (passed.outcome.channel, passed.outcome.effect) == ("allowed", "emptied")
    assert asked_about(app, call("update_individual_appointment", id="20", patient_id="3"))[1] is False
    assert changing(Busy(allowed=frozenset({"update_patient"})), range(40)) == (0, 40)


def test_a_record_that_cannot_be_found_is_not_changed_unseen_and_a_hidden_one_is_looked_at() -> None:
    app = an_app()
    with pytest.raises(NotFound, match="no live record with id 999"):
        asked_about(app, call("update_patient", id="999", clear=PATIENT_FIELDS))
    assert app.clinic.reached == []
    app.clinic.gone.add(("patients", "3"))
    questions, reached = asked_about(app, EMPTYING)
    assert (len(questions), reached) == (1, False)


def test_an_everyday_change_reads_nothing_in_addition() -> None:
    app, reads = an_app(), []
    app.clinic.before_read = lambda: reads.append("read")
    for name, arguments in (
        ("update_patient", {"id": "3", "city": "Perth", "clear": ["notes"]}),
        ("update_individual_appointment", {"id": "20", "starts_at": "2026-11-23T06:00:00Z", "clear": ["ends_at"]}),
        ("update_business", {"id": "9", "city": "Sydney"}),
        ("update_attendee", {"id": "40", "arrived": True}),
    ):
        assert asked_about(app, call(name, **arguments)) == ([], True)
    assert reads == []


def test_a_no_and_a_yes_are_for_exactly_what_was_shown() -> None:
    app = an_app()
    with pytest.raises(Declined):

        async def story() -> None:
            for _ in range(2):
                await app.act(EMPTYING, Caller(asker=Form(Verdict.NO), route="http"))

        run(story)
    assert isinstance(app.questions, Questions)


def test_what_was_shown_and_then_changed_is_asked_about_again() -> None:
    app = an_app()

    def changed() -> Verdict:
        app.clinic.records["patients"]["3"]["email"] = "new@example.com"
        return Verdict.YES

    form = Form(changed, Verdict.NONE)

    async def story() -> None:
        await app.act(EMPTYING, Caller(asker=form, route="http"))

    with pytest.raises((ApprovalNeeded, NotFound)):
        run(story)
    assert "new@example.com" in form.asked[1].text
    assert app.clinic.reached == []


def test_a_visit_that_ends_before_it_starts_can_be_given_away_where_its_times_are_left_alone() -> None:
    app = an_app()
    app.clinic.records["individual_appointments"]["20"]["ends_at"] = "2026-11-23T22:00:00Z"
    questions, _ = asked_about(app, call("update_individual_appointment", id="20", patient_id="3"))
    assert len(questions) == 1


def test_a_burst_that_another_process_is_about_to_go_on_with_is_asked_about_here_too() -> None:
    app, form = Busy(), Form(Verdict.YES, Verdict.YES)
    changing(app, range(BURST))

    async def story() -> None:
        await app.act(call("update_patient", id="131", city="Perth"), Caller("local", asker=form, route="http"))
        (lot,) = app.questions.recent()
        app.seconds.now += 700
        for number in range(40, 40 + BURST):
            await app.act(call("update_patient", id=str(100 + number), city="Perth"), Caller("local", route="http"))
        elsewhere = app.questions.create(lot.matter, lot.question.preview)
        assert app.questions.start(elsewhere, "form")
        await app.act(call("update_patient", id="132", city="Perth"), Caller("local", asker=form, route="http"))

    run(story)
    assert len(form.asked) == 2
    assert app.clinic.updates[-1].call.ids["id"] == "132"
