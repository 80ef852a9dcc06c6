"""Practitioner reference numbers: the numbers by which insurers know a practitioner, one for each site where needed."""


from cliniko_mcp.cliniko.fields import Id, Timestamp
from cliniko_mcp.cliniko.filters import COMMON, NUMBER, TEXT
from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.cliniko.operations import Create, Delete, Get, List, Resource, Update


class PractitionerReferenceNumberBody(Body):
    business_id: Id
    name: str | None
    practitioner_id: Id
    reference_number: str | None


class PractitionerReferenceNumber(Record):
    id: Id
    business_id: Id | None = None
    created_at: Timestamp | None = None
    name: str | None = None
    practitioner_id: Id | None = None
    reference_number: str | None = None
    updated_at: Timestamp | None = None


FILTERS = COMMON | {
    "business_id": NUMBER,
    "practitioner_id": NUMBER,
    "reference_number": TEXT,
}


class PractitionerReferenceNumbers(Resource):
    """Provider numbers of the practitioners, for each site."""

    list_practitioner_reference_numbers = List(
        PractitionerReferenceNumber, "/practitioner_reference_numbers",
        "List practitioners' provider numbers, as printed on invoices.",
        filters=FILTERS)
    get_practitioner_reference_number = Get(PractitionerReferenceNumber, "/practitioner_reference_numbers/{id}", "Read one provider number.")
    create_practitioner_reference_number = Create(
        PractitionerReferenceNumberBody, PractitionerReferenceNumber, "/practitioner_reference_numbers",
        "Give a practitioner a provider number for one site.")
    update_practitioner_reference_number = Update(
        PractitionerReferenceNumberBody, PractitionerReferenceNumber, "/practitioner_reference_numbers/{id}",
        "Correct a provider number, or whose it is.")
    delete_practitioner_reference_number = Delete("/practitioner_reference_numbers/{id}", "Delete a practitioner's provider number for good.")
    list_practitioner_own_reference_numbers = List(
        PractitionerReferenceNumber, "/practitioners/{practitioner_id}/practitioner_reference_numbers",
        "List one practitioner's provider numbers. Deprecated: use list_practitioner_reference_numbers with practitioner_id.",
        filters=FILTERS, replaced_by="list_practitioner_reference_numbers")
