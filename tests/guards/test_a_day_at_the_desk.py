"""A day at the front desk of the demo clinic: fifty ordinary changes, and nobody is asked about any of them."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from conftest import DECLINE, NOW, in_process

from tests.tools.curated.raw import Raw

pytestmark = pytest.mark.anyio
TODAY = datetime.fromisoformat(NOW)
NOTE = {"sections": [{"name": "S", "questions": [{"name": "Q", "type": "text", "answer": "Sore knee. " * 20}]}]}
LONGER = {"sections": [{"name": "S", "questions": [{"name": "Q", "type": "text", "answer": "Sore right knee. " * 20}]}]}

PATIENT: list[dict[str, Any]] = [
    {"patient_phone_numbers": [{"phone_type": "Mobile", "number": "0491 570 110"}]},
    {"patient_phone_numbers": [{"phone_type": "Home", "number": "02 5550 1234"}]},
    {"patient_phone_numbers": []},
    {"email": "new.address@example.com"},
    {"clear": ["email"]},
    {"email": "right.address@example.com", "invoice_email": "accounts@example.com"},
    {"address_1": "3 High Street", "address_2": "Flat 2", "city": "Newcastle", "state": "NSW", "post_code": "2300"},
    {"clear": ["address_2"], "address_1": "4 High Street"},
    {"date_of_birth": "1984-02-04"},
    {"first_name": "Anna"},
    {"last_name": "Lima-Berg", "title": "Dr"},
    {"preferred_first_name": "Annie"},
    {"clear": ["preferred_first_name"]},
    {"reminder_type": "SMS"},
    {"reminder_type": "Email"},
    {"clear": ["reminder_type"]},
    {"receives_confirmation_emails": False, "receives_cancellation_emails": False},
    {"accepted_email_marketing": False, "unsubscribe_sms_marketing": True},
    {"notes": "Prefers mornings."},
    {"notes": "Prefers mornings. Parks behind the house."},
    {"appointment_notes": "Ring on the mobile."},
    {"clear": ["appointment_notes"]},
    {"occupation": "Teacher", "emergency_contact": "Rui Lima 0491 570 156"},
    {"medicare": "2950", "medicare_reference_number": "1"},
    {"sex": "Female"},
    {"invoice_default_to": "Ana Lima", "invoice_extra_information": "Claim 12"},
]


async def test_nobody_is_asked_about_an_ordinary_day() -> None:
    async with in_process(answer=DECLINE) as assistant:
        raw, done = Raw(assistant), 0

        async def change(name: str, /, **arguments: Any) -> dict[str, Any]:
            nonlocal done
            answer = await assistant.call("cliniko_write", operation=name, arguments=arguments)
            assert "code" not in answer, (name, arguments, answer)
            assert assistant.asked == [], (name, arguments)
            done += name.startswith("update_")
            return answer

        patient = raw.id("patients", "Ana Lima")
        for arguments in PATIENT:
            await change("update_patient", id=patient, **arguments)

        ahead = [row for row in raw.live("individual_appointments") if datetime.fromisoformat(row["starts_at"]) > TODAY]
        visit = min(ahead, key=lambda row: row["starts_at"])["id"]
        for start in (
            "2026-11-24T16:00",
            "2026-11-24T07:00",
            "2026-11-25T10:00",
            "2027-02-01T09:30",
            "2026-11-24T23:30+11:00",
        ):
            await change("update_individual_appointment", id=visit, starts_at=start, clear=["ends_at"])
        await change("update_individual_appointment", id=visit, notes="Bring the scan.")
        await change("update_individual_appointment", id=visit, clear=["notes"])
        past = [row for row in raw.live("individual_appointments") if row["starts_at"] < "2026-11-20"]
        last = max(past, key=lambda row: row["starts_at"])
        await change("update_individual_appointment", id=last["id"], notes="Came by train.")
        earlier = datetime.fromisoformat(last["starts_at"]) - timedelta(minutes=15)
        await change("update_individual_appointment", id=last["id"], starts_at=earlier.isoformat())

        attendee = raw.live("attendees")[0]["id"]
        for arguments in ({"arrived": True}, {"arrived": False}, {"clear": ["arrived"]}, {"notes": "Late."}):
            await change("update_attendee", id=attendee, **arguments)

        template = raw.live("treatment_note_templates")[0]["id"]
        written = await change(
            "create_treatment_note", patient_id=patient, treatment_note_template_id=template, content=NOTE, draft=True
        )
        note = written["item"]["id"]
        for arguments in ({"content": LONGER}, {"content": NOTE}, {"title": "Review"}, {"draft": False}):
            await change("update_treatment_note", id=note, **arguments)

        case = next(row["id"] for row in raw.live("patient_cases") if not row.get("closed"))
        for arguments in ({"name": "Left knee"}, {"max_sessions": 8}, {"closed": True}, {"closed": False}):
            await change("update_patient_case", id=case, **arguments)

        alert = raw.live("medical_alerts")[0]
        await change("update_medical_alert", id=alert["id"], name=alert["name"] + " (see letter)")
        contact = raw.live("contacts")[0]["id"]
        await change("update_contact", id=contact, phone_numbers=[{"phone_type": "Fax", "number": "02 5550 7777"}])
        await change("update_contact", id=contact, email="rooms@example.com", clear=["notes"])
        item = raw.live("billable_items")[0]["id"]
        await change("update_billable_item", id=item, price="95.00")
        product = raw.live("products")[0]["id"]
        await change("update_product", id=product, price="31.00", name="Band, red")
        site = raw.id("businesses", "Northside")
        await change("update_business", id=site, additional_information="Ring the bell.", city="Sydney")
        kind = raw.live("appointment_types")[0]["id"]
        await change("update_appointment_type", id=kind, duration_in_minutes=45, description="A longer look.")
        assert done >= 50
