"""Referral sources: how a patient came to the clinic, one for each patient and reached through the patient."""

from pydantic import Field

from cliniko_mcp.fields import Id, Instant
from cliniko_mcp.filters import COMMON, INSTANT, NUMBER
from cliniko_mcp.model import Body, Record
from cliniko_mcp.operation import Get, List, Resource, Update


class ReferralSourceBody(Body):
    referral_source_type_id: Id
    referrer_id: Id | None = Field(default=None, description="A patient or contact, whichever the type's referrer_type is.")
    subcategory: str | None = Field(default=None, description="One that the type already has.")
    notes: str | None = Field(default=None, description="For a type without referrers.")


class ReferralSource(ReferralSourceBody, Record):
    id: Id
    archived_at: Instant | None = None
    created_at: Instant
    patient_id: Id | None = None
    referrer_type: str | None = None
    updated_at: Instant


class ReferralSources(Resource):
    """How patients heard of the clinic, or who referred them."""

    list_referral_sources = List(ReferralSource, "/referral_sources", "List how patients came to the clinic, by kind of referral or by referrer. It cannot be filtered by patient; for one patient use get_referral_source.",
                                 filters=COMMON | {"archived_at": INSTANT, "referral_source_type_id": NUMBER, "referrer_id": NUMBER}, synonyms="marketing where new patients come from heard about us google word of mouth gp sends")
    get_referral_source = Get(ReferralSource, "/patients/{patient_id}/referral_source", "Read how one patient heard of the clinic or who referred them. Not found means that nothing is recorded yet.",
                              hidden=("archived_at",), synonyms="how did client find us word of mouth google gp sent by")
    update_referral_source = Update(ReferralSourceBody, ReferralSource, "/patients/{patient_id}/referral_source", "Record or change how a patient came to the clinic. Choose the kind with list_referral_source_types, then give the referrer, subcategory or notes that this kind takes.",
                                    needed=("referral_source_type_id",), synonyms="set how client heard about us word of mouth google gp sent by friend")
