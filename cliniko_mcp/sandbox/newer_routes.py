"""Routes that are newer than the official description, as live clients report them; none is verified.

Recalls and their types, and prices of discount groups that can be written (cliniko-api.md#discrepancies, choices 79).
"""

from collections.abc import Mapping
from typing import Final

from cliniko_mcp.cliniko.fields import Id, Instant, Money
from cliniko_mcp.cliniko.filters import COMMON, INSTANT, NUMBER
from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.cliniko.operations import Archive, Create, Get, List, Operation, Update
from cliniko_mcp.cliniko.resources.concession_prices import ConcessionPrice


class RecallTypeBody(Body):
    """A recall type as it is sent."""

    name: str


class RecallType(Record):
    """A recall type as the demo clinic returns it."""

    id: Id
    archived_at: Instant | None = None
    created_at: Instant
    name: str | None = None
    updated_at: Instant


class RecallBody(Body):
    """A recall as it is sent: whose, of which type, and when (UTC)."""

    patient_id: Id
    recall_type_id: Id
    recall_at: Instant
    notes: str | None = None


class Recall(Record):
    """A recall as the demo clinic returns it."""

    id: Id
    archived_at: Instant | None = None
    created_at: Instant
    notes: str | None = None
    patient_id: Id | None = None
    recall_at: Instant | None = None
    recall_type_id: Id | None = None
    updated_at: Instant


class ConcessionPriceBody(Body):
    """A price for a discount group as it is sent; the price is decimal text such as `85.00`."""

    billable_item_id: Id
    concession_type_id: Id
    price: Money


RECORDS: Final[Mapping[str, type[Record]]] = {"recall_types": RecallType, "recalls": Recall}
"""The record types of resources that no registry has."""

_RECALL_TYPE_FILTERS: Final = COMMON | {"archived_at": INSTANT}
_RECALL_FILTERS: Final = _RECALL_TYPE_FILTERS | {"patient_id": NUMBER, "recall_type_id": NUMBER, "recall_at": INSTANT}


def _named(resource: str, *operations: Operation) -> tuple[Operation, ...]:
    for operation in operations:
        operation.name, operation.resource = f"{operation.method} {operation.path}", resource
    return operations


NEWER: Final = (
    *_named(
        "recall_types",
        List(RecallType, "/recall_types", "Newer list.", filters=_RECALL_TYPE_FILTERS),
        Get(RecallType, "/recall_types/{id}", "Newer read.", hidden=("archived_at",)),
        Create(RecallTypeBody, RecallType, "/recall_types", "Newer create."),
        Update(RecallTypeBody, RecallType, "/recall_types/{id}", "Newer update."),
        Archive("/recall_types/{id}/archive", "Newer archive."),
        Archive("/recall_types/{id}", "Newer delete.", method="DELETE"),
    ),
    *_named(
        "recalls",
        List(Recall, "/recalls", "Newer list.", filters=_RECALL_FILTERS),
        Get(Recall, "/recalls/{id}", "Newer read.", hidden=("archived_at",)),
        Create(RecallBody, Recall, "/recalls", "Newer create."),
        Update(RecallBody, Recall, "/recalls/{id}", "Newer update."),
        Archive("/recalls/{id}/archive", "Newer archive."),
        Archive("/recalls/{id}", "Newer delete.", method="DELETE"),
    ),
    *_named(
        "concession_prices",
        Create(ConcessionPriceBody, ConcessionPrice, "/concession_prices", "Newer create."),
        Update(ConcessionPriceBody, ConcessionPrice, "/concession_prices/{id}", "Newer update."),
    ),
)
"""Operations of the demo clinic alone, off unless named."""
