"""book_appointment: what is written, what is refused before anything is written, and how a clash is allowed."""

from collections import Counter
from datetime import datetime
from typing import Any

import pytest
from conftest import Assistant, in_process

from cliniko_mcp.sandbox.faults import Fault

from .raw import Raw

pytestmark = pytest.mark.anyio
FREE: dict[str, Any] = {"practitioner": "Ng", "type": "Standard consult", "when": "20 January 2027 at 10:00"}
WRITTEN = ["POST /v1/individual_appointments"]


async def booked(assistant: Assistant, **arguments: Any) -> dict[str, Any]:
    answer = await assistant.call("book_appointment", **{"patient": "Ana Lima", **FREE, **arguments})
    assert answer.get("done") == "Booked.", answer
    return answer


async def refused(assistant: Assistant, **arguments: Any) -> dict[str, Any]:
    before = assistant.changes()
    answer = await assistant.call("book_appointment", **{"patient": "Ana Lima", **FREE, **arguments})
    assert "code" in answer, answer
    assert assistant.changes() == before
    return answer


@pytest.mark.long
async def test_a_free_time_is_booked_in_the_site_s_own_time_and_conflicts_are_read_after() -> None:
    async with in_process() as assistant:
        answer = await booked(assistant, patient="lima ana", notes="brings scans")
        row = Raw(assistant).get("individual_appointments", answer["item"]["id"])
        assert (row["starts_at"], row["ends_at"]) == ("2027-01-19T23:00:00Z", "2027-01-19T23:30:00Z")
        assert row["notes"] == "brings scans"
        assert answer["item"]["starts_at"] == "2027-01-20T10:00+11:00 Wed"
        assert (answer["item"]["patient"], answer["item"]["born"]) == ("Ana Lima", "1984-03-17")
        assert answer["conflicts"] is False
        assert "may send Ana Lima" in answer["notes"][0] and "reminders by SMS and email" in answer["notes"][0]
        assert Raw(assistant).log()[-1] == "GET individual_appointments/conflicts"
        assert assistant.changes() == WRITTEN


@pytest.mark.long
async def test_at_a_site_in_another_zone_the_time_is_that_site_s() -> None:
    async with in_process() as assistant:
        answer = await booked(assistant, practitioner="Whitfield", when="20 January 2027 at 10:00", minutes=50)
        row = Raw(assistant).get("individual_appointments", answer["item"]["id"])
        assert (row["starts_at"], row["ends_at"]) == ("2027-01-19T23:30:00Z", "2027-01-20T00:20:00Z")
        assert answer["item"]["business"] == "Riverside"
        assert "Standard consult usually takes 30 minutes." in answer["notes"]


@pytest.mark.long
@pytest.mark.parametrize(
    ("when", "site"), [("18 January 2027 at 10:00", "Northside"), ("21 January 2027 at 10:00", "Riverside")]
)
async def test_who_works_at_two_sites_is_booked_where_they_work_that_day(when: str, site: str) -> None:
    async with in_process() as assistant:
        answer = await booked(assistant, practitioner="Sam", when=when)
        assert answer["item"]["business"] == site


@pytest.mark.long
async def test_where_the_site_stays_open_it_asks() -> None:
    async with in_process() as assistant:
        answer = await refused(assistant, practitioner="Sam", when="24 January 2027 at 10:00")
        assert answer["code"] == "ambiguous"
        assert {candidate["name"] for candidate in answer["candidates"]} == {"Northside", "Riverside"}


@pytest.mark.long
async def test_a_double_booking_is_refused_with_what_is_there_and_the_nearest_free_starts() -> None:
    async with in_process() as assistant:
        first = await booked(assistant, patient="Ben Adeyemi")
        answer = await refused(assistant, when="20 January 2027 at 10:15")
        assert answer["code"] == "clash"
        assert answer["clashes"] == [
            "Dr Mei Ng has Standard consult of Ben Adeyemi 2027-01-20T10:00+11:00 Wed to 10:30 "
            f"(booking {first['item']['id']})."
        ]
        raw = Raw(assistant)
        who, site = raw.id("practitioners", "Dr Mei Ng"), raw.id("businesses", "Northside")
        for text in answer["nearest"]:
            assert raw.free(who, site, datetime.fromisoformat(text[:22]), 30)


