"""block_time: which stretches are blocked out where, and what is shown before."""

import pytest
from conftest import in_process

from cliniko_mcp.sandbox.faults import Fault

from .raw import Raw

pytestmark = pytest.mark.anyio


def times(raw: Raw, ids: list[str]) -> list[tuple[str, str]]:
    return [(row["starts_at"], row["ends_at"]) for row in (raw.get("unavailable_blocks", block_id) for block_id in ids)]


@pytest.mark.long
async def test_a_stretch_is_blocked_out_in_the_site_s_own_time_and_leaves_the_diary_no_room() -> None:
    async with in_process() as assistant:
        answer = await assistant.call(
            "block_time", practitioner="Jack", when="20 January 2027 12 to 1", type="lunch", notes="with team"
        )
        raw = Raw(assistant)
        assert times(raw, [answer["items"][0]["id"]]) == [("2027-01-20T01:30:00Z", "2027-01-20T02:30:00Z")]
        row = raw.get("unavailable_blocks", answer["items"][0]["id"])
        assert row["unavailable_block_type_id"] == raw.id("unavailable_block_types", "Lunch")
        assert row["notes"] == "with team"
        free = await assistant.call(
            "find_times", type="Standard consult", practitioner=["Jack"], when="20 January 2027 12 to 1"
        )
        assert free["items"] == [] and "blocked out" in free["why"][0]


@pytest.mark.long
async def test_appointments_in_that_time_are_shown_first_and_stay_when_it_is_allowed() -> None:
    async with in_process() as assistant:
        raw = Raw(assistant)
        who = raw.id("practitioners", "Dr Mei Ng")
        low, high = "2026-11-26T13:00:00Z", "2026-11-27T13:00:00Z"
        lying = [
            row["id"]
            for row in raw.live("individual_appointments")
            if row["practitioner_id"] == who and low <= row["starts_at"] < high
        ]
        answer = await assistant.call("block_time", practitioner="Ng", when="Friday")
        assert answer["code"] == "clash" and assistant.changes() == []
        assert f"{len(lying)} booking" in answer["message"]
        assert any(own in " ".join(answer["clashes"]) for own in lying)
        assert (await assistant.call("block_time", practitioner="Ng", when="Friday", allow_clash="yes"))[
            "code"
        ] == "clash"
        dry = await assistant.call("block_time", practitioner="Ng", when="Friday", dry_run=True)
        assert assistant.changes() == [] and len(dry["clashes"]) == len(lying)
        assert all(any(f"(booking {own})" in shown for shown in dry["clashes"]) for own in lying)
        again = await assistant.call("block_time", practitioner="Ng", when="Friday", allow_clash=dry["clash"])
        assert times(raw, [again["items"][0]["id"]]) == [(low, high)]
        assert set(lying) <= {row["id"] for row in raw.live("individual_appointments")}


async def test_mornings_of_a_week_make_a_block_for_each_day_worked_at_the_site_worked_at() -> None:
    async with in_process() as assistant:
        answer = await assistant.call("block_time", practitioner="Sam", when="18 to 24 January 2027 mornings")
        assert [(row["starts_at"][:16], row["business"]) for row in answer["items"]] == [
            ("2027-01-18T00:00", "Northside"),
            ("2027-01-19T00:00", "Northside"),
            ("2027-01-21T00:00", "Riverside"),
            ("2027-01-22T00:00", "Riverside"),
        ]
        ends = [ends for _, ends in times(Raw(assistant), [row["id"] for row in answer["items"]])]
        assert ends == ["2027-01-18T01:00:00Z", "2027-01-19T01:00:00Z", "2027-01-21T01:30:00Z", "2027-01-22T01:30:00Z"]


async def test_leave_over_a_clock_change_ends_at_local_midnight() -> None:
    async with in_process() as assistant:
        answer = await assistant.call("block_time", practitioner="Ng", when="2 to 6 April 2027", type="Leave")
        own = [answer["items"][0]["id"]]
        assert times(Raw(assistant), own) == [("2027-04-01T13:00:00Z", "2027-04-06T14:00:00Z")]


async def test_time_in_which_the_practitioner_does_not_work_anyway_is_said_to_be_so() -> None:
    async with in_process() as assistant:
        off = "Tom Okafor does not work in that time anyway."
        thursday = await assistant.call("block_time", practitioner="Tom", when="21 January 2027 4pm to 5pm")
        assert thursday["items"] and off in thursday["notes"]
        friday = await assistant.call("block_time", practitioner="Tom", when="22 January 2027 2pm to 3pm")
        assert off not in friday.get("notes", [])


async def test_a_dry_run_of_time_in_which_nothing_lies_tells_of_no_clashes() -> None:
    async with in_process() as assistant:
        answer = await assistant.call("block_time", practitioner="Tom", when="22 January 2027 2pm to 3pm", dry_run=True)
        assert answer["done"] == "Nothing was changed: a dry run. 1 of 1 would be blocked out."
        assert "clashes" not in answer and "clash" not in answer


