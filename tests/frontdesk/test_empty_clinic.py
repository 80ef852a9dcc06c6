"""A clinic without open sites, without staff or without types is a case like any other."""

from datetime import UTC, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.cliniko.resources.daily_availabilities import DailyAvailability
from cliniko_mcp.errors import NotFound
from cliniko_mcp.frontdesk import appointment_offers, online
from cliniko_mcp.frontdesk.availability import free_slots, group_slots, spread, why_none
from cliniko_mcp.frontdesk.bookings import EVER, bookings
from cliniko_mcp.frontdesk.day_sheet import people_of, sheets_of, totals
from cliniko_mcp.frontdesk.find_booking import Looking, which_visit
from cliniko_mcp.frontdesk.gap_candidates import Gap, candidates
from cliniko_mcp.frontdesk.partial_reads import PartialReads
from cliniko_mcp.frontdesk.reports.kinds import KINDS
from cliniko_mcp.frontdesk.reports.question import ReportQuestion
from cliniko_mcp.frontdesk.roster import Known, Roster
from cliniko_mcp.frontdesk.spans import read_span
from cliniko_mcp.frontdesk.working_hours import read_diary, work_of

from .clinics import archive, front_desk, load

pytestmark = pytest.mark.anyio
PARTS = ("businesses", "practitioners", "appointment_types")
CLINICS = [(way, parts) for way in ("archive", "empty") for parts in (*((part,) for part in PARTS), PARTS)]
HALF_AN_HOUR = timedelta(minutes=30)
REACH = timedelta(days=60)


def without(reception: Any, way: str, parts: tuple[str, ...]) -> None:
    if way == "empty":
        reception.empty(*parts)
    else:
        archive(reception, *parts)
    reception.forget()


@pytest.mark.long
@pytest.mark.parametrize(("way", "parts"), CLINICS)
async def test_hours_free_times_and_sheets_are_computed(way: str, parts: tuple[str, ...]) -> None:
    async with front_desk() as (reception, clinic):
        kind = (await load(clinic))[0].type("Standard consult")
        without(reception, way, parts)
        roster, now = await load(clinic)
        span = read_span("next 7 days", now, roster)
        diary = await read_diary(clinic, roster, *span.bounds)
        closed = "businesses" in parts or "practitioners" in parts
        assert (diary.work == {}) is closed
        assert (roster.sites == []) is ("businesses" in parts)
        sites = appointment_offers.sites_offering(roster, kind)
        places = [(who, site.id) for who in roster.practitioners for site in sites]
        slots = free_slots(diary, span, places, HALF_AN_HOUR, now)
        assert (slots == []) is closed
        assert len(spread(slots, 5, roster)) == min(5, len(slots))
        assert all(slot.row(roster).practitioner for slot in slots)
        assert all(slot.left for slot in group_slots(diary, span, places, kind.id, now))
        for who in roster.practitioners:
            assert why_none(diary, span, who, [site.id for site in sites], HALF_AN_HOUR, now, roster, {})
        every = await read_diary(clinic, roster, *span.bounds, cancelled=True)
        sheets = sheets_of(roster, every, span, roster.businesses.values(), ())
        people = await people_of(clinic, [entry for sheet in sheets for entry in sheet.entries], PartialReads())
        assert (totals(sheets, people).free_minutes == 0) is closed
        found = await online.online_slots(clinic, roster, span, kind, [], HALF_AN_HOUR)
        assert found.slots == []


@pytest.mark.long
@pytest.mark.parametrize("parts", [PARTS])  # clinics that lack one of them are among the generated ones
@pytest.mark.parametrize("way", ["archive", "empty"])
async def test_every_report_is_made(way: str, parts: tuple[str, ...]) -> None:
    async with front_desk() as (reception, clinic):
        without(reception, way, parts)
        roster, now = await load(clinic)
        span = read_span("2026-10-01 to 2026-11-23", now, roster)
        coming = read_span("next 4 weeks", now, roster)
        for kind in KINDS.values():
            question = ReportQuestion(clinic, roster, coming if kind.name == "ahead" else span, None, None, now)
            finding = await kind.make(question)
            assert finding.definition and finding.summary


@pytest.mark.long
@pytest.mark.parametrize(("way", "parts"), CLINICS)
async def test_a_booking_is_found_and_gaps_have_candidates(way: str, parts: tuple[str, ...]) -> None:
    async with front_desk() as (reception, clinic):
        coming = next(row for row in reception.rows("individual_appointments") if row["starts_at"] > "2026-11-25")
        without(reception, way, parts)
        roster, now = await load(clinic)
        entry = (await which_visit(clinic, roster, coming["id"], Looking.COMING)).entry
        assert entry.id == coming["id"]
        with pytest.raises(NotFound):
            await which_visit(clinic, roster, "123", Looking.COMING)
        live = await bookings(clinic, now, EVER)
        starts = now.astimezone(UTC) + timedelta(hours=1)
        gap = Gap(starts, starts + HALF_AN_HOUR, entry.practitioner_id, "no site of this clinic")
        past = await bookings(clinic, now - REACH, now, cancelled=True)
        found = candidates(gap, live, [one for one in past if one.cancelled], roster, now, REACH)
        assert all(candidate.reasons for candidate in found) and found


@pytest.mark.parametrize("name", ["Australia", "Nowhere/Else", "", "../../etc/passwd", "US", None, 7])
async def test_a_site_with_an_odd_zone_keeps_that_of_the_key_s_user(name: object) -> None:
    home = ZoneInfo("Australia/Perth")
    site = Known("1", "Odd", Business.read({"id": "1", "time_zone_identifier": name}))  # type: ignore[dict-item]
    roster = Roster([], [site], [], home)
    assert roster.zone("1") == roster.zone("2") == roster.zone(None) == home


@pytest.mark.parametrize("name", ["Australia", "Nowhere/Else", "", None])
async def test_weekly_hours_with_an_odd_zone_are_read_by_the_clock_of_their_site(name: str | None) -> None:
    async with front_desk() as (_, clinic):
        roster, now = await load(clinic)
        site, person = roster.business("Northside"), roster.practitioner("Mei Ng")
        row = DailyAvailability.read(
            {
                "id": "1",
                "business_id": site.id,
                "practitioner_id": person.id,
                "day_of_week": 3,
                "availabilities": [{"starts_at": "09:00", "ends_at": "10:00"}],
                "time_zone_identifier": name,
            }
        )
        (stretches,) = work_of(roster, [row], now, now + timedelta(days=7)).values()
        local = [stretch.starts.astimezone(roster.zone(site.id)) for stretch in stretches]
        assert [f"{start:%a %H:%M}" for start in local] == ["Wed 09:00"]
