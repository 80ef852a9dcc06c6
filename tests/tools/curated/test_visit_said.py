"""The visit in the words of a desk, for the brief, the note and the gap: the same visit however it is said."""

from typing import Any

import pytest

from .reception import NORTHSIDE, RIVERSIDE, Reception, reception

pytestmark = pytest.mark.anyio
CANCELLED = {"cancelled_at": "2026-11-23T00:00:00Z"}
COMING = (
    "Faye's 9:15 on Monday", "the 9.15 with Mei Ng on Monday", "Faye Rowe, 30 November at 9:15", "Faye's next one",
    "Faye Rowe's next appointment", "2026-11-30T09:15+11:00 Mon, Faye Rowe", "ID",
)  # fmt: skip
PAST = (
    "Faye's 9:15 yesterday", "Faye's last one", "Faye Rowe, Monday 9:15", "the 9:15 with Mei Ng yesterday",
    "Faye Rowe's last visit", "yesterday, Faye Rowe", "ID",
)  # fmt: skip


def prepared(clinic: Reception) -> dict[str, str]:
    """Faye's visits, one past, one to come and one cancelled, beside those of others; ids by word."""
    clinic.empty_diary()
    clinic.empty("treatment_notes", "patients")
    faye, jane = clinic.patient("Faye", "Rowe"), clinic.patient("Jane", "Limerick")
    note = {"questions": [{"name": "Notes", "type": "paragraph"}]}
    clinic.put("treatment_note_templates", name="Visit in short", content={"sections": [note]})
    clinic.book(jane, RIVERSIDE, "Jack Whitfield", "2026-11-30 09:15")
    clinic.book(jane, RIVERSIDE, "Jack Whitfield", "2026-11-23 09:15")
    return {
        "faye": faye,
        "jane": jane,
        "past": clinic.book(faye, NORTHSIDE, "Dr Mei Ng", "2026-11-23 09:15"),
        "coming": clinic.book(faye, NORTHSIDE, "Dr Mei Ng", "2026-11-30 09:15"),
    }


@pytest.mark.parametrize("said", COMING)
async def test_a_brief_is_that_of_the_patient_whose_visit_is_said(said: str) -> None:
    async with reception() as clinic:
        ids = prepared(clinic)
        answer = await clinic.assistant.call("patient_brief", appointment=ids["coming"] if said == "ID" else said)
        assert answer.get("item", {}).get("id") == ids["faye"], answer
        assert any(ids["coming"] in note for note in answer["notes"]), answer["notes"]


@pytest.mark.parametrize("said", PAST)
@pytest.mark.parametrize("beside", [True, False])
async def test_a_note_is_linked_to_the_past_visit_that_is_said(said: str, beside: bool) -> None:
    async with reception() as clinic:
        ids = prepared(clinic)
        arguments: dict[str, Any] = {"patient": "Faye Rowe"} if beside else {}
        visit = ids["past"] if said == "ID" else said
        answer = await clinic.assistant.call(
            "write_treatment_note", template="Visit in short", visit=visit, answers={"Notes": "Fine."}, **arguments
        )
        assert "code" not in answer, answer
        (row,) = clinic.rows("treatment_notes")
        assert (row["patient_id"], row["booking_id"]) == (ids["faye"], ids["past"])


@pytest.mark.parametrize("said", ["Jane's 9:15 yesterday", "the 9:15 with Jack Whitfield yesterday", "Jane Limerick"])
async def test_a_note_of_one_patient_never_goes_to_the_visit_of_another(said: str) -> None:
    async with reception() as clinic:
        prepared(clinic)
        answer = await clinic.assistant.call(
            "write_treatment_note", patient="Faye Rowe", template="Visit in short", visit=said, answers={"Notes": "x"}
        )
        assert answer.get("code") in ("not_found", "ambiguous"), answer
        assert clinic.assistant.changes() == []


@pytest.mark.parametrize("said", [
    "Faye's 9:15 on Monday", "the 9.15 with Mei Ng on Monday", "Faye Rowe, 30 November at 9:15", "Faye's next one",
    "Faye Rowe", "ID",
])  # fmt: skip
@pytest.mark.parametrize("cancelled", [True, False])
async def test_a_gap_is_the_time_of_the_visit_that_is_said_cancelled_or_not(said: str, cancelled: bool) -> None:
    async with reception() as clinic:
        ids = prepared(clinic)
        row = next(row for row in clinic.rows("individual_appointments") if row["id"] == ids["coming"])
        clinic.store.put("individual_appointments", {**row, **(CANCELLED if cancelled else {})})
        answer = await clinic.assistant.call("fill_gap", appointment=ids["coming"] if said == "ID" else said)
        assert answer.get("gap", {}).get("starts_at", "").startswith("2026-11-30T09:15"), answer
        assert answer["gap"]["practitioner"] == "Dr Mei Ng"
        assert ids["faye"] not in {item["patient_id"] for item in answer["items"]}
        assert any("not cancelled yet" in note for note in answer["notes"]) is not cancelled


async def test_a_cancelled_visit_is_the_gap_before_the_one_that_was_booked_in_its_place() -> None:
    async with reception() as clinic:
        ids = prepared(clinic)
        row = next(row for row in clinic.rows("individual_appointments") if row["id"] == ids["coming"])
        clinic.store.put("individual_appointments", {**row, **CANCELLED})
        clinic.book(ids["faye"], NORTHSIDE, "Dr Mei Ng", "2026-11-30 14:00")
        answer = await clinic.assistant.call("fill_gap", appointment="Faye's appointment on Monday")
        assert answer.get("gap", {}).get("starts_at", "").startswith("2026-11-30T09:15"), answer
