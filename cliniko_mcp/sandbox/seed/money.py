"""Invoices of past visits in all four states, with a reversal pair; net and tax always make the total (api.md 2.4)."""

from datetime import timedelta
from decimal import Decimal
from typing import Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.bodies import decimal_text
from cliniko_mcp.sandbox.moments import moment
from cliniko_mcp.sandbox.seed.soil import Soil
from cliniko_mcp.sandbox.store import Row

OPEN, PAID, CLOSED, CREDIT = 10, 20, 30, 40
STATUSES: Final = {OPEN: "Open", PAID: "Paid", CLOSED: "Closed", CREDIT: "Open credit"}
_PRICES: Final = {15: "45.0", 30: "95.0", 45: "130.0", 60: "165.0"}
_FIRST_NUMBER: Final = 10_231


def plant_invoices(soil: Soil) -> None:
    """One invoice for most visits that took place, and one reversal."""
    now = soil.desk.clock.now()
    visits = soil.desk.store.table("individual_appointments").live.values()
    came = sorted((row for row in visits if row.get("patient_arrived") is True), key=lambda row: str(row["starts_at"]))
    number, reversible = _FIRST_NUMBER, None
    for row in came:
        roll = soil.dice.random()
        if roll > 0.9 or moment(row["starts_at"]) > now:
            continue
        status = OPEN if roll < 0.12 else CLOSED if roll < 0.15 else PAID
        invoice = _plant(soil, row, number, status)
        reversible = reversible or (invoice if status == PAID else None)
        number += 1
    if reversible is not None:
        _reverse(soil, soil.desk.store.table("invoices").rows[reversible], number)


def _plant(soil: Soil, visit: Row, number: int, status: int) -> str:
    desk = soil.desk
    kind = desk.get("appointment_types", visit["appointment_type_id"])
    attendee = next(iter(desk.where("attendees", "booking_id", str(visit["id"]))))
    ended = moment(visit["ends_at"])
    days_ago = (desk.clock.now() - ended).total_seconds() / 86400
    minutes = kind.get("duration_in_minutes") if kind else None
    taxed = bool(kind and kind.get("category") == "Massage")
    net = Decimal(_PRICES.get(minutes, "95.0") if isinstance(minutes, int) else "95.0")
    tax = (net / 10 if taxed else Decimal(0)).quantize(Decimal("0.01"))
    local = ended.astimezone(desk.zone_of(visit["business_id"]))
    closed = desk.clock.now() - timedelta(days=max(0.0, days_ago - 1)) if status in (PAID, CLOSED) else None
    invoice = soil.plant(
        "invoices",
        {
            "number": number,
            "issue_date": local.date().isoformat(),
            "invoice_to": visit.get("patient_name"),
            "appointment_id": visit["id"],
            "attendee_id": attendee["id"],
            "business_id": visit["business_id"],
            "patient_id": visit["patient_id"],
            "practitioner_id": visit["practitioner_id"],
            "closed_at": closed.strftime("%Y-%m-%dT%H:%M:%SZ") if closed else None,
            "calculation_method": 2,
            "calculation_method_description": "Tax exclusive",
            "discounted_amount": "0.0",
            "status": status,
            "status_description": STATUSES[status],
            **_amounts(net, tax),
        },
        days_ago=days_ago,
    )
    _plant_item(soil, invoice, days_ago, kind, net, tax)
    desk.note("attendees", str(attendee["id"]), invoice_status=status)
    desk.note("individual_appointments", str(visit["id"]), invoice_status=status)
    return invoice


def _amounts(net: Decimal, tax: Decimal) -> dict[str, JsonValue]:
    return {"net_amount": decimal_text(net), "tax_amount": decimal_text(tax), "total_amount": decimal_text(net + tax)}


def _plant_item(soil: Soil, invoice: str, days_ago: float, kind: Row | None, net: Decimal, tax: Decimal) -> None:
    soil.plant(
        "invoice_items",
        {
            "invoice_id": invoice,
            "name": kind.get("name") if kind else "Consultation",
            "code": None,
            "quantity": "1.0",
            "unit_price": decimal_text(abs(net)) if net >= 0 else decimal_text(net),
            "net_price": decimal_text(net),
            "discounted_amount": "0.0",
            "discount_percentage": "0.0",
            "is_monetary_discount": False,
            "tax_name": "GST" if tax else "GST free",
            "tax_rate": "10.0" if tax else "0.0",
            "tax_amount": decimal_text(tax),
            "total_including_tax": float(net + tax),
        },
        days_ago=days_ago,
    )


def _reverse(soil: Soil, original: Row, number: int) -> None:
    """A credit that takes an invoice back, still open to be used."""
    net, tax = (-Decimal(str(original[name])) for name in ("net_amount", "tax_amount"))
    copied = {
        name: value for name, value in original.items() if name not in ("id", "created_at", "updated_at", "closed_at")
    }
    changed: dict[str, JsonValue] = {
        **copied,
        **_amounts(net, tax),
        "number": number,
        "issue_date": soil.today.isoformat(),
        "status": CREDIT,
        "status_description": STATUSES[CREDIT],
        "original_invoice_id": original["id"],
    }
    reversal = soil.plant(
        "invoices",
        {
            **changed,
        },
        days_ago=1,
    )
    _plant_item(soil, reversal, 1, None, net, tax)
