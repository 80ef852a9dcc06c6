"""Unavailable blocks: times when a practitioner cannot be booked, such as leave, lunch or meetings."""

from cliniko_mcp.cliniko.fields import Id, Instant
from cliniko_mcp.cliniko.filters import COMMON, INSTANT, NUMBER
from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.cliniko.operations import Archive, Conflicts, Create, Get, List, Resource, Update
from cliniko_mcp.cliniko.shapes.bookings import BookingStamps
from cliniko_mcp.cliniko.shapes.repeats import RepeatRule


class UnavailableBlockBody(Body):
    practitioner_id: Id
    business_id: Id
    starts_at: Instant
    ends_at: Instant
    notes: str | None = None
    repeat_rule: RepeatRule | None = None
    unavailable_block_type_id: Id | None = None


class UnavailableBlock(BookingStamps):
    concise = ("id", "starts_at", "ends_at", "practitioner_id", "business_id", "unavailable_block_type_id", "notes", "archived_at", "deleted_at")

    unavailable_block_type_id: Id | None = None


FILTERS = COMMON | {
    "archived_at": INSTANT,
    "business_id": NUMBER,
    "deleted_at": INSTANT,
    "ends_at": INSTANT,
    "practitioner_id": NUMBER,
    "repeated_from_id": NUMBER,
    "starts_at": INSTANT,
    "unavailable_block_type_id": NUMBER,
}
STAMPS = ("archived_at", "deleted_at")


class UnavailableBlocks(Resource):
    """Blocked-out time in a practitioner's diary."""

    list_unavailable_blocks = List(UnavailableBlock, "/unavailable_blocks", "List blocked-out time: leave (holiday), lunch, meetings.", filters=FILTERS)
    get_unavailable_block = Get(UnavailableBlock, "/unavailable_blocks/{id}", "Read one blocked-out time.", hidden=STAMPS)
    create_unavailable_block = Create(
        UnavailableBlockBody, UnavailableBlock, "/unavailable_blocks",
        "Block out a practitioner's time for leave (holiday), lunch or a meeting. Appointments already there stay.")
    update_unavailable_block = Update(UnavailableBlockBody, UnavailableBlock, "/unavailable_blocks/{id}", "Move, lengthen or shorten blocked-out time.")
    archive_unavailable_block = Archive("/unavailable_blocks/{id}/archive", "Unblock time, so that it can be booked.")
    get_unavailable_block_conflicts = Conflicts(
        "/unavailable_blocks/{id}/conflicts",
        "Check whether blocked-out time overlaps something in the diary: yes or no.")
    delete_unavailable_block = Archive(
        "/unavailable_blocks/{id}",
        "Archive a blocked-out time the old way. Deprecated: use archive_unavailable_block.",
        method="DELETE", replaced_by="archive_unavailable_block")
