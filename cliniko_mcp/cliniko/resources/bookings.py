"""Bookings: the whole diary, in which individual and group appointments and unavailable blocks stand side by side."""

from pydantic import Field

from cliniko_mcp.cliniko.fields import Id
from cliniko_mcp.cliniko.filters import ARRAY, COMMON, FLAG, INSTANT, NUMBER
from cliniko_mcp.cliniko.operations import Get, List, Resource
from cliniko_mcp.cliniko.shapes.bookings import AppointmentStamps


class Booking(AppointmentStamps):
    """Any of three kinds: a group has `max_attendees`, an individual appointment `patient_id`, a block neither."""

    concise = (
        "id", "starts_at", "ends_at", "patient_id", "practitioner_id", "appointment_type_id", "business_id", "max_attendees", "patient_ids",
        "unavailable_block_type_id", "notes", "patient_arrived", "did_not_arrive", "cancelled_at", "cancellation_reason_description", "cancellation_note",
        "archived_at", "deleted_at")

    max_attendees: int | None = Field(default=None, description="Only on group appointments.")
    patient_id: Id | None = Field(default=None, description="Only on individual appointments.")
    patient_ids: list[Id] | None = Field(default=None, description="Only on group appointments.")
    unavailable_block_type_id: Id | None = Field(default=None, description="Only on unavailable blocks.")


FILTERS = COMMON | {
    "appointment_type_id": NUMBER,
    "archived_at": INSTANT,
    "business_id": NUMBER,
    "cancelled_at": INSTANT,
    "deleted_at": INSTANT,
    "did_not_arrive": FLAG,
    "email_reminder_sent": FLAG,
    "ends_at": INSTANT,
    "invoice_status": NUMBER,
    "patient_ids": ARRAY,
    "practitioner_id": NUMBER,
    "repeated_from_id": NUMBER,
    "sms_reminder_sent": FLAG,
    "starts_at": INSTANT,
    "treatment_note_status": NUMBER,
}
STAMPS = ("archived_at", "cancelled_at", "deleted_at")


class Bookings(Resource):
    """The diary (calendar) as a whole, to read; each kind is booked and changed through its own operations."""

    list_bookings = List(
        Booking, "/bookings",
        "List the diary (calendar): appointments, classes, blocked-out time.",
        filters=FILTERS)
    get_booking = Get(Booking, "/bookings/{id}", "Read one diary entry of any kind.", hidden=STAMPS)
    list_patient_case_bookings = List(
        Booking, "/patient_cases/{patient_case_id}/bookings",
        "List the diary entries of one patient case. Deprecated: use list_attendees with patient_case_id.",
        filters=FILTERS, replaced_by="list_attendees")
