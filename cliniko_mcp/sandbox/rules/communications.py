"""Communications: memos can be changed, messages that were sent cannot (cliniko-api.md#communications-phones-zones)."""

from typing import Final

from cliniko_mcp.cliniko.resources.communications import DIRECTIONS, MEMO, TYPES
from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.rulebook import Change, Rulebook
from cliniko_mcp.sandbox.store import Row
from cliniko_mcp.sandbox.wire import Json

RULES: Final = Rulebook[RequestContext]()
MEMO_CODE: Final = next(iter(MEMO))
NOT_A_MEMO: Final = "Only memos can be changed"

CATEGORIES: Final = {
    1: "Appointment Reminder",
    2: "Patient Reply Forwarded",
    3: "Invoice",
    4: "Appointment Confirmation",
    5: "Letter",
    6: "Practitioner Appointment Notification",
    7: "SMS Message",
    8: "Reply from Patient",
    9: "Account Statement",
    10: "Cancelled appointment notification",
    11: "Auth Code",
    **MEMO,
    13: "Reply from Practitioner",
    14: "Payment Receipt",
    15: "Bulk Email",
    16: "Appointment Cancellation",
    17: "Patient Form",
    18: "Upcoming appointments",
    19: "Completed Patient Form",
    20: "Online payment request",
    48: "Appointment Follow Up Message",
    50: "Patient form renewal",
}
"""The categories of messages (cliniko-api.md#enumerations, without mail between Cliniko and the clinic's staff)."""

_SMS, _EMAIL = 1, 2


@RULES.on("communications", "create")
def make_memo(context: RequestContext, change: Change) -> None:
    """A new communication is a memo; nothing is sent."""
    change.new["category_code"] = MEMO_CODE


@RULES.on("communications", "update", "archive")
def guard_message(context: RequestContext, change: Change) -> None:
    """A message that was sent stays as it was (choices 60)."""
    if (change.old or {}).get("category_code") != MEMO_CODE:
        change.errors["base"] = NOT_A_MEMO
    change.new["category_code"] = MEMO_CODE


@RULES.serialises("communications")
def show_communication(context: RequestContext, row: Row, shown: Json) -> None:
    """The codes in words, and only the fields that a communication of this kind has."""
    category, message_type, direction = (row.get(name) for name in ("category_code", "type_code", "direction_code"))
    shown["category"] = CATEGORIES.get(category) if isinstance(category, int) else None
    shown["type"] = TYPES.get(message_type) if isinstance(message_type, int) else None
    shown["direction_description"] = DIRECTIONS.get(direction) if isinstance(direction, int) else None
    memo = category == MEMO_CODE
    if not memo:
        del shown["confidential"]
    if memo or message_type != _EMAIL:
        del shown["content_subject"]
