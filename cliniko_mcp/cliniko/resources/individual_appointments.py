"""Individual appointments: one patient with one practitioner. Each has one attendee, where arrival is kept."""

from cliniko_mcp.cliniko.codes import CANCELLATION_REASONS
from cliniko_mcp.cliniko.fields import Id, Instant, coded, omittable
from cliniko_mcp.cliniko.filters import COMMON, FLAG, INSTANT, NUMBER
from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.cliniko.operations import Archive, Cancel, Conflicts, Create, Get, List, Resource, Update
from cliniko_mcp.cliniko.shapes.bookings import AppointmentStamps
from cliniko_mcp.cliniko.shapes.repeats import RepeatRule


class IndividualAppointmentBody(Body):
    patient_id: Id
    practitioner_id: Id
    appointment_type_id: Id
    business_id: Id
    starts_at: Instant
    ends_at: Instant | None = None
    notes: str | None = None
    patient_case_id: Id | None = None
    repeat_rule: RepeatRule | None = None


class IndividualAppointmentCancellation(Body):
    cancellation_reason: coded(CANCELLATION_REASONS)  # pyright: ignore[reportInvalidTypeForm]
    cancellation_note: str | None = None
    apply_to_repeats: bool = omittable()


class IndividualAppointment(AppointmentStamps):
    concise = (
        "id", "starts_at", "ends_at", "patient_id", "practitioner_id", "appointment_type_id", "business_id", "notes", "patient_arrived", "did_not_arrive",
        "cancelled_at", "cancellation_reason_description", "cancellation_note", "archived_at", "deleted_at")


FILTERS = COMMON | {
    "appointment_type_id": NUMBER,
    "archived_at": INSTANT,
    "business_id": NUMBER,
    "cancelled_at": INSTANT,
    "deleted_at": INSTANT,
    "did_not_arrive": FLAG,
    "ends_at": INSTANT,
    "patient_id": NUMBER,
    "practitioner_id": NUMBER,
    "repeated_from_id": NUMBER,
    "starts_at": INSTANT,
}
STAMPS = ("archived_at", "cancelled_at", "deleted_at")


class IndividualAppointments(Resource):
    """Appointments of one patient with one practitioner, as opposed to groups (classes)."""

    list_individual_appointments = List(
        IndividualAppointment, "/individual_appointments",
        "List one-to-one appointments (visits). did_not_arrive true gives no-shows (DNA).",
        filters=FILTERS)
    get_individual_appointment = Get(
        IndividualAppointment, "/individual_appointments/{id}",
        "Read one appointment: time, arrival, cancellation, invoice and note status.",
        hidden=STAMPS)
    create_individual_appointment = Create(
        IndividualAppointmentBody, IndividualAppointment, "/individual_appointments",
        "Book an appointment unchecked; book_appointment looks for clashes first. The patient may be notified.")
    update_individual_appointment = Update(
        IndividualAppointmentBody, IndividualAppointment, "/individual_appointments/{id}",
        "Move (reschedule) or change an appointment. With a new starts_at give ends_at, or clear it.")
    archive_individual_appointment = Archive(
        "/individual_appointments/{id}/archive",
        "Remove an appointment made by mistake; cancel_individual_appointment keeps the reason.")
    cancel_individual_appointment = Cancel(
        IndividualAppointmentCancellation, "/individual_appointments/{id}/cancel",
        "Cancel an appointment, with a reason. The patient may be notified. Cannot be undone.")
    get_individual_appointment_conflicts = Conflicts(
        "/individual_appointments/{id}/conflicts",
        "Check whether an appointment overlaps something in the diary: yes or no.")
    delete_individual_appointment = Archive(
        "/individual_appointments/{id}",
        "Archive an appointment the old way. Deprecated: use archive_individual_appointment.",
        method="DELETE", replaced_by="archive_individual_appointment")