async def test_a_visit_over_midnight_is_shown_with_both_its_dates() -> None:
    async with in_process() as assistant:
        raw = Raw(assistant)
        await assistant.call(
            "create_individual_appointment",
            patient_id="4211",
            practitioner_id=raw.id("practitioners", "Dr Mei Ng"),
            business_id=raw.id("businesses", "Northside"),
            appointment_type_id=raw.id("appointment_types", "Standard consult"),
            starts_at="2027-01-20T23:30",
            ends_at="2027-01-21T00:20",
        )
        answer = await assistant.call("block_time", practitioner="Ng", when="20 January 2027 after 11pm")
        assert answer["clashes"][0].startswith(
            "2027-01-20T23:30+11:00 Wed to 2027-01-21T00:20+11:00 Thu Standard consult, Ben Adeyemi (booking "
        )


@pytest.mark.long
async def test_time_that_is_blocked_out_already_is_not_blocked_out_twice() -> None:
    async with in_process() as assistant:
        arguments = {"practitioner": "Jack", "when": "18 to 20 January 2027 12 to 1"}
        lunch = await assistant.call("block_time", **arguments, type="Lunch")
        made = {row["id"] for row in lunch["items"]}
        raw = Raw(assistant)
        one = min(made)
        raw.store.remove("unavailable_blocks", one)
        again = await assistant.call("block_time", **arguments, type="Lunch")
        assert len(assistant.changes()) == len(made) + 1
        assert again["done"] == f"Blocked out 1 of {len(made)}." and len(again["items"]) == len(made)
        assert made - {row["id"] for row in again["items"]} == {one}
        assert f"there already: {len(made) - 1}." in " ".join(again["notes"])
        before = len(assistant.changes())
        third = await assistant.call("block_time", **arguments)
        assert third["items"] == again["items"] and len(assistant.changes()) == before
        ids = ", ".join(row["id"] for row in third["items"])
        assert third["done"] == f"Nothing was changed: that time is blocked out already, id {ids}."
        leave = await assistant.call("block_time", **arguments, type="Leave")
        assert leave["done"] == f"Blocked out {len(made)} of {len(made)}."


@pytest.mark.long
async def test_what_was_blocked_out_before_a_refusal_is_told_from_what_was_not() -> None:
    async with in_process() as assistant:
        raw = Raw(assistant)
        over_lunch = "11 to 29 January 2027 12:35 to 12:55"  # when nobody is seen
        arguments = {"practitioner": "Jack", "when": over_lunch}
        raw.sandbox.faults.set(Fault("forbidden", path="/unavailable_blocks", method="POST"))
        assert (await assistant.call("block_time", **arguments))["code"] == "permission_missing"
        raw.sandbox.faults.set(Fault("forbidden", path="/unavailable_blocks", method="POST", rate=0.1))
        answer = await assistant.call("block_time", **arguments)
        made, total = len(answer["items"]), len(answer["items"]) + len(answer["failed"])
        assert 0 < made < total and answer["done"] == f"Blocked out {made} of {total}."
        assert f"Only {made} of {total} blocks were made" in answer["notes"][0]
        raw.sandbox.faults.set()
        again = await assistant.call("block_time", **arguments)
        assert again["done"] == f"Blocked out {total - made} of {total}." and again["items"][:made] == answer["items"]


async def test_a_block_that_is_there_already_needs_no_word_about_the_bookings_in_it() -> None:
    async with in_process() as assistant:
        shown = await assistant.call("block_time", practitioner="Ng", when="Friday", dry_run=True)
        made = await assistant.call("block_time", practitioner="Ng", when="Friday", allow_clash=shown["clash"])
        again = await assistant.call("block_time", practitioner="Ng", when="Friday")
        assert again["items"] == made["items"] and len(assistant.changes()) == 1


@pytest.mark.parametrize(("arguments", "code"), [
    ({"practitioner": "Sam", "when": "Wednesday"}, "ambiguous"),
    ({"when": "1 March 2027"}, "invalid_arguments"),
    ({"business": "Northside", "when": "Sunday"}, "invalid_arguments"),
    ({"practitioner": "Greta", "when": "tomorrow"}, "invalid_arguments"),
    ({"practitioner": "Ng", "when": "1 March 2027 at 12"}, "invalid_arguments"),
    ({"practitioner": "Ng", "when": "1 March 2027", "type": "siesta"}, "not_found"),
    ({"practitioner": "Ng", "when": "January 2027 to March 2027 mornings"}, "invalid_arguments"),
])  # fmt: skip
async def test_what_is_not_clear_is_asked_and_nothing_is_blocked(arguments: dict[str, str], code: str) -> None:
    async with in_process() as assistant:
        assert (await assistant.call("block_time", **arguments))["code"] == code
        assert assistant.changes() == []


async def test_by_with_a_beginning_blocks_out_from_then_on() -> None:
    async with in_process() as assistant:
        answer = await assistant.call("block_time", practitioner="Ng", when="1 March 2027 from 9 by 10", dry_run=True)
        assert answer["when"] == "Monday 1 March 2027, 09:00 to 10:00 (Australia/Sydney)"


async def test_a_point_in_time_takes_the_length_of_its_kind() -> None:
    async with in_process() as assistant:
        answer = await assistant.call("block_time", practitioner="Ng", when="1 March 2027 at 12", type="Admin")
        assert times(Raw(assistant), [answer["items"][0]["id"]]) == [("2027-03-01T01:00:00Z", "2027-03-01T02:00:00Z")]
