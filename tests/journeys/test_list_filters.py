"""Filters of lists against rows read without them and sifted here: the clinic's own days, across clock changes."""

from collections.abc import AsyncGenerator, Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from conftest import Assistant, in_process

from cliniko_mcp.cliniko.filters import Hidden
from cliniko_mcp.cliniko.resources.individual_appointments import IndividualAppointments
from cliniko_mcp.cliniko.resources.patients import Patients
from cliniko_mcp.guards.pipeline import Caller

pytestmark = pytest.mark.anyio

SYDNEY = ZoneInfo("Australia/Sydney")
DAYS = [
    date(2026, 4, 4),
    date(2026, 4, 5),  # the clocks go back
    date(2026, 4, 6),
    date(2026, 10, 3),
    date(2026, 10, 4),  # the clocks go forward
    date(2026, 11, 24),
]
Rows = list[Any]


@pytest.fixture(scope="module")
async def clinic() -> AsyncGenerator[tuple[Assistant, Rows, Rows]]:
    """An assistant, and all appointments and patients there are, hidden ones too."""
    async with in_process() as assistant:
        assert assistant.app is not None
        guarded = await assistant.app.guarded_clinic("test", Caller())
        every_visit = IndividualAppointments.list_individual_appointments
        visits = await guarded.collect(every_visit, archived_at=Hidden.INCLUDED, cancelled_at=Hidden.INCLUDED)
        patients = await guarded.collect(Patients.list_patients, archived_at=Hidden.INCLUDED)
        yield assistant, visits, patients


def live(rows: Iterable[Any]) -> Rows:
    return [row for row in rows if row.archived_at is None and getattr(row, "cancelled_at", None) is None]


async def found(assistant: Assistant, name: str, **filters: object) -> set[str]:
    """The ids in the list with these filters, read to its end; the count has to say the same."""
    answer = await assistant.call(name, limit=1000, fields="id", **filters)
    ids = [row["id"] for row in answer["items"]]
    while not answer["page"]["complete"]:
        answer = await assistant.call(name, limit=1000, cursor=answer["page"]["next_cursor"])
        ids += [row["id"] for row in answer["items"]]
    counted = await assistant.call("count_records", operation=name, arguments=filters)
    assert counted["count"] == answer["page"]["total"] == len(ids) == len(set(ids))
    return set(ids)


def sifted(rows: Iterable[Any], fits: Callable[[Any], object]) -> set[str]:
    return {row.id for row in rows if fits(row)}


@pytest.mark.long
@pytest.mark.parametrize("day", DAYS, ids=str)
async def test_days_and_times_are_the_clinics_own(clinic: tuple[Assistant, Rows, Rows], day: date):
    assistant, visits, _ = clinic
    who = visits[0].practitioner_id  # one diary is enough, and read eight times as fast
    rows, last = [row for row in live(visits) if row.practitioner_id == who], day + timedelta(days=3)

    def on(row: Any) -> date:
        return row.starts_at.astimezone(SYDNEY).date()

    def at(clock: str) -> datetime:
        return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=SYDNEY)

    cases: dict[str, Callable[[Any], object]] = {
        f"{day}": lambda row: on(row) == day,
        f"> {day}": lambda row: on(row) > day,
        f">={day}": lambda row: on(row) >= day,
        f"<{day}": lambda row: on(row) < day,
        f"<={day}": lambda row: on(row) <= day,
        f"{day}..{last}": lambda row: day <= on(row) <= last,
        f"{day}..": lambda row: day <= on(row),
        f"..{last}": lambda row: on(row) <= last,
        f"{day}T09:30..{day}T15:00": lambda row: at("09:30") <= row.starts_at < at("15:00"),
        f">{day}T09:30": lambda row: row.starts_at > at("09:30"),
        f"{day}T09:30": lambda row: row.starts_at == at("09:30"),
        f"<={at('09:30').isoformat()}": lambda row: row.starts_at <= at("09:30"),
    }
    for condition, fits in cases.items():
        ids = await found(assistant, "list_individual_appointments", practitioner_id=who, starts_at=condition)
        assert ids == sifted(rows, fits), condition


@pytest.mark.long
async def test_with_a_site_the_days_are_those_of_the_site(clinic: tuple[Assistant, Rows, Rows]):
    assistant, visits, _ = clinic
    sites = await assistant.rows("list_businesses", detail="full")
    zones = {site["id"]: ZoneInfo(site["time_zone_identifier"]) for site in sites}
    assert len({*zones.values()}) == 2
    for site, zone in zones.items():
        for day in DAYS:
            due = sifted(
                live(visits),
                lambda row, site=site, zone=zone, day=day: (
                    row.business_id == site and row.starts_at.astimezone(zone).date() == day
                ),
            )
            assert await found(assistant, "list_individual_appointments", business_id=site, starts_at=str(day)) == due


