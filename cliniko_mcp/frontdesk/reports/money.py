"""Reports on invoices: what is unpaid, by age, payer and person, and what was invoiced.

Requests: one a hundred invoices of the status or time, one each 95 patients with unpaid ones, and for revenue by type
one each 95 visits billed, or where there are more of them one a hundred bookings of the time and a month before.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from pydantic import Field

from cliniko_mcp.cliniko.filters import MAX_IDS, Before, Between, FilterValue
from cliniko_mcp.cliniko.labels import every_name
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.cliniko.resources.bookings import Bookings
from cliniko_mcp.cliniko.resources.invoices import Invoice, Invoices
from cliniko_mcp.cliniko.resources.patients import Patient, Patients
from cliniko_mcp.frontdesk.answer_rows import Date, Money
from cliniko_mcp.frontdesk.bookings import bookings
from cliniko_mcp.frontdesk.matching import words
from cliniko_mcp.frontdesk.reports import figures
from cliniko_mcp.frontdesk.reports.facts import Fact, Facts, Measure, parts
from cliniko_mcp.frontdesk.reports.figures import Figure, Findable, amount, money_text
from cliniko_mcp.frontdesk.reports.question import Finding, ReportQuestion
from cliniko_mcp.frontdesk.roster import name_text

NEEDS: Final[tuple[Operation, ...]] = (Invoices.list_invoices, Patients.list_patients)
REVENUE_NEEDS: Final[tuple[Operation, ...]] = (Invoices.list_invoices, Bookings.list_bookings)

_OPEN: Final = 10
_PAID: Final = 20
_CLOSED: Final = 30
_CREDIT: Final = 40
BILLED: Final = frozenset((_OPEN, _PAID))
"""The status codes of invoices that count as invoiced."""
_MAX_IDS: Final = 6
_DAY: Final = timedelta(days=1)
_MONTH: Final = timedelta(days=31)
_AGES: Final[Mapping[str, int]] = {"0 to 30 days": 30, "31 to 60 days": 60, "61 to 90 days": 90, "over 90 days": 10**6}


class DebtorRow(Findable):
    """A patient with open invoices."""

    invoices: int = Field(description="Open invoices.")
    total: Money = Field(description="Sum of their totals, in the account's currency.")
    oldest: Date | None = Field(default=None, description="When the oldest was issued.")
    days: int = Field(description="Days since then.")
    invoice_ids: list[str] = Field(description="Their ids, the oldest first; at most six.")
    third_parties: list[str] | None = Field(default=None, description="Who else they are made out to.")


class PayingRow(Findable):
    """A patient who was invoiced."""

    invoices: int = Field(description="Invoices, open and paid.")
    total: Money = Field(description="Sum of their totals, in the account's currency.")


async def unpaid(question: ReportQuestion) -> Finding:
    """Open invoices by the patient who has them, the largest sum first, with totals by age and payer."""
    found = await _invoices(question, status=_OPEN)
    facts = Facts(Measure.MONEY, [*map(_fact, found)])
    people = _by_patient(found)
    names = await question.clinic.by_id(Patients.list_patients, sorted(people.keys() - {""}))
    others = [invoice for invoice in found if _third_party(invoice, names.get(invoice.patient_id or ""))]
    ages: dict[str, list[Fact]] = {name: [] for name in _AGES}
    payers: dict[str, list[Fact]] = {}
    for invoice in found:
        ages[_age(invoice, question.today)].append(_fact(invoice))
        payers.setdefault(_payer(invoice, names.get(invoice.patient_id or "")), []).append(_fact(invoice))
    totals = {patient: sum(_amounts(theirs), Decimal()) for patient, theirs in people.items()}
    worst = sorted(people, key=lambda patient: (-totals[patient], patient))
    return Finding(
        "Unpaid is an invoice with status Open, by its issue date; Paid, Closed and Open credit are not. Amounts are "
        "the invoices' totals: payments are not in Cliniko's API, so what was paid in part is not taken off. A third "
        "party is anyone else than the patient to whom the invoice is made out.",
        {
            "unpaid_invoices": facts.figure,
            "made_out_to_third_parties": figures.money(_amounts(others)),
            "patients_with_unpaid_invoices": figures.count(len(people.keys() - {""})),
        },
        [_debtor(people[patient], names.get(patient), question.today) for patient in worst],
        facts,
        by={
            "age": parts(ages, facts, "youngest first, in days since the issue date"),
            "payer": parts(payers, facts),
        },
    )


def _by_patient(invoices: Iterable[Invoice]) -> dict[str, list[Invoice]]:
    people: dict[str, list[Invoice]] = {}
    for invoice in invoices:
        people.setdefault(invoice.patient_id or "", []).append(invoice)
    return people


def _payer(invoice: Invoice, patient: Patient | None) -> str:
    """Who an invoice is made out to, as far as it tells: patients as one, each third party by its name."""
    if not _payer_name(invoice) or patient is None or not every_name(patient):
        return "not said"
    return _payer_name(invoice) if _third_party(invoice, patient) else "patients"


def _third_party(invoice: Invoice, patient: Patient | None) -> bool:
    spoken, names = {*words(_payer_name(invoice))}, every_name(patient) if patient else ()
    return bool(spoken and names) and not any({*words(name)} <= spoken for name in names)


def _payer_name(invoice: Invoice) -> str:
    """The first line of the address of an invoice."""
    return name_text((invoice.invoice_to or "").strip().partition("\n")[0])


async def revenue(question: ReportQuestion) -> Finding:
    """What was invoiced, the patients with the largest sums first."""
    every = await _invoices(question)
    billed = [invoice for invoice in every if invoice.status in BILLED]
    kinds = await _types(question, billed) if "type" in question.by else {}
    facts = Facts(
        Measure.MONEY,
        [
            replace(_fact(invoice), type_id=kinds.get(invoice.appointment_id or "", ""), visit=_visit(invoice))
            for invoice in billed
        ],
    )
    of_visits = [invoice for invoice in billed if _visit(invoice)]
    visits = {*map(_visit, of_visits)}
    average = figures.average(_amounts(of_visits), len(visits))
    people = _by_patient(billed)
    totals = {patient: sum(_amounts(theirs), Decimal()) for patient, theirs in people.items()}
    return Finding(
        "Invoiced is the totals, tax included, of invoices with status Open or Paid by their issue date; Closed ones "
        "and credits stand apart. Payments and part payments are not in Cliniko's API, so this is what was billed, not "
        "what came in. The average is over visits with an invoice, and of the invoices of visits alone.",
        {
            "invoiced": facts.figure,
            "invoiced_and_paid": figures.money(_amounts(one for one in billed if one.status == _PAID)),
            "invoiced_and_open": figures.money(_amounts(one for one in billed if one.status == _OPEN)),
            "visits_billed": figures.count(len(visits)),
            **({"average_per_visit_billed": Figure(total=average)} if average else {}),
            "closed_invoices": figures.money(_amounts(one for one in every if one.status == _CLOSED)),
            "open_credits": figures.money(_amounts(one for one in every if one.status == _CREDIT)),
        },
        [
            PayingRow(patient_id=patient or None, invoices=len(people[patient]), total=money_text(totals[patient]))
            for patient in sorted(people, key=lambda patient: (-totals[patient], patient))
        ],
        facts,
    )


def _visit(invoice: Invoice) -> str | None:
    """What tells the visit of an invoice from others; None where it is of none."""
    return invoice.attendee_id or invoice.appointment_id


async def _types(question: ReportQuestion, billed: Iterable[Invoice]) -> dict[str, str]:
    """The type of each appointment that was billed, by the appointment's id.

    Many are read as the list of the time and the month before it, which is kept until a repeated call has all of it.
    """
    ids = {invoice.appointment_id for invoice in billed if invoice.appointment_id}
    found: dict[str, str] = {}
    if len(ids) > MAX_IDS:
        starts, ends = question.time.bounds
        listed = await bookings(
            question.clinic, starts - _MONTH, ends, cancelled=True, blocks=False,
            practitioners=question.practitioners, businesses=question.businesses,
        )  # fmt: skip
        found = {entry.id: entry.type_id for entry in listed}
    others = await question.clinic.by_id(Bookings.list_bookings, sorted(ids - found.keys()))
    return found | {row_id: row.appointment_type_id or "" for row_id, row in others.items()}


def _amounts(invoices: Iterable[Invoice]) -> list[Decimal]:
    return [amount(invoice.total_amount) for invoice in invoices]


async def _invoices(question: ReportQuestion, **more: FilterValue) -> list[Invoice]:
    """The invoices asked about, by issue date, the oldest first."""
    filters = more
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
        practitioner_id=invoice.practitioner_id,
        business_id=invoice.business_id,
        patient_id=invoice.patient_id or "",
        amount=amount(invoice.total_amount),
    )


def _days(invoice: Invoice, today: date) -> int:
    return (today - invoice.issue_date).days if invoice.issue_date is not None else 0


def _age(invoice: Invoice, today: date) -> str:
    return next(name for name, days in _AGES.items() if _days(invoice, today) <= days)


def _debtor(theirs: Sequence[Invoice], patient: Patient | None, today: date) -> DebtorRow:
    oldest = theirs[0]
    others = dict.fromkeys(_payer_name(invoice) for invoice in theirs if _third_party(invoice, patient))
    return DebtorRow(
        patient_id=oldest.patient_id or None,
        invoices=len(theirs),
        total=money_text(sum(_amounts(theirs), Decimal())),
        oldest=oldest.issue_date.isoformat() if oldest.issue_date else None,
        days=_days(oldest, today),
        invoice_ids=[invoice.id for invoice in theirs[:_MAX_IDS]],
        third_parties=[*others] or None,
    )
