"""The rules for parts of a record at their edges: what just so takes something away, and what just does not."""

from typing import Any

import pytest

from cliniko_mcp.approvals.effects import emptied_parts, possible
from cliniko_mcp.approvals.losses import Earlier
from cliniko_mcp.errors import PermissionMissing
from tests.approvals.test_effect_rules import changed
from tests.approvals.test_effect_rules import lost as lost_by
from tests.guards.every_kind import ANSWERS, WEEKLY, an_app, asked_about, content, own_fields, template
from tests.guards.gate import App, call, run

LOST = [("Custom fields", "“Latex”, “Run again”", "", "answers")]


def lost(app: App, name: str, identity: str, *earlier: str, **sent: Any) -> list[tuple[str, str, str, str]]:
    return lost_by(app, name, identity, Earlier(frozenset(earlier)), **sent)


def test_a_list_of_two_or_more_that_keeps_none_of_them_is_as_good_as_emptied() -> None:
    def case(held: list[str], sent: list[str]) -> list[tuple[str, str, str, str]]:
        app = changed("patient_cases", "29", attendee_ids=held)
        return lost(app, "update_patient_case", "29", attendee_ids=sent)

    assert case(["40", "41"], ["41", "50"]) == [] == case(["40"], ["50"]) == case([], ["50"])
    many = [str(number) for number in range(60, 67)]
    ((label, before, after, rule),) = case(["40", "41"], many)
    assert (label, before, rule) == ("Visits that count towards it", "attendee 40, attendee 41", "list")
    # What will be written is told whole.
    assert after.startswith("attendee 60, ") and after.endswith("attendee 64 and 2 more (numbers 65, 66)")


def test_where_a_type_is_offered_is_looked_up_and_compared_by_id() -> None:
    app = an_app()
    row = app.clinic.records["practitioners"]["7"]
    assert lost(app, "update_appointment_type", "8", practitioner_ids=["9"]) == []
    app.clinic.records["practitioners"]["8"] = {**row, "id": "8", "label": "Dr Ann Two"}
    assert lost(app, "update_appointment_type", "8", practitioner_ids=["8", "9"]) == []
    found = lost(app, "update_appointment_type", "8", practitioner_ids=["9"])
    assert found == [("Practitioners who offer it", "Dr Bo Chen, Dr Ann Two", "practitioner 9", "list")]


def test_of_a_list_that_this_key_may_not_see_only_emptying_it_is_asked_about() -> None:
    app = an_app()
    page = app.clinic.page

    async def unseen(called: Any, number: int, per_page: int) -> Any:
        if called.operation.resource == "practitioners":
            raise PermissionMissing("No.", "Ask.")
        return await page(called, number, per_page)

    app.clinic.page = unseen  # type: ignore[method-assign]
    assert lost(app, "update_appointment_type", "8", practitioner_ids=["9"]) == []
    ((_, before, _, rule),) = lost(app, "update_appointment_type", "8", practitioner_ids=[])
    assert (before, rule) == ("all of them; which they are cannot be read", "list")


@pytest.mark.parametrize(
    ("held", "sent", "words"),
    [
        (WEEKLY, {"repeat_type": "Daily", "number_of_repeats": 1, "repeating_interval": 1}, "every day, 1 more time"),
        (WEEKLY, None, "never"),
        (WEEKLY, WEEKLY, ""),
        (None, WEEKLY, ""),
        ({}, WEEKLY, ""),
    ],
)
def test_a_rule_of_repeating_is_lost_where_there_is_one_and_it_becomes_another(
    held: Any, sent: Any, words: str
) -> None:
    app = changed("individual_appointments", "20", repeat_rule=held)
    arguments = {"clear": ["repeat_rule"]} if sent is None else {"repeat_rule": sent}
    found = lost(app, "update_individual_appointment", "20", **arguments)
    assert found == ([("Repeats", "every 2 weeks, 5 more times", words, "series")] if words else [])


def test_a_rule_of_repeating_that_cliniko_tells_in_part_is_told_in_part() -> None:
    for held, words in (
        ({"repeat_type": "Yearly"}, "every time"),
        ({"repeat_type": "Monthly", "repeating_interval": 3}, "every 3 months"),
    ):
        app = changed("individual_appointments", "20", repeat_rule=held)
        ((_, before, _, _),) = lost(app, "update_individual_appointment", "20", repeat_rule=WEEKLY)
        assert before == words


def test_own_fields_are_lost_where_two_answers_and_more_than_half_of_them_go() -> None:
    app = an_app()
    kept = dict(list(ANSWERS.items())[2:])
    assert lost(app, "update_patient", "4", custom_fields=own_fields(**kept)) == LOST
    assert lost(app, "update_patient", "4", custom_fields=own_fields(**dict(list(ANSWERS.items())[1:]))) == []
    # Another answer in place of one that was there takes none away.
    other = own_fields(allergies="None", goals="Sleep")
    assert lost(app, "update_patient", "4", custom_fields=other) == []
    two = changed("patients", "4", custom_fields=own_fields(allergies="Latex"))
    assert lost(two, "update_patient", "4", clear=["custom_fields"]) == []
    four = {"sections": [{"token": "s", "fields": [{"token": token, "value": token} for token in "abcd"]}]}
    half = {"sections": [{"token": "s", "fields": [{"token": token, "value": token} for token in "ab"]}]}
    assert lost(changed("patients", "4", custom_fields=four), "update_patient", "4", custom_fields=half) == []


