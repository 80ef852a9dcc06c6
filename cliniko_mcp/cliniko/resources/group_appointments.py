"""Group appointments: classes and other sessions with several places, which attendees fill."""

from pydantic import Field

from cliniko_mcp.cliniko.fields import Id, Instant, Uri, omittable
from cliniko_mcp.cliniko.filters import ARRAY, COMMON, INSTANT, NUMBER
from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.cliniko.operations import Archive, Conflicts, Create, Get, List, Resource, Update
from cliniko_mcp.cliniko.shapes.bookings import BookingStamps
from cliniko_mcp.cliniko.shapes.repeats import RepeatRule


class GroupAppointmentBody(Body):
    practitioner_id: Id
    appointment_type_id: Id
    business_id: Id
    starts_at: Instant
    ends_at: Instant | None = None
    max_attendees: int = omittable(ge=2, le=99)
    notes: str | None = None
    repeat_rule: RepeatRule | None = None


class GroupAppointment(BookingStamps):
    concise = (
        "id", "starts_at", "ends_at", "practitioner_id", "appointment_type_id", "business_id", "max_attendees", "patient_ids", "notes", "archived_at",
        "deleted_at")

    appointment_type_id: Id | None = None
    max_attendees: int | None = None
    patient_ids: list[Id] | None = Field(default=None, description="The patients who hold a place now.")
    telehealth_url: Uri | None = None


FILTERS = COMMON | {
    "appointment_type_id": NUMBER,
    "archived_at": INSTANT,
    "business_id": NUMBER,
    "deleted_at": INSTANT,
    "ends_at": INSTANT,
    "patient_ids": ARRAY,
    "practitioner_id": NUMBER,
    "repeated_from_id": NUMBER,
    "starts_at": INSTANT,
}
STAMPS = ("archived_at", "deleted_at")


class GroupAppointments(Resource):
    """Classes, groups and workshops."""

    list_group_appointments = List(
        GroupAppointment, "/group_appointments",
        "List classes (group appointments) with places and who holds them.",
        filters=FILTERS)
    get_group_appointment = Get(GroupAppointment, "/group_appointments/{id}", "Read one class (group appointment) and who holds its places.", hidden=STAMPS)
    create_group_appointment = Create(
        GroupAppointmentBody, GroupAppointment, "/group_appointments",
        "Put a class (group appointment) in the diary; add patients with create_attendee.")
    update_group_appointment = Update(
        GroupAppointmentBody, GroupAppointment, "/group_appointments/{id}",
        "Move (reschedule) or change a class. With a new starts_at give ends_at, or clear it.")
    archive_group_appointment = Archive("/group_appointments/{id}/archive", "Call off a whole class (group appointment); for one patient use cancel_attendee.")
    get_group_appointment_conflicts = Conflicts("/group_appointments/{id}/conflicts", "Check whether a class overlaps something in the diary: yes or no.")
    delete_group_appointment = Archive(
        "/group_appointments/{id}",
        "Archive a group appointment the old way. Deprecated: use archive_group_appointment.",
        method="DELETE", replaced_by="archive_group_appointment")
