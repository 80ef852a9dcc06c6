"""Contents and custom fields in rows: short rows tell questions and answers, full ones show the content as it is."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.resources.patient_form_templates import PatientFormTemplate
from cliniko_mcp.cliniko.resources.patient_forms import PatientForm
from cliniko_mcp.cliniko.resources.patients import Patient
from cliniko_mcp.cliniko.resources.treatment_note_templates import TreatmentNoteTemplate
from cliniko_mcp.cliniko.resources.treatment_notes import TreatmentNote
from cliniko_mcp.results.rows import Detail, Shape, row_of

UTC = ZoneInfo("UTC")
ALLERGIES: dict[str, Any] = {
    "name": "Allergies",
    "type": "checkboxes",
    "answers": [{"value": "Peanuts", "selected": True}, {"value": "Penicillin"}],
    "other": {"enabled": True, "selected": True, "value": "Latex"},
}
CONTENT: dict[str, Any] = {"sections": [{"name": "History", "questions": [ALLERGIES]}]}


def shown(record: type[Record], field: str, value: Any, detail: Detail = "concise") -> object:
    row = row_of(record.read({"id": "1", field: value}), Shape(record, detail, [field]), UTC, {})
    free = row["free_text"]
    assert isinstance(free, dict)
    return free[field]


@pytest.mark.parametrize("record", [TreatmentNote, PatientForm, TreatmentNoteTemplate, PatientFormTemplate])
def test_a_short_row_tells_question_and_answers(record: type[Record]) -> None:
    assert shown(record, "content", CONTENT) == "Allergies: Peanuts; Other: Latex"


def test_content_with_something_unexpected_in_it_is_told_too() -> None:
    odd = {
        "sections": [{"name": "History", "questions": [ALLERGIES, {"name": 7, "type": "text", "answer": "Aspirin"}]}]
    }
    assert shown(PatientForm, "content", odd) == "Allergies: Peanuts; Other: Latex / 7: Aspirin"


def test_custom_fields_are_told_the_same_way() -> None:
    field = {"token": "t", "name": "Sport", "type": "radiobuttons", "options": [{"token": "a", "name": "Never"}]}
    fields = {"sections": [{"token": "s", "fields": [{**field, "other": {"selected": True, "value": "Chess"}}]}]}
    assert shown(Patient, "custom_fields", fields) == "Sport: Other: Chess"


def test_what_a_short_row_leaves_out_is_said() -> None:
    questions = [{"name": f"Q{number}", "type": "text", "answer": "word " * 12} for number in range(9)]
    text = shown(PatientForm, "content", {"sections": [{"questions": questions}]})
    assert isinstance(text, str)
    assert text.endswith("(7 more answers left out) …")
    assert len(text) <= 240


def test_in_full_the_content_is_what_an_update_has_to_send_back() -> None:
    assert shown(PatientForm, "content", CONTENT, "full") == CONTENT
