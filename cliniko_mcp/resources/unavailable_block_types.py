"""Unavailable block types: the kinds of time off that the diary knows, such as lunch, meeting or holiday."""

from pydantic import Field

from cliniko_mcp.fields import Colour, Id, Instant
from cliniko_mcp.filters import COMMON, INSTANT
from cliniko_mcp.model import Body, Record
from cliniko_mcp.operation import Archive, Create, Get, List, Resource, Update


class UnavailableBlockTypeBody(Body):
    color: Colour
    duration_in_minutes: int = Field(ge=1, le=1439, description="Length offered at first for a new block.")
    name: str = Field(max_length=255)


class UnavailableBlockType(Record):
    id: Id
    archived_at: Instant | None = None
    color: str | None = None
    created_at: Instant
    duration_in_minutes: int | None = None
    name: str | None = None
    system_controlled: bool | None = Field(default=None, description="true: Cliniko's own, not to be changed.")
    updated_at: Instant


FILTERS = COMMON | {
    "archived_at": INSTANT,
}


class UnavailableBlockTypes(Resource):
    """Kinds of time off in the diary: lunch, meeting, admin, leave."""

    list_unavailable_block_types = List(UnavailableBlockType, "/unavailable_block_types", "List the kinds of blocked-out time in the diary (lunch, meeting, leave) with colour and usual length. The blocks themselves are in list_unavailable_blocks.",
                                        filters=FILTERS, synonyms="time off break holiday admin training categories of blocks")
    get_unavailable_block_type = Get(UnavailableBlockType, "/unavailable_block_types/{id}", "Read one kind of blocked-out time (lunch, meeting, leave): colour and usual length.",
                                     hidden=("archived_at",), synonyms="time off break holiday category")
    create_unavailable_block_type = Create(UnavailableBlockTypeBody, UnavailableBlockType, "/unavailable_block_types", "Add a kind of blocked-out time to the diary, such as supervision. To block out time itself use create_unavailable_block.",
                                           synonyms="new time off category break holiday meeting kind")
    update_unavailable_block_type = Update(UnavailableBlockTypeBody, UnavailableBlockType, "/unavailable_block_types/{id}", "Change the name, colour or usual length of a kind of blocked-out time. Cliniko may refuse for its own kinds (system_controlled).",
                                           synonyms="rename time off category recolour break length edit")
    archive_unavailable_block_type = Archive("/unavailable_block_types/{id}/archive", "Stop offering a kind of blocked-out time by archiving it; blocks already in the diary stay. Cannot be undone here.",
                                             synonyms="retire time off category remove break kind discontinue")
