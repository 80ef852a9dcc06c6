"""Reports take rows as a clinic keeps them: a visit whose booking is gone, a number of no kind, a bill for no visit."""

from collections.abc import AsyncGenerator

import pytest

from .reception import NORTHSIDE, Reception, Row, reception

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def desk() -> AsyncGenerator[Reception]:
    async with reception() as found:
        found.empty_diary()
        yield found


async def report(desk: Reception, kind: str, **arguments: object) -> Row:
    desk.forget()
    return await desk.assistant.call("report", kind=kind, **arguments)


async def test_a_visit_whose_booking_is_gone_is_a_session_used_and_none_to_come(desk: Reception) -> None:
    desk.empty("patient_cases")
    ada = desk.patient("Ada", "Quill")
    case = desk.put("patient_cases", name="Knee", patient_id=ada, max_sessions=5)
    desk.book(ada, NORTHSIDE, "Dr Mei Ng", "2026-11-17 09:00", patient_case_id=case)
    desk.book(ada, NORTHSIDE, "Dr Mei Ng", "2026-12-01 09:00", patient_case_id=case)
    desk.put("attendees", booking_id="99", patient_id=ada, patient_case_id=case)
    answer = await report(desk, "cases")
    assert answer["items"] == [
        {"case_id": case, "case": "Knee", "max_sessions": 5, "used": 2, "booked": 1, "left": 2,
         "patient": "Ada Quill", "patient_id": ada}
    ]  # fmt: skip


async def test_a_number_of_which_no_kind_is_said_is_a_phone_and_no_mobile(desk: Reception) -> None:
    desk.empty("patients")
    bea = desk.patient(
        "Bea", "Rook", email="bea@mail.example", reminder_type="SMS",
        patient_phone_numbers=[{"number": "0491 570 156", "phone_type": None}],
    )  # fmt: skip
    answer = await report(desk, "missing_contacts")
    assert answer["items"] == [{"missing": ["mobile for SMS reminders"], "patient": "Bea Rook", "patient_id": bea}]


@pytest.mark.parametrize("visits", [95, 96])
async def test_what_was_billed_stands_by_type_however_many_visits_it_was_for(desk: Reception, visits: int) -> None:
    desk.empty("invoices")
    desk.empty_diary()
    ada = desk.patient("Ada", "Quill")
    bill = {"patient_id": ada, "status": 20, "issue_date": "2026-11-17", "total_amount": "10.00"}
    for number in range(visits):
        kind = "Initial consult" if number < 40 else "Standard consult"
        visit = desk.book(ada, NORTHSIDE, "Dr Mei Ng", f"2026-11-{9 + number % 8:02d} 09:00", kind=kind)
        desk.put("invoices", appointment_id=visit, **bill)
    desk.put("invoices", **{**bill, "total_amount": "7.50"})
    answer = await report(desk, "revenue", when="last week", by=["type"])
    assert answer["by"]["type"]["rows"] == [
        {"name": "Standard consult", "count": visits - 40, "total": f"{visits - 40}0.00", "visits": visits - 40,
         "average": "10.00"},
        {"name": "Initial consult", "count": 40, "total": "400.00", "visits": 40, "average": "10.00"},
        {"name": "no type", "count": 1, "total": "7.50"},
    ]  # fmt: skip