@pytest.mark.long
async def test_the_patient_s_own_booking_with_somebody_else_at_another_site_is_a_clash() -> None:
    async with in_process() as assistant:
        await booked(assistant, practitioner="Whitfield", when="20 January 2027 at 10:00")
        answer = await refused(assistant, when="20 January 2027 at 10:45")
        assert answer["clashes"][0].startswith("Ana Lima has Standard consult 2027-01-20T10:00+10:30 Wed to 10:30")


async def test_a_class_that_the_patient_is_in_is_a_clash_too() -> None:
    async with in_process() as assistant:
        raw = Raw(assistant)
        group = next(row for row in raw.live("group_appointments") if row["starts_at"] > "2026-11-25")
        name = raw.get("patients", group["patient_ids"][0])["id"]
        answer = await refused(assistant, patient=name, when=group["starts_at"].replace("Z", "+00:00"))
        assert answer["code"] == "clash"
        assert any("class" in clash for clash in answer["clashes"])


@pytest.mark.long
@pytest.mark.parametrize(("arguments", "why"), [
    ({"when": "27 November 2026 at 12:45"}, "is blocked out 2026-11-27T12:30+11:00 Fri to 13:00"),
    ({"when": "20 January 2027 at 16:45"}, "works 08:30 to 17:00 that day"),
    ({"when": "24 January 2027 at 10:00"}, "does not work there that day"),
    ({"when": "20 November 2026 at 16:45"}, "That time is past."),
    ({"type": "Remedial massage"}, "Dr Mei Ng does not offer Remedial massage."),
    ({"practitioner": "Jack", "business": "Riverside", "type": "Dry needling"}, "is not offered at Riverside."),
])  # fmt: skip
async def test_what_else_speaks_against_it_is_said(arguments: dict[str, Any], why: str) -> None:
    async with in_process() as assistant:
        answer = await refused(assistant, **arguments)
        assert answer["code"] == "clash"
        assert any(why in clash for clash in answer["clashes"]), answer


@pytest.mark.long_but_one
@pytest.mark.parametrize(("arguments", "code", "why"), [
    ({"patient": "Edith Former"}, "invalid_arguments", "Edith Former is archived"),
    ({"practitioner": "Greta Holm"}, "invalid_arguments", "no longer working here"),
    ({"type": "Hydrotherapy"}, "invalid_arguments", "Hydrotherapy is archived"),
    ({"type": "Pilates class", "when": "20 January 2027 at 03:10"}, "not_found", "no session of Pilates class"),
    ({"practitioner": ""}, "invalid_arguments", "is booked with a practitioner"),
    ({"patient": "Kim"}, "ambiguous", "2 fit the patient"),
    ({"patient": "Ana Lyma"}, "not_found", "no patient"),
    ({"type": "consult"}, "ambiguous", "fit the appointment type"),
    ({"when": "Friday morning"}, "not_understood", "stretch of time"),
    ({"when": "soonish"}, "not_understood", "soonish"),
    ({"when": "3 October 2027 at 02:30"}, "not_understood", "clock skips"),
    ({"repeat": "now and then"}, "invalid_arguments", "repeat"),
    ({"minutes": 0}, "invalid_arguments", "minutes"),
])  # fmt: skip
async def test_nothing_is_guessed(arguments: dict[str, Any], code: str, why: str) -> None:
    async with in_process() as assistant:
        answer = await refused(assistant, **arguments)
        assert answer["code"] == code
        assert why in answer["message"]


async def test_candidates_carry_id_name_and_year_of_birth() -> None:
    async with in_process() as assistant:
        answer = await refused(assistant, patient="Kim")
        assert [(candidate["name"], candidate["born"]) for candidate in answer["candidates"]] == [
            ("Daniel Kim", 1979),
            ("Daniela Kim", 1979),
        ]
        again = await booked(assistant, patient=answer["candidates"][1]["id"])
        assert (again["item"]["patient"], again["item"]["born"][:4]) == ("Daniela Kim", "1979")


@pytest.mark.long
async def test_only_the_text_that_a_refusal_gave_lets_that_very_clash_through() -> None:
    async with in_process() as assistant:
        await booked(assistant, patient="Ben Adeyemi")
        clash = (await refused(assistant))["clash"]
        for wrong in ("yes", "true", "clash-0000000000", clash + "0"):
            assert (await refused(assistant, allow_clash=wrong))["code"] == "clash"
        # The same text does not serve for another time or another patient.
        assert (await refused(assistant, when="20 January 2027 at 10:15", allow_clash=clash))["clash"] != clash
        assert (await refused(assistant, patient="Tara Mbeki", allow_clash=clash))["clash"] != clash
        answer = await booked(assistant, allow_clash=clash)
        assert answer["conflicts"] is True


