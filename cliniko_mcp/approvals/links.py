"""What a record belongs to: the fields that hold the id of another record, and the operation that reads each."""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final

from cliniko_mcp.approvals.facts import Facts, name_of, text
from cliniko_mcp.approvals.losses import field_words, value_words
from cliniko_mcp.approvals.shown import Fact
from cliniko_mcp.cliniko.calls import Call, Operation
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.sanitize import first_few


def practitioner() -> Operation[Record]:
    """The operation that reads a practitioner."""
    from cliniko_mcp.cliniko.resources.practitioners import Practitioners

    return Practitioners.get_practitioner


def site() -> Operation[Record]:
    """The operation that reads a site."""
    from cliniko_mcp.cliniko.resources.businesses import Businesses

    return Businesses.get_business


def appointment_type() -> Operation[Record]:
    """The operation that reads an appointment type."""
    from cliniko_mcp.cliniko.resources.appointment_types import AppointmentTypes

    return AppointmentTypes.get_appointment_type


def _billable_item() -> Operation[Record]:
    from cliniko_mcp.cliniko.resources.billable_items import BillableItems

    return BillableItems.get_billable_item


def _product() -> Operation[Record]:
    from cliniko_mcp.cliniko.resources.products import Products

    return Products.get_product


def _contact() -> Operation[Record]:
    from cliniko_mcp.cliniko.resources.contacts import Contacts

    return Contacts.get_contact


def _concession_type() -> Operation[Record]:
    from cliniko_mcp.cliniko.resources.concession_types import ConcessionTypes

    return ConcessionTypes.get_concession_type


def _block_type() -> Operation[Record]:
    from cliniko_mcp.cliniko.resources.unavailable_block_types import UnavailableBlockTypes

    return UnavailableBlockTypes.get_unavailable_block_type


def _note_template() -> Operation[Record]:
    from cliniko_mcp.cliniko.resources.treatment_note_templates import TreatmentNoteTemplates

    return TreatmentNoteTemplates.get_treatment_note_template


def _form_template() -> Operation[Record]:
    from cliniko_mcp.cliniko.resources.patient_form_templates import PatientFormTemplates

    return PatientFormTemplates.get_patient_form_template


@dataclass(frozen=True, slots=True)
class Link:
    """A field with the id of another record, what that record is to this one, and the operation that reads it."""

    field: str
    role: str
    read: Callable[[], Operation[Record]]
    """Imports the resource module, which a record without this link does not need."""


_LINKS: Final[Sequence[Link]] = (
    Link("practitioner_id", "Practitioner", practitioner),
    Link("business_id", "Site", site),
    Link("appointment_type_id", "Appointment type", appointment_type),
    Link("billable_item_id", "Billable item", _billable_item),
    Link("product_id", "Product", _product),
    Link("contact_id", "Contact", _contact),
    Link("unavailable_block_type_id", "Kind", _block_type),
)
_OTHERS: Final[Mapping[str, Callable[[], Operation[Record]]]] = {
    "referring_doctor_id": _contact,
    "concession_type_id": _concession_type,
    "patient_form_template_id": _form_template,
    "treatment_note_template_id": _note_template,
}
"""Links by which a record is not known, but which a change may take from it."""
_PATIENT: Final = "patient_id"
UNREADABLE: Final = "all of them; which they are cannot be read"
"""What is shown for a list that this key may not see."""


async def about(facts: Facts, record: Record) -> list[Fact]:
    """A fact for each thing that the record belongs to, `Practitioner`, `Dr Bo Chen`, the patient first."""
    found: list[Fact] = []
    if (patient := await facts.patient(text(record, _PATIENT))) is not None:
        found.append(Fact("Patient", patient))
    for link in _LINKS:
        name = await facts.named(link.read(), text(record, link.field), link.role.lower())
        if name is not None:
            found.append(Fact(link.role, name))
    return found


async def linked_words(facts: Facts, field: str, held: object, *, whole: bool = False) -> str:
    """What a field of a record holds, a link by the name of what it leads to, of many the first five: `Dr Bo Chen`.

    With `whole` the others stand there by their numbers.
    """
    if field.endswith("_ids") and isinstance(held, list):
        ids: list[object] = [*held]
        names = [await linked_words(facts, field.removesuffix("s"), str(identity)) for identity in ids[:5]]
        numbers = f" (numbers {', '.join(map(str, ids[5:]))})" if whole and ids[5:] else ""
        return first_few(names, 5, len(ids)) + numbers if ids else ""
    if not field.endswith("_id") or not isinstance(held, str):
        return value_words(held)
    noun = field_words(field).lower()
    read = next((link.read for link in _LINKS if link.field == field), _OTHERS.get(field))
    return (await facts.named(read(), held, noun) if read is not None else None) or f"{noun} {held}"


async def offered_at(facts: Facts, type_id: str) -> tuple[str, Set[str]] | None:
    """The sites where this appointment type is offered, by name and by id; None where this key may not see them."""
    from cliniko_mcp.cliniko.resources.businesses import Businesses

    return await _listed(facts, Businesses.list_businesses.where({"appointment_type_ids": type_id}))


async def offered_by(facts: Facts, type_id: str) -> tuple[str, Set[str]] | None:
    """The practitioners who offer this appointment type, by name and by id; None where this key may not see them."""
    from cliniko_mcp.cliniko.resources.practitioners import Practitioners

    return await _listed(
        facts, Practitioners.list_appointment_type_practitioners.where({"appointment_type_id": type_id})
    )


async def _listed(facts: Facts, listing: Call[Record]) -> tuple[str, Set[str]] | None:
    found = await facts.listed(listing)
    if found is None:
        return None
    number, rows = found
    names = [name_of(row) or "one without a name" for row in rows]
    return first_few(names, 5, number), {identity for row in rows if (identity := text(row, "id"))}
