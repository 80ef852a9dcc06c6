"""Invoices of past visits in all four states, with reversals; net and tax always make the total.

Source: cliniko-api.md#money-and-stock.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.seed import shape
from cliniko_mcp.sandbox.seed.builder import SeedBuilder, stamp
from cliniko_mcp.sandbox.seed.goods import GOODS, OFF, RATES, code, fee, tax_of
from cliniko_mcp.sandbox.seed.visits import Visit
from cliniko_mcp.sandbox.store import Row
from cliniko_mcp.sandbox.validation import decimal_text
from cliniko_mcp.sandbox.wire import Json

OPEN, PAID, CLOSED, CREDIT = 10, 20, 30, 40
_FIRST_NUMBER: Final = 10_231
_CENT: Final = Decimal("0.01")
_REVERSED_EVERY: Final = 700
_EAST: Final = timedelta(hours=10)
_PAID_AFTER: Final = tuple(timedelta(days=days) for days in (0, 0, 0, 0, 0, 0, 1, 2, 6, 14))
_NOT_COPIED: Final = ("id", "created_at", "updated_at", "closed_at", "number", "status", "net_amount", "tax_amount")


class Line:
    """One line of an invoice: its amounts as decimals, and the parts of rows that they make."""

    def __init__(self, net: Decimal, tax: Decimal, facts: Mapping[str, JsonValue]) -> None:
        self.net, self.tax = net, tax
        text = decimal_text(net)
        self.amounts = _amounts(net, tax)
        self.row: Json = {
            **{name: value for name, value in facts.items() if value is not None},
            "quantity": "1.0",
            "unit_price": text,
            "net_price": text,
            "discounted_amount": "0.0",
            "discount_percentage": "0.0",
            "is_monetary_discount": False,
            "tax_amount": decimal_text(tax),
            "total_including_tax": float(net + tax),
        }


def build_invoices(builder: SeedBuilder, visits: Iterable[Visit]) -> None:
    """An invoice for most visits that took place, numbered in the order of the visits, some of them reversed later."""
    rng = builder.rng("money")
    came = sorted(
        (visit for visit in visits if visit.arrived and visit.ends <= builder.now), key=lambda visit: visit.starts
    )
    number = _FIRST_NUMBER
    paid: list[tuple[str, Visit]] = []
    lines = _VisitLines(builder)
    invoices: list[Json] = []
    items: list[Json] = []
    for visit in came:
        if rng.random() > shape.INVOICED.aim:
            continue
        issued = visit.ends
        if rng.random() < shape.INVOICE_DELAY.aim:
            issued += timedelta(days=1 + int(rng.random() * (shape.INVOICE_DELAY.high - 1)))
            if issued > builder.now:
                continue
        status = _status((builder.now - issued).days, rng)
        extra = _product_line(builder, rng) if rng.random() < 0.04 else None
        line = lines.of(visit)
        invoice = _invoice(builder, rng, visit, issued, number, status, line, extra)
        invoices.append(invoice)
        invoice_id = str(invoice["id"])
        items.append(_item(builder, invoice_id, line, stamp(issued)))
        if extra is not None:
            items.append(_item(builder, invoice_id, extra, stamp(issued)))
        visit.shared["invoice_status"] = status
        if status == PAID and not visit.in_group:
            paid.append((invoice_id, visit))
        number += 1
    builder.extend("invoices", invoices)
    builder.extend("invoice_items", items)
    rows = builder.context.store.table("invoices").rows
    wrong = {invoice for invoice, _ in paid[::_REVERSED_EVERY]}
    items_of: dict[JsonValue, list[Row]] = {}
    for item in items:
        if item["invoice_id"] in wrong:
            items_of.setdefault(item["invoice_id"], []).append(item)
    for invoice, of_invoice in items_of.items():
        _reverse(builder, rows[str(invoice)], of_invoice, number)
        number += 1
    for invoice, visit in paid[350::2000]:  # issued by mistake, and archived since
        builder.archive("invoices", invoice, 2)
        del visit.shared["invoice_status"]


def _status(days: int, rng: Random) -> int:
    """Unpaid more rarely the older the invoice is; in the end some are written off."""
    band = sum(days >= limit for limit in shape.UNPAID_DAYS)
    roll = rng.random() - shape.UNPAID[band].aim
    if roll < 0:
        return OPEN
    return CLOSED if band == len(shape.UNPAID_DAYS) and roll < shape.WRITTEN_OFF.aim else PAID


def _invoice(
    builder: SeedBuilder,
    rng: Random,
    visit: Visit,
    issued: datetime,
    number: int,
    status: int,
    line: Line,
    extra: Line | None,
) -> Json:
    now, patient = builder.now, visit.patient
    made, amounts = stamp(issued), line.amounts
    if extra is not None:
        amounts = _amounts(line.net + extra.net, line.tax + extra.tax)
    row: Json = {
        "created_at": made,
        "updated_at": made,
        "id": builder.context.ids.next(),
        "number": number,
        # A site's day may be one ahead of the UTC one, never behind: both zones lie east of it.
        "issue_date": (issued + _EAST).date().isoformat(),
        "appointment_id": visit.booking_id,
        "attendee_id": visit.attendee_id,
        "business_id": builder.id("businesses", visit.site),
        "patient_id": patient["id"],
        "practitioner_id": builder.id("practitioners", visit.person.name),
        "calculation_method": 2,
        "discounted_amount": "0.0",
        "status": status,
        **amounts,
    }
    payer = patient.get("invoice_default_to")
    if (to := payer or patient.get("label")) is not None:
        row["invoice_to"] = to
    if payer:
        row["notes"] = "Sent to the insurer."
    if status in (PAID, CLOSED):
        row["closed_at"] = stamp(min(now, issued + _PAID_AFTER[int(rng.random() * len(_PAID_AFTER))]))
    return row


class _VisitLines:
    """The lines for visits: one for each type of appointment and concession."""

    def __init__(self, builder: SeedBuilder) -> None:
        self._builder = builder
        self._lines: dict[tuple[str, JsonValue], Line] = {}

    def of(self, visit: Visit) -> Line:
        """What this visit costs."""
        concession = visit.patient.get("concession_type_id") if not visit.in_group else None
        key = visit.offer.name, concession
        if key not in self._lines:
            self._lines[key] = self._line(visit, concession)
        return self._lines[key]

    def _line(self, visit: Visit, concession: JsonValue) -> Line:
        price, tax = Decimal(fee(visit.offer)), tax_of(visit.offer)
        concession_type = self._builder.context.get("concession_types", concession)
        item = self._builder.id("billable_items", visit.offer.name)
        facts: dict[str, JsonValue] = {
            "billable_item_id": item,
            "source_item_id": item,
            "name": visit.offer.name,
            "code": code(visit.offer),
        }
        if concession_type is not None:
            facts["concession_type_name"] = concession_type.get("name")
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


def _item(builder: SeedBuilder, invoice: str, line: Line, made: str) -> Json:
    stamps: Json = {"created_at": made, "updated_at": made}
    return {**stamps, "id": builder.context.ids.next(), "invoice_id": invoice, **line.row}


def _amounts(net: Decimal, tax: Decimal) -> dict[str, JsonValue]:
    return {"net_amount": decimal_text(net), "tax_amount": decimal_text(tax), "total_amount": decimal_text(net + tax)}


def _reverse(builder: SeedBuilder, original: Row, items: Iterable[Row], number: int) -> None:
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
    reversed_: list[Json] = []
    for row in items:
        facts = {name: row.get(name) for name in _COPIED_OF_LINE}
        line = Line(-Decimal(str(row["net_price"])), -Decimal(str(row["tax_amount"])), facts)
        reversed_.append(_item(builder, reversal, line, stamp(made)))
    builder.extend("invoice_items", reversed_)


_COPIED_OF_LINE: Final = ("billable_item_id", "product_id", "source_item_id", "name", "code", "tax_name", "tax_rate")
