"""Relationships: which patients of the clinic are related to each other, and how."""

from typing import Final

from pydantic import Field

from cliniko_mcp.cliniko.fields import Id, Timestamp, coded
from cliniko_mcp.cliniko.filters import COMMON, INSTANT, NUMBER
from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.cliniko.operations import Archive, Create, Get, List, Resource, Update

RELATIONS: Final = {
    10: "Parent",
    20: "Child",
    30: "Sibling",
    40: "Spouse",
    50: "Partner",
    60: "Relative",
    70: "Other",
}


class RelationshipBody(Body):
    patient_id: Id
    related_patient_id: Id
    relation: coded(RELATIONS) = Field(description="Compare an existing one.")  # pyright: ignore[reportInvalidTypeForm]


class Relationship(RelationshipBody, Record):
    remark = "The relation says what the related patient is to the patient, so a Parent is the related patient (assumed: Cliniko does not say which way)."

    id: Id
    archived_at: Timestamp | None = None
    created_at: Timestamp | None = None
    relation: int | None = None
    relation_description: str | None = None
    updated_at: Timestamp | None = None


class Relationships(Resource):
    """Family and other ties between patients."""

    list_relationships = List(
        Relationship, "/relationships",
        "List family relationships between patients.",
        filters=COMMON | {"archived_at": INSTANT, "patient_id": NUMBER})
    get_relationship = Get(Relationship, "/relationships/{id}", "Read one family relationship.", hidden=("archived_at",))
    create_relationship = Create(RelationshipBody, Relationship, "/relationships", "Record that two patients are related (parent, child, spouse).")
    update_relationship = Update(RelationshipBody, Relationship, "/relationships/{id}", "Correct how two patients are related.")
    archive_relationship = Archive("/relationships/{id}/archive", "Archive a relationship; both patients stay.")
