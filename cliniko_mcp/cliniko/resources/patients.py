"""Patients: the people the clinic cares for, with contact details, reminders, billing notes and custom fields."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from cliniko_mcp.cliniko.fields import Email, Id, LocalDate, Timestamp, omittable
from cliniko_mcp.cliniko.filters import COMMON, DATE, FLAG, INSTANT, TEXT
from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.cliniko.operations import Archive, Create, Get, List, Resource, Unarchive, Update
from cliniko_mcp.cliniko.shapes.custom_fields import CustomFields, CustomFieldsRecord
from cliniko_mcp.cliniko.shapes.phones import PhoneNumber, PhoneNumberRecord

_DVA_CARD = re.compile(r"[NVQSWT]([A-Z ][0-9]{1,6}|[A-Z]{2}[0-9]{1,5}|[A-Z]{3}[0-9]{1,4})[A-Z]?")


def _dva_card(value: str) -> str:
    if not _DVA_CARD.fullmatch(value):
        raise ValueError("must be a DVA file number in capitals, such as NX123456")
    return value


def _pronoun(value: str) -> str:
    if not 0 < len(value.strip()) <= 50:
        raise ValueError("must be 1 to 50 characters")
    return value


# Limits are checked here and left out of the schema: updating a patient is the largest of all tools.
Pronoun = Annotated[str, AfterValidator(_pronoun)]


class Pronouns(Body):
    nominative: Pronoun = omittable()
    accusative: Pronoun = omittable()
    pronominal_possessive: Pronoun = omittable()
    predicative_possessive: Pronoun = omittable()
    reflexive: Pronoun = omittable()

    @model_validator(mode="after")
    def _all_five(self) -> Self:
        missing = [name for name in type(self).model_fields if name not in self.model_fields_set]
        if missing:
            raise ValueError(f"needs all five forms; {', '.join(missing)} left out")
        return self


class PronounsRecord(Record):
    nominative: str | None = None
    accusative: str | None = None
    pronominal_possessive: str | None = None
    predicative_possessive: str | None = None
    reflexive: str | None = None


class PatientDetails(Body):
    accepted_email_marketing: bool | None = None
    accepted_privacy_policy: bool | None = None
    address_1: str | None = Field(default=None, max_length=255)
    address_2: str | None = Field(default=None, max_length=255)
    address_3: str | None = Field(default=None, max_length=255)
    appointment_notes: str | None = None
    city: str | None = Field(default=None, max_length=255)
    concession_type_id: Id | None = None
    country: str | None = Field(default=None, description="Deprecated.")
    country_code: str | None = None
    date_of_birth: LocalDate | None = None
    emergency_contact: str | None = Field(default=None, max_length=255)
    gender_identity: str | None = None
    invoice_default_to: str | None = None
    invoice_extra_information: str | None = None
    medicare: str | None = Field(default=None, max_length=255)
    medicare_reference_number: str | None = Field(default=None, max_length=255)
    notes: str | None = None
    occupation: str | None = Field(default=None, max_length=255)
    old_reference_id: str | None = Field(default=None, max_length=255)
    post_code: str | None = None
    preferred_first_name: str | None = Field(default=None, max_length=255)
    receives_cancellation_emails: bool | None = None
    receives_confirmation_emails: bool | None = None
    referral_source: str | None = Field(default=None, max_length=255)
    referring_doctor_id: Id | None = Field(default=None, description="A doctor contact.")
    sex: str | None = None
    state: str | None = None
    time_zone: str | None = None
    title: str | None = Field(default=None, max_length=255)


class PatientBody(PatientDetails):
    first_name: str = Field(max_length=255)
    last_name: str = Field(max_length=255)
    custom_fields: CustomFields | None = Field(default=None, description="Tokens: get_public_settings.")
    dva_card_number: Annotated[str, AfterValidator(_dva_card)] | None = None
    email: Email | None = Field(default=None, max_length=255)
    invoice_email: Email | None = None
    patient_phone_numbers: list[PhoneNumber] = omittable()
    pronouns: Pronouns | None = None
    reminder_type: Literal["None", "SMS", "Email", "SMS & Email"] | None = None
    unsubscribe_sms_marketing: bool = omittable()


class Patient(PatientDetails, Record):
    concise = (
        "id", "label", "preferred_first_name", "date_of_birth", "email", "patient_phone_numbers", "city", "appointment_notes", "archived_at", "deleted_at",
        "merged_at", "merged_with_patient_id")

    id: Id
    accepted_sms_marketing: bool | None = None
    archived_at: Timestamp | None = None
    created_at: Timestamp | None = None
    custom_fields: CustomFieldsRecord | None = None
    deleted_at: Timestamp | None = None
    dva_card_number: str | None = None
    email: str | None = None
    first_name: str | None = None
    gender: str | None = None
    invoice_email: str | None = None
    label: str | None = Field(default=None, description="Full name.")
    last_name: str | None = None
    latest_booking_id: Id | None = None
    merged_at: Timestamp | None = None
    merged_with_patient_id: Id | None = None
    patient_phone_numbers: list[PhoneNumberRecord] | None = None
    pronouns: PronounsRecord | None = None
    reminder_type: str | None = None
    updated_at: Timestamp | None = None


FILTERS = COMMON | {
    "accepted_privacy_policy": FLAG,
    "archived_at": INSTANT,
    "date_of_birth": DATE,
    "email": TEXT,
    "first_name": TEXT,
    "last_name": TEXT,
    "old_reference_id": TEXT,
    "preferred_first_name": TEXT,
}


class Patients(Resource):
    """The people the clinic cares for; some clinics call them clients."""

    list_patients = List(
        Patient, "/patients",
        "Find patients (clients) by first, last or preferred name (~ finds part), email or date of birth, not full name or phone.",
        filters=FILTERS)
    get_patient = Get(Patient, "/patients/{id}", "Read one patient (client): contact details, reminders, custom fields.", hidden=("archived_at",))
    create_patient = Create(PatientBody, Patient, "/patients", "Register a new patient (client). Look in list_patients first.")
    update_patient = Update(PatientBody, Patient, "/patients/{id}", "Change a patient's details. Phone numbers and custom fields are replaced whole.")
    archive_patient = Archive("/patients/{id}/archive", "Archive a patient (client). Nothing is erased; unarchive_patient brings it back.")
    unarchive_patient = Unarchive(Patient, "/patients/{id}/unarchive", "Bring an archived patient (client) back.")
    delete_patient = Archive(
        "/patients/{id}",
        "Archive a patient the old way. Deprecated: use archive_patient.",
        method="DELETE", replaced_by="archive_patient")
