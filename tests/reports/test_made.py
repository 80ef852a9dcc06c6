"""Bookings and cancellations by the day on which they were made are those of the rows."""

from collections import Counter
from datetime import datetime

import pytest

from cliniko_mcp.sandbox.core import Sandbox

from . import expected
from .demo import CLOCKS, reports
from .over_port import Port
from .recount import Recount, spans

pytestmark = [pytest.mark.anyio, pytest.mark.long]


@pytest.mark.parametrize("now", CLOCKS)
async def test_bookings_made(clinic: tuple[Sandbox, Port], now: str) -> None:
    sandbox, port = clinic
    recount = Recount(port.rows, datetime.fromisoformat(now))
    async with reports(sandbox, recount.now) as tool:
        for phrase in ("this month", "last month", "today"):
            first, last = spans(recount.today)[phrase]
            answer = await tool.call("new_bookings", when=phrase, by=["practitioner", "weekday"])
            assert answer["summary"] == expected.new_bookings(recount, first, last), phrase
            rows = expected.made_between(recount, first, last)
            website = sum(bool(row.get("booking_ip_address")) for row, _ in rows)
            assert {row["appointment_id"] for row in answer["items"]} == {row["id"] for row, _ in rows}
            days = Counter(f"{made:%A}" for _, made in rows)
            assert {row["name"]: row["count"] for row in answer["by"]["weekday"]["rows"]} == days
            channels = {row["name"]: row["count"] for row in answer["by"]["made_on"]["rows"]}
            assert channels == {"website": website, "desk": len(rows) - website}


@pytest.mark.parametrize("now", CLOCKS)
async def test_cancellations_made(clinic: tuple[Sandbox, Port], now: str) -> None:
    sandbox, port = clinic
    recount = Recount(port.rows, datetime.fromisoformat(now))
    async with reports(sandbox, recount.now) as tool:
        for phrase in ("this month", "last month", "last week"):
            first, last = spans(recount.today)[phrase]
            answer = await tool.call("new_cancellations", when=phrase, by=["month"])
            assert answer["summary"] == expected.new_cancellations(recount, first, last), phrase
            gone = expected.cancelled_between(recount, first, last)
            people = Counter(visit.patient for visit in gone)
            assert Counter(row["patient_id"] for row in answer["items"]) == people
            assert sum(row["count"] for row in answer["by"]["month"]["rows"]) == len(gone)
