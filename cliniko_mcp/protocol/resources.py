"""Records to attach to a chat: `cliniko://patients/123` and the like, read as the get operations read them."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypedDict

import mcp_types as types
from mcp.shared.exceptions import MCPError

from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.sanitize import clean

MIME: Final = "application/json"
MAX_SHOWN: Final = 120
"""Characters of an address that an error repeats."""
_URI: Final = re.compile(r"cliniko://([a-z_]{1,40})(?:/([0-9]{1,20}))?")


@dataclass(frozen=True, slots=True)
class Attachable:
    """A kind of record that can be attached: its noun in the address, the operation that reads it, and its words."""

    noun: str
    operation: Callable[[], Operation[Record]]
    """Imports the resource's module, which nobody needs before the first record is read."""
    title: str
    description: str


def _patient() -> Operation[Record]:
    from cliniko_mcp.cliniko.resources.patients import Patients

    return Patients.get_patient


def _individual_appointment() -> Operation[Record]:
    from cliniko_mcp.cliniko.resources.individual_appointments import IndividualAppointments

    return IndividualAppointments.get_individual_appointment


def _group_appointment() -> Operation[Record]:
    from cliniko_mcp.cliniko.resources.group_appointments import GroupAppointments

    return GroupAppointments.get_group_appointment


def _practitioner() -> Operation[Record]:
    from cliniko_mcp.cliniko.resources.practitioners import Practitioners

    return Practitioners.get_practitioner


def _business() -> Operation[Record]:
    from cliniko_mcp.cliniko.resources.businesses import Businesses

    return Businesses.get_business


def _appointment_type() -> Operation[Record]:
    from cliniko_mcp.cliniko.resources.appointment_types import AppointmentTypes

    return AppointmentTypes.get_appointment_type


def _invoice() -> Operation[Record]:
    from cliniko_mcp.cliniko.resources.invoices import Invoices

    return Invoices.get_invoice


def _treatment_note() -> Operation[Record]:
    from cliniko_mcp.cliniko.resources.treatment_notes import TreatmentNotes

    return TreatmentNotes.get_treatment_note


def _patient_case() -> Operation[Record]:
    from cliniko_mcp.cliniko.resources.patient_cases import PatientCases

    return PatientCases.get_patient_case


def _patient_form() -> Operation[Record]:
    from cliniko_mcp.cliniko.resources.patient_forms import PatientForms

    return PatientForms.get_patient_form


def _contact() -> Operation[Record]:
    from cliniko_mcp.cliniko.resources.contacts import Contacts

    return Contacts.get_contact


def _user() -> Operation[Record]:
    from cliniko_mcp.cliniko.resources.users import Users

    return Users.get_authenticated_user


def _public_settings() -> Operation[Record]:
    from cliniko_mcp.cliniko.resources.public_settings import PublicSettingsOfAccount

    return PublicSettingsOfAccount.get_public_settings


class Words(TypedDict):
    """What the protocol needs of both, a record and a kind of records."""

    name: str
    title: str
    description: str
    mime_type: str


BY_ID: Final = (
    Attachable("patients", _patient, "Patient", "A patient's contact details, reminders and custom fields."),
    Attachable("individual_appointments", _individual_appointment, "Appointment", "A one-to-one appointment (visit)."),
    Attachable("group_appointments", _group_appointment, "Class", "A class (group appointment) and its places."),
    Attachable("practitioners", _practitioner, "Practitioner", "A practitioner (clinician)."),
    Attachable("businesses", _business, "Site", "A site (location, branch) with address and time zone."),
    Attachable("appointment_types", _appointment_type, "Appointment type", "A treatment, service or class."),
    Attachable("invoices", _invoice, "Invoice", "An invoice (bill) with its status and totals."),
    Attachable("treatment_notes", _treatment_note, "Treatment note", "A treatment note with its answers."),
    Attachable("patient_cases", _patient_case, "Patient case", "An episode of care, referral or claim."),
    Attachable("patient_forms", _patient_form, "Patient form", "A form with its questions and answers."),
    Attachable("contacts", _contact, "Contact", "A doctor, payer or other contact."),
)
ALONE: Final = (
    Attachable("user", _user, "Who I am", "Whose key this connection uses, and their time zone."),
    Attachable("public_settings", _public_settings, "Clinic settings", "Booking rules, custom fields, terms."),
)


def listed(excluded: frozenset[str]) -> types.ListResourcesResult:
    """The few records that need no id; none that the operator excluded."""
    found = [types.Resource(uri=f"cliniko://{kind.noun}", **_words(kind)) for kind in _offered(ALONE, excluded)]
    return types.ListResourcesResult(resources=found)


def templates(excluded: frozenset[str]) -> types.ListResourceTemplatesResult:
    """The kinds of records that can be attached by id; none that the operator excluded."""
    found = [
        types.ResourceTemplate(uri_template=f"cliniko://{kind.noun}/{{id}}", **_words(kind))
        for kind in _offered(BY_ID, excluded)
    ]
    return types.ListResourceTemplatesResult(resource_templates=found)


def _offered(kinds: Iterable[Attachable], excluded: frozenset[str]) -> Iterator[Attachable]:
    return (kind for kind in kinds if not excluded or kind.operation().name not in excluded)


def _words(kind: Attachable) -> Words:
    return Words(name=kind.noun, title=kind.title, description=kind.description, mime_type=MIME)


def target(uri: str) -> tuple[Operation[Record], dict[str, str]]:
    """The operation that reads this address, with its arguments. Raises MCPError for an address of nothing here."""
    match = _URI.fullmatch(uri)
    noun, record_id = match.groups() if match else ("", None)
    kinds = BY_ID if record_id else ALONE
    kind = next((kind for kind in kinds if kind.noun == noun), None)
    if kind is None:
        advice = "There is no such resource; an address is like cliniko://patients/123."
        raise MCPError(types.INVALID_PARAMS, advice, {"uri": clean(uri, MAX_SHOWN)})
    return kind.operation(), {"id": record_id} if record_id else {}
