"""The report on patients' files: duplicates and missing contact details, checked against the raw rows."""

import pytest

from tests.tools.curated.test_report import HIDDEN, whole

from .reception import RIVERSIDE, Row, reception

pytestmark = pytest.mark.anyio


@pytest.mark.long
async def test_duplicates_are_found_and_families_and_archived_records_are_not() -> None:
    async with reception() as clinic:
        clinic.empty("patients")
        mobile = [{"number": "0400 111 222", "phone_type": "Mobile", "normalized_number": "61400111222"}]
        born: Row = {"date_of_birth": "1980-01-01"}
        pairs = {
            "name and date": (("Eva", "Stone", born), ("éva", "Stone", born)),
            "swapped": (("Kit", "Marlow", born), ("Marlow", "Kit", born)),
            "email": (("Jon", "Reed", {"email": "j@x.example"}), ("Jonn", "Reed", {"email": "J@X.example"})),
        }
        married = {
            clinic.patient("Amy", "Vale", patient_phone_numbers=mobile),
            clinic.patient("Amy", "Stonehouse", patient_phone_numbers=mobile),
        }
        likely = [{clinic.patient(first, last, **more) for first, last, more in pair} for pair in pairs.values()]
        possible = {
            clinic.patient("Daniel", "Kim", date_of_birth="1979-09-09"),
            clinic.patient("Daniela", "Kim", date_of_birth="1979-09-09"),
        }
        unknown = {clinic.patient("Rob", "Lane", date_of_birth="1970-02-02"), clinic.patient("Rob", "Lane")}
        family = {"email": "family@x.example", "patient_phone_numbers": [{"number": "0400999888"}]}
        clinic.patient("Emma", "Sample", date_of_birth="2010-04-01", **family)
        clinic.patient("Oliver", "Sample", date_of_birth="2012-04-01", **family)
        clinic.patient("Rob", "Ray", date_of_birth="1970-02-02")
        clinic.patient("Same", "Name", date_of_birth="1970-03-02")
        clinic.patient("Same", "Name", date_of_birth="1990-03-02")
        clinic.patient("Eva", "Stone", date_of_birth="1980-01-01", **HIDDEN)
        for number in range(150):
            clinic.patient("Unlike", f"P{number}Q{number * 7}", date_of_birth="1900-01-01")
        answer, rows = await whole(clinic, kind="duplicates")
        found = {
            confidence: [
                {patient["id"] for patient in row["patients"]} for row in rows if row["confidence"] == confidence
            ]
            for confidence in ("likely", "possible")
        }
        assert sorted(map(sorted, found["likely"])) == sorted(map(sorted, likely))
        assert sorted(map(sorted, found["possible"])) == sorted(map(sorted, [possible, unknown, married]))
        assert answer["summary"]["files_compared"]["count"] == 150 + 8 + 4 + 5


def no_mobile(row: Row) -> bool:
    return all(number["phone_type"] != "Mobile" for number in row.get("patient_phone_numbers") or [])


@pytest.mark.long
async def test_missing_contacts_for_all_or_for_those_who_come() -> None:
    async with reception() as clinic:
        answer, rows = await whole(clinic, kind="missing_contacts")
        raw = [row for row in clinic.rows("patients") if not row.get("archived_at")]
        lacking = {
            row["id"]: [
                *([] if row.get("patient_phone_numbers") else ["phone"]),
                *([] if row.get("email") else ["email"]),
                *(["mobile for SMS reminders"] if no_mobile(row) and "SMS" in (row.get("reminder_type") or "") else []),
            ]
            for row in raw
        }
        assert {row["patient_id"]: row["missing"] for row in rows} == {key: one for key, one in lacking.items() if one}
        assert answer["summary"]["patients_without_either"]["count"] == sum(
            {"phone", "email"} <= {*kinds} for kinds in lacking.values()
        )
        clinic.empty_diary()
        eva = clinic.patient("Eva", "Nothing", reminder_type="SMS")
        clinic.book(eva, RIVERSIDE, "Jack Whitfield", "2026-11-25 08:30")
        clinic.forget()
        coming = await clinic.assistant.call("report", kind="missing_contacts", when="tomorrow")
        assert [row["patient_id"] for row in coming["items"]] == [eva]
        assert "cannot reach" in coming["items"][0]["reminders"]
        numbers = [{"number": "0400 111 222", "phone_type": "Mobile"}]
        own = clinic.patient("Una", "Own", patient_phone_numbers=numbers, emergency_contact="Una Own 0400 111 222")
        other = clinic.patient(
            "Una", "Other", patient_phone_numbers=numbers, emergency_contact="Ben Other 0400 111 222"
        )
        for patient in (own, other):
            clinic.book(patient, RIVERSIDE, "Jack Whitfield", "2026-11-26 08:30")
        clinic.forget()
        coming = await clinic.assistant.call("report", kind="missing_contacts", when="26 November 2026")
        assert coming["summary"]["emergency_contact_is_their_own"]["count"] == 1
        shown = {row["patient_id"]: row["missing"] for row in coming["items"]}
        assert "emergency contact other than themselves" in shown[own] and shown[other] == ["email"]
