"""The report on unpaid invoices, with their age. Requests: one a hundred open invoices."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final

from cliniko_mcp.cliniko.resources.invoices import Invoice
from cliniko_mcp.frontdesk.concurrency import gathered
from cliniko_mcp.frontdesk.reports.asked import Asked, Finding, Json
from cliniko_mcp.phrases import local_day

_OPEN: Final = "10"
_AGES: Final = ((30, "0 to 30 days"), (60, "31 to 60 days"), (90, "61 to 90 days"), (10**6, "over 90 days"))


async def unpaid(asked: Asked) -> Finding:
    """Open invoices, the oldest first, with totals by age."""
    filters: dict[str, object] = {"status": _OPEN}
    if asked.practitioner:
        filters["practitioner_id"] = asked.practitioner.id
    if asked.business:
        filters["business_id"] = asked.business.id
    if asked.span:
        low, high = asked.span.bounds
        zone = asked.span.zone
        filters["issue_date"] = f"{local_day(low, zone)}..{local_day(high, zone)}"
    rows = await gathered(asked.clinic.all_named("list_invoices", **filters))
    found = [each for each in rows if isinstance(each, Invoice) and _within(asked, each)]
    found.sort(key=lambda each: (str(each.issue_date or ""), each.number or 0))
    today = local_day(asked.now, asked.span.zone if asked.span else asked.roster.home)
    ages: dict[str, list[Invoice]] = {name: [] for _, name in _AGES}
    people: dict[str, list[Invoice]] = {}
    for each in found:
        ages[_age(each, today)].append(each)
        people.setdefault(asked.roster.name("practitioner_id", each.practitioner_id) or "nobody", []).append(each)
    return Finding(
        "Unpaid is an invoice with status Open, by its issue date; Paid, Closed and Open credit are not. Amounts are "
        "the invoices' totals: payments are not in Cliniko's API, so what was paid in part is not taken off.",
        {
            "invoices": len(found),
            "total": _total(found),
            "patients": len({each.patient_id for each in found}),
            "by_age": {name: {"invoices": len(some), "total": _total(some)} for name, some in ages.items()},
            "by_practitioner": {
                name: _total(some) for name, some in sorted(people.items(), key=lambda one: -len(one[1]))
            },
        },
        [_row(asked, each, today) for each in found],
    )


def _within(asked: Asked, invoice: Invoice) -> bool:
    day = invoice.issue_date
    return asked.span is None or (isinstance(day, date) and asked.holds_day(day))


def _days(invoice: Invoice, today: date) -> int:
    return (today - invoice.issue_date).days if isinstance(invoice.issue_date, date) else 0


def _age(invoice: Invoice, today: date) -> str:
    return next(name for most, name in _AGES if _days(invoice, today) <= most)


def _total(invoices: Sequence[Invoice]) -> str:
    return format(sum((amount(each.total_amount) for each in invoices), Decimal()), ".2f")


def amount(value: object) -> Decimal:
    """A money value as it came; nothing, or what is no amount, counts as zero."""
    try:
        return Decimal(str(value)) if value is not None else Decimal()
    except InvalidOperation:
        return Decimal()


def _row(asked: Asked, invoice: Invoice, today: date) -> Json:
    return {
        "patient_id": invoice.patient_id or "",
        "invoice_id": invoice.id,
        "number": invoice.number,
        "issue_date": str(invoice.issue_date or ""),
        "days": _days(invoice, today),
        "total": format(amount(invoice.total_amount), ".2f"),
        "practitioner": asked.roster.name("practitioner_id", invoice.practitioner_id),
    }
