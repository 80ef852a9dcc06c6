"""A patient's history takes the room that an answer has left beside its visits and their notes, and all of it."""

from dataclasses import replace

import pytest

from cliniko_mcp.frontdesk.partial_reads import PartialReads
from cliniko_mcp.frontdesk.patient_file import PatientFile, read_file
from cliniko_mcp.frontdesk.roster import Roster
from cliniko_mcp.frontdesk.visit_rows import VisitRows
from cliniko_mcp.results.budget import size

from .clinics import front_desk, load

pytestmark = pytest.mark.anyio


async def read() -> tuple[PatientFile, Roster]:
    """The file of a patient with one visit to come, which has a long note of its own, and the clinic's roster."""
    async with front_desk("patient_brief") as (reception, clinic):
        eva = reception.patient("Eva", "Often")
        booking = reception.book(eva, "Northside", "Dr Mei Ng", "2026-11-26 09:00")
        questions = [{"name": "Plan", "type": "paragraph", "answer": "Heat and rest. " * 800}]
        content = {"sections": [{"questions": questions}]}
        reception.put("treatment_notes", patient_id=eva, booking_id=booking, title="SOAP", content=content)
        file = await read_file(clinic, eva, PartialReads(), notes=True, history=True)
        return file, (await load(clinic))[0]


def cancelled(file: PatientFile, reason: str) -> PatientFile:
    """The same with its visit cancelled for this reason."""
    (place,) = file.attendees
    gone = {"cancelled_at": "2026-11-01T00:00:00Z", "cancellation_reason_description": reason}
    return replace(file, attendees=[type(place).read({**place.as_json(), **gone})])


def cost(file: PatientFile, roster: Roster) -> int:
    """The tokens of the one row of this history with its comma."""
    (row,), _ = VisitRows(file, roster, 0).history()
    return size(row.as_json()) + 1


async def test_a_visit_that_takes_all_the_room_is_shown_and_one_of_a_token_more_is_not() -> None:
    file, roster = await read()
    shown: dict[int, list[int]] = {}
    for letters in range(250, 300):
        told = cancelled(file, "x" * letters)
        rows, left_out = VisitRows(told, roster, 69).history()  # 6,000 tokens less 85 a visit: 135
        assert len(rows) + left_out == 1
        shown.setdefault(cost(told, roster), []).append(len(rows))
    assert {tokens: set(counts) for tokens, counts in shown.items() if 134 <= tokens <= 136} == {
        134: {1},
        135: {1},
        136: {0},
    }


async def test_what_a_note_takes_is_not_there_for_the_history() -> None:
    file, roster = await read()
    (place,) = file.attendees
    many = replace(file, attendees=[place.model_copy(update={"id": f"{number}"}) for number in range(1, 121)])
    cost_of_one = cost(file, roster)
    rows = VisitRows(many, roster, 1)
    alone, left_out = rows.history()
    assert (len(alone), left_out) == (5_915 // cost_of_one, 120 - 5_915 // cost_of_one)
    (row,) = rows.coming(file.visits)
    assert row.free_text is not None
    (note,) = row.free_text.treatment_notes
    beside, _ = rows.history()
    assert len(beside) == (5_915 * 3 - len(note.text) - 300) // 3 // cost_of_one < len(alone) / 2
