"""find_times for what patients can book online: Cliniko's own windows, and what is said where there is nothing."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from conftest import Assistant, in_process

from .raw import Raw, check_free, shown

pytestmark = pytest.mark.anyio
NOW = datetime.fromisoformat("2026-11-24T09:00:00+11:00")
NOTHING = "There is nothing to show: no record fits what was asked for."


@pytest.mark.long
async def test_with_online_booking_off_for_the_account_it_says_so() -> None:
    async with in_process() as assistant:
        raw = Raw(assistant)
        row = raw.get("settings", "settings")
        row["shown"] = {**row["shown"], "online_bookings": {**row["shown"]["online_bookings"], "enabled": False}}
        raw.store.put("settings", row)
        found = await assistant.call("find_times", type="Standard consult", kind="online")
        assert found["why"] == ["Online booking is off for the whole clinic."]
        (diary,) = found["alternatives"]
        assert diary["differs"].startswith("kind diary")
        check_free(raw, diary, 30)


async def online_starts(assistant: Assistant, who: str, where: str, kind: str, first: str, last: str) -> list[datetime]:
    """Cliniko's own answer for a practitioner and a site."""
    raw = Raw(assistant)
    ids = {
        "practitioner_id": raw.id("practitioners", who),
        "business_id": raw.id("businesses", where),
        "appointment_type_id": raw.id("appointment_types", kind),
    }
    rows = await assistant.call("list_available_times", **ids, **{"from": first, "to": last}, limit=500)
    return [shown(row["appointment_start"]) for row in rows["items"]]


async def test_with_online_booking_off_for_one_practitioner_another_and_the_diary_are_offered() -> None:
    async with in_process() as assistant:
        raw = Raw(assistant)
        arguments = {
            "type": "Standard consult",
            "practitioner": ["Brandt"],
            "business": "Northside",
            "when": "tomorrow",
        }
        found = await assistant.call("find_times", **arguments, kind="online")
        assert found["items"] == [] and found["why"] == ["Online booking is off for Lena Brandt."]
        nearest = {row["differs"].split(":")[0]: row for row in found["alternatives"]}
        assert set(nearest) == {"another practitioner", "kind diary"}
        other = nearest["another practitioner"]
        day = "2026-11-25"
        assert shown(other["starts_at"]) in await online_starts(
            assistant, other["practitioner"], "Northside", "Standard consult", day, day
        )
        assert nearest["kind diary"]["practitioner"] == "Lena Brandt"
        check_free(raw, nearest["kind diary"], 30)
        both = await assistant.call("find_times", **arguments | {"practitioner": ["Brandt", "Ng"]}, kind="online")
        assert {row["practitioner"] for row in both["items"]} == {"Dr Mei Ng"}
        assert both["why"] == ["Online booking is off for Lena Brandt."]


@pytest.mark.long
async def test_a_site_or_day_without_online_times_says_why_and_what_comes_nearest_online() -> None:
    async with in_process() as assistant:
        arguments = {"type": "Initial consult", "practitioner": ["Jack"], "kind": "online"}
        sunday = await assistant.call("find_times", **arguments, when="Sunday")
        assert sunday["why"] == ["Jack Whitfield is not at work then."]
        later = {row["differs"]: row["starts_at"] for row in sunday["alternatives"]}
        due = await online_starts(
            assistant, "Jack Whitfield", "Riverside", "Initial consult", "2026-11-30", "2026-12-06"
        )
        assert shown(later["another time"]) == min(due)
        none = await assistant.call("find_times", type="Dry needling", business="Riverside", kind="online")
        assert none["why"] == ["Dry needling is not offered at Riverside."]
        assert [(row["differs"], row["business"]) for row in none["alternatives"]] == [("another site", "Northside")]


async def test_free_time_that_needs_more_notice_is_told_from_a_full_day() -> None:
    async with in_process() as assistant:
        raw = Raw(assistant)
        row = raw.get("settings", "settings")
        notice = {"min_hours_advance_required_to_book": 48}
        row["shown"] = {**row["shown"], "online_bookings": {**row["shown"]["online_bookings"], **notice}}
        raw.store.put("settings", row)
        arguments = {"type": "Standard consult", "practitioner": ["Ng"], "when": "tomorrow"}
        found = await assistant.call("find_times", **arguments, kind="online")
        free = (await assistant.call("find_times", **arguments))["items"]
        assert found["items"] == [] and free
        assert found["why"] == ["Dr Mei Ng has free time then, but none that patients are offered online."]
        nearest = {row["differs"].split(":")[0]: row["starts_at"] for row in found["alternatives"]}
        assert nearest["kind diary"] == free[0]["starts_at"]
        assert shown(nearest["another time"]) >= NOW + timedelta(hours=48)


