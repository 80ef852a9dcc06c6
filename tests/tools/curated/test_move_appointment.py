"""move_appointment: the new time, the kept length, and the same checks as when booking."""

from typing import Any

import pytest
from conftest import Assistant, in_process

from .raw import Raw

pytestmark = pytest.mark.anyio


async def booked(assistant: Assistant, patient: str = "Ben Adeyemi", **arguments: Any) -> str:
    usual = {"practitioner": "Ng", "type": "Standard consult", "when": "20 January 2027 at 10:00"}
    answer = await assistant.call("book_appointment", patient=patient, **{**usual, **arguments})
    assert answer.get("done") == "Booked.", answer
    return answer["item"]["id"]


async def moved(assistant: Assistant, appointment: str, **arguments: Any) -> dict[str, Any]:
    answer = await assistant.call("move_appointment", appointment=appointment, **arguments)
    assert answer.get("done") == "Moved.", answer
    return answer


async def refused(assistant: Assistant, appointment: str, **arguments: Any) -> dict[str, Any]:
    before = assistant.changes()
    answer = await assistant.call("move_appointment", appointment=appointment, **arguments)
    assert "code" in answer, answer
    assert assistant.changes() == before
    return answer


@pytest.mark.long
async def test_an_appointment_keeps_its_own_length_and_its_end_moves_with_it() -> None:
    async with in_process() as assistant:
        own = await booked(assistant, minutes=50)
        answer = await moved(assistant, own, when="21 January 2027 at 14:00")
        row = Raw(assistant).get("individual_appointments", own)
        assert (row["starts_at"], row["ends_at"]) == ("2027-01-21T03:00:00Z", "2027-01-21T03:50:00Z")
        assert answer["was"]["starts_at"] == "2027-01-20T10:00+11:00 Wed"
        assert answer["item"]["ends_at"] == "14:50"
        assert answer["conflicts"] is False


@pytest.mark.long
async def test_a_move_over_the_end_of_daylight_saving_keeps_the_true_length() -> None:
    async with in_process() as assistant:
        own = await booked(assistant, when="2 April 2027 at 10:00", minutes=45)
        await moved(assistant, own, when="5 April 2027 at 10:00")
        row = Raw(assistant).get("individual_appointments", own)
        assert (row["starts_at"], row["ends_at"]) == ("2027-04-05T00:00:00Z", "2027-04-05T00:45:00Z")


@pytest.mark.long
async def test_with_minutes_the_length_changes_and_the_time_stays() -> None:
    async with in_process() as assistant:
        own = await booked(assistant)
        await moved(assistant, own, minutes=60)
        row = Raw(assistant).get("individual_appointments", own)
        assert (row["starts_at"], row["ends_at"]) == ("2027-01-19T23:00:00Z", "2027-01-20T00:00:00Z")


@pytest.mark.long
async def test_to_another_practitioner_and_site_the_time_is_read_at_that_site() -> None:
    async with in_process() as assistant:
        own = await booked(assistant)
        await moved(assistant, own, practitioner="Whitfield", business="Riverside", when="20 January 2027 at 9:00")
        row = Raw(assistant).get("individual_appointments", own)
        assert row["starts_at"] == "2027-01-19T22:30:00Z"
        assert row["business_id"] == Raw(assistant).id("businesses", "Riverside")
        assert row["practitioner_id"] == Raw(assistant).id("practitioners", "Jack Whitfield")


@pytest.mark.long
async def test_its_own_old_time_is_no_clash() -> None:
    async with in_process() as assistant:
        own = await booked(assistant)
        await moved(assistant, own, when="20 January 2027 at 10:15")


@pytest.mark.long
async def test_a_taken_time_is_refused_until_its_text_is_repeated() -> None:
    async with in_process() as assistant:
        own, _ = await booked(assistant), await booked(assistant, "Tara Mbeki", when="20 January 2027 at 11:00")
        answer = await refused(assistant, own, when="20 January 2027 at 11:15")
        assert answer["code"] == "clash" and "Tara Mbeki" in answer["clashes"][0]
        again = await moved(assistant, own, when="20 January 2027 at 11:15", allow_clash=answer["clash"])
        assert again["conflicts"] is True


@pytest.mark.long
async def test_the_patient_s_other_booking_at_the_new_time_is_a_clash() -> None:
    async with in_process() as assistant:
        own = await booked(assistant)
        await booked(assistant, practitioner="Okafor", when="21 January 2027 at 9:00")
        answer = await refused(assistant, own, when="21 January 2027 at 9:15")
        assert answer["clashes"][0].startswith("Ben Adeyemi has Standard consult 2027-01-21T09:00")


