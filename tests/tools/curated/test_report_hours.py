"""Utilisation counts the minutes of the raw rows, with double bookings, bookings after hours and both clock changes."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.tools.curated.test_report import GONE, of, whole

from .reception import NORTHSIDE, ZONES, Reception, reception, stamp, utc

pytestmark = pytest.mark.anyio


def minutes(clinic: Reception, practitioner: str, first: date, days: int) -> tuple[set[int], set[int], set[int]]:
    """Working, blocked and booked minutes of a practitioner, minute by minute, as counts of minutes since 1970."""
    who = clinic.id("practitioners", practitioner)
    zones = {clinic.id("businesses", site): zone for site, zone in ZONES.items()}

    def span(starts: datetime, ends: datetime) -> Iterator[int]:
        yield from range(int(starts.timestamp()) // 60, int(ends.timestamp()) // 60)

    work: set[int] = set()
    for row in clinic.rows("daily_availabilities"):
        for number in range(days):
            day = first + timedelta(days=number)
            if row["practitioner_id"] == who and day.isoweekday() % 7 == row["day_of_week"]:
                zone: ZoneInfo = zones[row["business_id"]]
                for hours in row["availabilities"]:
                    low, high = (time.fromisoformat(hours[name]) for name in ("starts_at", "ends_at"))
                    work |= set(span(datetime.combine(day, low, zone), datetime.combine(day, high, zone)))
    for row in clinic.rows("availability_blocks"):
        day = of(row["starts_at"]).astimezone(zones[row["business_id"]]).date()
        if row["practitioner_id"] == who and first <= day < first + timedelta(days=days):
            work |= set(span(of(row["starts_at"]), of(row["ends_at"])))
    taken: dict[str, set[int]] = {"unavailable_blocks": set(), "booked": set()}
    for table in ("unavailable_blocks", "individual_appointments", "group_appointments"):
        for row in clinic.rows(table):
            day = of(row["starts_at"]).astimezone(zones[row["business_id"]]).date()
            here = first <= day < first + timedelta(days=days)
            if here and row["practitioner_id"] == who and not row.get("archived_at") and not row.get("cancelled_at"):
                key = table if table in taken else "booked"
                taken[key] |= set(span(of(row["starts_at"]), of(row["ends_at"])))
    return work, taken["unavailable_blocks"], taken["booked"]


@pytest.mark.long
@pytest.mark.parametrize(
    ("now", "first", "days"),
    [("2026-11-24T09:00:00+11:00", date(2026, 11, 16), 7), ("2026-10-20T09:00:00+11:00", date(2026, 9, 28), 14)],
)
async def test_utilisation_is_the_minutes_counted_one_by_one(now: str, first: date, days: int) -> None:
    async with reception(sandbox_now=now) as clinic:
        eva = clinic.patient("Eva", "Twice")
        monday = first.isoformat()
        clinic.book(eva, NORTHSIDE, "Dr Mei Ng", f"{monday} 09:00", minutes=60)
        clinic.book(eva, NORTHSIDE, "Dr Mei Ng", f"{monday} 09:30", minutes=60)  # a double booking
        clinic.book(eva, NORTHSIDE, "Dr Mei Ng", f"{monday} 18:00")  # after hours
        clinic.book(eva, NORTHSIDE, "Dr Mei Ng", f"{monday} 11:00", minutes=120, **GONE)
        last = first + timedelta(days=days - 1)
        answer, rows = await whole(clinic, kind="utilisation", when=f"{first} to {last}")
        assert len(rows) == 8
        for row in rows:
            work, blocked, booked = minutes(clinic, row["practitioner"], first, days)
            assert row["open_hours"] == round(len(work - blocked) / 60, 2), row
            assert row["booked_hours"] == round(len(booked) / 60, 2), row
            inside = booked & (work - blocked)
            assert row["free_hours"] == round(len(work - blocked - booked) / 60, 2), row
            assert row["utilisation"]["rate"] == f"{100 * len(inside) / len(work - blocked):.1f}%", row
        assert next(row for row in rows if row["practitioner"] == "Dr Mei Ng")["outside_hours"] >= 0.5
        assert answer["summary"]["open_hours"]["count"] == pytest.approx(
            sum(row["open_hours"] for row in rows), abs=0.1
        )
        river = await clinic.assistant.call(
            "report", kind="utilisation", when=f"{first} to {last}", business="Riverside"
        )
        assert {row["practitioner"] for row in river["items"]} == {"Jack Whitfield", "Aroha Tane", "Sam Iyer"}
        assert river["time_zone"] == "Australia/Adelaide"


async def test_who_is_booked_in_hours_that_are_all_blocked_out_stands_among_those_booked_ahead() -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        clinic.empty("daily_availabilities", "availability_blocks")
        for who in ("Dr Mei Ng", "Tom Okafor", "Priya Nair"):
            clinic.put(
                "daily_availabilities", practitioner_id=clinic.id("practitioners", who), day_of_week=3,
                business_id=clinic.id("businesses", NORTHSIDE),
                availabilities=[{"starts_at": "09:00", "ends_at": "17:00"}],
            )  # fmt: skip
        for who in ("Dr Mei Ng", "Tom Okafor"):
            clinic.put(
                "unavailable_blocks", practitioner_id=clinic.id("practitioners", who),
                business_id=clinic.id("businesses", NORTHSIDE),
                starts_at=stamp(utc("2026-11-25T00:00", NORTHSIDE)), ends_at=stamp(utc("2026-11-26T00:00", NORTHSIDE)),
            )  # fmt: skip
        clinic.book(clinic.patient("Eva", "Kept"), NORTHSIDE, "Dr Mei Ng", "2026-11-25 10:00")
        _, rows = await whole(clinic, kind="ahead", when="tomorrow", business=NORTHSIDE)
        assert {row["practitioner"]: row["open_hours_a_week"] for row in rows} == {"Dr Mei Ng": 0, "Priya Nair": 56}
