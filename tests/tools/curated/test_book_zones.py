"""book_appointment at sites whose zone is only a label, or not known: the right hour, or nothing at all."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from .reception import NORTHSIDE, Reception, reception

pytestmark = pytest.mark.anyio
VISIT: dict[str, Any] = {"practitioner": "Ng", "type": "Standard consult", "when": "20 January 2027 at 10:00"}
CLASS: dict[str, Any] = {"type": "Pilates class", "when": "20 January 2027 at 10:00"}


def with_zone(clinic: Reception, identifier: str | None, label: str | None) -> str:
    """Northside with this zone, its practitioners there all day, and Otto's id."""
    clinic.empty_diary()
    site = clinic.id("businesses", NORTHSIDE)
    row = next(row for row in clinic.rows("businesses") if row["id"] == site)
    clinic.store.put("businesses", {**row, "time_zone_identifier": identifier, "time_zone": label})
    for hours in clinic.rows("daily_availabilities"):
        if hours["business_id"] == site:
            zone = {"time_zone_identifier": identifier, "time_zone": label}
            whole: Any = [{"starts_at": "00:00", "ends_at": "24:00"}]
            clinic.store.put("daily_availabilities", {**hours, **zone, "availabilities": whole})
    return clinic.patient("Otto", "Zimt")


@pytest.mark.long
@pytest.mark.parametrize(("identifier", "label", "zone"), [
    (None, "Perth", "Australia/Perth"), ("", "Hobart", "Australia/Hobart"),
    ("Nowhere/Else", "Brisbane", "Australia/Brisbane"), ("Australia/Perth", None, "Australia/Perth"),
    ("Australia/Darwin", "Sydney", "Australia/Darwin"),
])  # fmt: skip
async def test_a_label_alone_gives_the_hour_of_that_zone(identifier: str | None, label: str | None, zone: str) -> None:
    async with reception() as clinic:
        with_zone(clinic, identifier, label)
        session = clinic.group([], NORTHSIDE, "Priya Nair", "2027-01-20 10:00")
        due = datetime(2027, 1, 20, 10, tzinfo=ZoneInfo(zone)).astimezone(UTC)
        row = next(row for row in clinic.rows("group_appointments") if row["id"] == session)
        clinic.store.put("group_appointments", {**row, "starts_at": f"{due:%Y-%m-%dT%H:%M:%SZ}"})
        visit = await clinic.assistant.call("book_appointment", patient="Ana Lima", business=NORTHSIDE, **VISIT)
        assert visit.get("done") == "Booked.", visit
        (made,) = clinic.rows("individual_appointments")
        assert made["starts_at"] == f"{due:%Y-%m-%dT%H:%M:%SZ}"
        place = await clinic.assistant.call("book_appointment", patient="Otto Zimt", business=NORTHSIDE, **CLASS)
        assert place.get("done") == "Booked." and place["item"]["id"] == session, place


@pytest.mark.long
@pytest.mark.parametrize(
    ("identifier", "label"), [(None, None), ("", ""), ("Nowhere/Else", "Atlantis"), ("Mars", None)]
)
@pytest.mark.parametrize("arguments", [
    VISIT, {**VISIT, "repeat": "weekly x3"}, {**VISIT, "dry_run": True}, {**VISIT, "business": NORTHSIDE}, CLASS,
])  # fmt: skip
async def test_where_the_zone_is_not_known_nothing_is_written_and_what_to_do_is_said(
    identifier: str | None, label: str | None, arguments: dict[str, Any]
) -> None:
    async with reception() as clinic:
        with_zone(clinic, identifier, label)
        clinic.group([], NORTHSIDE, "Priya Nair", "2027-01-20 10:00")
        answer = await clinic.assistant.call("book_appointment", patient="Otto Zimt", **arguments)
        assert (answer.get("code"), answer.get("field")) == ("invalid_arguments", "business"), answer
        assert "time zone of Northside" in answer["message"] and "update_business" in answer["fix"]
        assert clinic.assistant.changes() == []
