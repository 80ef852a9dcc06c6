"""The report on unpaid invoices, with their age. Requests: one a hundred open invoices."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from pydantic import Field

from cliniko_mcp.cliniko.filters import Between, FilterValue
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.cliniko.resources.invoices import Invoice, Invoices
from cliniko_mcp.frontdesk.answer_rows import Date, Money, PatientRow, UnpaidInvoices
from cliniko_mcp.frontdesk.reports.question import Finding, ReportQuestion
from cliniko_mcp.phrases import local_day

NEEDS: Final[tuple[Operation, ...]] = (Invoices.list_invoices,)

_OPEN: Final = 10
_AGES: Final = ((30, "0 to 30 days"), (60, "31 to 60 days"), (90, "61 to 90 days"), (10**6, "over 90 days"))


class AgeRow(UnpaidInvoices):
    """The open invoices of one age."""

    age: str = Field(description="Days since they were issued.")


class UnpaidSummary(UnpaidInvoices):
    """What the open invoices come to."""

    patients: int = Field(description="Patients.")
    by_age: list[AgeRow] = Field(description="The same by days since they were issued.")
    total_by_practitioner: dict[str, Money] = Field(description="Sum of the totals by practitioner.")


class InvoiceRow(PatientRow):
    """An open invoice."""

    invoice_id: str = Field(description="The invoice's id.")
    number: int | None = Field(default=None, description="The invoice's number.")
    issue_date: Date | None = Field(default=None, description="When it was issued.")
    days: int = Field(description="Days since then.")
    total: Money = Field(description="Its total, in the account's currency.")
    practitioner: str = Field(description="The practitioner's name.")


async def unpaid(question: ReportQuestion) -> Finding:
    """Open invoices, the oldest first, with totals by age."""
    filters: dict[str, FilterValue] = {"status": _OPEN}
    if question.practitioner:
        filters["practitioner_id"] = question.practitioner.id
    if question.business:
        filters["business_id"] = question.business.id
    if question.span:
        low, high = question.span.bounds
        zone = question.span.zone
        filters["issue_date"] = Between(local_day(low, zone), local_day(high, zone) + timedelta(days=1))
    rows = await question.clinic.collect(Invoices.list_invoices, **filters)
    found = [invoice for invoice in rows if _within(question, invoice)]
    found.sort(key=lambda invoice: (str(invoice.issue_date or ""), invoice.number or 0))
    today = local_day(question.now, question.span.zone if question.span else question.roster.home)
    ages: dict[str, list[Invoice]] = {name: [] for _, name in _AGES}
    practitioners: dict[str, list[Invoice]] = {}
    for invoice in found:
        ages[_age(invoice, today)].append(invoice)
        whose = question.roster.name("practitioner_id", invoice.practitioner_id) or "nobody"
        practitioners.setdefault(whose, []).append(invoice)
    return Finding(
        "Unpaid is an invoice with status Open, by its issue date; Paid, Closed and Open credit are not. Amounts are "
        "the invoices' totals: payments are not in Cliniko's API, so what was paid in part is not taken off.",
        UnpaidSummary(
            invoices=len(found),
            total=_total(found),
            patients=len({invoice.patient_id for invoice in found}),
            by_age=[AgeRow(age=name, invoices=len(some), total=_total(some)) for name, some in ages.items()],
            total_by_practitioner={
                name: _total(some) for name, some in sorted(practitioners.items(), key=lambda one: -len(one[1]))
            },
        ),
        [_row(question, invoice, today) for invoice in found],
    )


def _within(question: ReportQuestion, invoice: Invoice) -> bool:
    return question.span is None or (invoice.issue_date is not None and question.holds_day(invoice.issue_date))


def _days(invoice: Invoice, today: date) -> int:
    return (today - invoice.issue_date).days if invoice.issue_date is not None else 0


def _age(invoice: Invoice, today: date) -> str:
    return next(name for days, name in _AGES if _days(invoice, today) <= days)


def _total(invoices: Sequence[Invoice]) -> str:
    return format(sum((amount(invoice.total_amount) for invoice in invoices), Decimal()), ".2f")


def amount(money: str | None) -> Decimal:
    """The amount that a money field holds; zero where it holds none."""
    return Decimal(money or 0)


def _row(question: ReportQuestion, invoice: Invoice, today: date) -> InvoiceRow:
    return InvoiceRow(
        patient_id=invoice.patient_id or None,
        invoice_id=invoice.id,
        number=invoice.number,
        issue_date=invoice.issue_date.isoformat() if invoice.issue_date else None,
        days=_days(invoice, today),
        total=format(amount(invoice.total_amount), ".2f"),
        practitioner=question.roster.name("practitioner_id", invoice.practitioner_id),
    )
