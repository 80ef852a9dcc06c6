"""What was found out about a record still holds when the change is sent, however calls overlap."""

from contextlib import suppress
from typing import Any

import anyio
import httpx2
import pytest
from conftest import DECLINE, in_process

from cliniko_mcp.approvals.ledger import LocalLedger
from cliniko_mcp.approvals.questions import Verdict
from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.errors import ClinikoMcpError, Declined
from cliniko_mcp.guards.confirm import Confirm
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.guards.memory import Memory
from cliniko_mcp.guards.pipeline import Caller
from cliniko_mcp.guards.turns import Turns
from cliniko_mcp.sandbox.faults import Fault
from tests.client.virtual import run as told
from tests.guards.every_kind import NOTE, an_app, asked_about, content
from tests.guards.gate import App, Form, call, run
from tests.guards.test_bursts import Busy
from tests.guards.test_sent_once import PATIENT, Front

HALVES = (["notes", "email", "medicare"], ["occupation", "city", "post_code"])


def at_once(app: App, *calls: Call[Any], principals: tuple[str, ...] = ("local",)) -> tuple[int, int]:
    """How many of these calls, made at once, reached the clinic, and how many questions they led to."""
    form = Form()

    async def one(called: Call[Any], principal: str) -> None:
        with suppress(ClinikoMcpError):
            await app.act(called, Caller(principal, asker=form, route="http"))

    async def story() -> None:
        async with anyio.create_task_group() as tasks:
            for at, called in enumerate(calls):
                tasks.start_soon(one, called, principals[at % len(principals)])

    run(story)
    return len(app.clinic.updates), len(form.asked)


def test_two_updates_at_once_that_empty_most_of_a_record_together_are_not_both_made_unasked() -> None:
    assert at_once(an_app(), *(call("update_patient", id="3", clear=half) for half in HALVES)) == (1, 1)


def test_a_note_is_judged_by_what_an_update_under_way_writes_whoever_sends_it() -> None:
    app = an_app()
    app.clinic.records["treatment_notes"]["27"]["content"] = content("")
    calls = [call("update_treatment_note", id="27", content=content(text)) for text in (NOTE, "x")]
    assert at_once(app, *calls, principals=("local", "somebody else")) == (1, 1)


def test_a_form_that_is_being_completed_is_not_opened_again_unasked() -> None:
    app = an_app()
    del app.clinic.records["patient_forms"]["28"]["completed_at"]
    calls = [call("update_patient_form", id="28", completed=completed) for completed in (True, False)]
    assert at_once(app, *calls) == (1, 1)


def test_the_same_record_by_another_spelling_of_its_id_is_the_same_record() -> None:
    for spelling in ("003", 3):
        app = an_app()
        # The clinic reads a number with zeros before it as the same number.
        app.clinic.records["patients"]["003"] = app.clinic.records["patients"]["3"]
        assert asked_about(app, call("update_patient", id="3", clear=HALVES[0]))[1]
        assert not asked_about(app, call("update_patient", id=spelling, clear=HALVES[1]))[1]


def test_after_a_no_another_spelling_of_the_id_is_refused_too() -> None:
    app = an_app()
    app.clinic.records["patients"]["0003"] = app.clinic.records["patients"]["3"]
    with pytest.raises(Declined):
        run(lambda: app.act(call("archive_patient", id="3"), Caller(asker=Form(Verdict.NO), route="http")))
    form = Form(Verdict.YES)
    with pytest.raises(Declined):
        run(lambda: app.act(call("archive_patient", id="0003"), Caller(asker=form, route="http")))
    assert form.asked == []


def test_after_a_yes_to_a_burst_the_record_is_looked_at_again() -> None:
    app = Busy()
    app.clinic.records["treatment_notes"] = {
        str(200 + n): {"id": str(200 + n), "title": "SOAP", "draft": True, "patient_id": "1", "content": content("")}
        for n in range(40)
    }

    def meanwhile() -> Verdict:
        app.clinic.records["treatment_notes"]["230"]["content"] = content(NOTE)
        return Verdict.YES

    form = Form(meanwhile)

    async def story() -> None:
        for number in range(31):
            with suppress(ClinikoMcpError):
                called = call("update_treatment_note", id=str(200 + number), content=content("Came."))
                await app.act(called, Caller(asker=form, route="http"))

    run(story)
    assert len(app.clinic.updates) == 30
    assert [question.title for question in form.asked] == [
        "Go on changing treatment notes?",
        "Take away most of what this treatment note says?",
    ]