@pytest.mark.long
async def test_how_far_it_was_looked_for_the_soonest_is_said_where_anybody_can_be_booked_online() -> None:
    async with in_process() as assistant:
        arguments = {"type": "Standard consult", "when": "ASAP", "kind": "online"}
        found = await assistant.call("find_times", **arguments, practitioner=["Brandt", "Ng"])
        assert found["items"] and found["why"] == ["Online booking is off for Lena Brandt."]
        assert found["notes"][0] == "Looked up to Tuesday 8 December 2026; where there is none, 4 weeks more."
        closed = await assistant.call("find_times", **arguments, practitioner=["Brandt"])
        assert closed["why"] == found["why"] and closed["notes"] == [NOTHING]


@pytest.mark.parametrize("state", ["type archived", "online times not to be read"])
async def test_where_no_online_times_were_looked_at_no_day_is_said_up_to_which(state: str) -> None:
    unread = state == "online times not to be read"
    async with in_process(exclude_tools=("list_available_times",) if unread else ()) as assistant:
        raw = Raw(assistant)
        if not unread:
            row = raw.get("appointment_types", raw.id("appointment_types", "Standard consult"))
            raw.store.put("appointment_types", {**row, "archived_at": "2026-11-01T00:00:00Z"})
        found = await assistant.call("find_times", type="Standard consult", when="ASAP", kind="online")
        assert found["notes"] == [NOTHING] and len(found["why"]) == 1


async def test_another_length_than_the_type_s_is_not_what_patients_book_online() -> None:
    async with in_process() as assistant:
        arguments = {"type": "Initial consult", "practitioner": ["Ng"], "kind": "online"}
        arguments["when"] = "20 January 2027"  # in the week in which nobody is booked
        refused = await assistant.call("find_times", **arguments, minutes=90)
        assert refused["code"] == "invalid_arguments" and "45 minutes" in refused["message"]
        assert (await assistant.call("find_times", **arguments, minutes=45))["items"]


async def test_online_times_over_three_weeks_are_cliniko_s_own_windows_put_together() -> None:
    async with in_process() as assistant:
        raw = Raw(assistant)
        ids = {
            "practitioner_id": raw.id("practitioners", "Jack Whitfield"),
            "business_id": raw.id("businesses", "Riverside"),
            "appointment_type_id": raw.id("appointment_types", "Initial consult"),
        }
        due: set[datetime] = set()
        for week in range(4):
            first = date(2026, 11, 24) + timedelta(days=7 * week)
            rows = await assistant.call(
                "list_available_times", **ids, **{"from": str(first), "to": str(first + timedelta(days=6))}, limit=500
            )
            assert rows["page"]["complete"]
            due |= {shown(row["appointment_start"]).astimezone(UTC) for row in rows["items"]}
        when = "24 November to 14 December"
        found = await assistant.call(
            "find_times", type="Initial consult", practitioner=["Jack"], kind="online", when=when, limit=100
        )
        zone = raw.zone(ids["business_id"])
        inside = {at for at in due if date(2026, 11, 24) <= at.astimezone(zone).date() <= date(2026, 12, 14)}
        assert found["page"]["total"] == len(inside) > 20
        assert {shown(row["starts_at"]).astimezone(UTC) for row in found["items"]} <= inside


@pytest.mark.long
async def test_the_number_of_requests_follows_weeks_and_practitioners_and_not_what_is_booked() -> None:
    async with in_process() as assistant:
        raw = Raw(assistant)
        arguments = {"type": "Standard consult", "practitioner": ["Ng"], "when": "Sunday", "kind": "online"}
        await assistant.call("find_times", **arguments)  # the key's user is remembered from here on
        counts: list[Counter[str]] = []
        model = next(row for row in raw.live("individual_appointments") if row["starts_at"] > "2026-12")
        for others in (0, 30):
            for number in range(others):
                raw.store.put("individual_appointments", {**model, "id": f"77{number:05d}"})
            raw.forget()
            assert (await assistant.call("find_times", **arguments))["items"] == []
            counts.append(Counter(raw.log()))
        assert counts[0] == counts[1]
        everyone = {key: value for key, value in arguments.items() if key != "practitioner"}
        raw.forget()
        await assistant.call("find_times", **everyone)
        assert len(raw.log()) <= 60
