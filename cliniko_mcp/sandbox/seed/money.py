"""Invoices of past visits in all four states, with reversals; net and tax always make the total (api.md 2.4)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.seed.builder import Soil, at
from cliniko_mcp.sandbox.seed.goods import GOODS, OFF, RATES, code, fee, tax_of
from cliniko_mcp.sandbox.seed.visits import Visit
from cliniko_mcp.sandbox.store import Row
from cliniko_mcp.sandbox.validation import decimal_text

OPEN, PAID, CLOSED, CREDIT = 10, 20, 30, 40
_FIRST_NUMBER: Final = 10_231
_CENT: Final = Decimal("0.01")
_REVERSED_EACH: Final = 700
_COPIED: Final = ("id", "created_at", "updated_at", "closed_at", "number", "status", "net_amount", "tax_amount")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an invoice, its amounts as decimals."""

    net: Decimal
    tax: Decimal
    facts: dict[str, JsonValue]


def plant_invoices(soil: Soil, visits: Iterable[Visit]) -> None:
    """An invoice for most visits that took place, numbered in their order, some of them reversed later."""
    dice = soil.dice("money")
    came = sorted((each for each in visits if each.arrived and each.ends <= soil.now), key=lambda each: each.starts)
    number = _FIRST_NUMBER
    paid: list[tuple[str, Visit]] = []
    for visit in came:
        roll = dice.random()
        if roll > 0.9:
            continue
        recent = visit.ends > soil.now - timedelta(days=21)
        status = OPEN if roll < (0.12 if recent else 0.01) else CLOSED if roll < 0.15 else PAID
        invoice = _plant(soil, dice, visit, number, status)
        if status == PAID and not visit.in_group:
            paid.append((invoice, visit))
        number += 1
    rows = soil.context.store.table("invoices").rows
    for invoice, _ in paid[::_REVERSED_EACH]:
        _reverse(soil, rows[invoice], number)
        number += 1
    for invoice, visit in paid[350::2000]:  # written by mistake, and archived since
        soil.hide("invoices", invoice, 2)
        del visit.shared["invoice_status"]


def _plant(soil: Soil, dice: Random, visit: Visit, number: int, status: int) -> str:
    now = soil.now
    lines = [_visit_line(soil, visit)]
    if dice.random() < 0.04:
        lines.append(_product_line(soil, dice))
    net, tax = sum(each.net for each in lines), sum(each.tax for each in lines)
    closed = min(now, visit.ends + timedelta(days=dice.choice((0, 0, 0, 1, 6)))) if status in (PAID, CLOSED) else None
    # A site's day may be one ahead of the UTC one, never behind: both zones lie east of it.
    local = visit.starts + timedelta(hours=10)
    invoice = soil.plant(
        "invoices",
        {
            "number": number,
            "issue_date": local.date().isoformat(),
            "invoice_to": visit.patient.get("invoice_default_to") or visit.patient.get("label"),
            "appointment_id": visit.booking_id,
            "attendee_id": visit.attendee_id,
            "business_id": soil.id("businesses", visit.site),
            "patient_id": visit.patient["id"],
            "practitioner_id": soil.id("practitioners", visit.person.name),
            "closed_at": at(closed) if closed else None,
            "calculation_method": 2,
            "discounted_amount": "0.0",
            "notes": "Sent to the insurer." if visit.patient.get("invoice_default_to") else None,
            "status": status,
            **_amounts(Decimal(net), Decimal(tax)),
        },
        made=visit.ends,
    )
    for line in lines:
        _plant_line(soil, invoice, line, at(visit.ends))
    visit.shared["invoice_status"] = status
    return invoice


def _visit_line(soil: Soil, visit: Visit) -> Line:
    price, tax = Decimal(fee(visit.offer)), tax_of(visit.offer)
    concession = visit.patient.get("concession_type_id") if not visit.in_group else None
    kind = soil.context.get("concession_types", concession)
    item = soil.id("billable_items", visit.offer.name)
    facts: dict[str, JsonValue] = {
        "billable_item_id": item,
        "source_item_id": item,
        "name": visit.offer.name,
        "code": code(visit.offer),
        "concession_type_name": kind.get("name") if kind else None,
    }
    return _line(price * OFF if kind else price, tax, facts)


def _product_line(soil: Soil, dice: Random) -> Line:
    good = dice.choice([each for each in GOODS if each.tax])
    product = soil.row("products", good.name)
    facts: dict[str, JsonValue] = {
        "product_id": product["id"],
        "source_item_id": product["id"],
        "name": good.name,
        "code": good.code,
    }
    return _line(Decimal(str(product["price_ex_tax"])), str(good.tax), facts)


def _line(net: Decimal, tax: str, facts: dict[str, JsonValue]) -> Line:
    owed = (net * Decimal(RATES[tax]) / 100).quantize(_CENT)
    return Line(net, owed, {**facts, "tax_name": tax, "tax_rate": RATES[tax]})


def _plant_line(soil: Soil, invoice: str, line: Line, made: str) -> None:
    net = decimal_text(line.net)
    soil.plant(
        "invoice_items",
        {
            **line.facts,
            "invoice_id": invoice,
            "quantity": "1.0",
            "unit_price": net,
            "net_price": net,
            "discounted_amount": "0.0",
            "discount_percentage": "0.0",
            "is_monetary_discount": False,
            "tax_amount": decimal_text(line.tax),
            "total_including_tax": float(line.net + line.tax),
            "created_at": made,
            "updated_at": made,
        },
    )


def _amounts(net: Decimal, tax: Decimal) -> dict[str, JsonValue]:
    return {"net_amount": decimal_text(net), "tax_amount": decimal_text(tax), "total_amount": decimal_text(net + tax)}


def _reverse(soil: Soil, original: Row, number: int) -> None:
    """A credit that takes an invoice back, still open to be used: every amount with the other sign."""
    net, tax = (-Decimal(str(original[name])) for name in ("net_amount", "tax_amount"))
    copied = {name: value for name, value in original.items() if name not in _COPIED}
    made = soil.now - timedelta(days=1)
    reversal = soil.plant(
        "invoices",
        {
            **copied,
            **_amounts(net, tax),
            "number": number,
            "issue_date": (soil.today - timedelta(days=1)).isoformat(),
            "status": CREDIT,
            "original_invoice_id": original["id"],
        },
        made=made,
    )
    items = soil.context.store.table("invoice_items").rows
    for row in [row for row in items.values() if row.get("invoice_id") == original["id"]]:
        facts = {name: row.get(name) for name in _KEPT}
        line = Line(-Decimal(str(row["net_price"])), -Decimal(str(row["tax_amount"])), facts)
        _plant_line(soil, reversal, line, at(made))


_KEPT: Final = ("billable_item_id", "product_id", "source_item_id", "name", "code", "tax_name", "tax_rate")
