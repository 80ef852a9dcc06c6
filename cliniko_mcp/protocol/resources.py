"""Records to attach to a chat: `cliniko://patients/123` and the like, read as the get operations read them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypedDict

import mcp_types as types
from mcp.shared.exceptions import MCPError

MIME: Final = "application/json"
_URI: Final = re.compile(r"cliniko://([a-z_]{1,40})(?:/([0-9]{1,20}))?")


@dataclass(frozen=True, slots=True)
class Attachable:
    """A kind of record that can be attached: its noun in the address, the operation that reads it, and its words."""

    noun: str
    operation: str
    title: str
    description: str


class Words(TypedDict):
    """What the protocol wants to know of both: a record, and a kind of records."""

    name: str
    title: str
    description: str
    mime_type: str


BY_ID: Final = (
    Attachable("patients", "get_patient", "Patient", "A patient's contact details, reminders and custom fields."),
    Attachable(
        "individual_appointments", "get_individual_appointment", "Appointment", "A one-to-one appointment (visit)."
    ),
    Attachable("group_appointments", "get_group_appointment", "Class", "A class (group appointment) and its places."),
    Attachable("practitioners", "get_practitioner", "Practitioner", "A practitioner (clinician)."),
    Attachable("businesses", "get_business", "Site", "A site (location, branch) with address and time zone."),
    Attachable("appointment_types", "get_appointment_type", "Appointment type", "A treatment, service or class."),
    Attachable("invoices", "get_invoice", "Invoice", "An invoice (bill) with its status and totals."),
    Attachable("treatment_notes", "get_treatment_note", "Treatment note", "A treatment note with its answers."),
    Attachable("patient_cases", "get_patient_case", "Patient case", "An episode of care, referral or claim."),
    Attachable("patient_forms", "get_patient_form", "Patient form", "A form with its questions and answers."),
    Attachable("contacts", "get_contact", "Contact", "A doctor, payer or other contact."),
)
ALONE: Final = (
    Attachable("user", "get_authenticated_user", "Who I am", "Whose key this connection uses, and their time zone."),
    Attachable("public_settings", "get_public_settings", "Clinic settings", "Booking rules, custom fields, terms."),
)


def listed(excluded: frozenset[str]) -> types.ListResourcesResult:
    """The few records that need no id; none that the operator excluded."""
    found = [types.Resource(uri=f"cliniko://{each.noun}", **_words(each)) for each in _offered(ALONE, excluded)]
    return types.ListResourcesResult(resources=found)


def templates(excluded: frozenset[str]) -> types.ListResourceTemplatesResult:
    """The kinds of records that can be attached by id; none that the operator excluded."""
    found = [
        types.ResourceTemplate(uri_template=f"cliniko://{each.noun}/{{id}}", **_words(each))
        for each in _offered(BY_ID, excluded)
    ]
    return types.ListResourceTemplatesResult(resource_templates=found)


def _offered(kinds: Iterable[Attachable], excluded: frozenset[str]) -> Iterator[Attachable]:
    return (each for each in kinds if each.operation not in excluded)


def _words(kind: Attachable) -> Words:
    return Words(name=kind.noun, title=kind.title, description=kind.description, mime_type=MIME)


def target(uri: str) -> tuple[str, Mapping[str, object]]:
    """The operation that reads this address, with its arguments. Raises MCPError for an address of nothing here."""
    match = _URI.fullmatch(uri)
    noun, record_id = match.groups() if match else ("", None)
    kinds = BY_ID if record_id else ALONE
    kind = next((each for each in kinds if each.noun == noun), None)
    if kind is None:
        words = "There is no such resource; an address is like cliniko://patients/123."
        raise MCPError(types.INVALID_PARAMS, words, {"uri": uri})
    return kind.operation, {"id": record_id} if record_id else {}