def test_what_a_yes_to_something_else_did_not_show_is_still_added_up() -> None:
    app = an_app()
    shortened = content(NOTE[:100])
    assert asked_about(app, call("update_treatment_note", id="27", patient_id="3", content=shortened), Verdict.YES)[1]
    assert asked_about(app, call("update_treatment_note", id="27", content=content(NOTE[:30]))) != ([], True)


def test_what_was_empty_already_does_not_count_as_taken() -> None:
    app = an_app()
    app.clinic.records["patients"]["3"] = {"id": "3", "first_name": "Ida", "last_name": "Berg", "email": "i@b.com"}
    empty = ["address_1", "address_2", "address_3", "occupation", "medicare"]
    assert asked_about(app, call("update_patient", id="3", clear=empty)) == ([], True)
    assert asked_about(app, call("update_patient", id="3", clear=["email"])) == ([], True)


def test_turns_are_forgotten_when_nobody_waits_for_them() -> None:
    async def story() -> list[str]:
        turns, told = Turns(), list[str]()

        async def one(name: str, record: str) -> None:
            async with turns.at(record):
                told.append(f"{name} in")
                await anyio.lowlevel.checkpoint()
                await anyio.lowlevel.checkpoint()
                told.append(f"{name} out")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(one, "first", "patients/1")
            tasks.start_soon(one, "second", "patients/1")
            tasks.start_soon(one, "other", "patients/2")
        assert vars(turns) == {"_turns": {}}
        return told

    told = run(story)
    assert told.index("first out") < told.index("second in")
    assert told.index("other in") < told.index("first out")


def test_text_that_shows_nothing_is_no_text() -> None:
    blank = ["occupation", "city", "post_code", "medicare"]
    for nothing in (" ", "\u200b", "<p></p>"):
        values = dict.fromkeys(blank, nothing)
        questions, reached = asked_about(an_app(), call("update_patient", id="3", clear=["email", "notes"], **values))
        assert (len(questions), reached) == (1, False), nothing


def test_on_the_product_two_calls_at_once_do_not_empty_a_patient_s_file_together() -> None:
    halves = (["email", "notes", "occupation"], ["city", "medicare", "post_code"])
    values = {"email": "i@example.com", "notes": "x", "occupation": "Baker", "city": "Perth", "medicare": "2950"}

    async def story() -> tuple[list[str], list[str]]:
        async with in_process(answer=DECLINE) as assistant:
            created = await assistant.call(
                "create_patient", first_name="Ida", last_name="B", post_code="6000", **values
            )
            identity, codes = created["item"]["id"], list[str]()
            assert assistant.app is not None
            assistant.app.sandbox.faults.set(Fault("slow", path=f"/patients/{identity}", method="GET", seconds=0.1))

            async def one(half: list[str]) -> None:
                answer = await assistant.call("update_patient", id=identity, clear=half)
                codes.append(answer.get("code", "done"))

            async with anyio.create_task_group() as tasks:
                for half in halves:
                    tasks.start_soon(one, half)
            return sorted(codes), assistant.asked

    codes, asked = run(story)
    assert (codes, len(asked)) == (["declined", "done"], 1)


def test_small_losses_are_added_up_for_an_hour() -> None:
    for seconds, free in ((3599.5, False), (3600.0, True)):
        app = Busy()
        app.clinic.records["patients"]["3"] = an_app().clinic.records["patients"]["3"]
        assert asked_about(app, call("update_patient", id="3", clear=HALVES[0]))[1]
        app.clinic.records["patients"]["3"]["occupation"] = "Baker"
        app.seconds.now += seconds
        assert asked_about(app, call("update_patient", id="3", clear=HALVES[1]))[1] is free


def test_a_record_that_the_tool_read_before_another_change_was_sent_is_read_again() -> None:
    front = Front(lambda: httpx2.Response(200, json=front.patient), lambda: httpx2.Response(200, json=front.patient))

    async def story() -> None:
        async with front.account.clinic() as client:
            confirm = Confirm(LocalLedger(front.questions), now=client.now, wait=0)
            memory = Memory(anyio.current_time, client.now)
            first, second = (GuardedClinic(client, [confirm], Caller(), "some_tool", memory) for _ in range(2))
            await first.perform(call("get_patient", id=PATIENT))
            await second.perform(call("update_patient", id=PATIENT, city="Perth"))
            await first.perform(call("update_patient", id=PATIENT, clear=["email", "notes"]))

    told(story)
    assert [asked.split(" ")[0] for asked in front.account.asked] == ["GET", "PATCH", "GET", "PATCH"]
