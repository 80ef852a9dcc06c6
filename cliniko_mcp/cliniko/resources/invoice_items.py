"""Invoice items: the lines of invoices, each with its quantity, price, discount and tax."""

from pydantic import Field

from cliniko_mcp.cliniko.fields import Id, Money, Number, Timestamp
from cliniko_mcp.cliniko.filters import COMMON, INSTANT, NUMBER
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.operations import Get, List, Resource


class InvoiceItem(Record):
    concise = ("id", "name", "code", "quantity", "unit_price", "total_including_tax", "invoice_id", "archived_at", "deleted_at")

    id: Id
    archived_at: Timestamp | None = None
    billable_item_id: Id | None = Field(default=None, description="The fee charged, when it is one.")
    code: str | None = None
    concession_type_name: str | None = None
    created_at: Timestamp | None = None
    deleted_at: Timestamp | None = None
    discount_percentage: Money | None = None
    discounted_amount: Money | None = None
    invoice_id: Id | None = None
    is_monetary_discount: bool | None = Field(default=None, description="true: money off. false: a percentage.")
    name: str | None = None
    net_price: Money | None = None
    product_id: Id | None = Field(default=None, description="The product sold, when it is one.")
    quantity: Money | None = None
    tax_amount: Money | None = Field(default=None, description="Deprecated; see tax_rate.")
    tax_name: str | None = None
    tax_rate: Money | None = None
    total_including_tax: Number | None = None
    unit_price: Money | None = None
    updated_at: Timestamp | None = None


FILTERS = COMMON | {
    "archived_at": INSTANT,
    "deleted_at": INSTANT,
    "invoice_id": NUMBER,
    "source_item_id": NUMBER,
}


class InvoiceItems(Resource):
    """Lines of invoices: what was charged, how many, at what price."""

    list_invoice_items = List(
        InvoiceItem, "/invoice_items",
        "List invoice lines: fee or product, quantity, price. source_item_id gives all sales of one.",
        filters=FILTERS)
    get_invoice_item = Get(InvoiceItem, "/invoice_items/{id}", "Read one invoice line.", hidden=("archived_at", "deleted_at"))
    list_invoice_invoice_items = List(
        InvoiceItem, "/invoices/{invoice_id}/invoice_items",
        "List the lines of one invoice. Deprecated: use list_invoice_items with invoice_id.",
        filters=FILTERS, replaced_by="list_invoice_items")
