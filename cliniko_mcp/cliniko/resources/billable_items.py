"""Billable items: the fees that the clinic can put on an invoice."""

from typing import Literal

from pydantic import Field

from cliniko_mcp.cliniko.fields import BoundedAmount, Id, Money, Timestamp
from cliniko_mcp.cliniko.filters import COMMON, INSTANT, NUMBER
from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.cliniko.operations import Archive, Create, Get, List, Resource, Update


class BillableItemDetails(Body):
    item_code: str | None = Field(default=None, max_length=100)
    name: str = Field(max_length=255)
    tax_id: Id | None = None


class BillableItemBody(BillableItemDetails):
    item_type: Literal["Product", "Service", "Other"]
    price: BoundedAmount = Field(description="Before tax.")


class BillableItem(BillableItemDetails, Record):
    id: Id
    archived_at: Timestamp | None = None
    created_at: Timestamp | None = None
    item_type: str | None = None
    price: Money | None = None
    updated_at: Timestamp | None = None


FILTERS = COMMON | {
    "archived_at": INSTANT,
    "tax_id": NUMBER,
}


class BillableItems(Resource):
    """The clinic's fees: price list, item codes, rates for a consultation."""

    list_billable_items = List(BillableItem, "/billable_items", "List fees (the price list): name, code, price, tax.", filters=FILTERS)
    get_billable_item = Get(BillableItem, "/billable_items/{id}", "Read one fee (billable item).", hidden=("archived_at",))
    create_billable_item = Create(BillableItemBody, BillableItem, "/billable_items", "Add a fee (billable item) to the price list.")
    update_billable_item = Update(BillableItemBody, BillableItem, "/billable_items/{id}", "Change a fee; invoices already made stay.")
    archive_billable_item = Archive("/billable_items/{id}/archive", "Take a fee off the price list by archiving it.")
    delete_billable_item = Archive(
        "/billable_items/{id}",
        "Archive a fee the old way. Deprecated: use archive_billable_item.",
        method="DELETE", replaced_by="archive_billable_item")
