"""Contacts: people and companies who are not patients, such as referring doctors and payers."""

from typing import Final, Literal

from pydantic import Field

from cliniko_mcp.cliniko.fields import Id, Timestamp, coded, omittable
from cliniko_mcp.cliniko.filters import COMMON, INSTANT, NUMBER, TEXT
from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.cliniko.operations import Archive, Create, Get, List, Resource, Update
from cliniko_mcp.cliniko.shapes.phones import PhoneNumber, PhoneNumberRecord

CONTACT_TYPES: Final = {0: "Standard", 1: "Doctor", 2: "3rd Party Payer"}


class ContactDetails(Body):
    address_1: str | None = Field(default=None, max_length=255)
    address_2: str | None = Field(default=None, max_length=255)
    address_3: str | None = Field(default=None, max_length=255)
    city: str | None = Field(default=None, max_length=255)
    company_name: str | None = Field(default=None, max_length=255)
    country_code: str | None = Field(default=None, max_length=2, description="AU.")
    email: str | None = Field(default=None, max_length=255)
    first_name: str | None = Field(default=None, max_length=255)
    last_name: str | None = Field(default=None, max_length=255)
    notes: str | None = None
    occupation: str | None = Field(default=None, max_length=255)
    post_code: str | None = Field(default=None, max_length=255)
    preferred_name: str | None = None
    provider_number: str | None = Field(default=None, max_length=255)
    state: str | None = Field(default=None, max_length=255)
    title: str | None = None


class ContactBody(ContactDetails):
    doctor_type: Literal["general_practitioner", "specialist"] | None = None
    phone_numbers: list[PhoneNumber] = omittable()
    type_code: coded(CONTACT_TYPES) | None = None  # pyright: ignore[reportInvalidTypeForm]


class Contact(ContactDetails, Record):
    codes = {"type_code": CONTACT_TYPES}
    concise = (
        "id", "title", "first_name", "last_name", "preferred_name", "company_name", "occupation", "type", "doctor_type", "email", "phone_numbers", "city",
        "archived_at", "deleted_at")

    id: Id
    archived_at: Timestamp | None = None
    country: str | None = None
    created_at: Timestamp | None = None
    deleted_at: Timestamp | None = None
    doctor_type: str | None = None
    phone_numbers: list[PhoneNumberRecord] | None = None
    type: str | None = None
    type_code: int | None = Field(default=None, description="0 Standard, 1 Doctor, 2 3rd Party Payer.")
    updated_at: Timestamp | None = None


FILTERS = COMMON | {
    "archived_at": INSTANT,
    "company_name": TEXT,
    "deleted_at": INSTANT,
    "email": TEXT,
    "first_name": TEXT,
    "last_name": TEXT,
    "occupation": TEXT,
    "type_code": NUMBER,
}


class Contacts(Resource):
    """The clinic's address book apart from patients: GPs, specialists, insurers, solicitors, employers."""

    list_contacts = List(Contact, "/contacts", "List contacts (address book): doctors, payers and others.", filters=FILTERS)
    get_contact = Get(Contact, "/contacts/{id}", "Read one contact (doctor, payer) in full.", hidden=("archived_at", "deleted_at"))
    create_contact = Create(ContactBody, Contact, "/contacts", "Add a contact: referring doctor, payer or other.")
    update_contact = Update(ContactBody, Contact, "/contacts/{id}", "Change a contact's details.")
    archive_contact = Archive("/contacts/{id}/archive", "Take a contact (doctor, payer) out of the address book.")
    delete_contact = Archive(
        "/contacts/{id}",
        "Archive a contact the old way. Deprecated: use archive_contact.",
        method="DELETE", replaced_by="archive_contact")
