"""What is remembered of a caller's changes, and what is not read twice to judge one."""

from dataclasses import replace
from typing import Any

import anyio
import pytest

from cliniko_mcp.approvals.questions import Verdict
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.errors import Declined, NotAllowed
from cliniko_mcp.guards import effects
from cliniko_mcp.guards.effects import Effects
from cliniko_mcp.guards.pipeline import Caller, GuardedCall
from tests.client.virtual import run as in_virtual_time
from tests.guards.every_kind import ANSWERS, NOTE, PATIENT_FIELDS, an_app, asked_about, content, own_fields
from tests.guards.gate import App, Form, call, on_its_way, passed, run

SHORTER = call("update_treatment_note", id="27", content=content(NOTE[:200]))
GIVEN_AWAY = call("update_treatment_note", id="27", patient_id="3")
ALMOST_NOTHING = call("update_treatment_note", id="27", content=content("x"))


def found(app: App, guarded: GuardedCall) -> Any:
    """The effect of a call, and how often its record was read for it."""
    reads: list[str] = []
    app.clinic.before_read = lambda: reads.append("read")
    return run(lambda: Effects(app.clock).of(guarded)), len(reads)


def test_a_no_to_one_effect_leaves_another_one_of_the_same_operation_to_be_asked_about() -> None:
    app, form = an_app(), Form(Verdict.YES)

    async def story() -> None:
        with pytest.raises(Declined):
            await app.act(ALMOST_NOTHING, Caller(asker=Form(Verdict.NO)))
        await app.act(GIVEN_AWAY, Caller(asker=form))

    run(story)
    assert (len(form.asked), len(app.clinic.updates)) == (1, 1)


def test_a_record_that_the_tool_has_read_already_is_not_read_again_and_one_that_it_has_not_is_kept() -> None:
    app = an_app()
    note: Record = run(lambda: app.clinic.perform(call("get_treatment_note", id="27")))
    guarded = on_its_way(SHORTER, clinic=app.clinic)
    assert found(app, guarded) == (None, 1)
    assert guarded.outcome.before == note
    known = replace(on_its_way(SHORTER, clinic=app.clinic), known=lambda: note)
    assert found(app, known) == (None, 0)
    assert known.outcome.before is note
    nothing_possible = on_its_way(call("update_treatment_note", id="27", title="x"), clinic=app.clinic)
    assert found(app, nothing_possible) == (None, 0)
    assert nothing_possible.outcome.before is None


def test_what_a_person_was_shown_is_not_what_the_record_holds_when_the_change_is_made() -> None:
    app = an_app()
    questions, reached = asked_about(app, ALMOST_NOTHING, Verdict.YES)
    assert (len(questions), reached) == (1, True)
    assert asked_about(app, call("update_treatment_note", id="27", content=content("y"))) == ([], True)


def test_a_yes_to_answers_that_go_does_not_make_fields_that_went_before_count_no_more() -> None:
    app = an_app()
    app.clinic.records["patients"]["3"]["custom_fields"] = own_fields(**ANSWERS)
    assert asked_about(app, call("update_patient", id="3", clear=PATIENT_FIELDS[:3])) == ([], True)
    answers = call("update_patient", id="3", custom_fields=own_fields(parking="Yes"))
    questions, reached = asked_about(app, answers, Verdict.YES)
    assert (len(questions), reached) == (1, True)
    questions, _ = asked_about(app, call("update_patient", id="3", clear=PATIENT_FIELDS[3:6]))
    assert len(questions) == 1


@pytest.mark.parametrize(("others", "asked"), [(1, True), (2, False)])
def test_of_more_records_than_are_remembered_the_one_changed_longest_ago_is_forgotten(
    monkeypatch: pytest.MonkeyPatch, others: int, asked: bool
) -> None:
    monkeypatch.setattr(effects, "MAX_REMEMBERED", 2)
    app = an_app()
    for number in (101, 102, 103):
        app.clinic.records["patients"][str(number)] = {**app.clinic.records["patients"]["3"], "id": str(number)}
    half, rest = PATIENT_FIELDS[:4], PATIENT_FIELDS[4:]

    def unasked(identity: str, names: list[str]) -> bool:
        return asked_about(app, call("update_patient", id=identity, clear=names)) == ([], True)

    assert unasked("3", half[:3])
    assert unasked("101", half)
    assert unasked("3", half[3:4])  # now it is the latest
    for number in range(102, 102 + others):
        assert unasked(str(number), half)
    assert unasked("3", rest) is not asked


