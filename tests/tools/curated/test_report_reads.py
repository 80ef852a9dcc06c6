"""What reports read of a clinic: the rows of the time and the people asked about, from the first one there is on."""

import httpx2
import pytest

from cliniko_mcp.sandbox.transport import SandboxTransport

from .reception import NORTHSIDE, RIVERSIDE, reception

pytestmark = pytest.mark.anyio


async def test_a_time_without_a_beginning_goes_back_to_the_first_booking_that_was_made() -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        ada = clinic.patient("Ada", "Quill")
        first, second, third = [
            clinic.book(ada, NORTHSIDE, "Dr Mei Ng", f"2026-{made[5:7]}-28 10:00", created_at=f"{made}T01:00:00Z")
            for made in ("2026-02-03", "2026-07-14", "2026-11-20")
        ]
        clinic.book(ada, NORTHSIDE, "Dr Mei Ng", "2026-12-01 10:00")  # made just now
        answer = await clinic.assistant.call("report", kind="new_bookings", when="until yesterday")
        assert answer["summary"]["bookings_made"] == {"count": 3}
        assert {row["appointment_id"] for row in answer["items"]} == {first, second, third}


@pytest.mark.parametrize("when", ["last week", "before 17 November 2026"])
async def test_of_invoices_those_of_the_time_asked_about_are_read_and_no_others(when: str) -> None:
    async with reception() as clinic:
        clinic.empty("invoices")
        ada = clinic.patient("Ada", "Quill")
        for number in range(105):
            clinic.put("invoices", patient_id=ada, number=number, status=10, issue_date="2026-11-24", total_amount="1")
        clinic.put("invoices", patient_id=ada, number=200, status=10, issue_date="2026-11-16", total_amount="80")
        answer = await clinic.assistant.call("report", kind="unpaid", when=when)
        assert answer["summary"]["unpaid_invoices"] == {"count": 1, "total": "80.00"}
        assert sum(seen.path == "/v1/invoices" for seen in clinic.sandbox.requests) == 1


@pytest.mark.parametrize("words", ["everyone", "anyone", "all practitioners", "any"])
async def test_everyone_is_nobody_in_particular(words: str) -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        for who, site in (("Dr Mei Ng", NORTHSIDE), ("Jack Whitfield", RIVERSIDE)):
            clinic.book(clinic.patient("Ada", who), site, who, "2026-11-20 10:00", arrived=False)
        answer = await clinic.assistant.call("report", kind="no_shows", when="last week", practitioner=words)
        assert {row["practitioner"] for row in answer["items"]} == {"Dr Mei Ng", "Jack Whitfield"}
        assert "practitioner" not in answer


async def test_a_case_without_a_list_of_its_visits_counts_those_that_name_it(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = SandboxTransport.handle_async_request

    async def without_lists(self: SandboxTransport, request: httpx2.Request) -> httpx2.Response:
        response = await answered(self, request)
        if request.url.path != "/v1/patient_cases/active":
            return response
        body = response.json()
        body["patient_cases"] = [{**row, "attendee_ids": None} for row in body["patient_cases"]]
        return httpx2.Response(200, json=body, request=request)

    async with reception() as clinic:
        clinic.empty("patient_cases")
        clinic.empty_diary()
        ada = clinic.patient("Ada", "Quill")
        case = clinic.put("patient_cases", patient_id=ada, name="Knee", max_sessions=5)
        clinic.book(ada, NORTHSIDE, "Dr Mei Ng", "2026-11-20 10:00", patient_case_id=case)
        monkeypatch.setattr(SandboxTransport, "handle_async_request", without_lists)
        answer = await clinic.assistant.call("report", kind="cases")
        assert [(row["case"], row["used"], row["left"]) for row in answer["items"]] == [("Knee", 1, 4)]
