"""What a question about a cancellation names of the clinic's set-up may come from memory; what is cancelled may not."""

from typing import Any

import pytest
from conftest import Answer

from .reception import NORTHSIDE, Reception, reception

pytestmark = pytest.mark.anyio
YES = {"action": "accept", "content": {"approve": True}}


async def cancelled(meanwhile: str) -> tuple[dict[str, Any], bool, int]:
    """The answer to a cancellation during whose first question this happens, whether the visit is cancelled, and how
    many questions there were."""
    happened: list[Reception] = []

    def say(_: str) -> dict[str, Any]:
        clinic = happened[0]
        match meanwhile:
            case "memory is over":
                clinic.forget()
            case "type is called otherwise":
                (kind,) = (row for row in clinic.rows("appointment_types") if row["name"] == "Standard consult")
                clinic.store.put("appointment_types", {**kind, "name": "Another consult"})
                clinic.forget()
            case "visit is moved":
                (visit,) = clinic.rows("individual_appointments")
                clinic.store.put("individual_appointments", {**visit, "starts_at": "2026-11-26T05:00:00Z"})
            case "patient is called otherwise":
                (patient,) = (row for row in clinic.rows("patients") if row.get("label") == "Otto Zimt")
                clinic.store.put("patients", {**patient, "label": "Otto Zimmer", "last_name": "Zimmer"})
            case _:
                pass
        return YES

    answer: Answer = say
    async with reception(mode="legacy", answer=answer) as clinic:
        happened.append(clinic)
        clinic.empty_diary()
        visit = clinic.book(clinic.patient("Otto", "Zimt"), NORTHSIDE, "Dr Mei Ng", "2026-11-26 15:00")
        body = await clinic.assistant.call("cancel_appointment", appointment=visit, reason="sick")
        (row,) = clinic.rows("individual_appointments")
        return body, bool(row.get("cancelled_at")), len(clinic.assistant.asked)


@pytest.mark.parametrize("meanwhile", ["nothing", "memory is over"])
async def test_a_yes_holds_though_memory_is_over_by_then(meanwhile: str) -> None:
    body, gone, asked = await cancelled(meanwhile)
    assert ("code" not in body, gone, asked) == (True, True, 1), body


@pytest.mark.long_but_one
@pytest.mark.parametrize("meanwhile", ["visit is moved", "patient is called otherwise", "type is called otherwise"])
async def test_what_has_changed_since_the_question_is_asked_anew_before_anything_is_cancelled(meanwhile: str) -> None:
    body, gone, asked = await cancelled(meanwhile)
    assert asked == 2, (gone, body)
