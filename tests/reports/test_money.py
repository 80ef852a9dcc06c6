"""What was invoiced, what is unpaid and what is not billed yet are those of the rows, to the cent."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from cliniko_mcp.sandbox.core import Sandbox

from . import expected_papers as expected
from .demo import CLOCKS, reports
from .over_port import Port, Row
from .recount import Recount, spans

pytestmark = [pytest.mark.anyio, pytest.mark.long]


def broken_down(rows: Iterable[Row], names: Iterable[str], *, visits: bool = False) -> dict[str, Row]:
    """Money by the name of each row, with the visits that were billed and their average where that is told."""
    groups: dict[str, list[Row]] = {}
    for row, name in zip(rows, names, strict=True):
        groups.setdefault(name, []).append(row)
    return {
        name: {**expected.money(some), **(expected.a_visit(some) if visits else {})} for name, some in groups.items()
    }


def told(answer: Row, by: str) -> dict[str, Row]:
    return {row.pop("name"): row for row in answer["by"][by]["rows"] if row["count"]}


@pytest.mark.parametrize("now", CLOCKS)
async def test_revenue(clinic: tuple[Sandbox, Port], now: str) -> None:
    sandbox, port = clinic
    recount = Recount(port.rows, datetime.fromisoformat(now))
    groups = ["practitioner", "site", "type", "month", "week", "source"]
    async with reports(sandbox, recount.now) as tool:
        for phrase in ("this month", "last month", "last week"):
            first, last = spans(recount.today)[phrase]
            answer = await tool.call("revenue", when=phrase, by=groups)
            assert answer["summary"] == expected.revenue(recount, first, last), phrase
            rows = expected.issued(recount, first, last)
            billed = [row for row in rows if row["status"] in (expected.OPEN, expected.PAID)]
            whole = sum((Decimal(row["total_amount"]) for row in billed), Decimal())
            kinds = {
                row["id"]: recount.name("appointment_types", row["appointment_type_id"])
                for table in ("individual_appointments", "group_appointments")
                for row in port.rows(table)
            }
            sources = {row["id"]: row["name"] for row in port.rows("referral_source_types")}
            of = {row["patient_id"]: sources[row["referral_source_type_id"]] for row in port.rows("referral_sources")}
            days = [date.fromisoformat(row["issue_date"]) for row in billed]
            names = {
                "practitioner": [recount.name("practitioners", row["practitioner_id"]) for row in billed],
                "site": [recount.name("businesses", row["business_id"]) for row in billed],
                "type": [kinds[row["appointment_id"]] for row in billed],
                "month": [f"{day:%Y-%m}" for day in days],
                "week": [str(day - timedelta(days=day.weekday())) for day in days],
                "source": [of.get(row["patient_id"], "no source") for row in billed],
            }
            for by, keys in names.items():
                assert told(answer, by) == broken_down(billed, keys, visits=True), by
            assert sum(Decimal(row["total"]) for row in answer["items"]) == whole


@pytest.mark.parametrize("now", CLOCKS)
async def test_unpaid(clinic: tuple[Sandbox, Port], now: str) -> None:
    sandbox, port = clinic
    recount = Recount(port.rows, datetime.fromisoformat(now))
    async with reports(sandbox, recount.now) as tool:
        for when, latest in ((None, date.max), ("more than 30 days ago", recount.today - timedelta(days=30))):
            answer = await tool.call("unpaid", when=when, by=["practitioner"], phones=True)
            rows = [row for row in expected.issued(recount, date.min, latest) if row["status"] == expected.OPEN]
            assert rows
            people = broken_down(rows, [row["patient_id"] for row in rows])
            shown = {row["patient_id"]: {"count": row["invoices"], "total": row["total"]} for row in answer["items"]}
            assert shown == people
            sums = [Decimal(row["total"]) for row in answer["items"]]
            assert sums == sorted(sums, reverse=True)
            ages = [(recount.today - date.fromisoformat(row["issue_date"])).days for row in rows]
            named = [
                "0 to 30 days" if age <= 30 else "31 to 60 days" if age <= 60
                else "61 to 90 days" if age <= 90 else "over 90 days"
                for age in ages
            ]  # fmt: skip
            assert told(answer, "age") == broken_down(rows, named)
            patients = {row["id"]: row for row in port.rows("patients")}
            payers = [expected.payer_of(recount, row) for row in rows]
            assert told(answer, "payer") == broken_down(rows, payers)
            assert set(payers) - {"patients"} and answer["summary"] == expected.unpaid(recount, date.min, latest)
            for row in answer["items"]:
                numbers = [phone["number"] for phone in patients[row["patient_id"]].get("patient_phone_numbers", [])]
                assert row.get("phone") in (numbers or [None])


@pytest.mark.parametrize("now", CLOCKS)
async def test_unbilled_and_without_a_note(clinic: tuple[Sandbox, Port], now: str) -> None:
    sandbox, port = clinic
    recount = Recount(port.rows, datetime.fromisoformat(now))
    async with reports(sandbox, recount.now) as tool:
        for phrase, (first, last) in spans(recount.today).items():
            held = recount.kept(recount.within(first, last))
            answer = await tool.call("unbilled", when=phrase, by=["type"])
            free = [visit for visit in held if not visit.billed]
            assert answer["summary"] == expected.unbilled(recount, first, last), phrase
            assert sorted(row["appointment_id"] for row in answer["items"]) == sorted(visit.booking for visit in free)

            answer = await tool.call("missing_notes", when=phrase, by=["practitioner"])
            assert answer["summary"] == expected.missing_notes(recount, first, last), phrase
            drafts = [visit for visit in held if visit.note == expected.DRAFT]
            assert sum(row["note"] == "draft" for row in answer["items"]) == len(drafts)
