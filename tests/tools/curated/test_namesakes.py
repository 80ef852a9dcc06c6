"""Hidden records whose name fits as well as the one that was taken: every curated tool says that they are there."""

from base64 import b64encode
from typing import Any

import pytest
from conftest import YES

from .reception import NORTHSIDE, Reception, reception

pytestmark = pytest.mark.anyio

ARCHIVED = {"archived_at": "2026-03-01T00:00:00Z", "deleted_at": "2026-03-01T00:00:00Z"}


def rosa(clinic: Reception) -> tuple[str, str]:
    """A patient and an archived namesake, by id."""
    born = {"date_of_birth": "1950-02-03"}
    live = clinic.patient("Rosa", "Quill", date_of_birth="1984-05-06")
    return live, clinic.patient("Rosa", "Quill", **born, **ARCHIVED)


def hidden_twin(clinic: Reception, table: str, name: str, **more: Any) -> str:
    """A hidden copy of a record of this name, by its id."""
    row = next(row for row in clinic.rows(table) if row["id"] == clinic.id(table, name))
    copy = {key: value for key, value in row.items() if key not in ("id", "created_at", "updated_at")}
    return clinic.put(table, **(copy | more))


def told(answer: dict[str, Any], twin: str) -> bool:
    return any("fits hidden ones as well" in note and f"id {twin}" in note for note in answer.get("notes", []))


@pytest.mark.long_but_one
@pytest.mark.parametrize(("tool", "arguments"), [
    ("book_appointment", {"practitioner": "Ng", "type": "Standard consult", "when": "20 January 2027 at 10"}),
    ("patient_brief", {}),
    ("set_attendance", {"state": "arrived", "when": "today at 8:30"}),
    ("upload_patient_attachment", {"content": b64encode(b"x").decode(), "filename": "a.txt"}),
    ("write_treatment_note", {"template": "SOAP", "answers": {"Notes": "Fine."}}),
    ("move_appointment", {"when": "20 January 2027 at 11"}),
    ("cancel_appointment", {"reason": "sick"}),
])  # fmt: skip
@pytest.mark.parametrize("how", ["name", "id"])
async def test_an_archived_patient_of_the_same_name_is_named(tool: str, arguments: dict[str, Any], how: str) -> None:
    async with reception(answer=YES) as clinic:
        clinic.empty_diary()
        live, twin = rosa(clinic)
        coming = clinic.book(live, NORTHSIDE, "Dr Mei Ng", "2027-01-19 10:00")
        clinic.book(live, NORTHSIDE, "Dr Mei Ng", "2026-11-24 08:30")
        if tool == "write_treatment_note":
            question = {"name": "Notes", "type": "paragraph"}
            clinic.put("treatment_note_templates", name="SOAP X", content={"sections": [{"questions": [question]}]})
            arguments = {**arguments, "template": "SOAP X"}
        field = "appointment" if tool in ("move_appointment", "cancel_appointment") else "patient"
        one = coming if field == "appointment" else live
        answer = await clinic.assistant.call(tool, **arguments, **{field: "Rosa Quill" if how == "name" else one})
        assert "code" not in answer, answer
        assert told(answer, twin) is (how == "name"), answer.get("notes")
        if how == "name":
            (note,) = [sentence for sentence in answer["notes"] if twin in sentence]
            assert note == (
                "Rosa Quill (born 1984) was taken; the name fits hidden ones as well: "
                f"Rosa Quill (born 1950), archived, id {twin}."
            )


async def test_a_name_that_fits_the_hidden_one_less_well_is_not_mentioned() -> None:
    async with reception() as clinic:
        clinic.patient("Rosalind", "Quill", **ARCHIVED)
        clinic.patient("Rosa", "Quill")
        answer = await clinic.assistant.call("patient_brief", patient="Rosa Quill")
        assert answer["item"]["name"] == "Rosa Quill" and answer.get("notes", []) == []


async def test_an_email_shared_with_an_archived_file_and_more_namesakes_than_are_listed() -> None:
    async with reception() as clinic:
        live, twin = rosa(clinic)
        own = clinic.patient("Ro", "Quill", email="rosa@example.org")
        kept = clinic.patient("Ros", "Quill", email="rosa@example.org", **ARCHIVED)
        answer = await clinic.assistant.call("patient_brief", patient="rosa@example.org")
        assert answer["item"]["id"] == own and told(answer, kept)
        for _ in range(4):
            clinic.patient("Rosa", "Quill", **ARCHIVED)
        (note,) = (await clinic.assistant.call("patient_brief", patient="Rosa Quill"))["notes"]
        assert note.count("archived, id ") == 3 and note.endswith("; and 2 more.")
        assert answer["item"]["id"] != live and twin


@pytest.mark.parametrize(("tool", "arguments"), [
    ("find_times", {"type": "Standard consult", "practitioner": ["Ng"], "business": "Northside"}),
    ("show_diary", {"practitioner": ["Ng"], "business": "Northside"}),
    ("book_appointment", {
        "patient": "4211", "practitioner": "Ng", "type": "Standard consult", "business": "Northside",
        "when": "20 January 2027 at 10", "dry_run": True,
    }),
    ("block_time", {"practitioner": "Ng", "business": "Northside", "when": "20 January 2027 12 to 1"}),
    ("fill_gap", {"practitioner": "Ng", "business": "Northside", "when": "Friday 10 to 10:30"}),
    ("report", {"kind": "no_shows", "practitioner": "Ng", "business": "Northside", "when": "last week"}),
    ("set_attendance", {"state": "arrived", "practitioner": "Ng", "when": "today at 8:30"}),
    ("clinic_overview", {"business": "Northside"}),
])  # fmt: skip
async def test_a_practitioner_who_left_and_a_closed_site_of_the_same_name_are_named(
    tool: str, arguments: dict[str, Any]
) -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        clinic.book(clinic.patient("Otto", "Early"), NORTHSIDE, "Dr Mei Ng", "2026-11-24 08:30")
        left = hidden_twin(
            clinic, "practitioners", "Dr Mei Ng", first_name="Wei", label="Dr Wei Ng", display_name="", active=False
        )
        shut = hidden_twin(clinic, "businesses", "Northside", **ARCHIVED)
        answer = await clinic.assistant.call(tool, **arguments)
        assert "code" not in answer, answer
        if "practitioner" in arguments:
            assert told(answer, left), answer.get("notes")
        if "business" in arguments:
            assert told(answer, shut), answer.get("notes")


async def test_an_archived_type_of_the_same_name_is_named() -> None:
    async with reception() as clinic:
        old = hidden_twin(clinic, "appointment_types", "Standard consult", **ARCHIVED)
        arguments = {"type": "standard consult", "practitioner": ["Ng"]}
        assert told(await clinic.assistant.call("find_times", **arguments), old)
        gap = {"type": "standard consult", "practitioner": "Ng", "when": "Friday 10 to 10:30"}
        assert told(await clinic.assistant.call("fill_gap", **gap), old)
