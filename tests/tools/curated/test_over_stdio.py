"""The curated tools over real stdio, against raw rows: one seed makes the same demo clinic twice."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from conftest import YES, Assistant, in_process, over_stdio

from .raw import BOOKED, Raw, shown, stamp

pytestmark = pytest.mark.anyio
NOW = datetime.fromisoformat("2026-11-24T09:00:00+11:00")


@asynccontextmanager
async def desk(*flags: str) -> AsyncGenerator[tuple[Assistant, Raw]]:
    """An assistant at work over stdio, and the rows with which its clinic began."""
    busy = ("--rate-limit", "0", "--requests-per-minute", "60000")
    async with over_stdio(*busy, *flags, answer=YES) as assistant, in_process() as twin:
        yield assistant, Raw(twin)


def ids(answer: dict[str, Any]) -> set[str]:
    return {entry["id"] for sheet in answer["items"] for entry in sheet["entries"]}


@pytest.mark.long
async def test_the_diary_of_a_day_and_of_a_week_holds_the_rows_of_both_sites() -> None:
    async with desk() as (assistant, raw):
        day = await assistant.call("show_diary", when="yesterday", limit=400)
        due = list(raw.on_day(date(2026, 11, 23), (*BOOKED, "unavailable_blocks")))
        assert day["page"]["complete"] is True and ids(day) == {row["id"] for row in due}
        assert {raw.zone(row["business_id"]).key for row in due} == {"Australia/Sydney", "Australia/Adelaide"}
        assert any(row.get("cancelled_at") for row in due) or day["totals"].get("cancelled", 0) == 0
        week = await assistant.call("show_diary", when="last week")
        rows = [row for step in range(7) for row in raw.on_day(date(2026, 11, 16) + timedelta(days=step))]
        live = [row for row in rows if not row.get("cancelled_at")]
        assert week["totals"]["appointments"] + week["totals"].get("groups", 0) == len(live) > 100
        assert week["page"]["complete"] is False and week["next"]


@pytest.mark.long
async def test_free_times_are_free_in_the_rows_of_either_zone_before_and_after_the_clock_changes() -> None:
    async with desk() as (assistant, raw):
        for who, where in (("Dr Mei Ng", "Northside"), ("Jack Whitfield", "Riverside")):
            practitioner, site = raw.id("practitioners", who), raw.id("businesses", where)
            for when, first in (
                ("this week", NOW),
                ("2 April 2027", datetime(2027, 4, 2, tzinfo=raw.zone(site))),
                ("5 April 2027", datetime(2027, 4, 5, tzinfo=raw.zone(site))),
                ("4 October 2027", datetime(2027, 10, 4, tzinfo=raw.zone(site))),
            ):
                arguments = {"type": "Initial consult", "practitioner": [who], "business": where, "when": when}
                items = (await assistant.call("find_times", **arguments))["items"]
                assert shown(items[0]["starts_at"]) == raw.earliest(
                    practitioner, site, first, first + timedelta(days=5), 45
                )
                assert all(raw.free(practitioner, site, shown(row["starts_at"]), 45) for row in items)


@pytest.mark.long
async def test_reports_of_last_week_count_what_the_rows_hold() -> None:
    async with desk() as (assistant, raw):
        rows = [row for step in range(7) for row in raw.on_day(date(2026, 11, 16) + timedelta(days=step))]
        groups = {row["id"] for row in rows if "max_attendees" in row}
        places = [row for row in raw.rows("attendees") if row["booking_id"] in groups and not row.get("archived_at")]
        single = [row for row in rows if row["id"] not in groups]
        live = [row for row in (*single, *places) if not row.get("cancelled_at")]
        missed = [row for row in live if row.get("did_not_arrive") is True or row.get("arrived") is False]
        report = await assistant.call("report", kind="no_shows", when="last week")
        assert (report["summary"]["no_shows"]["count"], report["summary"]["no_shows"]["of"]) == (len(missed), len(live))
        gone = [row for row in (*single, *places) if row.get("cancelled_at")]
        report = await assistant.call("report", kind="cancellations", when="last week", limit=50)
        assert report["summary"]["cancelled"]["count"] == len(gone)
        assert report["summary"]["cancelled"]["of"] == len(live) + len(gone)


@pytest.mark.long
async def test_an_evening_booking_moves_and_goes_and_the_diary_follows_on_both_days() -> None:
    async with desk() as (assistant, raw):
        usual = {"patient": "4211", "practitioner": "Ng", "type": "Standard consult"}
        late = {**usual, "when": "4 April 2027 at 23:30", "minutes": 50}
        clash = await assistant.call("book_appointment", **late)
        assert clash["code"] == "clash" and "does not work there that day" in clash["clashes"][0]
        own = (await assistant.call("book_appointment", **late, allow_clash=clash["clash"]))["item"]
        assert (own["starts_at"], own["ends_at"]) == ("2027-04-04T23:30+10:00 Sun", "2027-04-05T00:20+10:00 Mon")
        sunday = await assistant.call("show_diary", when="4 April 2027", practitioner=["Ng"])
        monday = await assistant.call("show_diary", when="5 April 2027", practitioner=["Ng"])
        assert own["id"] in ids(sunday) and own["id"] not in ids(monday)
        assert [row["id"] for row in monday["items"][0]["began_before"]] == [own["id"]]
        twice = await assistant.call("book_appointment", **usual, when="5 April 2027 at 8:30")
        assert twice["done"] == "Booked." and twice["item"]["starts_at"] == "2027-04-05T08:30+10:00 Mon"
        again = await assistant.call(
            "book_appointment", **{**usual, "patient": "Ana Lima"}, when="5 April 2027 at 8:45"
        )
        assert again["code"] == "clash" and twice["item"]["id"] in again["clashes"][0]
        moved = await assistant.call("move_appointment", appointment=own["id"], when="2 April 2027 at 8:30")
        assert moved["item"]["ends_at"] == "09:20" and moved["was"]["ends_at"] == own["ends_at"]
        row = (await assistant.call("get_booking", id=own["id"], fields=["starts_at", "ends_at"]))["item"]
        zone = raw.zone(raw.id("businesses", "Northside"))
        assert shown(row["starts_at"]) == datetime(2027, 4, 2, 8, 30, tzinfo=zone)
        gone = await assistant.call("cancel_appointment", appointment=own["id"], reason="sick")
        assert gone["reason"] == "Sick" and len(assistant.asked) == 1
        friday = await assistant.call("show_diary", when="2 April 2027", practitioner=["Ng"])
        (entry,) = [entry for sheet in friday["items"] for entry in sheet["entries"] if entry["id"] == own["id"]]
        assert entry["cancelled"] and entry["reason"] == "Sick" and friday["totals"]["cancelled"] == 1


@pytest.mark.long
async def test_a_class_an_archived_file_and_a_phone_number_beyond_the_first_page() -> None:
    async with desk() as (assistant, raw):
        group = next(row for row in raw.live("group_appointments") if row["starts_at"] > "2026-12-01")
        starts = stamp(group["starts_at"]).astimezone(raw.zone(group["business_id"]))
        arguments = {"when": f"{starts:%Y-%m-%d %H:%M}", "patient": group["patient_ids"][0], "state": "arrived"}
        early = await assistant.call("set_attendance", **arguments)
        assert early["code"] == "not_allowed" and "later day" in early["message"]
        last = sorted(raw.live("patients"), key=lambda row: (row["updated_at"], row["id"]))[0]
        number = last["patient_phone_numbers"][0]["number"]
        found = await assistant.call("find_patients", query=number)
        assert last["id"] in {row["id"] for row in found["items"]}
        assert f"all {len(raw.rows('patients')):,} patients" in found["notes"][0]
        former = next(
            row for row in raw.rows("patients") if row.get("archived_at") and row.get("label") == "Edith Former"
        )
        brief = await assistant.call("patient_brief", patient="Edith Former")
        assert brief["item"]["id"] == former["id"] and "Edith Former is archived." in brief["notes"]
        refused = await assistant.call(
            "book_appointment", patient="Edith Former", practitioner="Ng", type="Standard consult", when="Friday at 9"
        )
        assert refused["code"] == "invalid_arguments" and "archived" in refused["message"]
