"""Products of appointment types: the goods that a booking of the type puts on the invoice."""

from pydantic import Field

from cliniko_mcp.cliniko.fields import BoundedAmount, Id, Money, Percentage, Timestamp
from cliniko_mcp.cliniko.filters import COMMON, NUMBER
from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.cliniko.operations import Create, Delete, Get, List, Resource, Update


class AppointmentTypeProductChanges(Body):
    discount_percentage: Percentage | None = Field(default=None, description="Or discounted_amount.")
    discounted_amount: Money | None = None
    product_id: Id
    quantity: BoundedAmount


class AppointmentTypeProductBody(AppointmentTypeProductChanges):
    appointment_type_id: Id


class AppointmentTypeProduct(Record):
    id: Id
    appointment_type_id: Id | None = None
    created_at: Timestamp | None = None
    discount_percentage: Money | None = None
    discounted_amount: Money | None = None
    is_monetary_discount: bool | None = Field(default=None, description="true: money off. false: a percentage.")
    product_id: Id | None = None
    quantity: Money | None = None
    updated_at: Timestamp | None = None


FILTERS = COMMON | {
    "appointment_type_id": NUMBER,
    "product_id": NUMBER,
}


class AppointmentTypeProducts(Resource):
    """The goods sold by default when an appointment of a type is invoiced."""

    list_appointment_type_products = List(
        AppointmentTypeProduct, "/appointment_type_products",
        "List the products that appointment types sell by default.",
        filters=FILTERS)
    get_appointment_type_product = Get(AppointmentTypeProduct, "/appointment_type_products/{id}", "Read one default product of an appointment type.")
    create_appointment_type_product = Create(
        AppointmentTypeProductBody, AppointmentTypeProduct, "/appointment_type_products",
        "Make an appointment type sell a product by default.")
    update_appointment_type_product = Update(
        AppointmentTypeProductChanges, AppointmentTypeProduct, "/appointment_type_products/{id}",
        "Change a default product of an appointment type.")
    delete_appointment_type_product = Delete("/appointment_type_products/{id}", "Take a default product off an appointment type for good.")
