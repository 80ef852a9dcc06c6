"""What a person is shown of an update that takes something away: all that it does, by value."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cliniko_mcp.approvals.questions import Verdict
from cliniko_mcp.errors import Declined, InvalidArguments
from cliniko_mcp.guards.pipeline import Caller
from tests.guards.every_kind import NOTE, PATIENT_FIELDS, an_app, asked_about, content
from tests.guards.gate import SYDNEY, Form, call, run

LATER = {"starts_at": "1999-01-01T09:00:00Z", "ends_at": "1999-01-01T10:00:00Z"}


@pytest.mark.parametrize(
    ("name", "arguments", "others"),
    [
        ("update_patient_form", {"id": "28", "content": content("x")}, []),
        ("update_individual_appointment", {"id": "20", "starts_at": "1999-01-01T09:00:00Z"}, []),
        (
            "update_business",
            {"id": "9", "business_name": "x", "time_zone_identifier": "Etc/UTC"},
            ["Business name: “Northside” will become “x”"],
        ),
        (
            "update_patient",
            {"id": "3", "first_name": "Ada", "clear": PATIENT_FIELDS},
            ["First name: “Ida” will become “Ada”"],
        ),
        (
            "update_individual_appointment",
            {"id": "20", **LATER, "notes": "One.\nTwo.", "practitioner_id": "7", "patient_case_id": "29"},
            [
                "End: Tue 24 Nov, 10:00 am will become Fri 1 Jan 1999, 9:00 pm",
                "Notes: nothing will become:\n    One.\n    Two.",
                "Patient case: nothing will become patient case 29",
            ],
        ),
        (
            "update_patient_form",
            {"id": "28", "completed": False, "content": content(NOTE, "Yes.")},
            [f"Pain on t…” (313 characters in all) will become:\n    Q0: {NOTE.strip()}\n    Q1: Yes."],
        ),
        (
            "update_appointment_type",
            {"id": "8", "clear": ["product_id"], "practitioner_ids": ["7", "8"]},
            ["Practitioners: what is there now will become Dr Bo Chen, practitioner 8"],
        ),
    ],
)
def test_what_else_changes_is_shown_by_value_and_what_was_shown_already_is_not_shown_again(
    name: str, arguments: dict[str, Any], others: list[str]
) -> None:
    (question,), _ = asked_about(an_app(), call(name, **arguments))
    assert [other for other in others if other not in question] == [], question
    _, _, shown = question.partition("This will change:")
    assert shown.count(" will become") == len(others) + (0 if "clear" in arguments else 1)
    lines = [line for line in shown.splitlines() if line]
    assert len(lines) == len(set(lines))


@pytest.mark.parametrize(
    ("name", "arguments", "act"),
    [
        (
            "update_individual_appointment",
            {"id": "20", "starts_at": "1999-01-01T09:00:00Z", "clear": ["ends_at"], "patient_id": "3"},
            "Move this appointment out of the diary and give it to another patient",
        ),
        (
            "update_patient_form",
            {"id": "28", "completed": False, "content": content("x"), "patient_id": "3"},
            "Take back that this patient form is completed, take away most of what it says "
            "and give it to another patient",
        ),
        ("update_relationship", {"id": "31", "patient_id": "3"}, "Give this relationship to another patient"),
    ],
)
def test_the_button_of_an_update_names_everything_that_it_takes_away(
    name: str, arguments: dict[str, Any], act: str
) -> None:
    app, form = an_app(), Form(Verdict.NO)

    async def story() -> None:
        with pytest.raises(Declined):
            await app.act(call(name, **arguments), Caller(asker=form, route="http"))

    run(story)
    assert [question.preview.act for question in form.asked] == [act]


def test_a_text_that_is_left_of_a_longer_one_is_shown_whole_with_its_lines() -> None:
    left = "\n".join(f"{number}. Exercises, twice a day, as shown." for number in range(1, 9))
    app = an_app()
    app.clinic.records["treatment_notes"]["27"]["content"] = content(NOTE * 6)
    (question,), _ = asked_about(app, call("update_treatment_note", id="27", content=content(left)))
    indented = left.replace("\n", "\n    ")
    assert f" characters in all) will become:\n    {indented}\n" in question


NOTHING_SENT: list[tuple[str, dict[str, Any]]] = [
    ("update_treatment_note", {"id": "27", "patient_id": "3", "content": content("a" * 60_000, "b" * 60_000)}),
    ("update_communication", {"id": "32", "patient_id": "3", "content": "a" * 100_001}),
    ("cancel_individual_appointment", {"id": "20", "cancellation_reason": "sick", "cancellation_note": "a" * 100_001}),
]


@pytest.mark.parametrize(("name", "arguments"), NOTHING_SENT, ids=lambda value: value if isinstance(value, str) else "")
def test_nobody_is_asked_about_a_text_that_cannot_be_shown_whole(name: str, arguments: dict[str, Any]) -> None:
    app, form = an_app(), Form(Verdict.YES)

    async def story() -> None:
        with pytest.raises(InvalidArguments, match=r"has 1[02]0,0\d\d characters. .* is shown 100,000 at most"):
            await app.act(call(name, **arguments), Caller(asker=form, route="http"))

    run(story)
    assert form.asked == [] and app.clinic.updates == [] and app.clinic.destroyed == []


def test_the_longest_text_that_can_be_shown_is_shown_to_its_end() -> None:
    app, whole = an_app(), "a" * 99_990 + " END"
    (question,), _ = asked_about(app, call("update_communication", id="32", patient_id="3", content=whole))
    assert f"Content: “Rang about the scan.” will become “{whole}”" in question


def test_names_of_questions_beside_answers_do_not_hide_what_comes_after_them() -> None:
    section = "s" * 200
    questions = [{"name": "Q", "type": "text", "answer": "a"} for _ in range(600)]
    whole = {"sections": [{"name": section, "questions": questions}]}
    with pytest.raises(InvalidArguments, match="characters"):
        asked_about(an_app(), call("update_treatment_note", id="27", patient_id="3", content=whole))


def test_a_list_that_will_be_written_is_shown_whole() -> None:
    app = an_app()
    numbers = [{"phone_type": "Home", "number": f"0491 570 1{number:02d}"} for number in range(8)]
    (question,), _ = asked_about(
        app, call("update_patient", id="3", clear=PATIENT_FIELDS, patient_phone_numbers=numbers)
    )
    shown = question.split(" will become ")[1]
    assert all(number["number"] in shown for number in numbers)
    assert "phone type “Home”, number “0491 570 107”" in shown
    visits = [str(number) for number in range(60, 68)]
    (question,), _ = asked_about(app, call("update_patient_case", id="29", patient_id="3", attendee_ids=visits))
    assert "and 3 more (numbers 65, 66, 67)" in question


def test_times_are_told_by_the_clock_of_the_site_that_a_visit_moves_to() -> None:
    app = an_app()

    async def zone(business_id: str | None = None) -> ZoneInfo:
        return ZoneInfo("Australia/Perth") if business_id == "10" else SYDNEY

    app.clinic.zone = zone  # type: ignore[method-assign]
    moved = {"business_id": "10", "ends_at": "2026-11-24T00:30:00Z"}
    (question,), _ = asked_about(app, call("update_individual_appointment", id="20", patient_id="3", **moved))
    assert " will become Tue 24 Nov, 8:30 am" in question


def test_times_of_a_visit_that_stays_are_told_by_the_clock_of_its_own_site() -> None:
    app = an_app()

    async def zone(business_id: str | None = None) -> ZoneInfo:
        return ZoneInfo("Australia/Perth") if business_id == "9" else SYDNEY

    app.clinic.zone = zone  # type: ignore[method-assign]
    longer = call("update_individual_appointment", id="20", patient_id="3", ends_at="2026-11-24T00:30:00Z")
    (question,), _ = asked_about(app, longer)
    assert "End: Tue 24 Nov, 7:00 am will become Tue 24 Nov, 8:30 am" in question


def test_the_same_moment_in_another_zone_is_no_change() -> None:
    same = call("update_individual_appointment", id="20", patient_id="3", ends_at="2026-11-24T10:00:00+11:00")
    (question,), _ = asked_about(an_app(), same)
    assert "End" not in question.partition("This will change:")[2]


def test_what_another_field_held_is_cut_short_and_a_box_is_ticked_or_not() -> None:
    app = an_app()
    app.clinic.records["patients"]["3"] |= {"notes": NOTE, "accepted_privacy_policy": False}
    others = [name for name in PATIENT_FIELDS if name != "notes"]
    sent = {"notes": "Came back.", "accepted_privacy_policy": True}
    (question,), _ = asked_about(app, call("update_patient", id="3", clear=others, **sent))
    assert "characters in all) will become “Came back.”" in question
    assert "Accepted privacy policy: no will become yes" in question


def test_a_list_that_is_sent_as_it_is_held_is_no_change() -> None:
    numbers = [{"phone_type": "Mobile", "number": "0491 570 006"}]
    same = call("update_patient", id="3", clear=PATIENT_FIELDS, patient_phone_numbers=numbers)
    (question,), _ = asked_about(an_app(), same)
    assert "0491 570 006" not in question
