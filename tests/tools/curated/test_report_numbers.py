"""One of a thing is told as one, and no notice at all has no sign."""

import pytest

from .reception import NORTHSIDE, RIVERSIDE, reception

pytestmark = pytest.mark.anyio


async def test_one_row_left_and_one_visit_to_come_are_told_as_one() -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        ada, bea = clinic.patient("Ada", "Quill"), clinic.patient("Bea", "Rook")
        clinic.book(ada, NORTHSIDE, "Dr Mei Ng", "2026-11-24 08:30", arrived=False)
        clinic.book(bea, NORTHSIDE, "Dr Mei Ng", "2026-11-24 08:00", arrived=False)
        clinic.book(ada, NORTHSIDE, "Dr Mei Ng", "2026-11-24 10:00")
        one = await clinic.assistant.call("report", kind="no_shows", when="today", limit=1)
        clinic.book(ada, NORTHSIDE, "Tom Okafor", "2026-11-24 11:00")
        two = await clinic.assistant.call("report", kind="missing_notes", when="today", practitioner="Tom Okafor")
        assert one["notes"] == [
            "1 visit of that time is still to come; it is not counted.",
            "1 more row: call again with next_cursor as cursor, and limit for more at once.",
        ]
        assert two["notes"][0] == "1 visit of that time is still to come; it is not counted."


async def test_a_visit_cancelled_a_minute_late_had_no_notice_rather_than_less_than_none() -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        ada = clinic.patient("Ada", "Quill")
        clinic.book(ada, RIVERSIDE, "Jack Whitfield", "2026-11-20 14:00", cancelled_at="2026-11-20T03:31:00Z")
        answer = await clinic.assistant.call("report", kind="cancellations", when="last week")
        (row,) = answer["items"]
        assert str(row["notice_hours"]) == "0.0"
