"""What an answer offers was not refused, and whom it names is one person."""

import pytest

from .reception import NORTHSIDE, reception
from .test_namesakes import hidden_twin

pytestmark = pytest.mark.anyio


async def test_a_move_offers_no_time_at_which_the_patient_is_with_somebody_else() -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        otto, other = clinic.patient("Otto", "Zimt"), clinic.patient("Ina", "Other")
        own = clinic.book(otto, NORTHSIDE, "Dr Mei Ng", "2027-01-19 10:00")
        clinic.book(other, NORTHSIDE, "Dr Mei Ng", "2027-01-20 11:00")
        for at in ("10:00", "10:30", "11:30", "12:00"):
            clinic.book(otto, NORTHSIDE, "Tom Okafor", f"2027-01-20 {at}")
        refused = await clinic.assistant.call("move_appointment", appointment=own, when="20 January 2027 at 11:00")
        assert refused["code"] == "clash" and refused["nearest"], refused
        for offered in refused["nearest"]:
            checked = await clinic.assistant.call("move_appointment", appointment=own, when=offered, dry_run=True)
            assert "code" not in checked and not checked.get("clashes"), (offered, checked)


async def test_blocked_out_time_and_searches_tell_namesakes_apart_by_their_ids() -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        ng = clinic.id("practitioners", "Dr Mei Ng")
        consult = clinic.id("appointment_types", "Standard consult")
        hidden_twin(clinic, "practitioners", "Dr Mei Ng")
        hidden_twin(clinic, "appointment_types", "Standard consult")
        blocked = await clinic.assistant.call("block_time", practitioner=[ng], when="20 January 2027 12:00 to 13:00")
        assert blocked.get("practitioner") == f"Dr Mei Ng ({ng})", blocked
        found = await clinic.assistant.call("find_times", type=consult, when="20 January 2027", practitioner=[ng])
        assert found.get("type") == f"Standard consult ({consult})", found
        assert {row["practitioner"] for row in found["items"]} == {f"Dr Mei Ng ({ng})"}
