"""Phone numbers of patients, contacts and staff: a list that is always replaced whole.

Source: cliniko-api.md#communications-phones-zones.
"""

from typing import Literal

from cliniko_mcp.cliniko.models import Body, Record


class PhoneNumber(Body):
    """A phone number as it is sent: its kind, and the number as people write it."""

    phone_type: Literal["Mobile", "Home", "Work", "Fax", "Other"]
    number: str


class PhoneNumberRecord(Record):
    """A phone number as Cliniko holds it; `normalized_number` is digits with the country code."""

    phone_type: str | None = None
    number: str | None = None
    normalized_number: str | None = None
