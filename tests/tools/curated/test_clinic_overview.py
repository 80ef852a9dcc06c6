"""clinic_overview: sites with zones and hours, practitioners and types, as the raw rows have them."""

import pytest
from conftest import in_process

from cliniko_mcp.tools.curated.clinic_overview import week_words

from .raw import Raw

pytestmark = pytest.mark.anyio


@pytest.mark.long
async def test_sites_practitioners_and_types_are_those_in_use() -> None:
    async with in_process() as assistant:
        raw = Raw(assistant)
        raw.forget()
        answer = await assistant.call("clinic_overview")
        assert {row["id"]: row["time_zone"] for row in answer["sites"]} == {
            row["id"]: row["time_zone_identifier"] for row in raw.live("businesses")
        }
        assert {row["name"]: row["now"] for row in answer["sites"]} == {
            "Northside": "2026-11-24T09:00+11:00 Tue",
            "Riverside": "2026-11-24T08:30+10:30 Tue",
        }
        active = {row["id"] for row in raw.live("practitioners") if row.get("active") is not False}
        assert {row["id"] for row in answer["practitioners"]} == active
        types = {row["id"]: row["duration_in_minutes"] for row in raw.live("appointment_types")}
        assert {row["id"]: row["minutes"] for row in answer["appointment_types"]} == types
        works = {row["name"]: row["works"] for row in answer["practitioners"]}
        assert works["Sam Iyer"] == {"Northside": "Mon Tue 09:00-17:00", "Riverside": "Thu Fri 09:00-17:00"}
        assert len(raw.log()) == 7


async def test_one_site_shows_what_is_there() -> None:
    async with in_process() as assistant:
        answer = await assistant.call("clinic_overview", business="river")
        assert [row["name"] for row in answer["sites"]] == ["Riverside"]
        assert {row["name"] for row in answer["practitioners"]} == {"Jack Whitfield", "Aroha Tane", "Sam Iyer"}
        assert "Dry needling" not in {row["name"] for row in answer["appointment_types"]}
        assert answer["time_zone"] == "Australia/Adelaide"


@pytest.mark.long
async def test_a_large_clinic_is_cut_with_a_word() -> None:
    async with in_process() as assistant:
        raw = Raw(assistant)
        model = raw.get("appointment_types", raw.id("appointment_types", "Standard consult"))
        sites = raw.live("businesses")
        for number in range(150):
            raw.store.put(
                "appointment_types", {**model, "id": f"66{number:04d}", "name": f"Special treatment {number}"}
            )
        for site in sites:
            raw.store.put(
                "businesses", {**site, "appointment_type_ids": [row["id"] for row in raw.live("appointment_types")]}
            )
        answer = await assistant.call("clinic_overview")
        left = len(raw.live("appointment_types")) - len(answer["appointment_types"])
        assert left > 0
        assert any(
            note.startswith(f"{left} more appointment types: see list_appointment_types") for note in answer["notes"]
        )
        assert len(str(answer)) < 9_500


@pytest.mark.parametrize(("week", "words"), [
    ({}, ""),
    ({1: [(540, 1020)]}, "Mon 09:00-17:00"),
    ({day: [(540, 1020)] for day in range(1, 6)}, "Mon-Fri 09:00-17:00"),
    ({1: [(540, 720), (780, 1020)], 3: [(540, 720), (780, 1020)], 7: [(600, 1440)]},
     "Mon Wed 09:00-12:00 and 13:00-17:00; Sun 10:00-24:00"),
])  # fmt: skip
def test_weeks_are_said_in_short(week: dict[int, list[tuple[int, int]]], words: str) -> None:
    assert week_words(week) == words