@pytest.mark.long
async def test_a_patient_s_name_serves_while_only_one_appointment_is_coming() -> None:
    async with in_process() as assistant:
        answer = await refused(assistant, "Ana Lima", when="20 January 2027 at 10:00")
        assert answer["code"] == "ambiguous"
        assert [candidate["starts_at"][:10] for candidate in answer["candidates"]] == [
            "2026-11-26",
            "2026-12-03",
            "2026-12-10",
        ]
        patient = (await assistant.call("create_patient", first_name="Otto", last_name="Example"))["item"]["id"]
        own = await booked(assistant, patient)
        answer = await moved(assistant, "Otto Example", when="21 January 2027 at 10:00", dry_run=False)
        assert answer["item"]["id"] == own


@pytest.mark.long
async def test_a_class_moves_whole_and_the_other_bookings_of_those_in_it_count() -> None:
    async with in_process() as assistant:
        raw = Raw(assistant)
        group = next(row for row in raw.live("group_appointments") if row["starts_at"] > "2026-12-01")
        answer = await moved(assistant, group["id"], when="19 January 2027 at 14:00")
        assert raw.get("group_appointments", group["id"])["starts_at"] == "2027-01-19T03:00:00Z"
        assert f"class with {len(group['patient_ids'])} patients" in answer["notes"][0]
        names = {raw.get("patients", patient_id)["label"] for patient_id in group["patient_ids"]}
        assert {row["patient"] for row in answer["item"]["patients"]} == names
        assert "patient" not in answer["item"]
        await booked(assistant, group["patient_ids"][0], when="22 January 2027 at 14:00")
        clash = await refused(assistant, group["id"], when="22 January 2027 at 14:00")
        name = raw.get("patients", group["patient_ids"][0])["label"]
        assert any(sentence.startswith(name) for sentence in clash["clashes"])


@pytest.mark.long
@pytest.mark.parametrize(("arguments", "code"), [
    ({}, "invalid_arguments"),
    ({"when": "after 2"}, "not_understood"),
    ({"practitioner": "Greta"}, "invalid_arguments"),
    ({"practitioner": "Aroha"}, "clash"),
])  # fmt: skip
async def test_what_cannot_be_done_changes_nothing(arguments: dict[str, Any], code: str) -> None:
    async with in_process() as assistant:
        own = await booked(assistant)
        assert (await refused(assistant, own, **arguments))["code"] == code


@pytest.mark.long
@pytest.mark.parametrize("arguments", [
    {"when": "20 January 2027 at 10:00"}, {"when": "20 January 2027"}, {"when": "the same day"}, {"minutes": 30},
])  # fmt: skip
async def test_where_it_is_already_nothing_is_changed_and_that_is_said(arguments: dict[str, Any]) -> None:
    async with in_process() as assistant:
        own = await booked(assistant)
        before = assistant.changes()
        answer = await assistant.call("move_appointment", appointment=own, **arguments)
        assert answer["done"].startswith("Already there") and answer["item"]["starts_at"] == answer["was"]["starts_at"]
        assert assistant.changes() == before


async def test_cancelled_archived_blocked_and_unknown_ones_are_told_apart() -> None:
    async with in_process() as assistant:
        raw = Raw(assistant)
        cancelled = next(row for row in raw.rows("individual_appointments") if row.get("cancelled_at"))
        answer = await refused(assistant, cancelled["id"], when="tomorrow at 10")
        assert "is cancelled already" in answer["message"]
        block = raw.live("unavailable_blocks")[0]
        answer = await refused(assistant, block["id"], when="tomorrow at 10")
        assert "blocked-out time" in answer["message"]
        answer = await refused(assistant, "99", when="tomorrow at 10")
        assert answer["code"] == "not_found"


@pytest.mark.long
async def test_a_practitioner_of_another_site_is_refused_with_the_site_at_which_they_are_then() -> None:
    async with in_process() as assistant:
        own = await booked(assistant)
        answer = await refused(assistant, own, practitioner="Jack", when="22 January 2027 at 8:00")
        assert answer["clashes"] == [
            "2027-01-22T08:00+11:00 Fri is outside hours: "
            "Jack Whitfield does not work there that day, but at Riverside."
        ]


@pytest.mark.long
async def test_a_dry_run_writes_nothing_and_one_of_a_series_is_said_to_be_one() -> None:
    async with in_process() as assistant:
        own = await booked(assistant, repeat="weekly x2")
        before = assistant.changes()
        answer = await assistant.call(
            "move_appointment", appointment=own, when="21 January 2027 at 10:00", dry_run=True
        )
        assert answer["dry_run"] is True and assistant.changes() == before
        assert "It is one of a series; the others stay where they are." in answer["notes"]
