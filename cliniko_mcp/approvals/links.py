"""What a record belongs to: the fields that hold the id of another record, and the operation that reads each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from cliniko_mcp.approvals.facts import Facts, text
from cliniko_mcp.approvals.shown import Fact
from cliniko_mcp.cliniko.calls import Operation
from cliniko_mcp.cliniko.models import Record


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


def _block_type() -> Operation[Record]:
    from cliniko_mcp.cliniko.resources.unavailable_block_types import UnavailableBlockTypes

    return UnavailableBlockTypes.get_unavailable_block_type


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
_PATIENT: Final = "patient_id"


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
