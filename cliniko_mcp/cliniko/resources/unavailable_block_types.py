"""Unavailable block types: the kinds of time off that the diary knows, such as lunch, meeting or holiday."""

from pydantic import Field

from cliniko_mcp.cliniko.fields import Colour, Id, Timestamp
from cliniko_mcp.cliniko.filters import COMMON, INSTANT
from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.cliniko.operations import Archive, Create, Get, List, Resource, Update


class UnavailableBlockTypeBody(Body):
    color: Colour
    duration_in_minutes: int = Field(ge=1, le=1439)
    name: str = Field(max_length=255)


class UnavailableBlockType(Record):
    id: Id
    archived_at: Timestamp | None = None
    color: str | None = None
    created_at: Timestamp | None = None
    duration_in_minutes: int | None = None
    name: str | None = None
    system_controlled: bool | None = Field(default=None, description="true: Cliniko's own, not to be changed.")
    updated_at: Timestamp | None = None


FILTERS = COMMON | {
    "archived_at": INSTANT,
}


class UnavailableBlockTypes(Resource):
    """Kinds of time off in the diary: lunch, meeting, admin, leave."""

    list_unavailable_block_types = List(
        UnavailableBlockType, "/unavailable_block_types",
        "List kinds of blocked-out time (lunch, meeting, leave).",
        filters=FILTERS)
    get_unavailable_block_type = Get(UnavailableBlockType, "/unavailable_block_types/{id}", "Read one kind of blocked-out time.", hidden=("archived_at",))
    create_unavailable_block_type = Create(
        UnavailableBlockTypeBody, UnavailableBlockType, "/unavailable_block_types",
        "Add a kind of blocked-out time, such as supervision.")
    update_unavailable_block_type = Update(
        UnavailableBlockTypeBody, UnavailableBlockType, "/unavailable_block_types/{id}",
        "Change a kind of blocked-out time.")
    archive_unavailable_block_type = Archive("/unavailable_block_types/{id}/archive", "Stop offering a kind of blocked-out time.")
