"""Attendees: the one of an individual appointment, which shares its state, and those of a group.

Source: cliniko-api.md#appointments.
"""

from collections.abc import Iterable
from typing import Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.request import OperationRequest
from cliniko_mcp.sandbox.rulebook import Change, Rulebook
from cliniko_mcp.sandbox.rules.bookings import GROUP, INDIVIDUAL
from cliniko_mcp.sandbox.store import Row, is_hidden
from cliniko_mcp.sandbox.validation import INVALID

RULES: Final = Rulebook[RequestContext]()

FULL: Final = "Group appointment is full"
TWICE: Final = "has already been taken"

_SHARED: Final = (
    "archived_at",
    "cancellation_note",
    "cancellation_reason",
    "cancelled_at",
    "deleted_at",
    "invoice_status",
    "notes",
    "patient_case_id",
    "patient_id",
    "treatment_note_status",
)
_COUNTS: Final = (
    "sent_email_follow_ups_count",
    "sent_email_reminders_count",
    "sent_sms_follow_ups_count",
    "sent_sms_reminders_count",
)


@RULES.on(INDIVIDUAL, "created")
def add_own_attendee(context: RequestContext, change: Change) -> None:
    """Every individual appointment has exactly one attendee, its patient."""
    shared: dict[str, JsonValue] = {name: change.new.get(name) for name in _SHARED}
    context.insert("attendees", {"booking_id": change.new["id"], **fresh_counts(), **shared})


@RULES.on(INDIVIDUAL, "updated", "archived", "cancelled")
def share_with_attendee(context: RequestContext, change: Change) -> None:
    """A change of the appointment changes its attendee too."""
    row = context.get(INDIVIDUAL, change.new["id"])
    for attendee in attendees_of(context, str(change.new["id"])):
        if row is not None:
            context.amend("attendees", str(attendee["id"]), **{name: row.get(name) for name in _SHARED})
    for row in (change.new, change.old or {}):
        refresh_latest(context, row.get("patient_id"))


@RULES.on(GROUP, "updated", "archived")
def follow_group(context: RequestContext, change: Change) -> None:
    """Archiving a group archives its attendees (choices 32)."""
    for attendee in attendees_of(context, str(change.new["id"])):
        if "archived_at" in change.new and not is_hidden(attendee):
            stamps = {name: change.new.get(name) for name in ("archived_at", "deleted_at")}
            context.amend("attendees", str(attendee["id"]), **stamps)
        refresh_latest(context, attendee.get("patient_id"))


@RULES.on("attendees", "create")
def check_place(context: RequestContext, change: Change) -> None:
    """Only a group can be joined, while it has a free place, and once by each patient (choices 31)."""
    group = context.live(GROUP, change.new.get("booking_id"))
    if group is None:
        change.errors["booking_id"] = INVALID
        return
    attendees = _live_attendees_of(context, str(group["id"]))
    if any(attendee.get("patient_id") == change.new.get("patient_id") for attendee in attendees):
        change.errors["patient_id"] = TWICE
    places = group.get("max_attendees")
    if isinstance(places, int) and len(attendees) >= places:
        change.errors["base"] = FULL
    change.new.update(fresh_counts())


@RULES.on("attendees", "created", "updated", "archived", "cancelled")
def follow_attendee(context: RequestContext, change: Change) -> None:
    """The booking follows its attendees: arrival, notes and case, or the patients who hold a place."""
    row = context.get("attendees", change.new["id"])
    if row is None:
        return
    booking_id = str(row["booking_id"])
    if context.get(GROUP, booking_id) is not None:
        live = _live_attendees_of(context, booking_id)
        context.set_derived(GROUP, booking_id, patient_ids=[attendee["patient_id"] for attendee in live])
    elif change.old is not None:
        arrived = row.get("arrived")
        flags: dict[str, JsonValue] = {"patient_arrived": arrived, "did_not_arrive": None}
        if isinstance(arrived, bool):
            flags["did_not_arrive"] = not arrived
        shared = {name: row.get(name) for name in _SHARED}
        context.amend(INDIVIDUAL, booking_id, **flags, **shared)
    refresh_latest(context, row.get("patient_id"))


def fresh_counts() -> dict[str, JsonValue]:
    """The reminders of a new attendee: none sent."""
    counts: dict[str, JsonValue] = dict.fromkeys(_COUNTS, 0)
    return {**counts, "email_reminder_sent": False, "sms_reminder_sent": False, "online_booking_policy_accepted": False}


def attendees_of(context: RequestContext, booking_id: str) -> list[Row]:
    """The attendees of a booking, hidden ones too."""
    table = context.store.table("attendees")
    return [table.rows[row_id] for row_id in table.matching("booking_id", booking_id)]


def _live_attendees_of(context: RequestContext, booking_id: str) -> list[Row]:
    return [attendee for attendee in attendees_of(context, booking_id) if not is_hidden(attendee)]


def refresh_latest(context: RequestContext, patient_id: JsonValue) -> None:
    """Set the patient's latest booking: the live one that starts last, coming ones included (choices 35)."""
    if not isinstance(patient_id, str) or context.get("patients", patient_id) is None:
        return
    bookings = (
        context.live("appointments", attendee.get("booking_id"))
        for attendee in context.where("attendees", "patient_id", patient_id)
    )
    latest = max((row for row in bookings if row is not None), key=lambda row: str(row["starts_at"]), default=None)
    context.set_derived("patients", patient_id, latest_booking_id=latest["id"] if latest else None)


@RULES.rows("list_group_appointment_attendees")
def group_attendees(context: RequestContext, request: OperationRequest) -> Iterable[Row]:
    """The deprecated list under a group."""
    return context.children("attendees", "booking_id", GROUP, request.ids["group_appointment_id"])


@RULES.rows("list_individual_appointment_attendees")
def individual_attendees(context: RequestContext, request: OperationRequest) -> Iterable[Row]:
    """The deprecated list under an individual appointment."""
    return context.children("attendees", "booking_id", INDIVIDUAL, request.ids["individual_appointment_id"])
