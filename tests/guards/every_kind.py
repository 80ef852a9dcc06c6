"""A small clinic with a record of every kind that an update can take something from, and whether a person is asked."""

from contextlib import suppress
from typing import Any

from cliniko_mcp.approvals.questions import Verdict
from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.errors import ApprovalNeeded, Declined
from cliniko_mcp.guards.pipeline import Caller
from tests.guards.gate import STAMP, App, Form, run

NOTE = "Pain on the left side since the fall, better after treatment. " * 5
WEEKLY = {"repeat_type": "Weekly", "number_of_repeats": 5, "repeating_interval": 2}
PATIENT = {
    "id": "3", "first_name": "Ida", "last_name": "Berg", "email": "ida@example.com", "date_of_birth": "1990-04-01",
    "medicare": "2950", "notes": "Prefers mornings.", "occupation": "Baker", "city": "Perth", "post_code": "6000",
    "patient_phone_numbers": [{"phone_type": "Mobile", "number": "0491 570 006"}], **STAMP,
}  # fmt: skip
ANSWERS = {"allergies": "Latex", "goals": "Run again", "parking": "Yes"}


def content(*answers: str) -> dict[str, Any]:
    """A document with one text question for each answer."""
    questions = [{"name": f"Q{at}", "type": "text", "answer": answer} for at, answer in enumerate(answers) if answer]
    return {"sections": [{"name": "S", "questions": questions or [{"name": "Q0", "type": "text"}]}]}


def template(*names: str) -> dict[str, Any]:
    """A template with a question of each name."""
    return {"sections": [{"name": "S", "questions": [{"name": name, "type": "text"} for name in names]}]}


def own_fields(**answers: str) -> dict[str, Any]:
    """A patient's own fields as the clinic defined them, with these answers."""
    fields = [
        {"token": token, **({"value": answers[token]} if token in answers else {})}
        for token in ("allergies", "goals", "parking")
    ]
    return {"sections": [{"token": "s", "fields": fields}]}


def an_app(**options: Any) -> App:
    """The usual small clinic, with a record of every kind that an update can take something from."""
    app = App(**options)
    visit = app.clinic.records["individual_appointments"]["20"]
    app.clinic.records |= {
        "appointment_types": {
            "8": {"id": "8", "name": "Consult", "billable_item_id": "60", "product_id": "61", "color": "#fff"} | STAMP
        },
        "billable_items": {"60": {"id": "60", "name": "Fee", **STAMP}},
        "products": {"61": {"id": "61", "name": "Band", **STAMP}},
        "businesses": {
            "9": {"id": "9", "business_name": "Northside", "time_zone_identifier": "Australia/Sydney"}
            | {"appointment_type_ids": ["8"], **STAMP}
        },
        "unavailable_blocks": {"25": {**visit, "id": "25"}},
        "medical_alerts": {"26": {"id": "26", "name": "Severe penicillin allergy", "patient_id": "1", **STAMP}},
        "treatment_notes": {
            "27": {"id": "27", "title": "SOAP", "draft": True, "patient_id": "1", "content": content(NOTE), **STAMP}
        },
        "patient_forms": {
            "28": {"id": "28", "name": "Intake", "patient_id": "1", "content": content(NOTE), **STAMP}
            | {"completed_at": "2026-11-01T00:00:00Z"}
        },
        "patient_cases": {
            "29": {"id": "29", "name": "Knee", "patient_id": "1", "attendee_ids": ["40"], **STAMP},
            "35": {"id": "35", "name": "Hip", "patient_id": "1", "attendee_ids": ["40", "41"], **STAMP},
        },
        "relationships": {"31": {"id": "31", "patient_id": "1", "related_patient_id": "2", "relation": 10, **STAMP}},
        "communications": {
            "32": {"id": "32", "category_code": 12, "content": "Rang about the scan.", "patient_id": "1", **STAMP}
        },
        "treatment_note_templates": {
            "33": {"id": "33", "name": "SOAP", "content": template("S", "O", "A", "P"), **STAMP}
        },
        "patient_form_templates": {"34": {"id": "34", "name": "Intake", "content": template(*"ABCDEF"), **STAMP}},
    }
    app.clinic.records["individual_appointments"]["24"] = {**visit, "id": "24", "repeat_rule": WEEKLY}
    app.clinic.records["patients"] |= {
        "3": dict(PATIENT),
        "4": {"id": "4", "first_name": "Una", "last_name": "Nay", "custom_fields": own_fields(**ANSWERS), **STAMP},
    }
    app.clinic.records["practitioners"]["7"]["appointment_type_id"] = "8"
    return app


def asked_about(app: App, called: Call[Any], answer: Verdict = Verdict.NONE) -> tuple[list[str], bool]:
    """The questions that this call led to, and whether it reached the clinic."""
    form, before = Form(answer), len(app.clinic.reached)

    async def story() -> None:
        with suppress(ApprovalNeeded, Declined):
            await app.act(called, Caller(asker=form, route="http"))

    run(story)
    return [question.text for question in form.asked], len(app.clinic.reached) > before


PATIENT_FIELDS = ["email", "date_of_birth", "medicare", "notes", "occupation", "city", "post_code"]
