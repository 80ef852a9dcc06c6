"""Concession types: the discount groups that patients may belong to."""

from pydantic import Field

from cliniko_mcp.cliniko.fields import Id, Timestamp
from cliniko_mcp.cliniko.filters import COMMON, INSTANT
from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.cliniko.operations import Create, Get, List, Resource, Update


class ConcessionTypeBody(Body):
    name: str = Field(max_length=255)


class ConcessionType(ConcessionTypeBody, Record):
    id: Id
    archived_at: Timestamp | None = None
    created_at: Timestamp | None = None
    updated_at: Timestamp | None = None


FILTERS = COMMON | {
    "archived_at": INSTANT,
}


class ConcessionTypes(Resource):
    """Discount groups: pensioner, student, health care card."""

    list_concession_types = List(ConcessionType, "/concession_types", "List discount groups (concessions), such as pensioner or student.", filters=FILTERS)
    get_concession_type = Get(ConcessionType, "/concession_types/{id}", "Read one discount group (concession).", hidden=("archived_at",))
    create_concession_type = Create(ConcessionTypeBody, ConcessionType, "/concession_types", "Add a discount group (concession).")
    update_concession_type = Update(ConcessionTypeBody, ConcessionType, "/concession_types/{id}", "Rename a discount group (concession).")
