"""Referral source types: the ways in which patients come to the clinic, as the clinic names them."""

from pydantic import Field

from cliniko_mcp.cliniko.fields import Id, Timestamp
from cliniko_mcp.cliniko.filters import COMMON, INSTANT
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.operations import Get, List, Resource


class ReferralSourceType(Record):
    id: Id
    archived_at: Timestamp | None = None
    created_at: Timestamp | None = None
    name: str | None = None
    referrer_type: str | None = Field(default=None, description="Patient or Contact; absent where notes are taken.")
    subcategories: list[str] | None = None
    updated_at: Timestamp | None = None


class ReferralSourceTypes(Resource):
    """Kinds of referral: patient, doctor, search engine, other."""

    list_referral_source_types = List(
        ReferralSourceType, "/referral_source_types",
        "List kinds of referral (patient, contact, other) with their subcategories.",
        filters=COMMON | {"archived_at": INSTANT})
    get_referral_source_type = Get(ReferralSourceType, "/referral_source_types/{id}", "Read one kind of referral.", hidden=("archived_at",))
