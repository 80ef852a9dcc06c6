"""An update is asked about for what it does: what takes something away always, everyday changes never."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from cliniko_mcp.approvals.effects import TABLE
from cliniko_mcp.approvals.questions import Verdict
from tests.guards.every_kind import (
    ANSWERS,
    NOTE,
    PATIENT_FIELDS,
    WEEKLY,
    an_app,
    asked_about,
    content,
    own_fields,
    template,
)
from tests.guards.gate import START, call

HOLES: list[tuple[str, dict[str, Any], str]] = [
    ("update_appointment_type", {"id": "8", "clear": ["billable_item_id"]}, "\nThis will be lost:\nBillable item: Fee"),
    ("update_appointment_type", {"id": "8", "clear": ["product_id"]}, "\nThis will be lost:\nProduct: Band"),
    ("update_appointment_type", {"id": "8", "practitioner_ids": []}, " lost:\nPractitioners who offer it: Dr Bo Chen"),
    (
        "update_patient",
        {
            "id": "3",
            "clear": ["notes", "email", "date_of_birth", "medicare", "occupation"],
            "patient_phone_numbers": [],
        },
        "\nEmail: “ida@example.com”\n",
    ),
    (
        "update_patient",
        {"id": "3", "clear": ["email"], **dict.fromkeys(("notes", "medicare", "occupation", "city", "post_code"), "-")},
        "\nMedicare: “2950” will become “-”\n",
    ),
    (
        "update_patient",
        {"id": "3", "clear": ["date_of_birth"], "email": "x@y.au"}
        | dict.fromkeys(("first_name", "last_name", "occupation", "city"), "x")
        | {"notes": "n/a", "patient_phone_numbers": []},
        "\nNotes: “Prefers mornings.” will become “n/a”\n",
    ),
    ("update_treatment_note", {"id": "27", "content": content("." * len(NOTE))}, "\nThis will change:\nAnswers: “Pain"),
    ("update_treatment_note", {"id": "27", "clear": ["content"]}, "\nThis will be lost:\nAnswers: “Pain on the left"),
    (
        "update_treatment_note",
        {"id": "27", "content": content("x")},
        " characters in all) will become “x”\n\nWhat was written",
    ),
    (
        "update_patient_form",
        {"id": "28", "completed": False},
        "\nThis will change:\nStatus: completed on Sun 1 Nov will become not completed",
    ),
    ("update_patient_form", {"id": "28", "content": content("x")}, "\nThis will change:\nAnswers: “Pain on the left"),
    (
        "update_medical_alert",
        {"id": "26", "name": "."},
        "\nThis will change:\nAlert: “Severe penicillin allergy” will become “.”",
    ),
    (
        "update_individual_appointment",
        {"id": "20", "starts_at": "1999-01-01T09:00:00Z", "clear": ["ends_at"]},
        " will become Fri 1 Jan 1999, 8:00 pm",
    ),
    (
        "update_individual_appointment",
        {"id": "20", "starts_at": "1999-01-01T09:00", "ends_at": "1999-01-01T10:00"},
        " will become Fri 1 Jan 1999, 9:00 am",
    ),
    (
        "update_unavailable_block",
        {"id": "25", "starts_at": "1999-01-01T09:00:00Z", "ends_at": "1999-01-01T10:00:00Z"},
        " will become Fri 1 Jan 1999",
    ),
    (
        "update_group_appointment",
        {"id": "30", "starts_at": "2099-01-01T09:00:00Z", "clear": ["ends_at"]},
        " will become Thu 1 Jan 2099",
    ),
    (
        "update_individual_appointment",
        {"id": "20", "patient_id": "3"},
        "\nThis will change:\nPatient: Ana Lima, born 1984 will become Ida Berg, born 1990",
    ),
    (
        "update_business",
        {"id": "9", "business_name": "x", "time_zone_identifier": "Etc/UTC"},
        "\nThis will change:\nTime zone: Australia/Sydney will become Etc/UTC",
    ),
    ("update_business", {"id": "9", "appointment_type_ids": []}, "\nThis will be lost:\nTypes offered there: Consult"),
    (
        "update_patient_case",
        {"id": "29", "clear": ["attendee_ids"]},
        "\nThis will be lost:\nVisits that count towards it: ",
    ),
    ("update_relationship", {"id": "31", "patient_id": "3"}, " will become Ida Berg, born 1990"),
    ("update_communication", {"id": "32", "patient_id": "3"}, " will become Ida Berg, born 1990"),
    ("update_communication", {"id": "32", "content": "."}, "\nText: “Rang about the scan.” will become “.”"),
    ("update_business", {"id": "9", "remove_logo": True}, "\nThis will be lost:\nLogo: whatever is there now"),
    (
        "update_individual_appointment",
        {"id": "24", "clear": ["repeat_rule"]},
        "\nThis will change:\nRepeats: every 2 weeks, 5 more times will become never",
    ),
    (
        "update_patient",
        {"id": "4", "custom_fields": own_fields(parking="Yes")},
        "\nThis will be lost:\nCustom fields: “Latex”, “Run again”\n",
    ),
    ("update_patient", {"id": "4", "clear": ["custom_fields"]}, "\nCustom fields: “Latex”, “Run again”, “Yes”\n"),
    (
        "update_treatment_note_template",
        {"id": "33", "content": {"sections": [{"name": "S"}]}},
        "\nThis will change:\nQuestions: “S”, “O”, “A”, “P” will become 0 questions",
    ),
    (
        "update_treatment_note",
        {"id": "27", "treatment_note_template_id": "33"},
        " characters in all) will become what Cliniko makes of it with SOAP\n",
    ),
    (
        "update_patient_form",
        {"id": "28", "patient_form_template_id": "34", "name": "Intake 2"},
        " characters in all) will become what Cliniko makes of it with Intake\n",
    ),
    (
        "update_patient_form_template",
        {"id": "34", "content": template("A")},
        "\nThis will change:\nQuestions: “A”, “B”, “C”, “D”, “E” and 1 more will become 1 question\n",
    ),
]


@pytest.mark.parametrize(
    ("name", "arguments", "shown"), HOLES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_takes_something_away_waits_for_a_person_who_sees_it_by_value(
    name: str, arguments: dict[str, Any], shown: str
) -> None:
    app = an_app()
    (question,), reached = asked_about(app, call(name, **arguments))
    assert shown in question
    assert not reached
    _, reached = asked_about(app, call(name, **arguments), Verdict.NO)
    assert not reached
    assert asked_about(an_app(), call(name, **arguments), Verdict.YES)[1]


FREE: list[tuple[str, dict[str, Any]]] = [
    ("update_patient", {"id": "3", "patient_phone_numbers": [{"phone_type": "Home", "number": "0491 570 110"}]}),
    ("update_patient", {"id": "3", "patient_phone_numbers": []}),
    ("update_patient", {"id": "3", "state": "WA", "title": "Ms", "sex": "F", "post_code": "601", "city": "Ayr"}),
    ("update_patient", {"id": "3", "notes": "x", "occupation": "x"}),
    ("update_patient", {"id": "3", "address_1": "3 High St", "clear": ["notes"]}),
    ("update_individual_appointment", {"id": "20", "starts_at": "2026-11-23T06:00:00Z", "clear": ["ends_at"]}),
    ("update_individual_appointment", {"id": "20", "starts_at": "2026-11-22T22:00:00Z", "clear": ["ends_at"]}),
    ("update_individual_appointment", {"id": "20", "starts_at": "2026-11-23T18:00", "clear": ["ends_at"]}),
    ("update_individual_appointment", {"id": "20", "starts_at": "2028-11-20T06:00:00Z", "clear": ["ends_at"]}),
    ("update_individual_appointment", {"id": "20", "patient_id": "1", "notes": "Bring the scan."}),
    ("update_treatment_note", {"id": "27", "content": content(NOTE + "Better.")}),
    ("update_treatment_note", {"id": "27", "content": content("Another text altogether, as it was dictated. " * 3)}),
    ("update_treatment_note", {"id": "27", "draft": False}),
    ("update_patient_form", {"id": "28", "completed": True}),
    ("update_medical_alert", {"id": "26", "name": "Penicillin allergy"}),
    ("update_attendee", {"id": "40", "arrived": True}),
    ("update_attendee", {"id": "40", "clear": ["arrived"]}),
    ("update_business", {"id": "9", "time_zone": "Sydney", "city": "Sydney"}),
    ("update_business", {"id": "9", "appointment_type_ids": ["8"]}),
    ("update_appointment_type", {"id": "8", "billable_item_id": "60", "name": "Review"}),
    ("update_patient_case", {"id": "29", "closed": True}),
    ("update_business", {"id": "9", "remove_logo": False}),
    ("update_business", {"id": "9", "logo": "aGVsbG8="}),
    ("update_business", {"id": "9", "appointment_type_ids": ["7"]}),
    ("update_individual_appointment", {"id": "20", "repeat_rule": WEEKLY}),
    ("update_individual_appointment", {"id": "24", "repeat_rule": WEEKLY}),
    ("update_patient", {"id": "4", "custom_fields": own_fields(allergies="Latex", goals="Run")}),
    ("update_treatment_note_template", {"id": "33", "content": template("S")}),
    ("update_communication", {"id": "32", "content": "Rang about scan and X-ray."}),
    ("update_treatment_note", {"id": "27", "treatment_note_template_id": "33", "content": content(NOTE)}),
    ("update_treatment_note", {"id": "27", "clear": ["treatment_note_template_id"]}),
]


@pytest.mark.parametrize(("name", "arguments"), FREE, ids=lambda value: value if isinstance(value, str) else "")
def test_everyday_changes_are_never_asked_about(name: str, arguments: dict[str, Any]) -> None:
    assert asked_about(an_app(), call(name, **arguments)) == ([], True)


# Generated updates, by a description of the rules that is independent of the table: what each row's fields become.
Arguments = Mapping[str, Any]
DAYS = st.integers(2, 3_000)


def start(offset: timedelta) -> dict[str, Any]:
    return {"starts_at": f"{START + offset:%Y-%m-%dT%H:%M:%SZ}", "clear": ["ends_at"]}


SHORT = st.text("abc ", min_size=1, max_size=40).filter(str.strip)
VISITS = [
    ("update_individual_appointment", "20"),
    ("update_group_appointment", "30"),
    ("update_unavailable_block", "25"),
]


def moved(visit: tuple[str, str], offset: timedelta) -> tuple[str, Arguments]:
    name, identity = visit
    arguments = {"id": identity, **start(offset)}
    if name == "update_unavailable_block":
        del arguments["clear"]
        arguments["ends_at"] = f"{START + offset + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    return name, arguments


GATED = {
    "link": st.sampled_from(["billable_item_id", "product_id"]).map(
        lambda name: ("update_appointment_type", {"id": "8", "clear": [name]})
    ),
    "list": st.sampled_from(
        [
            ("update_business", {"id": "9", "appointment_type_ids": []}),
            ("update_business", {"id": "9", "clear": ["appointment_type_ids"]}),
            ("update_patient_case", {"id": "29", "attendee_ids": []}),
            ("update_patient_case", {"id": "29", "patient_attachment_ids": []}),
            ("update_appointment_type", {"id": "8", "business_ids": []}),
            ("update_appointment_type", {"id": "8", "practitioner_ids": []}),
            ("update_patient_case", {"id": "35", "attendee_ids": ["50"]}),
        ]
    ),
    "start": st.one_of(
        st.builds(lambda visit, days: moved(visit, timedelta(days=-days)), st.sampled_from(VISITS), DAYS),
        st.builds(lambda visit, days: moved(visit, timedelta(days=731 + days)), st.sampled_from(VISITS), DAYS),
    ),
    "patient": st.builds(
        lambda target, patient: (target[0], {"id": target[1], "patient_id": patient}),
        st.sampled_from(
            [
                ("update_individual_appointment", "20"),
                ("update_medical_alert", "26"),
                ("update_treatment_note", "27"),
                ("update_patient_form", "28"),
                ("update_patient_case", "29"),
                ("update_communication", "32"),
            ]
        ),
        st.sampled_from(["2", "3"]),
    ),
    "reopened": SHORT.map(lambda name: ("update_patient_form", {"id": "28", "completed": False, "name": name})),
    "emptied": st.sets(st.sampled_from(PATIENT_FIELDS), min_size=6).map(
        lambda names: ("update_patient", {"id": "3", "clear": sorted(names)})
    ),
    "text": st.one_of(
        SHORT.map(lambda text: ("update_treatment_note", {"id": "27", "content": content(text)})),
        SHORT.map(lambda text: ("update_patient_form", {"id": "28", "content": content(text)})),
        st.text("abc", min_size=1, max_size=4).map(lambda name: ("update_medical_alert", {"id": "26", "name": name})),
        st.text("abc", min_size=1, max_size=3).map(
            lambda name: ("update_communication", {"id": "32", "content": name})
        ),
    ),
    "answers": st.sampled_from(sorted(ANSWERS)).map(
        lambda kept: ("update_patient", {"id": "4", "custom_fields": own_fields(**{kept: ANSWERS[kept]})})
    ),
    "questions": st.sampled_from(
        [
            ("update_treatment_note_template", {"id": "33", "content": {"sections": [{"name": "S"}]}}),
            ("update_patient_form_template", {"id": "34", "content": template("A")}),
        ]
    ),
    "template": st.one_of(
        SHORT.map(
            lambda title: ("update_treatment_note", {"id": "27", "treatment_note_template_id": "33", "title": title})
        ),
        SHORT.map(lambda name: ("update_patient_form", {"id": "28", "patient_form_template_id": "34", "name": name})),
    ),
    "series": st.integers(1, 4).map(
        lambda times: (
            "update_individual_appointment",
            {"id": "24", "repeat_rule": {**WEEKLY, "number_of_repeats": times}},
        )
    ),
    "removed": SHORT.map(lambda name: ("update_business", {"id": "9", "remove_logo": True, "city": name})),
    "zone": st.sampled_from(["Perth", "Brisbane", "UTC"]).map(
        lambda zone: ("update_business", {"id": "9", "time_zone": zone})
    ),
}
FREELY = st.one_of(
    st.builds(
        lambda visit, minutes: moved(visit, timedelta(minutes=minutes)),
        st.sampled_from(VISITS),
        st.integers(0, 729 * 24 * 60),
    ),
    st.builds(
        lambda names, values: ("update_patient", {"id": "3", **dict.fromkeys(names, values)}),
        st.sets(st.sampled_from(["address_1", "city", "occupation", "notes", "state"]), min_size=1),
        SHORT,
    ),
    st.sampled_from([*PATIENT_FIELDS]).map(lambda name: ("update_patient", {"id": "3", "clear": [name]})),
    st.text("xyz", max_size=30).map(
        lambda more: ("update_treatment_note", {"id": "27", "content": content(NOTE + more)})
    ),
    st.integers(60, 300).map(lambda end: ("update_treatment_note", {"id": "27", "content": content(NOTE[:end] * 2)})),
    st.sampled_from([True, False]).map(lambda arrived: ("update_attendee", {"id": "40", "arrived": arrived})),
    st.from_regex(r"04[0-9]{8}", fullmatch=True).map(
        lambda number: (
            "update_patient",
            {"id": "3", "patient_phone_numbers": [{"phone_type": "Home", "number": number}]},
        )
    ),
)


@pytest.mark.long_but_one
@pytest.mark.parametrize("rule", GATED)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_every_generated_update_in_a_gated_row_is_asked_about(rule: str, data: st.DataObject) -> None:
    name, arguments = data.draw(GATED[rule])
    app = an_app()
    event(f"{rule}: {name}")
    questions, reached = asked_about(app, call(name, **arguments))
    assert (len(questions), reached) == (1, False)


@pytest.mark.long
@settings(max_examples=120, deadline=None)
@given(free=FREELY)
def test_no_generated_update_in_the_free_rows_is_asked_about(free: tuple[str, Arguments]) -> None:
    name, arguments = free
    event(name)
    assert asked_about(an_app(), call(name, **arguments)) == ([], True)


def test_the_generated_rows_are_those_of_the_table() -> None:
    assert {rule.name for rules in TABLE.values() for rule in rules} | {"emptied"} == GATED.keys()
