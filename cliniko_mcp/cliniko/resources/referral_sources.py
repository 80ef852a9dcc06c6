"""Referral sources: how a patient came to the clinic, one for each patient and reached through the patient."""

from pydantic import Field

from cliniko_mcp.cliniko.fields import Id, Timestamp
from cliniko_mcp.cliniko.filters import COMMON, INSTANT, NUMBER
from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.cliniko.operations import Get, List, Resource, Update


class ReferralSourceBody(Body):
    referral_source_type_id: Id
    referrer_id: Id | None = Field(default=None, description="Patient or contact, by the type's referrer_type.")
    subcategory: str | None = Field(default=None, description="One of the type's own.")
    notes: str | None = Field(default=None, description="For a type without referrers.")


class ReferralSource(ReferralSourceBody, Record):
    id: Id
    archived_at: Timestamp | None = None
    created_at: Timestamp | None = None
    patient_id: Id | None = None
    referrer_type: str | None = None
    updated_at: Timestamp | None = None


class ReferralSources(Resource):
    """How patients heard of the clinic, or who referred them."""

    list_referral_sources = List(
        ReferralSource, "/referral_sources",
        "List how patients came to the clinic (get_referral_source for one).",
        filters=COMMON | {"archived_at": INSTANT, "referral_source_type_id": NUMBER, "referrer_id": NUMBER})
    get_referral_source = Get(
        ReferralSource, "/patients/{patient_id}/referral_source",
        "Read how one patient heard of the clinic, or who referred them.",
        hidden=("archived_at",))
    update_referral_source = Update(
        ReferralSourceBody, ReferralSource, "/patients/{patient_id}/referral_source",
        "Record how a patient came to the clinic; kinds are in list_referral_source_types.",
        needed=("referral_source_type_id",))
