"""What a report has read before serves it again, and gives the very visits that reading them alone would."""

from datetime import UTC, datetime

import pytest
from tools.curated.reception import NORTHSIDE, RIVERSIDE

from cliniko_mcp.frontdesk.reports.question import ReportQuestion

from .clinics import front_desk, load

pytestmark = pytest.mark.anyio


async def test_the_visits_of_some_are_no_more_where_everyone_s_were_read_before() -> None:
    async with front_desk() as (reception, clinic):
        reception.empty_diary()
        ada, bea = reception.patient("Ada", "Quill"), reception.patient("Bea", "Rook")
        mei, jack = (NORTHSIDE, "Dr Mei Ng"), (RIVERSIDE, "Jack Whitfield")
        reception.book(ada, *mei, "2026-11-16 09:00")
        wanted = [reception.book(ada, *mei, "2026-11-18 09:00"), reception.book(ada, *jack, "2026-12-01 09:00")]
        reception.book(ada, *mei, "2026-11-19 09:00", cancelled_at="2026-11-17T00:00:00Z")
        reception.book(bea, *mei, "2026-11-20 09:00")
        roster, now = await load(clinic)
        fresh, before = (ReportQuestion(clinic, roster, None, None, None, now) for _ in range(2))
        await before.history()
        seen, since = len(reception.sandbox.requests), datetime(2026, 11, 17, tzinfo=UTC)
        served = await before.visits_of([ada], since)
        assert len(reception.sandbox.requests) == seen
        assert [visit.booking_id for visit in served] == wanted
        assert await fresh.visits_of([ada], since) == served