def test_a_record_that_is_changed_again_takes_the_place_of_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effects, "MAX_REMEMBERED", 2)
    app = an_app()
    app.clinic.records["patients"]["101"] = {**app.clinic.records["patients"]["3"], "id": "101"}
    changes = [("101", PATIENT_FIELDS[:4]), ("3", PATIENT_FIELDS[:1]), ("3", PATIENT_FIELDS[1:2])]
    for identity, names in changes:
        assert asked_about(app, call("update_patient", id=identity, clear=names)) == ([], True)
    questions, _ = asked_about(app, call("update_patient", id="101", clear=PATIENT_FIELDS[4:]))
    assert len(questions) == 1


def test_a_burst_that_was_refused_ends_at_once() -> None:
    app = App()
    for number in range(60, 91):
        app.clinic.records["taxes"][str(number)] = {"id": str(number), "name": f"T{number}", "rate": "1.0"}
    coming = [on_its_way(call("update_tax", id=str(n), rate="2.0"), clinic=app.clinic) for n in range(60, 91)]

    async def story() -> None:
        table = Effects(app.clock)
        *before, effect = [await table.of(guarded) for guarded in coming]
        assert before == [None] * 30 and effect is not None
        assert not table.lifted(effect)
        table.approved(effect)
        assert table.lifted(effect)
        table.refused(effect)
        assert not table.lifted(effect)

    run(story)


@pytest.mark.parametrize(("second", "sent"), [("update_patient", {"city": "Perth"}), ("archive_patient", {})])
def test_what_changes_or_removes_a_record_waits_for_a_change_of_it_that_is_under_way(
    second: str, sent: dict[str, Any]
) -> None:
    app = an_app()
    order: list[str] = []

    def coming(name: str, identity: str, **more: Any) -> GuardedCall:
        return on_its_way(call(name, id=identity, **more), clinic=app.clinic)

    async def wait(table: Effects, guarded: GuardedCall) -> None:
        async with table.alone(guarded):
            order.append(f"{guarded.tool} {guarded.call.ids['id']}")

    async def story() -> None:
        table = Effects(app.clock)
        async with anyio.create_task_group() as tasks, table.alone(coming("update_patient", "3", notes="x")):
            for guarded in (coming(second, "3", **sent), coming(second, "1", **sent), coming("get_patient", "3")):
                tasks.start_soon(wait, table, guarded)
            await anyio.sleep(1)
            order.append("the first is done")

    in_virtual_time(story)
    assert sorted(order[:2]) == sorted([f"{second} 1", "get_patient 3"])
    assert order[2:] == ["the first is done", f"{second} 3"]


def test_no_visit_is_read_for_a_start_on_a_day_that_is_not_over_in_any_zone() -> None:
    app = an_app()
    app.clock.pass_(hours=8.9)  # 11:54 pm on the easternmost island
    for day, reads in (("23", 0), ("22", 1)):
        moved = call("update_individual_appointment", id="20", starts_at=f"2026-11-{day}T23:00:00")
        assert found(app, on_its_way(moved, clinic=app.clinic))[1] == reads


def test_who_may_write_and_not_destroy_makes_everyday_changes_and_none_that_takes_something_away() -> None:
    app, writer = an_app(), Caller(may=Risk.WRITE, asker=Form(Verdict.YES))
    run(lambda: app.act(call("update_patient", id="3", city="Perth"), writer))
    refused = on_its_way(ALMOST_NOTHING, writer, clinic=app.clinic)
    with pytest.raises(NotAllowed, match="access to the clinic is not enough"):
        run(lambda: passed([app.confirm], refused, lambda: app.clinic.perform(ALMOST_NOTHING)))
    assert refused.outcome.effect == "text"  # which is written down with the refusal
    assert [update.call.operation.name for update in app.clinic.updates] == ["update_patient"]


def test_where_bursts_are_switched_off_the_reason_says_so() -> None:
    app = App(policy="block")
    for number in range(60, 91):
        app.clinic.records["taxes"][str(number)] = {"id": str(number), "name": f"T{number}", "rate": "1.0"}

    async def story() -> None:
        for number in range(60, 91):
            await app.act(call("update_tax", id=str(number), rate="2.0"))

    with pytest.raises(NotAllowed, match="changing more than 30 records of one kind within a minute is switched off"):
        run(story)
    emptying = an_app(policy="block")
    with pytest.raises(NotAllowed, match="a change that takes this much away is switched off"):
        run(lambda: emptying.act(ALMOST_NOTHING))
