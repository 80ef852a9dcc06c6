"""Communications: messages exchanged with patients, and memos in which staff record that contact took place."""

from typing import Any, Final

from pydantic import Field, create_model

from cliniko_mcp.cliniko.fields import Id, Timestamp, coded
from cliniko_mcp.cliniko.filters import COMMON, INSTANT, NUMBER
from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.cliniko.operations import Archive, Create, Get, List, Resource, Update

MEMO: Final = {12: "Memo"}
DIRECTIONS: Final = {1: "Sent", 2: "Received"}
CATEGORIES: Final = {
    1: "Appointment reminder",
    2: "Patient reply forwarded",
    3: "Invoice",
    4: "Appointment confirmation",
    5: "Letter",
    6: "Practitioner appointment notification",
    7: "SMS message",
    8: "Reply from patient",
    9: "Account statement",
    10: "Cancelled appointment notification",
    11: "Auth code",
    **MEMO,
    13: "Reply from practitioner",
    14: "Payment receipt",
    15: "Bulk email",
    16: "Appointment cancellation",
    17: "Patient form",
    18: "Upcoming appointments",
    19: "Completed patient form",
    20: "Online payment request",
    48: "Appointment follow up message",
    50: "Patient form renewal",
}
"""What messages are about; 21 to 47 and 49 are mail from Cliniko to the clinic's staff."""
TYPES: Final = {1: "SMS", 2: "Email", 3: "Phone call", 4: "Other"}


class MemoDetails(Body):
    patient_id: Id
    type_code: coded(TYPES) | None  # pyright: ignore[reportInvalidTypeForm]
    direction_code: coded(DIRECTIONS) | None  # pyright: ignore[reportInvalidTypeForm]
    to: str | None
    content: str | None
    confidential: bool | None
    category_code: coded(MEMO) | None = None  # pyright: ignore[reportInvalidTypeForm]


class AnyCommunication(Record):
    codes = {"type_code": TYPES, "category_code": CATEGORIES}
    concise = (
        "id", "category", "type", "direction_description", "from", "to", "content_subject", "content", "confidential", "patient_id", "created_at",
        "archived_at")

    id: Id
    archived_at: Timestamp | None = None
    attendee_id: Id | None = None
    booking_id: Id | None = None
    category: str | None = None
    category_code: int | None = Field(default=None, description="12 is a memo, all others are messages.")
    confidential: bool | None = None
    content: str | None = None
    content_subject: str | None = None
    created_at: Timestamp | None = None
    direction_code: int | None = None
    direction_description: str | None = None
    invoice_id: Id | None = None
    letter_id: Id | None = None
    patient_id: Id | None = None
    payment_id: Id | None = None
    to: str | None = None
    type: str | None = None
    type_code: int | None = None
    updated_at: Timestamp | None = None


# `from` cannot be written as an attribute in a class, because Python keeps the word for itself.
_SENT_BY: Final[dict[str, Any]] = {"from": (str | None, ...)}
_WAS_SENT_BY: Final[dict[str, Any]] = {"from": (str | None, None)}
MemoBody: Final = create_model("MemoBody", __base__=MemoDetails, __module__=__name__, **_SENT_BY)
Communication: Final = create_model("Communication", __base__=AnyCommunication, __module__=__name__, **_WAS_SENT_BY)


class Communications(Resource):
    """Contact with patients: SMS, emails, letters and memos of phone calls."""

    list_communications = List(
        Communication, "/communications",
        "List contact with patients: SMS, emails, letters, memos. category_code: memo, letter ...",
        filters=COMMON | {"archived_at": INSTANT, "category_code": NUMBER, "letter_id": NUMBER, "patient_id": NUMBER, "type_code": NUMBER})
    get_communication = Get(Communication, "/communications/{id}", "Read one SMS, email, letter or memo in full.", hidden=("archived_at",))
    create_communication = Create(MemoBody, Communication, "/communications", "Record a memo of a call, text, email or talk with a patient. Sends nothing.")
    update_communication = Update(MemoBody, Communication, "/communications/{id}", "Correct a memo of contact with a patient.")
    archive_communication = Archive("/communications/{id}/archive", "Archive a memo of contact with a patient.")
