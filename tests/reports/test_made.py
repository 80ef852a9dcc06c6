"""Bookings and cancellations by the day on which they were made are those of the rows."""

from collections import Counter
from datetime import datetime, timedelta

import pytest

from cliniko_mcp.sandbox.core import Sandbox

from .demo import CLOCKS, reports
from .over_port import Port
from .recount import Recount, share, spans

pytestmark = pytest.mark.anyio
LATE = timedelta(hours=24)


@pytest.mark.parametrize("now", CLOCKS)
async def test_bookings_made(clinic: tuple[Sandbox, Port], now: str) -> None:
    sandbox, port = clinic
    recount = Recount(port.rows, datetime.fromisoformat(now))
    async with reports(sandbox, recount.now) as tool:
        for phrase in ("this month", "last month", "today"):
            first, last = spans(recount.today)[phrase]
            answer = await tool.call("new_bookings", when=phrase, by=["practitioner", "weekday"])
            rows = [
                (row, made)
                for table in ("individual_appointments", "group_appointments")
                for row in port.rows(table)
                if not row.get("archived_at")
                and first
                <= (
                    made := datetime.fromisoformat(row["created_at"]).astimezone(recount.zones[row["business_id"]])
                ).date()
                <= last
            ]
            website = sum(bool(row.get("booking_ip_address")) for row, _ in rows)
            ahead = [(datetime.fromisoformat(row["starts_at"]) - made) / timedelta(days=1) for row, made in rows]
            classes = sum("max_attendees" in row for row, _ in rows)
            assert answer["summary"] == {
                "bookings_made": {"count": len(rows)},
                "made_on_the_website": share(website, len(rows)),
                "appointments_made": share(len(rows) - classes, len(rows)),
                "classes_made": share(classes, len(rows)),
                "cancelled_since": share(sum(bool(row.get("cancelled_at")) for row, _ in rows), len(rows)),
                "days_ahead_on_average": {"count": round(sum(ahead) / len(ahead), 2) if ahead else 0},
            }, phrase
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
            gone = [
                visit
                for visit in recount.visits
                if visit.cancelled and first <= visit.cancelled.astimezone(recount.zones[visit.site]).date() <= last
            ]
            people = Counter(visit.patient for visit in gone)
            assert answer["summary"] == {
                "cancellations_made": {"count": len(gone)},
                "cancelled_late": share(sum(visit.left < LATE for visit in gone), len(gone)),
                "cancelled_and_invoiced": share(sum(visit.billed for visit in gone), len(gone)),
                "lost": share(sum(not recount.returns(visit) for visit in gone), len(gone)),
                "patients_who_cancelled": {"count": len(people)},
                "patients_with_more_than_one": {"count": sum(times > 1 for times in people.values())},
            }, phrase
            assert Counter(row["patient_id"] for row in answer["items"]) == people
            assert sum(row["count"] for row in answer["by"]["month"]["rows"]) == len(gone)
