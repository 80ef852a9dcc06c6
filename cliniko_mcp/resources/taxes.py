"""Taxes: the rates that billable items and products can carry."""

from pydantic import Field

from cliniko_mcp.fields import Id, Instant, Money, NonNegative, omittable
from cliniko_mcp.filters import COMMON
from cliniko_mcp.model import Body, Record
from cliniko_mcp.operation import Create, Delete, Get, List, Resource, Update


class TaxBody(Body):
    name: str = Field(description="Shown on invoices, such as GST.")
    rate: NonNegative = Field(description="Percent, such as 10.")
    amount: NonNegative = omittable(description="Old name of rate.")


class Tax(Record):
    concise = ("id", "name", "rate")

    id: Id
    amount: Money | None = None
    created_at: Instant
    name: str | None = None
    rate: Money | None = None
    updated_at: Instant


class Taxes(Resource):
    """Tax rates such as GST or VAT."""

    list_taxes = List(Tax, "/taxes", "List the tax rates (GST, VAT) that items and products can carry.",
                      filters=COMMON, synonyms="gst vat sales tax percentage rates")
    get_tax = Get(Tax, "/taxes/{id}", "Read one tax rate: its name and percentage.", synonyms="gst vat percentage")
    create_tax = Create(TaxBody, Tax, "/taxes", "Add a tax rate (GST, VAT) with its name and percentage.", synonyms="new gst vat percentage")
    update_tax = Update(TaxBody, Tax, "/taxes/{id}", "Rename a tax or change its percentage, for items and products that carry it.",
                        synonyms="gst vat change percentage increase")
    delete_tax = Delete("/taxes/{id}", "Delete a tax rate for good. Look first for items and products that carry it: tax_id in list_billable_items and list_products. Cannot be undone.",
                        synonyms="remove gst vat")
