"""Where patients come from, as their files say: for reports that group by it, and as a report of its own.

Requests: one a hundred patients whose source is recorded, and one for the kinds of sources. The report reads the
clinic's whole history of bookings too, one request a hundred, and the invoices of its new patients.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import Final, Literal

from pydantic import Field

from cliniko_mcp.cliniko.filters import MAX_IDS, Hidden, OneOf
from cliniko_mcp.cliniko.labels import name_of
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.cliniko.resources.contacts import Contacts
from cliniko_mcp.cliniko.resources.invoices import Invoices
from cliniko_mcp.cliniko.resources.patients import Patients
from cliniko_mcp.cliniko.resources.referral_source_types import ReferralSourceTypes
from cliniko_mcp.cliniko.resources.referral_sources import ReferralSource, ReferralSources
from cliniko_mcp.frontdesk import visits
from cliniko_mcp.frontdesk.answer_rows import Money
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.day_sheet import numbers_in_order, phones_of
from cliniko_mcp.frontdesk.reports import figures
from cliniko_mcp.frontdesk.reports.facts import GROUPINGS, Fact, Facts, Measure, breakdown
from cliniko_mcp.frontdesk.reports.figures import amount, money_text
from cliniko_mcp.frontdesk.reports.money import BILLED
from cliniko_mcp.frontdesk.reports.question import Finding, ReportQuestion
from cliniko_mcp.frontdesk.roster import known_record, name_text
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.models import AnswerModel

NEEDS: Final[tuple[Operation, ...]] = (
    ReferralSources.list_referral_sources,
    ReferralSourceTypes.list_referral_source_types,
    Invoices.list_invoices,
    Contacts.list_contacts,
    *visits.NEEDS,
)
_NO_SOURCE: Final = "no source"


async def sources(clinic: GuardedClinic) -> dict[str, str]:
    """The name of the kind of source of each patient for whom one is recorded, by the patient's id."""
    recorded, kinds = await run_concurrently(
        partial(clinic.collect, ReferralSources.list_referral_sources),
        partial(clinic.collect, ReferralSourceTypes.list_referral_source_types, archived_at=Hidden.INCLUDED),
    )
    names = {kind.id: name_of(kind) or kind.id for kind in kinds}
    return {
        row.patient_id: names.get(row.referral_source_type_id, row.referral_source_type_id)
        for row in recorded
        if row.patient_id
    }


@dataclass(frozen=True, slots=True)
class _Origin:
    """What a patient's file says of where they come from: the kind of source and the referrer or subcategory."""

    source: str = _NO_SOURCE
    referrer: str = ""
    referrer_is: Literal["contact", "patient"] | None = None
    referrer_id: str = ""
    phone: str = field(default="", compare=False)


class SourceRow(AnswerModel):
    """A kind of source, or one referrer of that kind."""

    source: str = Field(description="The kind of source.")
    referrer: str | None = Field(default=None, description="Who referred them, or the subcategory.")
    referrer_is: Literal["contact", "patient"] | None = Field(default=None, description="What the referrer is.")
    referrer_id: str | None = Field(default=None, description="Id of that contact or patient.")
    phone: str | None = Field(default=None, description="The referrer's phone number, where phones is true.")
    new_patients: int = Field(description="New patients.")
    total: Money = Field(description="Invoiced to them until now, in the account's currency.")


