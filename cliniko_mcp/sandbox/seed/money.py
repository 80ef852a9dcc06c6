"""Invoices of past visits in all four states, with reversals; net and tax always make the total.

Source: cliniko-api.md#money-and-stock.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.seed.builder import SeedBuilder, stamp
from cliniko_mcp.sandbox.seed.goods import GOODS, OFF, RATES, code, fee, tax_of
from cliniko_mcp.sandbox.seed.visits import Visit
from cliniko_mcp.sandbox.store import Row
from cliniko_mcp.sandbox.validation import decimal_text

OPEN, PAID, CLOSED, CREDIT = 10, 20, 30, 40
_FIRST_NUMBER: Final = 10_231
_CENT: Final = Decimal("0.01")
_REVERSED_EVERY: Final = 700
_NOT_COPIED: Final = ("id", "created_at", "updated_at", "closed_at", "number", "status", "net_amount", "tax_amount")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an invoice, its amounts as decimals."""

    net: Decimal
    tax: Decimal
    facts: dict[str, JsonValue]


def build_invoices(builder: SeedBuilder, visits: Iterable[Visit]) -> None:
    """An invoice for most visits that took place, numbered in their order, some of them reversed later."""
    rng = builder.rng("money")
    came = sorted(
        (visit for visit in visits if visit.arrived and visit.ends <= builder.now), key=lambda visit: visit.starts
    )
    number = _FIRST_NUMBER
    paid: list[tuple[str, Visit]] = []
    for visit in came:
        roll = rng.random()
        if roll > 0.9:
            continue
        recent = visit.ends > builder.now - timedelta(days=21)
        status = OPEN if roll < (0.12 if recent else 0.01) else CLOSED if roll < 0.15 else PAID
        invoice = _add(builder, rng, visit, number, status)
        if status == PAID and not visit.in_group:
            paid.append((invoice, visit))
        number += 1
    rows = builder.context.store.table("invoices").rows
    for invoice, _ in paid[::_REVERSED_EVERY]:
        _reverse(builder, rows[invoice], number)
        number += 1
    for invoice, visit in paid[350::2000]:  # issued by mistake, and archived since
        builder.archive("invoices", invoice, 2)
        del visit.shared["invoice_status"]


def _add(builder: SeedBuilder, rng: Random, visit: Visit, number: int, status: int) -> str:
    now = builder.now
    lines = [_visit_line(builder, visit)]
    if rng.random() < 0.04:
        lines.append(_product_line(builder, rng))
    net, tax = sum(line.net for line in lines), sum(line.tax for line in lines)
    closed = min(now, visit.ends + timedelta(days=rng.choice((0, 0, 0, 1, 6)))) if status in (PAID, CLOSED) else None
    # A site's day may be one ahead of the UTC one, never behind: both zones lie east of it.
    local = visit.starts + timedelta(hours=10)
    invoice = builder.add(
        "invoices",
        {
            "number": number,
            "issue_date": local.date().isoformat(),
            "invoice_to": visit.patient.get("invoice_default_to") or visit.patient.get("label"),
            "appointment_id": visit.booking_id,
            "attendee_id": visit.attendee_id,
            "business_id": builder.id("businesses", visit.site),
            "patient_id": visit.patient["id"],
            "practitioner_id": builder.id("practitioners", visit.person.name),
            "closed_at": stamp(closed) if closed else None,
            "calculation_method": 2,
            "discounted_amount": "0.0",
            "notes": "Sent to the insurer." if visit.patient.get("invoice_default_to") else None,
            "status": status,
            **_amounts(Decimal(net), Decimal(tax)),
        },
        made=visit.ends,
    )
    for line in lines:
        _add_line(builder, invoice, line, stamp(visit.ends))
    visit.shared["invoice_status"] = status
    return invoice


def _visit_line(builder: SeedBuilder, visit: Visit) -> Line:
    price, tax = Decimal(fee(visit.offer)), tax_of(visit.offer)
    concession = visit.patient.get("concession_type_id") if not visit.in_group else None
    concession_type = builder.context.get("concession_types", concession)
    item = builder.id("billable_items", visit.offer.name)
    facts: dict[str, JsonValue] = {
        "billable_item_id": item,
        "source_item_id": item,
        "name": visit.offer.name,
        "code": code(visit.offer),
        "concession_type_name": concession_type.get("name") if concession_type else None,
    }
    return _line(price * OFF if concession_type else price, tax, facts)


def _product_line(builder: SeedBuilder, rng: Random) -> Line:
    good = rng.choice([taxed for taxed in GOODS if taxed.tax])
    product = builder.row("products", good.name)
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


def _add_line(builder: SeedBuilder, invoice: str, line: Line, made: str) -> None:
    net = decimal_text(line.net)
    builder.add(
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


def _reverse(builder: SeedBuilder, original: Row, number: int) -> None:
    """Add an open credit that reverses an invoice: every amount with the other sign."""
    net, tax = (-Decimal(str(original[name])) for name in ("net_amount", "tax_amount"))
    copied = {name: value for name, value in original.items() if name not in _NOT_COPIED}
    made = builder.now - timedelta(days=1)
    reversal = builder.add(
        "invoices",
        {
            **copied,
            **_amounts(net, tax),
            "number": number,
            "issue_date": (builder.today - timedelta(days=1)).isoformat(),
            "status": CREDIT,
            "original_invoice_id": original["id"],
        },
        made=made,
    )
    items = builder.context.store.table("invoice_items").rows
    for row in [row for row in items.values() if row.get("invoice_id") == original["id"]]:
        facts = {name: row.get(name) for name in _COPIED_OF_LINE}
        line = Line(-Decimal(str(row["net_price"])), -Decimal(str(row["tax_amount"])), facts)
        _add_line(builder, reversal, line, stamp(made))


_COPIED_OF_LINE: Final = ("billable_item_id", "product_id", "source_item_id", "name", "code", "tax_name", "tax_rate")
