"""The report on unpaid invoices, by age, payer and person. Requests: one a hundred open invoices."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from pydantic import Field

from cliniko_mcp.cliniko.filters import Before, Between, FilterValue
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.cliniko.resources.invoices import Invoice, Invoices
from cliniko_mcp.frontdesk.answer_rows import Date, Money
from cliniko_mcp.frontdesk.reports import figures
from cliniko_mcp.frontdesk.reports.facts import Fact, Facts, Measure, parts
from cliniko_mcp.frontdesk.reports.figures import Findable, amount, money_text
from cliniko_mcp.frontdesk.reports.question import Finding, ReportQuestion

NEEDS: Final[tuple[Operation, ...]] = (Invoices.list_invoices,)

_OPEN: Final = 10
_DAY: Final = timedelta(days=1)
_AGES: Final[Mapping[str, int]] = {"0 to 30 days": 30, "31 to 60 days": 60, "61 to 90 days": 90, "over 90 days": 10**6}


class DebtorRow(Findable):
    """A patient with open invoices."""

    invoices: int = Field(description="Open invoices.")
    total: Money = Field(description="Sum of their totals, in the account's currency.")
    oldest: Date | None = Field(default=None, description="When the oldest was issued.")
    days: int = Field(description="Days since then.")
    invoice_ids: list[str] = Field(description="Their ids, the oldest first; at most six.")


async def unpaid(question: ReportQuestion) -> Finding:
    """Open invoices by the patient who has them, the largest sum first, with totals by age and payer."""
    found = await _open_invoices(question)
    facts = Facts(Measure.MONEY, [*map(_fact, found)])
    ages: dict[str, list[Fact]] = {name: [] for name in _AGES}
    people: dict[str, list[Invoice]] = {}
    for invoice in found:
        ages[_age(invoice, question.today)].append(_fact(invoice))
        people.setdefault(invoice.patient_id or "", []).append(invoice)
    totals = {patient: sum(amount(invoice.total_amount) for invoice in theirs) for patient, theirs in people.items()}
    worst = sorted(people, key=lambda patient: (-totals[patient], patient))
    return Finding(
        "Unpaid is an invoice with status Open, by its issue date; Paid, Closed and Open credit are not. Amounts are "
        "the invoices' totals: payments are not in Cliniko's API, so what was paid in part is not taken off.",
        {
            "unpaid_invoices": facts.figure,
            "patients_with_unpaid_invoices": figures.count(len(people.keys() - {""})),
        },
        [_debtor(people[patient], question.today) for patient in worst],
        facts,
        by={"age": parts(ages, facts, "youngest first, in days since the issue date")},
    )


async def _open_invoices(question: ReportQuestion) -> list[Invoice]:
    """The open invoices asked about, the oldest first."""
    filters: dict[str, FilterValue] = {"status": _OPEN}
    if question.practitioner:
        filters["practitioner_id"] = question.practitioner.id
    if question.business:
        filters["business_id"] = question.business.id
    if question.span:
        home = question.span.home
        end = home.end.date() + _DAY
        filters["issue_date"] = Between(home.start.date(), end) if home.start else Before(end)
    rows = await question.clinic.collect(Invoices.list_invoices, **filters)
    kept = [invoice for invoice in rows if question.span is None or _within(question, invoice)]
    return sorted(kept, key=lambda invoice: (str(invoice.issue_date or ""), invoice.number or 0))


def _within(question: ReportQuestion, invoice: Invoice) -> bool:
    return invoice.issue_date is not None and question.holds_day(invoice.issue_date)


def _fact(invoice: Invoice) -> Fact:
    return Fact(
        day=invoice.issue_date,
        practitioner_id=invoice.practitioner_id or "",
        business_id=invoice.business_id or "",
        patient_id=invoice.patient_id or "",
        amount=amount(invoice.total_amount),
    )


def _days(invoice: Invoice, today: date) -> int:
    return (today - invoice.issue_date).days if invoice.issue_date is not None else 0


def _age(invoice: Invoice, today: date) -> str:
    return next(name for name, days in _AGES.items() if _days(invoice, today) <= days)


def _debtor(theirs: Sequence[Invoice], today: date) -> DebtorRow:
    oldest = theirs[0]
    return DebtorRow(
        patient_id=oldest.patient_id or None,
        invoices=len(theirs),
        total=money_text(sum((amount(invoice.total_amount) for invoice in theirs), amount(None))),
        oldest=oldest.issue_date.isoformat() if oldest.issue_date else None,
        days=_days(oldest, today),
        invoice_ids=[invoice.id for invoice in theirs[:6]],
    )
