"""Bookings of all three kinds: their end, who can be booked, derived fields, and overlaps
(cliniko-api.md#appointments).

A write is not checked for clashes, opening hours or rules of online booking: Cliniko does not check either.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.handlers import live_row
from cliniko_mcp.sandbox.request import OperationRequest
from cliniko_mcp.sandbox.rulebook import Change, Rulebook
from cliniko_mcp.sandbox.store import Row
from cliniko_mcp.sandbox.timestamps import parse_timestamp, timestamp
from cliniko_mcp.sandbox.validation import BLANK, INVALID
from cliniko_mcp.sandbox.wire import Json, SandboxResponse, json_response

RULES: Final = Rulebook[RequestContext]()

INDIVIDUAL: Final = "individual_appointments"
GROUP: Final = "group_appointments"
BLOCK: Final = "unavailable_blocks"
OPENING: Final = "availability_blocks"
END_FIRST: Final = "end time must be greater than start time"

REASONS: Final = {
    10: "Feeling Better",
    20: "Condition Worse",
    30: "Sick",
    31: "COVID-19 related",
    40: "Away",
    50: "Other",
    60: "Work",
}
"""The reasons of cancellation as they are read back (cliniko-api.md#enumerations)."""

HOST: Final = "https://demo-clinic.invalid"  # a name that can never resolve (RFC 2606)


@RULES.on((INDIVIDUAL, GROUP, BLOCK, OPENING), "create", "update")
def check_span(context: RequestContext, change: Change) -> None:
    """Without an end it follows from the type; it must lie after the start."""
    starts, ends = change.text("starts_at"), change.text("ends_at")
    if ends is None and starts is not None and change.resource in (INDIVIDUAL, GROUP):
        appointment_type = context.get("appointment_types", change.new.get("appointment_type_id"))
        minutes = appointment_type.get("duration_in_minutes") if appointment_type else None
        ends = timestamp(parse_timestamp(starts) + timedelta(minutes=minutes if isinstance(minutes, int) else 30))
        change.new["ends_at"] = ends
    if ends is None:
        change.errors["ends_at"] = BLANK
    elif starts is not None and ends <= starts:
        change.errors["ends_at"] = END_FIRST


@RULES.on((INDIVIDUAL, GROUP, BLOCK, OPENING), "create", "update")
def check_practitioner(context: RequestContext, change: Change) -> None:
    """A practitioner who no longer works here cannot be booked."""
    practitioner_id = change.new.get("practitioner_id")
    if change.old is not None and change.old.get("practitioner_id") == practitioner_id:
        return
    practitioner = context.get("practitioners", practitioner_id)
    if practitioner is not None and practitioner.get("active") is False:
        change.errors["practitioner_id"] = INVALID


@RULES.on(INDIVIDUAL, "create", "update")
def complete_individual(context: RequestContext, change: Change) -> None:
    """The patient's name stays as it was when the booking was made (cliniko-api.md#calendar)."""
    new, patient_id = change.new, change.new.get("patient_id")
    if change.old is None:
        new.update(email_reminder_sent=False, sms_reminder_sent=False, online_booking_policy_accepted=False)
    if change.old is None or change.old.get("patient_id") != patient_id:
        patient = context.get("patients", patient_id)
        new["patient_name"] = patient.get("label") if patient else None
        new["patient_ids"] = [patient_id]


@RULES.on(GROUP, "create")
def complete_group(context: RequestContext, change: Change) -> None:
    """Places default to those of the type, and to two with a type for one patient (choices 33)."""
    appointment_type = context.get("appointment_types", change.new.get("appointment_type_id"))
    places = appointment_type.get("max_attendees") if appointment_type else None
    change.new.setdefault("max_attendees", max(2, places) if isinstance(places, int) else 2)
    change.new["patient_ids"] = []


@RULES.serialises(INDIVIDUAL)
def show_individual(context: RequestContext, row: Row, shown: Json) -> None:
    """Derived fields: whether the patient has notes, the staff's telehealth page, the reason in words."""
    patient = context.get("patients", row.get("patient_id"))
    shown["has_patient_appointment_notes"] = bool(patient and patient.get("appointment_notes"))
    shown["cancellation_reason_description"] = reason_text(row)
    shown["telehealth_url"] = f"{HOST}/appointments/{row['id']}/connect"


@RULES.serialises(GROUP)
def show_group(context: RequestContext, row: Row, shown: Json) -> None:
    """The staff's telehealth page, and an empty list where nobody holds a place."""
    shown["patient_ids"] = shown["patient_ids"] or []
    shown["telehealth_url"] = f"{HOST}/appointments/{row['id']}/connect"


@RULES.serialises("attendees")
def show_attendee(context: RequestContext, row: Row, shown: Json) -> None:
    """The patient's private links, and the reason in words (cliniko-api.md#communications-phones-zones)."""
    shown["cancellation_reason_description"] = reason_text(row) or ""
    own = row["id"]
    shown["cancellation_url"] = f"{HOST}/cancel/{context.ids.token(f'cancel {own}')}"
    shown["telehealth_url"] = f"{HOST}/telehealth/{context.ids.token(f'telehealth {own}')}"


def reason_text(row: Row) -> str | None:
    """The reason of cancellation in words; null while the booking stands (choices 27)."""
    reason = row.get("cancellation_reason")
    return REASONS.get(reason) if isinstance(reason, int) else None


@RULES.answers(
    "get_individual_appointment_conflicts", "get_group_appointment_conflicts", "get_unavailable_block_conflicts"
)
def answer_conflicts(context: RequestContext, request: OperationRequest) -> SandboxResponse:
    """Whether any other live booking of the practitioner overlaps this one, computed now."""
    row = live_row(context, request)
    bookings = diary(context, row.get("practitioner_id"))
    clash = any(booking["id"] != row["id"] and overlap(booking, row) for booking in bookings)
    return json_response({"conflicts": {"exist": clash}})


def diary(context: RequestContext, practitioner_id: JsonValue) -> Iterable[Row]:
    """The live bookings of a practitioner in every business, unavailable blocks included."""
    return context.where("bookings", "practitioner_id", str(practitioner_id))


def overlap(one: Row, other: Row) -> bool:
    """Whether two bookings share any time; they do not where one starts as the other ends."""
    return str(one["starts_at"]) < str(other["ends_at"]) and str(other["starts_at"]) < str(one["ends_at"])


@RULES.rows("list_patient_appointments")
def patient_appointments(context: RequestContext, request: OperationRequest) -> Iterable[Row]:
    """The legacy list of a patient's appointments, the groups in which they hold a place included."""
    return context.children("appointments", "patient_ids", "patients", request.ids["patient_id"])


@RULES.rows("list_patient_case_bookings")
def case_bookings(context: RequestContext, request: OperationRequest) -> Iterable[Row]:
    """The bookings whose attendees count towards a case."""
    attendees = context.children("attendees", "patient_case_id", "patient_cases", request.ids["patient_case_id"])
    ids = dict.fromkeys(str(attendee["booking_id"]) for attendee in attendees)
    return [row for row in (context.get("bookings", booking_id) for booking_id in ids) if row is not None]
