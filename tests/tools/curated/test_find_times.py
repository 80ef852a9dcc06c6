"""find_times against a count of free minutes in the raw rows."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import anyio
import pytest
from conftest import Assistant, in_process

from cliniko_mcp.sandbox.transport import SandboxTransport

from .raw import Raw, check_free, shown

pytestmark = pytest.mark.anyio
NOW = datetime.fromisoformat("2026-11-24T09:00:00+11:00")


async def opened(assistant: Assistant, who: str, where: str, starts: str, ends: str) -> None:
    raw = Raw(assistant)
    made = await assistant.call(
        "create_availability_block",
        practitioner_id=raw.id("practitioners", who),
        business_id=raw.id("businesses", where),
        starts_at=starts,
        ends_at=ends,
    )
    assert "item" in made


@pytest.mark.long
@pytest.mark.parametrize(
    ("who", "where"), [("Dr Mei Ng", "Northside"), ("Jack Whitfield", "Riverside"), ("Sam Iyer", "Riverside")]
)
async def test_the_first_start_is_the_first_free_stretch_of_the_raw_rows_in_either_zone(who: str, where: str) -> None:
    async with in_process() as assistant:
        raw = Raw(assistant)
        found = await assistant.call("find_times", type="Initial consult", practitioner=[who], business=where, limit=50)
        site = raw.id("businesses", where)
        first = raw.earliest(raw.id("practitioners", who), site, NOW, NOW + timedelta(days=5), 45)
        assert shown(found["items"][0]["starts_at"]) == first
        assert found["time_zone"] == str(raw.zone(site))
        for row in found["items"]:
            check_free(raw, row, 45)


async def test_anyone_at_any_site_gives_only_free_times_of_those_who_offer_it() -> None:
    async with in_process() as assistant:
        raw = Raw(assistant)
        found = await assistant.call("find_times", type="Remedial massage", when="next 4 weeks", limit=100)
        assert {row["practitioner"] for row in found["items"]} == {"Marcus Bell", "Aroha Tane"}
        assert {row["business"] for row in found["items"]} == {"Northside", "Riverside"}
        for row in found["items"]:
            check_free(raw, row, 60)
        starts = [shown(row["starts_at"]) for row in found["items"]]
        assert starts == sorted(starts)


async def test_a_short_answer_spreads_over_days_and_people_and_says_how_many_more_there_are() -> None:
    async with in_process() as assistant:
        few = await assistant.call(
            "find_times", type="Standard consult", when="tomorrow to Friday", business="Northside"
        )
        days = Counter(row["starts_at"][:10] for row in few["items"])
        assert max(days.values()) <= 4 and len(days) == 3
        assert len({row["practitioner"] for row in few["items"]}) >= 3
        assert few["page"]["complete"] is False
        assert few["page"]["total"] > few["page"]["returned"]
        assert "more starts fit" in few["notes"][-1]


async def test_each_site_reads_the_phrase_by_its_own_clock() -> None:
    async with in_process() as assistant:
        found = await assistant.call("find_times", type="Standard consult", when="Thursday from 9 to 10", limit=100)
        sites = {row["business"]: row["starts_at"] for row in reversed(found["items"])}
        assert sites["Northside"].startswith("2026-11-26T09:") and "+11:00" in sites["Northside"]
        assert sites["Riverside"].startswith("2026-11-26T09:") and "+10:30" in sites["Riverside"]
        assert "Australia/Adelaide at Riverside" in found["when"]


async def test_hours_stay_at_the_same_wall_clock_over_the_end_of_daylight_saving() -> None:
    async with in_process() as assistant:
        for day, offset in (("2027-04-02", "+11:00"), ("2027-04-05", "+10:00")):
            found = await assistant.call("find_times", type="Standard consult", when=day, practitioner=["Ng"])
            assert found["items"][0]["starts_at"][:22] == f"{day}T08:30{offset}"


@pytest.mark.long
@pytest.mark.parametrize(("day", "starts", "ends", "hours"), [
    ("2027-04-04", "2027-04-04T01:00:00+11:00", "2027-04-04T05:00:00+10:00", 5),
    ("2026-10-04", "2026-10-04T01:00:00+10:00", "2026-10-04T05:00:00+11:00", 3),
])  # fmt: skip
async def test_an_opening_across_a_clock_change_holds_its_true_hours(
    day: str, starts: str, ends: str, hours: int
) -> None:
    async with in_process(sandbox_now="2026-09-01T09:00:00+10:00") as assistant:
        await opened(assistant, "Dr Mei Ng", "Northside", starts, ends)
        found = await assistant.call("find_times", type="Extended consult", when=day, practitioner=["Ng"], limit=20)
        assert len(found["items"]) == found["page"]["total"] == hours
        for row in found["items"]:
            check_free(Raw(assistant), row, 60)


@pytest.mark.long
async def test_late_evening_and_early_morning_belong_to_their_local_days() -> None:
    async with in_process() as assistant:
        await opened(assistant, "Tom Okafor", "Northside", "2026-12-10T12:30:00Z", "2026-12-10T13:00:00Z")
        late = await assistant.call("find_times", type="Standard consult", when="10 December after 8pm", limit=50)
        assert [row["starts_at"] for row in late["items"]] == ["2026-12-10T23:30+11:00 Thu"]
        early = await assistant.call(
            "find_times", type="Standard consult", when="11 December before 9", practitioner=["Ng"]
        )
        assert [row["starts_at"] for row in early["items"]] in ([], ["2026-12-11T08:30+11:00 Fri"])
        raw = Raw(assistant)
        who, site = raw.id("practitioners", "Dr Mei Ng"), raw.id("businesses", "Northside")
        free = raw.free(who, site, datetime.fromisoformat("2026-12-11T08:30+11:00"), 30)
        assert bool(early["items"]) is free


@pytest.mark.long
async def test_a_full_day_says_so_and_gives_the_nearest_other_time_and_person() -> None:
    async with in_process() as assistant:
        raw = Raw(assistant)
        who, site = raw.id("practitioners", "Dr Mei Ng"), raw.id("businesses", "Northside")
        await assistant.call(
            "create_individual_appointment",
            patient_id=raw.id("patients", "Ana Lima"),
            practitioner_id=who,
            business_id=site,
            appointment_type_id=raw.id("appointment_types", "Standard consult"),
            starts_at="2026-11-26T08:00",
            ends_at="2026-11-26T17:30",
        )
        found = await assistant.call("find_times", type="Standard consult", when="Thursday", practitioner=["Ng"])
        assert found["items"] == []
        assert found["why"] == ["Dr Mei Ng is full."]
        nearest = {row["differs"]: row for row in found["alternatives"]}
        friday = datetime.fromisoformat("2026-11-27T00:00+11:00")
        first = raw.earliest(who, site, friday, friday + timedelta(days=7), 30)
        assert shown(nearest["another time"]["starts_at"]) == first
        assert nearest["another practitioner"]["starts_at"].startswith("2026-11-26")


async def test_a_class_and_a_booking_at_another_site_take_the_time_too() -> None:
    async with in_process() as assistant:
        raw = Raw(assistant)
        who, kind = raw.id("practitioners", "Sam Iyer"), raw.id("appointment_types", "Standard consult")
        place = {"practitioner_id": who, "business_id": raw.id("businesses", "Riverside")}
        # In Perth it is 3 hours earlier: 07:00 there is 10:00 at Northside, where Sam works on Mondays.
        booking = {"patient_id": "4211", "appointment_type_id": kind, "starts_at": "2027-01-17T23:00:00Z"}
        assert "item" in await assistant.call("create_individual_appointment", **place, **booking)
        group = {
            "appointment_type_id": raw.id("appointment_types", "Pilates class"),
            "starts_at": "2027-01-18T00:00:00Z",
        }
        assert "item" in await assistant.call("create_group_appointment", **place, **group)
        arguments = {"type": "Standard consult", "practitioner": ["Sam"], "when": "18 January 2027 9:30 to 12:30"}
        found = await assistant.call("find_times", **arguments, business="Northside", limit=50)
        assert [row["starts_at"][11:16] for row in found["items"]] == ["09:30", "10:30", "12:00"]


@pytest.mark.long_but_one
@pytest.mark.parametrize(("arguments", "why"), [
    ({"type": "Hydrotherapy"}, "archived"),
    ({"type": "Dry needling", "business": "Riverside"}, "not offered at Riverside"),
    ({"type": "Remedial massage", "practitioner": ["Ng"]}, "does not offer Remedial massage"),
    ({"type": "Standard consult", "practitioner": ["Ng"], "when": "Sunday"}, "is not at work then"),
    ({"type": "Standard consult", "practitioner": ["Greta"], "when": "Friday"}, "no longer working here"),
    ({"type": "Standard consult", "when": "yesterday"}, "over"),
    ({"type": "Standard consult", "practitioner": ["Ng"], "when": "Friday 12:30 to 13:00"}, "blocked out"),
    ({"type": "Standard consult", "practitioner": ["Brandt"], "kind": "online"}, "booking is off for Lena Brandt"),
    ({"type": "Balance class", "kind": "online"}, "Online booking is off for Balance class"),
])  # fmt: skip
async def test_an_empty_answer_says_why(arguments: dict[str, Any], why: str) -> None:
    async with in_process() as assistant:
        found = await assistant.call("find_times", **arguments)
        assert found["items"] == []
        assert why in " ".join(found["why"])


@pytest.mark.long
async def test_the_last_free_start_before_the_time_asked_for_is_offered_beside_the_next_one_after_it() -> None:
    async with in_process() as assistant:
        raw = Raw(assistant)
        who, site = raw.id("practitioners", "Dr Mei Ng"), raw.id("businesses", "Northside")
        blocked = await assistant.call("block_time", practitioner="Ng", when="28 January 2027 13:00 to 17:00")
        blocked = await assistant.call(
            "block_time", practitioner="Ng", when="28 January 2027 13:00 to 17:00", allow_clash=blocked.get("clash", "")
        )
        assert blocked["items"]
        arguments = {"type": "Standard consult", "practitioner": ["Ng"], "when": "28 January 2027 13:00 to 17:00"}
        nearest = {row["differs"]: row for row in (await assistant.call("find_times", **arguments))["alternatives"]}
        early = shown(nearest["an earlier time"]["starts_at"])
        one = datetime.fromisoformat("2027-01-28T13:00+11:00")
        assert one - timedelta(hours=3) < early < one and raw.free(who, site, early, 30)
        assert not any(
            raw.free(who, site, early + timedelta(minutes=30 * step), 30)
            for step in range(1, (one - early) // timedelta(minutes=30))
        )
        friday = datetime.fromisoformat("2027-01-29T00:00+11:00")
        assert shown(nearest["another time"]["starts_at"]) == raw.earliest(
            who, site, friday, friday + timedelta(days=3), 30
        )
        tonight = await assistant.call("find_times", **arguments | {"when": "tonight"})
        (early,) = [row for row in tonight["alternatives"] if row["differs"] == "an earlier time"]
        assert NOW <= shown(early["starts_at"]) < datetime.fromisoformat("2026-11-24T17:00+11:00")


@pytest.mark.long
@pytest.mark.parametrize("when", ["at 16:30", "16:30 to 16:45", "16:30 to 17:00"])
async def test_one_start_at_one_site_has_room_for_the_whole_appointment(when: str) -> None:
    async with in_process() as assistant:
        raw = Raw(assistant)
        who, site = raw.id("practitioners", "Dr Mei Ng"), raw.id("businesses", "Northside")
        arguments = {"type": "Standard consult", "practitioner": ["Ng"], "business": "Northside"}
        found = await assistant.call("find_times", **arguments, when=f"22 January 2027 {when}")
        assert raw.free(who, site, datetime.fromisoformat("2027-01-22T16:30+11:00"), 30)
        assert [row["starts_at"][:16] for row in found["items"]] == ["2027-01-22T16:30"]
        taken = await assistant.call("find_times", **arguments, when="22 January 2027 at 16:45")
        assert taken["items"] == [] and taken["why"] == [
            "Dr Mei Ng (Northside) is full: the longest free stretch has 15 of the 30 minutes needed."
        ]


async def test_now_is_a_time_at_which_someone_may_be_free() -> None:
    async with in_process() as assistant:
        found = await assistant.call("find_times", type="Standard consult", when="now", business="Northside")
        assert found["items"] and {row["starts_at"][:16] for row in found["items"]} == {"2026-11-24T09:00"}
        for row in found["items"]:
            check_free(Raw(assistant), row, 30)


async def test_a_span_longer_than_is_looked_at_says_up_to_which_day() -> None:
    async with in_process() as assistant:
        found = await assistant.call(
            "find_times", type="Standard consult", practitioner=["Ng"], when="next year", limit=2
        )
        assert "Only looked at up to Friday 2 April 2027; ask about later days in another call." in found["notes"]


@pytest.mark.long
async def test_few_starts_a_day_still_fill_the_limit_from_later_days() -> None:
    async with in_process() as assistant:
        arguments = {"type": "Initial consult", "practitioner": ["Jack"], "when": "next 4 weeks"}
        few = await assistant.call("find_times", **arguments, limit=3)
        many = await assistant.call("find_times", **arguments, limit=100)
        assert many["page"]["total"] > 3 and few["page"]["returned"] == 3
        assert few["items"][0] == many["items"][0]


@pytest.mark.long
async def test_a_class_shows_its_sessions_with_free_places_and_leaves_out_full_ones() -> None:
    async with in_process() as assistant:
        raw = Raw(assistant)
        kind = raw.id("appointment_types", "Pilates class")
        found = await assistant.call("find_times", type="Pilates", when="next 4 weeks", limit=50)
        groups = [row for row in raw.live("group_appointments") if row["appointment_type_id"] == kind]
        due = {
            row["id"]: row["max_attendees"] - len(row["patient_ids"])
            for row in groups
            if NOW < datetime.fromisoformat(row["starts_at"]) < NOW + timedelta(weeks=4)
        }
        assert {row["group_appointment_id"]: row["places_left"] for row in found["items"]} == {
            key: left for key, left in due.items() if left
        }
        session = found["items"][0]
        held = set(raw.get("group_appointments", session["group_appointment_id"])["patient_ids"])
        others = [row["id"] for row in raw.live("patients") if row["id"] not in held][: session["places_left"]]
        for patient in others:
            joined = {"booking_id": session["group_appointment_id"], "patient_id": patient}
            assert "item" in await assistant.call("create_attendee", **joined)
        again = await assistant.call("find_times", type="Pilates", when="next 4 weeks", limit=50)
        assert session["group_appointment_id"] not in {row["group_appointment_id"] for row in again["items"]}


@pytest.mark.long
async def test_the_number_of_requests_follows_the_pages_of_the_diary_and_nothing_else() -> None:
    async with in_process() as assistant:
        raw = Raw(assistant)
        counts: list[Counter[str]] = []
        assert assistant.app is not None
        for arguments in ({"practitioner": ["Ng"], "when": "tomorrow"}, {"when": "next 4 weeks"}):
            raw.forget()
            assistant.app.forget()
            await assistant.call("find_times", type="Standard consult", **arguments)
            counts.append(Counter(raw.log()))
        few, many = counts
        givers = set(raw.get("appointment_types", raw.id("appointment_types", "Standard consult"))["practitioner_ids"])
        tables = ("individual_appointments", "group_appointments", "unavailable_blocks")
        entries = [
            row
            for table in tables
            for row in raw.live(table)
            if row["practitioner_id"] in givers
            and datetime.fromisoformat(row["starts_at"]) < NOW + timedelta(weeks=4)
            and datetime.fromisoformat(row["ends_at"]) > NOW
        ]
        assert len(entries) > 100
        assert many["GET bookings"] == -(-len(entries) // 100)
        for path in ("GET bookings", "GET user", "GET daily_availabilities"):
            for count in counts:
                count.pop(path, None)
        assert few == many
        assert sum(many.values()) == 6


@pytest.mark.long
async def test_eight_practitioners_and_four_weeks_take_few_waits_for_a_distant_cliniko(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with in_process() as assistant:
        waits = one_after_another(monkeypatch)
        found = await assistant.call("find_times", type="Standard consult", when="next 4 weeks")
        pages = Counter(Raw(assistant).log())["GET bookings"]
        assert found["page"]["total"] > 100 and pages > 5  # more than go out at once
        # The roster, those who offer the type, the first page of each list, and the other pages four at a time.
        assert [max(waits), len(waits)] == [5, 3 + -(-(pages - 1) // 4)]
        assert len(waits) * 0.05 < 0.5  # of the 1.5 s that it may take with 50 ms a request; benchmarks/ measure it


async def test_with_a_practitioner_named_the_diary_is_read_beside_who_offers_the_type(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with in_process() as assistant:
        waits = one_after_another(monkeypatch)
        await assistant.call("find_times", type="Standard consult", when="tomorrow", practitioner=["Ng"])
        assert waits == [5, 4]


def one_after_another(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many requests were under way together, wait by wait: each waits until no other comes to stand beside it."""
    answered = SandboxTransport.handle_async_request
    waits: list[int] = []
    gates: list[anyio.Event] = []

    async def held(self: SandboxTransport, request: Any) -> Any:
        if gates:
            waits[-1] += 1
            await gates[0].wait()
        else:
            gates.append(anyio.Event())
            waits.append(1)
            beats, seen = 0, 1
            while beats < 100:
                await anyio.lowlevel.checkpoint()
                beats, seen = (beats + 1 if waits[-1] == seen else 0), waits[-1]
            gates.pop().set()
        return await answered(self, request)

    monkeypatch.setattr(SandboxTransport, "handle_async_request", held)
    return waits


@pytest.mark.long
@pytest.mark.parametrize(("who", "looked"), [("Greta Holm", False), ("Marcus Bell", True)])
async def test_how_far_was_looked_for_the_soonest_is_told_only_where_it_was_looked(who: str, looked: bool) -> None:
    async with in_process() as assistant:
        found = await assistant.call("find_times", type="Standard consult", when="ASAP", practitioner=[who])
        assert any(note.startswith("Looked from") for note in found.get("notes", [])) is looked
