"""Contacts: their type, and that only doctors refer (cliniko-api.md#people)."""

from typing import Final

from cliniko_mcp.cliniko.resources.contacts import CONTACT_TYPES
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.rulebook import Change, Rulebook
from cliniko_mcp.sandbox.store import Row
from cliniko_mcp.sandbox.validation import INVALID
from cliniko_mcp.sandbox.wire import Json

RULES: Final = Rulebook[RequestContext]()
STANDARD, DOCTOR = 0, 1


@RULES.on("contacts", "create", "update")
def complete_contact_type(context: RequestContext, change: Change) -> None:
    """A contact is of the standard type unless another is sent; only a doctor has a doctor type (choices 68)."""
    new = change.new
    if new.get("type_code") is None:
        new["type_code"] = DOCTOR if new.get("doctor_type") else STANDARD
    elif new["type_code"] != DOCTOR and not change.body.get("doctor_type"):
        new["doctor_type"] = None
    elif new["type_code"] != DOCTOR:
        change.errors["doctor_type"] = INVALID


@RULES.serialises("contacts")
def show_contact(context: RequestContext, row: Row, shown: Json) -> None:
    """The code in words."""
    type_code = row.get("type_code")
    shown["type"] = CONTACT_TYPES.get(type_code) if isinstance(type_code, int) else None


@RULES.on("patients", "create", "update")
def check_referring_doctor(context: RequestContext, change: Change) -> None:
    """A referring doctor is a contact of the type doctor."""
    if change.sets("referring_doctor_id") and not is_doctor(context, change.new.get("referring_doctor_id")):
        change.errors["referring_doctor_id"] = INVALID


def is_doctor(context: RequestContext, contact_id: JsonValue) -> bool:
    """Whether this contact is a doctor; no contact at all is fine too."""
    contact = context.get("contacts", contact_id)
    return contact_id is None or (contact is not None and contact.get("type_code") == DOCTOR)
