"""What was invoiced, what is unpaid and what is not billed yet are those of the rows, to the cent."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest

from cliniko_mcp.sandbox.core import Sandbox

from .demo import CLOCKS, reports
from .over_port import Port, Row
from .recount import Recount, share, spans, total

pytestmark = pytest.mark.anyio
OPEN, PAID, CLOSED, CREDIT = 10, 20, 30, 40
CENT = Decimal("0.01")


def live(port: Port) -> list[Row]:
    return [row for row in port.rows("invoices") if not row.get("archived_at")]


def money(rows: Iterable[Row]) -> Row:
    amounts = [Decimal(row["total_amount"]) for row in rows]
    return {"count": len(amounts), "total": total(amounts)}


def broken_down(rows: Iterable[Row], names: Iterable[str]) -> dict[str, Row]:
    """Money by the name of each row."""
    groups: dict[str, list[Row]] = {}
    for row, name in zip(rows, names, strict=True):
        groups.setdefault(name, []).append(row)
    return {name: money(some) for name, some in groups.items()}


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
            rows = [row for row in live(port) if first <= date.fromisoformat(row["issue_date"]) <= last]
            billed = [row for row in rows if row["status"] in (OPEN, PAID)]
            visits = {row["attendee_id"] for row in billed}
            whole = sum((Decimal(row["total_amount"]) for row in billed), Decimal())
            average = (whole / len(visits)).quantize(CENT, ROUND_HALF_UP) if visits else Decimal()
            assert answer["summary"] == {
                "invoiced": money(billed),
                "invoiced_and_paid": money(row for row in rows if row["status"] == PAID),
                "invoiced_and_open": money(row for row in rows if row["status"] == OPEN),
                "visits_billed": {"count": len(visits)},
                "average_per_visit_billed": {"total": f"{average:.2f}"},
                "closed_invoices": money(row for row in rows if row["status"] == CLOSED),
                "open_credits": money(row for row in rows if row["status"] == CREDIT),
            }, phrase
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
                assert told(answer, by) == broken_down(billed, keys), by
            assert sum(Decimal(row["total"]) for row in answer["items"]) == whole


@pytest.mark.parametrize("now", CLOCKS)
async def test_unpaid(clinic: tuple[Sandbox, Port], now: str) -> None:
    sandbox, port = clinic
    recount = Recount(port.rows, datetime.fromisoformat(now))
    async with reports(sandbox, recount.now) as tool:
        for when, latest in ((None, date.max), ("more than 30 days ago", recount.today - timedelta(days=30))):
            answer = await tool.call("unpaid", when=when, by=["practitioner"], phones=True)
            rows = [
                row for row in live(port)
                if row["status"] == OPEN and date.fromisoformat(row["issue_date"]) <= latest
            ]  # fmt: skip
            assert rows and answer["summary"]["unpaid_invoices"] == money(rows)
            people = broken_down(rows, [row["patient_id"] for row in rows])
            assert answer["summary"]["patients_with_unpaid_invoices"] == {"count": len(people)}
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
            payers = [
                "patients" if row["invoice_to"] == patients[row["patient_id"]]["label"] else "third parties"
                for row in rows
            ]
            assert told(answer, "payer") == broken_down(rows, payers)
            for row in answer["items"]:
                numbers = [phone["number"] for phone in patients[row["patient_id"]].get("patient_phone_numbers", [])]
                assert row.get("phone") in (numbers or [None])


def expected(port: Port) -> dict[str, Decimal]:
    """What each type charges by default: each line with its discount and tax, rounded to a cent."""
    rates: Row = {row["id"]: Decimal(row["rate"]) for row in port.rows("taxes")}
    found: dict[str, Decimal] = {}
    fees = {
        row["id"]: Decimal(row["price"]) * (100 + rates.get(str(row.get("tax_id")), 0)) / 100
        for row in port.rows("billable_items")
    }
    goods = {row["id"]: Decimal(row["price_including_tax"]) for row in port.rows("products")}
    for table, prices, link in (
        ("appointment_type_billable_items", fees, "billable_item_id"),
        ("appointment_type_products", goods, "product_id"),
    ):
        for row in port.rows(table):
            price = prices[row[link]] * Decimal(row["quantity"])
            price -= Decimal(row.get("discounted_amount") or 0) if row["is_monetary_discount"] else 0
            price -= price * Decimal(row.get("discount_percentage") or 0) / 100
            kind = row["appointment_type_id"]
            found[kind] = found.get(kind, Decimal()) + price.quantize(CENT, ROUND_HALF_UP)
    return found


@pytest.mark.parametrize("now", CLOCKS)
async def test_unbilled_and_without_a_note(clinic: tuple[Sandbox, Port], now: str) -> None:
    sandbox, port = clinic
    recount = Recount(port.rows, datetime.fromisoformat(now))
    prices = expected(port)
    async with reports(sandbox, recount.now) as tool:
        for phrase, (first, last) in spans(recount.today).items():
            held = recount.kept(recount.within(first, last))
            answer = await tool.call("unbilled", when=phrase, by=["type"])
            free = [visit for visit in held if not visit.billed]
            amounts = [prices[visit.kind] for visit in free if visit.kind in prices]
            assert answer["summary"] == {
                "unbilled_visits": share(len(free), len(held)),
                "expected_for_them": {"count": len(amounts), "total": total(amounts)},
                "of_types_that_charge_nothing": share(len(free) - len(amounts), len(free)),
            }, phrase
            assert sorted(row["appointment_id"] for row in answer["items"]) == sorted(visit.booking for visit in free)

            answer = await tool.call("missing_notes", when=phrase, by=["practitioner"])
            open_ = [visit for visit in held if visit.note != 90]
            drafts = [visit for visit in open_ if visit.note == 10]
            assert answer["summary"] == {
                "visits_without_final_note": share(len(open_), len(held)),
                "visits_with_a_draft": share(len(drafts), len(held)),
                "visits_without_any_note": share(len(open_) - len(drafts), len(held)),
            }, phrase
            assert sum(row["note"] == "draft" for row in answer["items"]) == len(drafts)
