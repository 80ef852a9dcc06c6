"""Taxes: the rates that billable items and products can carry."""

from pydantic import Field

from cliniko_mcp.cliniko.fields import Id, Money, NonNegative, Timestamp, omittable
from cliniko_mcp.cliniko.filters import COMMON
from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.cliniko.operations import Create, Delete, Get, List, Resource, Update


class TaxBody(Body):
    name: str
    rate: NonNegative = Field(description="Percent.")
    amount: NonNegative = omittable(description="Deprecated.")


class Tax(Record):
    concise = ("id", "name", "rate")

    id: Id
    amount: Money | None = None
    created_at: Timestamp | None = None
    name: str | None = None
    rate: Money | None = None
    updated_at: Timestamp | None = None


class Taxes(Resource):
    """Tax rates such as GST or VAT."""

    list_taxes = List(Tax, "/taxes", "List tax rates (GST, VAT).", filters=COMMON)
    get_tax = Get(Tax, "/taxes/{id}", "Read one tax rate (GST, VAT).")
    create_tax = Create(TaxBody, Tax, "/taxes", "Add a tax rate (GST, VAT).")
    update_tax = Update(TaxBody, Tax, "/taxes/{id}", "Rename a tax (GST, VAT) or change its rate.")
    delete_tax = Delete("/taxes/{id}", "Delete a tax rate for good.")
