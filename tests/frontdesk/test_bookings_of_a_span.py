"""The diary of a span: visits, blocked-out times or both."""

from datetime import UTC, datetime

import pytest
from tools.curated.reception import NORTHSIDE

from cliniko_mcp.frontdesk.bookings import bookings

from .clinics import front_desk

pytestmark = pytest.mark.anyio
STARTS, ENDS = datetime(2026, 12, 6, 13, tzinfo=UTC), datetime(2026, 12, 7, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    ("visits", "blocks", "kinds"),
    [
        (True, True, ["appointment", "group", "block"]),
        (True, False, ["appointment", "group"]),
        (False, True, ["block"]),
    ],
)
async def test_visits_and_blocked_out_times_are_there_only_where_they_are_wanted(
    visits: bool, blocks: bool, kinds: list[str]
) -> None:
    async with front_desk() as (desk, clinic):
        desk.empty_diary()
        who = desk.patient("Faye", "Rowe")
        desk.book(who, NORTHSIDE, "Dr Mei Ng", "2026-12-07 09:00")
        desk.group([who], NORTHSIDE, "Priya Nair", "2026-12-07 10:00")
        desk.put(
            "unavailable_blocks",
            practitioner_id=desk.id("practitioners", "Dr Mei Ng"),
            business_id=desk.id("businesses", NORTHSIDE),
            starts_at="2026-12-07T01:00:00Z",
            ends_at="2026-12-07T02:00:00Z",
        )
        found = await bookings(clinic, STARTS, ENDS, visits=visits, blocks=blocks)
        assert [entry.kind for entry in found] == kinds
