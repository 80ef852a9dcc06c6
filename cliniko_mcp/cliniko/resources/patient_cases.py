"""Patient cases: episodes of care, with the referral, the limits on sessions or money, and the visits that count."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from cliniko_mcp.cliniko.fields import Id, LocalDate, Money, Timestamp, omittable
from cliniko_mcp.cliniko.filters import COMMON, DATE, INSTANT, NUMBER, TEXT
from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.cliniko.operations import Archive, Create, Get, List, Resource, Update


def _above_zero(amount: str) -> str:
    if Decimal(amount) <= 0:
        raise ValueError("must be more than 0")
    return amount


class PatientCaseDetails(Body):
    name: str
    patient_id: Id
    attendee_ids: list[Id] | None = None
    closed: bool | None = None
    contact_id: Id | None = Field(default=None, description="The referrer.")
    expiry_date: LocalDate | None = None
    include_cancelled_attendees: bool | None = None
    include_dna_attendees: bool | None = None
    issue_date: LocalDate | None = None
    notes: str | None = None
    referral: bool | None = None


class PatientCaseBody(PatientCaseDetails):
    max_invoiceable_amount: Annotated[Money, AfterValidator(_above_zero)] | None = None
    max_sessions: int | None = Field(default=None, ge=1, le=200)
    patient_attachment_ids: list[Id] = omittable()
    referral_type: Literal["dva", "medicare"] | None = None


class PatientCase(PatientCaseDetails, Record):
    concise = (
        "id", "name", "patient_id", "contact_id", "referral_type", "issue_date", "expiry_date", "max_sessions", "max_invoiceable_amount", "closed_at",
        "archived_at")

    id: Id
    archived_at: Timestamp | None = None
    closed_at: Timestamp | None = None
    created_at: Timestamp | None = None
    max_invoiceable_amount: Money | None = None
    max_sessions: int | None = None
    referral_type: str | None = None
    updated_at: Timestamp | None = None


FILTERS = COMMON | {
    "archived_at": INSTANT,
    "closed_at": INSTANT,
    "expiry_date": DATE,
    "issue_date": DATE,
    "name": TEXT,
    "patient_id": NUMBER,
    "referral_type": TEXT,
}


class PatientCases(Resource):
    """Episodes of care and referrals: a claim, a care plan, an injury."""

    list_patient_cases = List(PatientCase, "/patient_cases", "List patient cases (episodes of care, claims, care plans).", filters=FILTERS)
    get_patient_case = Get(PatientCase, "/patient_cases/{id}", "Read one patient case with its referral and limits.", hidden=("archived_at",))
    create_patient_case = Create(
        PatientCaseBody, PatientCase, "/patient_cases",
        "Open a patient case (episode of care, referral, claim) with its limits and dates.")
    update_patient_case = Update(PatientCaseBody, PatientCase, "/patient_cases/{id}", "Change, close or reopen a patient case.")
    archive_patient_case = Archive("/patient_cases/{id}/archive", "Archive a patient case made by mistake; to end one, close it with update_patient_case.")
    list_active_patient_cases = List(PatientCase, "/patient_cases/active", "List patient cases that are neither closed nor expired.", filters=FILTERS)
