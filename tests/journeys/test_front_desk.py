"""A receptionist's morning over stdio: who is free, book, clash, move, cancel, block out, and the day's list."""

import pytest
from conftest import DECLINE, YES, over_stdio

pytestmark = pytest.mark.anyio


@pytest.mark.long_but_one
@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_from_a_question_to_a_booking_a_move_and_a_cancellation(mode: str) -> None:
    async with over_stdio(mode=mode, answer=YES) as assistant:
        sites = {row["name"]: row["time_zone"] for row in (await assistant.call("clinic_overview"))["sites"]}
        assert sites == {"Northside": "Australia/Sydney", "Riverside": "Australia/Adelaide"}
        patient = await assistant.first("find_patients", query="adeyemi, ben")
        free = await assistant.first("find_times", type="Standard consult", when="Thursday", practitioner=["Ng"])
        when = free["starts_at"][:16]
        usual = {"patient": patient["id"], "practitioner": "Dr Ng", "type": "Standard consult", "when": when}
        booked = await assistant.call("book_appointment", **usual)
        assert booked["done"] == "Booked." and booked["conflicts"] is False
        own = booked["item"]["id"]
        clash = await assistant.call("book_appointment", **{**usual, "patient": "Ana Lima"})
        assert clash["code"] == "clash" and own in clash["clashes"][0]
        later = await assistant.first("find_times", type="Standard consult", when="Friday", practitioner=["Ng"])
        moved = await assistant.call("move_appointment", appointment=own, when=later["starts_at"][:16])
        assert moved["item"]["starts_at"] == later["starts_at"]
        diary = await assistant.call("show_diary", when="Friday", practitioner=["Ng"], phones=True)
        (row,) = (entry for sheet in diary["items"] for entry in sheet["entries"] if entry["id"] == own)
        assert row["patient"] == "Ben Adeyemi" and row["phones"] == ["0491 570 037"]
        cancelled = await assistant.call("cancel_appointment", appointment=own, reason="sick")
        assert cancelled["reason"] == "Sick" and len(assistant.asked) == 1
        again = await assistant.first("find_times", type="Standard consult", when="Friday", practitioner=["Ng"])
        assert again["starts_at"] == later["starts_at"]


async def test_a_no_over_stdio_leaves_the_appointment_where_it_is_and_a_block_fills_a_morning_at_riverside() -> None:
    async with over_stdio(answer=DECLINE) as assistant:
        answer = await assistant.call("cancel_appointment", appointment="Ana Lima", reason="away")
        own = answer["candidates"][0]["id"]
        assert (await assistant.call("cancel_appointment", appointment=own, reason="away"))["code"] == "declined"
        assert (await assistant.call("get_booking", id=own))["item"]["id"] == own
        made = await assistant.call("block_time", practitioner="Jack", when="20 January 2027 morning")
        assert made["items"][0]["starts_at"] == "2027-01-20T00:00+10:30 Wed"
        free = await assistant.first(
            "find_times", type="Standard consult", when="20 January 2027", practitioner=["Jack"]
        )
        assert free["starts_at"] == "2027-01-20T12:00+10:30 Wed"


@pytest.mark.long
async def test_where_patients_cannot_book_online_the_desk_hears_why_and_what_it_can_offer_instead() -> None:
    async with over_stdio("--rate-limit", "0", "--requests-per-minute", "60000") as assistant:
        wishes = {"type": "Standard consult", "practitioner": ["Lena Brandt"], "when": "tomorrow"}
        online = await assistant.call("find_times", **wishes, kind="online")
        assert online["items"] == [] and online["why"] == ["Online booking is off for Lena Brandt."]
        instead = {row["differs"].partition(":")[0]: row for row in online["alternatives"]}
        diary = await assistant.first("find_times", **wishes)
        assert instead["kind diary"]["starts_at"] == diary["starts_at"]
        other = instead["another practitioner"]
        there = await assistant.rows(
            "find_times",
            **wishes | {"practitioner": [other["practitioner"]]},
            business=other["business"],
            kind="online",
        )
        assert other["starts_at"] == there[0]["starts_at"]
        closed = await assistant.call("find_times", type="Post-surgical rehab", when="tomorrow", kind="online")
        assert closed["why"][0] == "Online booking is off for Post-surgical rehab."
        assert [row["differs"].partition(":")[0] for row in closed["alternatives"]] == ["kind diary"]
