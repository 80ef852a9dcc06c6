"""Appointment types: what the clinic offers and books, such as a first consultation or a class, with its length."""

from typing import Annotated, Literal

from pydantic import Field

from cliniko_mcp.cliniko.fields import Colour, Id, Money, NonNegative, Numeral, Timestamp, omittable
from cliniko_mcp.cliniko.filters import ARRAY, COMMON, FLAG, INSTANT, TEXT
from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.cliniko.operations import Archive, Create, Get, List, Resource, Update


class AppointmentTypeDetails(Body):
    add_deposit_to_account_credit: bool | None = None
    appointment_confirmation_template_ids: list[Id] | None = None
    appointment_follow_up_template_ids: list[Id] | None = None
    appointment_reminder_template_ids: list[Id] | None = None
    billable_item_id: Id | None = Field(default=None, description="Deprecated.")
    category: str | None = None
    description: str | None = None
    product_id: Id | None = Field(default=None, description="Deprecated.")
    show_in_online_bookings: bool | None = None
    telehealth_enabled: bool | None = None
    treatment_note_template_id: Id | None = None


class AppointmentTypeBody(AppointmentTypeDetails):
    business_ids: list[Id] = omittable()
    color: Colour
    deposit_price: NonNegative | None = None
    duration_in_minutes: int = Field(ge=1, le=1439)
    max_attendees: int = Field(ge=1, le=99, description="More than 1: a class.")
    name: str = Field(max_length=255)
    online_bookings_lead_time_hours: Annotated[Literal[0, 1, 2, 4, 12, 18, 24, 48, 72, 168, 336, 504, 672], Numeral] | None = None
    online_payments_mode: Literal["deposit_required", "optional", "required"] | None = None
    practitioner_ids: list[Id] = omittable()


class AppointmentType(AppointmentTypeDetails, Record):
    concise = (
        "id", "name", "category", "duration_in_minutes", "max_attendees", "deposit_price", "show_in_online_bookings", "telehealth_enabled", "archived_at")

    id: Id
    archived_at: Timestamp | None = None
    color: str | None = None
    created_at: Timestamp | None = None
    deposit_price: Money | None = None
    duration_in_minutes: int | None = None
    max_attendees: int | None = None
    name: str | None = None
    online_bookings_lead_time_hours: int | None = None
    online_payments_enabled: bool | None = None
    online_payments_mode: str | None = None
    updated_at: Timestamp | None = None


FILTERS = COMMON | {
    "appointment_confirmation_template_ids": ARRAY,
    "appointment_follow_up_template_ids": ARRAY,
    "appointment_reminder_template_ids": ARRAY,
    "archived_at": INSTANT,
    "category": TEXT,
    "online_payments_mode": TEXT,
    "show_in_online_bookings": FLAG,
}


class AppointmentTypes(Resource):
    """What can be booked: consultations, treatments, reviews, classes."""

    list_appointment_types = List(
        AppointmentType, "/appointment_types",
        "List appointment types (treatments, services, classes) with length and places.",
        filters=FILTERS)
    get_appointment_type = Get(AppointmentType, "/appointment_types/{id}", "Read one appointment type (treatment, service).", hidden=("archived_at",))
    create_appointment_type = Create(AppointmentTypeBody, AppointmentType, "/appointment_types", "Add an appointment type (treatment, service, class).")
    update_appointment_type = Update(AppointmentTypeBody, AppointmentType, "/appointment_types/{id}", "Change an appointment type, who offers it and where.")
    archive_appointment_type = Archive("/appointment_types/{id}/archive", "Stop offering an appointment type; appointments already made stay.")
    list_practitioner_appointment_types = List(
        AppointmentType, "/practitioners/{practitioner_id}/appointment_types",
        "List the appointment types (treatments) that one practitioner offers.",
        filters=FILTERS)
    delete_appointment_type = Archive(
        "/appointment_types/{id}",
        "Archive an appointment type the old way. Deprecated: use archive_appointment_type.",
        method="DELETE", replaced_by="archive_appointment_type")