@pytest.mark.long
async def test_ids_flags_and_hidden_rows(clinic: tuple[Assistant, Rows, Rows]):
    assistant, visits, _ = clinic
    weeks = "2026-11-01..2026-11-30"
    visits = [row for row in visits if f"{row.starts_at.astimezone(SYDNEY):%Y-%m}" == "2026-11"]
    rows = live(visits)
    kept = [row for row in visits if row.archived_at is None]
    who = sorted({row.practitioner_id for row in rows}, key=int)
    cases: list[tuple[dict[str, object], set[str]]] = [
        ({"practitioner_id": f"{who[0]},{who[1]}"}, sifted(rows, lambda row: row.practitioner_id in who[:2])),
        ({"practitioner_id": who[:2]}, sifted(rows, lambda row: row.practitioner_id in who[:2])),
        ({"practitioner_id": f"!={who[0]}"}, sifted(rows, lambda row: row.practitioner_id != who[0])),
        ({"practitioner_id": f">{who[1]}"}, sifted(rows, lambda row: int(row.practitioner_id) > int(who[1]))),
        (
            {"practitioner_id": f"{who[1]}..{who[3]}"},
            sifted(rows, lambda row: int(who[1]) <= int(row.practitioner_id) <= int(who[3])),
        ),
        ({"did_not_arrive": True}, sifted(rows, lambda row: row.did_not_arrive)),
        ({"did_not_arrive": "true"}, sifted(rows, lambda row: row.did_not_arrive)),
        ({"cancelled_at": "all"}, sifted(kept, lambda row: True)),
        ({"cancelled_at": "any"}, sifted(kept, lambda row: row.cancelled_at)),
        ({"cancelled_at": "none"}, sifted(rows, lambda row: True)),
        ({"repeated_from_id": "any"}, sifted(rows, lambda row: row.repeated_from_id)),
        ({"repeated_from_id": "none"}, sifted(rows, lambda row: not row.repeated_from_id)),
    ]
    for condition, due in cases:
        assert due
        assert await found(assistant, "list_individual_appointments", starts_at=weeks, **condition) == due, condition


@pytest.mark.long
async def test_texts_and_dates(clinic: tuple[Assistant, Rows, Rows]):
    assistant, _, patients = clinic
    rows = live(patients)
    early, late = date(1990, 1, 1), date(1995, 12, 31)
    cases: list[tuple[dict[str, object], set[str]]] = [
        ({"last_name": "Lima"}, sifted(rows, lambda row: row.last_name == "Lima")),
        ({"last_name": "~an"}, sifted(rows, lambda row: "an" in (row.last_name or "").casefold())),
        ({"last_name": "!=Lima"}, sifted(rows, lambda row: row.last_name not in ("Lima", None))),
        ({"last_name": "none"}, sifted(rows, lambda row: not row.last_name)),
        ({"email": "none"}, sifted(rows, lambda row: not row.email)),
        ({"email": "any"}, sifted(rows, lambda row: row.email)),
        ({"date_of_birth": "none"}, sifted(rows, lambda row: row.date_of_birth is None)),
        (
            {"date_of_birth": f"{early}..{late}"},
            sifted(rows, lambda row: row.date_of_birth and early <= row.date_of_birth <= late),
        ),
        ({"date_of_birth": f"<{early}"}, sifted(rows, lambda row: row.date_of_birth and row.date_of_birth < early)),
        ({"archived_at": "any"}, sifted(patients, lambda row: row.archived_at)),
        ({"archived_at": "all"}, sifted(patients, lambda row: True)),
    ]
    for condition, due in cases:
        assert due
        assert await found(assistant, "list_patients", **condition) == due, condition


@pytest.mark.long
@pytest.mark.parametrize(
    "hostile", ["a&page=2", "x:=1", "q[]=id:1", "' OR 1=1 --", "../..", "🙂", "%", "_", "*", ",", "..", "Lima\u200b"]
)
async def test_a_value_is_never_more_than_a_value(clinic: tuple[Assistant, Rows, Rows], hostile: str):
    assistant, _, _ = clinic

    assert await found(assistant, "list_patients", last_name=hostile) == set()