@pytest.mark.long
async def test_a_clash_that_has_grown_since_it_was_shown_is_shown_again() -> None:
    async with in_process() as assistant:
        await booked(assistant, patient="Ben Adeyemi")
        first = (await refused(assistant))["clash"]
        second = (await refused(assistant, patient="Tara Mbeki"))["clash"]
        await booked(assistant, patient="Tara Mbeki", allow_clash=second)
        answer = await refused(assistant, allow_clash=first)
        assert "no longer the ones that were shown" in answer["message"]
        assert len(answer["clashes"]) == 2


@pytest.mark.long
async def test_a_dry_run_says_the_same_and_writes_nothing() -> None:
    async with in_process() as assistant:
        answer = await assistant.call("book_appointment", patient="Ana Lima", dry_run=True, **FREE)
        assert answer["dry_run"] is True and answer["clashes"] == [] and "clash" not in answer
        assert assistant.changes() == []
        await booked(assistant, patient="Ben Adeyemi")
        shown = await assistant.call("book_appointment", patient="Ana Lima", dry_run=True, **FREE)
        told = await refused(assistant)
        assert (shown["clash"], shown["clashes"]) == (told["clash"], told["clashes"])


@pytest.mark.long
async def test_a_booking_whose_conflicts_cannot_be_read_is_still_said_to_be_made() -> None:
    async with in_process() as assistant:
        await assistant.call("list_businesses")
        assert assistant.app is not None
        assistant.app.sandbox.faults.set(Fault("error", path="/individual_appointments/", method="GET", status=500))
        answer = await booked(assistant)
        assert "conflicts" not in answer
        assert "could not be read" in answer["notes"][-1]
        assert assistant.changes() == WRITTEN


async def test_read_only_refuses_before_anything_is_sent() -> None:
    async with in_process(read_only=True) as assistant:
        answer = await refused(assistant)
        assert answer["code"] == "not_allowed"


async def test_a_time_with_someone_who_does_not_offer_it_has_no_nearest_and_the_site_is_not_said_to_be_worked_at() -> (
    None
):
    async with in_process() as assistant:
        arguments = {"patient": "4211", "practitioner": "Ng", "dry_run": True}
        massage = await assistant.call(
            "book_appointment", **arguments, type="Remedial massage", when="28 January 2027 at 9:00"
        )
        assert massage["clashes"] == ["Dr Mei Ng does not offer Remedial massage."] and massage["nearest"] == []
        assert "The site is Northside, where Dr Mei Ng works then." in massage["notes"]
        sunday = await assistant.call(
            "book_appointment", **arguments, type="Standard consult", when="31 January 2027 at 9:00"
        )
        assert "does not work there that day" in sunday["clashes"][0]
        assert "The site is Northside, where Dr Mei Ng works on other days." in sunday["notes"]


async def test_the_number_of_requests_does_not_grow_with_what_is_in_the_diary() -> None:
    async with in_process() as assistant:
        raw = Raw(assistant)
        counts: list[Counter[str]] = []
        for when in ("20 January 2027 at 10:00", "27 November 2026 at 10:00"):
            raw.forget()
            dry = await assistant.call("book_appointment", patient="4211", dry_run=True, **{**FREE, "when": when})
            assert dry["dry_run"] is True
            counts.append(Counter(raw.log()))
        empty, busy = counts
        # The first call also reads what is remembered for a while, by which a check that writes nothing may go.
        people = ("practitioners", "practitioners/inactive", "appointment_types/practitioners", "user", "patients")
        hours = ("businesses", "appointment_types", "daily_availabilities", "availability_blocks")
        assert busy == empty - Counter(f"GET {name}" for name in (*people, *hours))
        assert busy == Counter({"GET patient_cases/active": 1, "GET bookings": 2})
        raw.forget()
        await assistant.call("book_appointment", patient="4211", **{**FREE, "when": "20 January 2027 at 10:00"})
        afresh = ("daily_availabilities", "availability_blocks", "appointment_types/practitioners")
        assert not Counter(f"GET {name}" for name in afresh) - Counter(raw.log())
