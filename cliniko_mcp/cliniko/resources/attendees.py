"""Attendees: a patient's place in a booking, where arrival, case and notes of the visit are kept."""

from pydantic import Field

from cliniko_mcp.cliniko.codes import CANCELLATION_REASONS
from cliniko_mcp.cliniko.fields import Id, Timestamp, Uri, coded
from cliniko_mcp.cliniko.filters import COMMON, INSTANT, NUMBER
from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.cliniko.operations import Archive, Cancel, Create, Get, List, Resource, Update
from cliniko_mcp.cliniko.shapes.bookings import VisitStamps


class AttendeeChanges(Body):
    arrived: bool | None = Field(
        default=None, description="false: no-show (DNA)."
    )
    notes: str | None = None
    patient_case_id: Id | None = None


class AttendeeBody(AttendeeChanges):
    booking_id: Id
    patient_id: Id


class AttendeeCancellation(Body):
    cancellation_reason: coded(CANCELLATION_REASONS)  # pyright: ignore[reportInvalidTypeForm]
    cancellation_note: str | None = None
    apply_to_repeats: bool | None = None


class Attendee(AttendeeBody, VisitStamps):
    id: Id
    archived_at: Timestamp | None = None
    cancellation_url: Uri | None = None
    created_at: Timestamp | None = None
    deleted_at: Timestamp | None = None
    sent_email_follow_ups_count: int | None = None
    sent_email_reminders_count: int | None = None
    sent_sms_follow_ups_count: int | None = None
    sent_sms_reminders_count: int | None = None
    updated_at: Timestamp | None = None


FILTERS = COMMON | {
    "appointment_id": NUMBER,
    "archived_at": INSTANT,
    "booking_id": NUMBER,
    "cancelled_at": INSTANT,
    "deleted_at": INSTANT,
    "patient_case_id": NUMBER,
    "patient_id": NUMBER,
}
STAMPS = ("archived_at", "cancelled_at", "deleted_at")


class Attendees(Resource):
    """Patients' places in bookings: one for each individual appointment, several for a group (class)."""

    list_attendees = List(
        Attendee, "/attendees",
        "List who is booked into appointments and classes, with arrival and case. booking_id gives one class.",
        filters=FILTERS)
    get_attendee = Get(Attendee, "/attendees/{id}", "Read one attendee: a patient's place in a booking.", hidden=STAMPS)
    create_attendee = Create(AttendeeBody, Attendee, "/attendees", "Add a patient to a class (group appointment) that has room. The patient may be notified.")
    update_attendee = Update(AttendeeChanges, Attendee, "/attendees/{id}", "Mark a patient as arrived or a no-show (DNA), or change a visit's notes or case.")
    archive_attendee = Archive("/attendees/{id}/archive", "Remove a patient's place in a class made by mistake; cancel_attendee keeps the reason.")
    cancel_attendee = Cancel(AttendeeCancellation, "/attendees/{id}/cancel", "Cancel a patient's place in a class, with a reason. Cannot be undone.")
    delete_attendee = Archive(
        "/attendees/{id}",
        "Archive an attendee the old way. Deprecated: use archive_attendee.",
        method="DELETE", replaced_by="archive_attendee")
    list_group_appointment_attendees = List(
        Attendee, "/group_appointments/{group_appointment_id}/attendees",
        "List the attendees of one group appointment. Deprecated: use list_attendees with booking_id.",
        filters=FILTERS, replaced_by="list_attendees")
    list_individual_appointment_attendees = List(
        Attendee, "/individual_appointments/{individual_appointment_id}/attendees",
        "List the attendee of one individual appointment. Deprecated: use list_attendees with booking_id.",
        filters=FILTERS, replaced_by="list_attendees")
    list_patient_case_attendees = List(
        Attendee, "/patient_cases/{patient_case_id}/attendees",
        "List the attendees of one patient case. Deprecated: use list_attendees with patient_case_id.",
        filters=FILTERS, replaced_by="list_attendees")
