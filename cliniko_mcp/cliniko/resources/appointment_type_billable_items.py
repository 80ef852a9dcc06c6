"""Billable items of appointment types: the fees that a booking of the type puts on the invoice."""

from pydantic import Field

from cliniko_mcp.cliniko.fields import BoundedAmount, Id, Money, Percentage, Timestamp
from cliniko_mcp.cliniko.filters import COMMON, NUMBER
from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.cliniko.operations import Create, Delete, Get, List, Resource, Update


class AppointmentTypeBillableItemChanges(Body):
    billable_item_id: Id
    discount_percentage: Percentage | None = Field(default=None, description="Or discounted_amount.")
    discounted_amount: Money | None = None
    quantity: BoundedAmount


class AppointmentTypeBillableItemBody(AppointmentTypeBillableItemChanges):
    appointment_type_id: Id


class AppointmentTypeBillableItem(Record):
    id: Id
    appointment_type_id: Id | None = None
    billable_item_id: Id | None = None
    created_at: Timestamp | None = None
    discount_percentage: Money | None = None
    discounted_amount: Money | None = None
    is_monetary_discount: bool | None = Field(default=None, description="true: money off. false: a percentage.")
    quantity: Money | None = None
    updated_at: Timestamp | None = None


FILTERS = COMMON | {
    "appointment_type_id": NUMBER,
    "billable_item_id": NUMBER,
}


class AppointmentTypeBillableItems(Resource):
    """The fees charged by default when an appointment of a type is invoiced."""

    list_appointment_type_billable_items = List(
        AppointmentTypeBillableItem, "/appointment_type_billable_items",
        "List the fees that appointment types charge by default.",
        filters=FILTERS)
    get_appointment_type_billable_item = Get(
        AppointmentTypeBillableItem, "/appointment_type_billable_items/{id}",
        "Read one default fee of an appointment type.")
    create_appointment_type_billable_item = Create(
        AppointmentTypeBillableItemBody, AppointmentTypeBillableItem, "/appointment_type_billable_items",
        "Make an appointment type charge a fee (billable item) by default.")
    update_appointment_type_billable_item = Update(
        AppointmentTypeBillableItemChanges, AppointmentTypeBillableItem, "/appointment_type_billable_items/{id}",
        "Change a default fee of an appointment type.")
    delete_appointment_type_billable_item = Delete("/appointment_type_billable_items/{id}", "Take a default fee off an appointment type for good.")