def test_an_answer_that_is_named_is_told_with_its_name_and_of_many_the_first_five() -> None:
    fields = [{"token": f"t{at}", "name": f"Field {at}", "value": f"v{at}"} for at in range(7)]
    app = changed("patients", "4", custom_fields={"sections": [{"token": "s", "fields": fields}]})
    ((_, before, _, _),) = lost(app, "update_patient", "4", clear=["custom_fields"])
    assert before.startswith("“Field 0”: “v0”, “Field 1”: “v1”, ") and before.endswith("“Field 4”: “v4” and 2 more")


def test_answers_that_went_one_by_one_within_an_hour_count_together() -> None:
    app = an_app()
    one = call("update_patient", id="4", custom_fields=own_fields(goals="Run again", parking="Yes"))
    two = call("update_patient", id="4", custom_fields=own_fields(parking="Yes"))
    assert asked_about(app, one) == ([], True)
    (question,), reached = asked_about(app, two)
    assert "Custom fields: “Run again”" in question and not reached
    # They are no fields of the record: half of a patient's fields is not more because of them.
    earlier = Earlier(frozenset({"custom_fields.a", "custom_fields.b", "custom_fields.c"}))
    clearing = call("update_patient", id="3", clear=["email"])
    assert possible(clearing, app.clock(), earlier) == ()
    # Those that are answered again count no more.
    assert lost(an_app(), "update_patient", "4", "custom_fields.goals", custom_fields=own_fields(**ANSWERS)) == []


def test_what_is_emptied_of_own_fields_is_known_by_answer() -> None:
    app = an_app()

    async def story() -> Any:
        return await app.clinic.perform(call("get_patient", id="4"))

    record = run(story)
    emptying = call("update_patient", id="4", custom_fields=own_fields(), clear=["notes"])
    assert emptied_parts(emptying, record) == {"custom_fields", *(f"custom_fields.{token}" for token in ANSWERS)}
    assert emptied_parts(emptying, None) == {"custom_fields", "notes"}
    assert emptied_parts(call("update_patient", id="4", city="Perth"), record) == frozenset()


@pytest.mark.parametrize(("held", "left", "gone"), [(5, 1, False), (6, 1, True), (4, 0, True), (0, 0, False)])
def test_a_template_is_gone_where_it_keeps_less_than_a_fifth_of_its_questions(held: int, left: int, gone: bool) -> None:
    there = template(*"ABCDEF"[:held]) if held else None
    app = changed("treatment_note_templates", "33", content=there)
    sent = template("X") if left else {"sections": [{"name": "S"}]}
    found = asked_about(app, call("update_treatment_note_template", id="33", content=sent))
    assert bool(found[0]) is gone


def test_a_question_without_a_name_is_told_too() -> None:
    there = {"sections": [{"questions": [{"name": "", "type": "text"}, {"name": "Aims", "type": "text"}]}]}
    app = changed("treatment_note_templates", "33", content=there)
    (question,), _ = asked_about(
        app, call("update_treatment_note_template", id="33", content={"sections": [{"name": "S"}]})
    )
    assert "Questions: one without a name, “Aims” will become 0 questions" in question


def test_answers_that_are_gone_already_are_asked_about_with_the_next_that_goes_and_not_before() -> None:
    app, earlier = an_app(), ("custom_fields.x", "custom_fields.y", "custom_fields.z", "custom_fields.w")
    assert lost(app, "update_patient", "4", *earlier, custom_fields=own_fields(**ANSWERS)) == []
    found = lost(app, "update_patient", "4", *earlier, custom_fields=own_fields(**dict(list(ANSWERS.items())[1:])))
    assert found == [("Custom fields", "“Latex”", "", "answers")]


def test_of_six_names_the_sixth_stands_by_its_number() -> None:
    app = changed("patient_cases", "29", attendee_ids=["40", "41"])
    six = [str(number) for number in range(60, 66)]
    ((_, _, after, _),) = lost(app, "update_patient_case", "29", attendee_ids=six)
    assert after.endswith("attendee 64 and 1 more (numbers 65)")


def test_a_template_that_asks_something_is_not_emptied_though_it_answers_nothing() -> None:
    sent = call("update_treatment_note_template", id="33", name="-", content=template("S"))
    assert emptied_parts(sent, None) == {"name"}
    answered = call("update_patient", id="4", custom_fields=own_fields(goals="Run"), clear=["notes"])
    assert emptied_parts(answered, None) == {"notes"}


def test_another_template_is_told_where_something_is_written_and_is_not_written_anew() -> None:
    def case(held: Any, now: str = "33", **sent: Any) -> list[tuple[str, str, str, str]]:
        app = changed("treatment_notes", "27", content=held, treatment_note_template_id=now)
        return lost(app, "update_treatment_note", "27", **sent)

    written = content("Pain", "Ice")
    words = ("Answers", "“Pain / Ice”", "what Cliniko makes of it with treatment note template 35", "template")
    assert case(written, treatment_note_template_id="35") == [words]
    assert case(written, treatment_note_template_id="33") == [] == case(content(), treatment_note_template_id="35")
    assert case(content("."), treatment_note_template_id="35") == [] == case(None, treatment_note_template_id="35")
    assert case(written, treatment_note_template_id="35", content=content("Pain", "Ice")) == []
    assert case(written, clear=["treatment_note_template_id"]) == []
