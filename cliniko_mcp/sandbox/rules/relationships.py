"""Relationships: one row from one patient to another, with the relation in words (cliniko-api.md#people)."""

from typing import Final

from cliniko_mcp.cliniko.resources.relationships import RELATIONS
from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.rulebook import Change, Rulebook
from cliniko_mcp.sandbox.store import Row
from cliniko_mcp.sandbox.validation import INVALID
from cliniko_mcp.sandbox.wire import Json

RULES: Final = Rulebook[RequestContext]()


@RULES.on("relationships", "create", "update")
def check_pair(context: RequestContext, change: Change) -> None:
    """Nobody is related to themselves; that both are live patients is checked as for every id that is sent."""
    if change.new.get("patient_id") == change.new.get("related_patient_id"):
        change.errors["related_patient_id"] = INVALID


@RULES.serialises("relationships")
def show_relation(context: RequestContext, row: Row, shown: Json) -> None:
    """The code in words."""
    relation = row.get("relation")
    shown["relation_description"] = RELATIONS.get(relation) if isinstance(relation, int) else None