async def where_from(question: ReportQuestion) -> Finding:
    """Where new patients came from and what was invoiced to them since, the most first."""
    first = await question.first_visits()
    new = {patient: visit for patient, visit in first.items() if question.holds(visit) and question.keeps(visit)}
    worth = await _worth(question, sorted(new))
    known = await _recorded(question.clinic)
    facts = Facts(
        Measure.MONEY,
        [
            replace(
                question.fact(visit),
                new=True,
                source=known[patient].source if patient in known else "",
                amount=worth.get(patient, Decimal()),
            )
            for patient, visit in new.items()
        ],
    )
    groups: dict[_Origin, list[str]] = {}
    for patient in new:
        groups.setdefault(known.get(patient, _Origin()), []).append(patient)
    totals = {key: sum((worth.get(one, Decimal()) for one in theirs), Decimal()) for key, theirs in groups.items()}
    ranked = sorted(
        groups, key=lambda key: (-len(groups[key]), -totals[key], key.source, key.referrer, key.referrer_id)
    )
    recorded = sum(patient in known for patient in new)
    return Finding(
        "New is a patient whose first kept visit ever was in that time; practitioner, site and type are those of that "
        "visit. The source is the one on the patient's file. Invoiced is the totals of their Open and Paid invoices "
        "from then until now, whoever pays them.",
        {
            "invoiced_to_new_patients": facts.figure,
            "new_patients_with_a_source": figures.share(recorded, len(new)),
        },
        [
            SourceRow(
                source=origin.source,
                referrer=origin.referrer or None,
                referrer_is=origin.referrer_is,
                referrer_id=origin.referrer_id or None,
                phone=origin.phone or None if question.phones else None,
                new_patients=len(groups[origin]),
                total=money_text(totals[origin]),
            )
            for origin in ranked
        ],
        facts,
        by={"source": breakdown(GROUPINGS["source"], facts, question.roster)},
    )


async def _worth(question: ReportQuestion, patients: Sequence[str]) -> dict[str, Decimal]:
    """What was invoiced to each of these patients: open and paid invoices."""
    found: dict[str, Decimal] = {}
    batches = [patients[begin : begin + MAX_IDS] for begin in range(0, len(patients), MAX_IDS)]
    listing = partial(question.clinic.collect, Invoices.list_invoices)
    for invoices in await run_concurrently(*(partial(listing, patient_id=OneOf(batch)) for batch in batches)):
        for invoice in invoices:
            if invoice.status in BILLED:
                whose = invoice.patient_id or ""
                found[whose] = found.get(whose, Decimal()) + amount(invoice.total_amount)
    return found


async def _recorded(clinic: GuardedClinic) -> dict[str, _Origin]:
    """Where each patient comes from for whom that is recorded."""
    recorded, kinds = await run_concurrently(
        partial(clinic.collect, ReferralSources.list_referral_sources),
        partial(clinic.collect, ReferralSourceTypes.list_referral_source_types, archived_at=Hidden.INCLUDED),
    )
    names = {kind.id: name_of(kind) or kind.id for kind in kinds}
    contacts = {row.referrer_id for row in recorded if row.referrer_id and row.referrer_type != "Patient"}
    patients = {row.referrer_id for row in recorded if row.referrer_id and row.referrer_type == "Patient"}
    known_contacts = await clinic.by_id(Contacts.list_contacts, sorted(contacts))
    known_patients = await clinic.by_id(Patients.list_patients, sorted(patients))

    def origin(row: ReferralSource) -> _Origin:
        source = names.get(row.referral_source_type_id, row.referral_source_type_id)
        who = row.referrer_id or ""
        if row.referrer_type != "Patient" and who in known_contacts:
            contact = known_contacts[who]
            phone = next(iter(numbers_in_order(contact.phone_numbers or ())), "")
            return _Origin(source, name_of(contact) or who, "contact", who, phone)
        if row.referrer_type == "Patient" and who in known_patients:
            patient = known_patients[who]
            phone = next(iter(phones_of(known_record(patient))), "")
            return _Origin(source, name_of(patient) or who, "patient", who, phone)
        return _Origin(source, name_text(row.subcategory))

    return {row.patient_id: origin(row) for row in recorded if row.patient_id}


async def with_people(question: ReportQuestion, facts: Facts) -> Facts:
    """The facts with what a grouping asked for needs to know of the patient: whether new, and from where."""
    first = await question.first_visits() if "new_or_returning" in question.by else None
    known = await sources(question.clinic) if "source" in question.by else {}
    if first is None and not known:
        return facts

    def filled(fact: Fact) -> Fact:
        new = None
        if first is not None and fact.day is not None and fact.patient_id:
            began = first.get(fact.patient_id)
            new = began is None or fact.day <= question.day(began)
        return replace(fact, new=new, source=known.get(fact.patient_id, ""))

    return replace(facts, found=[filled(fact) for fact in facts.found])
