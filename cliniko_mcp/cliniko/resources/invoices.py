"""Invoices: what patients were billed. They are made and paid in Cliniko itself and only read here."""

from pydantic import Field

from cliniko_mcp.cliniko.codes import INVOICE_STATUSES
from cliniko_mcp.cliniko.fields import Id, LocalDate, Money, Timestamp, Uri
from cliniko_mcp.cliniko.filters import COMMON, DATE, INSTANT, NUMBER
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.operations import Get, List, Resource


class Invoice(Record):
    codes = {"status": INVOICE_STATUSES}
    concise = (
        "id", "number", "issue_date", "patient_id", "practitioner_id", "business_id", "status_description", "total_amount", "closed_at", "original_invoice_id",
        "archived_at", "deleted_at")

    id: Id
    appointment_id: Id | None = None
    archived_at: Timestamp | None = None
    attendee_id: Id | None = None
    business_id: Id | None = None
    calculation_method: int | None = None
    calculation_method_description: str | None = None
    closed_at: Timestamp | None = None
    created_at: Timestamp | None = None
    deleted_at: Timestamp | None = None
    discounted_amount: Money | None = None
    invoice_to: str | None = None
    issue_date: LocalDate | None = None
    net_amount: Money | None = None
    notes: str | None = None
    number: int | None = None
    online_payment_url: Uri | None = None
    original_invoice_id: Id | None = Field(default=None, description="The invoice that this one reverses.")
    patient_extra_information: str | None = None
    patient_id: Id | None = None
    practitioner_id: Id | None = None
    signature_id: Id | None = None
    status: int | None = Field(default=None, description="10 open, 20 paid, 30 closed, 40 open credit.")
    status_description: str | None = None
    tax_amount: Money | None = None
    total_amount: Money | None = None
    updated_at: Timestamp | None = None


FILTERS = COMMON | {
    "appointment_id": NUMBER,
    "archived_at": INSTANT,
    "attendee_id": NUMBER,
    "business_id": NUMBER,
    "closed_at": INSTANT,
    "deleted_at": INSTANT,
    "issue_date": DATE,
    "number": NUMBER,
    "original_invoice_id": NUMBER,
    "patient_id": NUMBER,
    "practitioner_id": NUMBER,
    "status": NUMBER,
}


class Invoices(Resource):
    """Bills to patients, with status and totals; payments are not in this API."""

    list_invoices = List(Invoice, "/invoices", "List invoices (bills): unpaid (open), paid, closed, credit.", filters=FILTERS)
    get_invoice = Get(Invoice, "/invoices/{id}", "Read one invoice (bill). Its lines are in list_invoice_items.", hidden=("archived_at", "deleted_at"))
    list_appointment_invoices = List(Invoice, "/appointments/{appointment_id}/invoices", "List the invoices (bills) of one appointment.", filters=FILTERS)
    list_patient_case_invoices = List(Invoice, "/patient_cases/{patient_case_id}/invoices", "List the invoices (bills) of one patient case.", filters=FILTERS)
    list_attendee_invoices = List(
        Invoice, "/attendees/{attendee_id}/invoices",
        "List the invoices of one attendee. Deprecated: use list_invoices with attendee_id.",
        filters=FILTERS, replaced_by="list_invoices")
    list_patient_invoices = List(
        Invoice, "/patients/{patient_id}/invoices",
        "List the invoices of one patient. Deprecated: use list_invoices with patient_id.",
        filters=FILTERS, replaced_by="list_invoices")
    list_practitioner_invoices = List(
        Invoice, "/practitioners/{practitioner_id}/invoices",
        "List the invoices of one practitioner. Deprecated: use list_invoices with practitioner_id.",
        filters=FILTERS, replaced_by="list_invoices")
