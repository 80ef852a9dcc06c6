"""Patients: the label made of the names, marketing consent, phones and country as they are read back.

Source: cliniko-api.md#people.
"""

import re
from typing import Final

from cliniko_mcp.cliniko import time_zones
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.countries import COUNTRIES, DIALLING
from cliniko_mcp.sandbox.rulebook import Change, Rulebook
from cliniko_mcp.sandbox.validation import NOT_LISTED

RULES: Final = Rulebook[RequestContext]()
_NOT_DIGITS: Final = re.compile(r"[^0-9]")


@RULES.on("patients", "create", "update")
def complete_patient(context: RequestContext, change: Change) -> None:
    """The fields that Cliniko derives from what was sent."""
    new = change.new
    new["label"] = label(new.get("first_name"), new.get("last_name"))
    if change.sets("unsubscribe_sms_marketing"):
        new["accepted_sms_marketing"] = new.pop("unsubscribe_sms_marketing") is not True
    elif change.old is None:
        new.setdefault("accepted_sms_marketing", True)
    if change.sets("country_code"):
        new["country"] = COUNTRIES.get(str(new.get("country_code")))
    zone = change.body.get("time_zone")
    if isinstance(zone, str) and zone and not time_zones.is_identifier(zone):
        change.errors["time_zone"] = NOT_LISTED
    if change.sets("patient_phone_numbers"):
        new["patient_phone_numbers"] = normalised(new.get("patient_phone_numbers"), new.get("country_code"))
    if change.old is None:
        new.setdefault("reminder_type", "SMS & Email")
        new.setdefault("receives_confirmation_emails", True)
        new.setdefault("receives_cancellation_emails", True)


@RULES.on("contacts", "create", "update")
def complete_contact(context: RequestContext, change: Change) -> None:
    """The same fields of contacts, as far as they have them."""
    new = change.new
    if change.sets("country_code"):
        new["country"] = COUNTRIES.get(str(new.get("country_code")))
    if change.sets("phone_numbers"):
        new["phone_numbers"] = normalised(new.get("phone_numbers"), new.get("country_code"))


def label(first: JsonValue, last: JsonValue) -> str | None:
    """A full name from its parts; None where both are missing."""
    return " ".join(str(part) for part in (first, last) if part) or None


def normalised(phones: JsonValue, country_code: JsonValue) -> JsonValue:
    """The phone entries with `normalized_number`, digits with country code.

    Source: cliniko-api.md#communications-phones-zones.
    """
    if not isinstance(phones, list):
        return None
    prefix = DIALLING.get(str(country_code), DIALLING["AU"])
    entries: list[JsonValue] = []
    for phone in phones:
        if isinstance(phone, dict):
            number = str(phone.get("number") or "")
            digits = _NOT_DIGITS.sub("", number)
            international = digits if number.strip().startswith("+") else prefix + digits.lstrip("0")
            entries.append({**phone, "normalized_number": international})
    return entries
