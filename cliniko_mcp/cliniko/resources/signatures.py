"""Signatures: the drawings with which patient forms were signed."""

from pydantic import Field

from cliniko_mcp.cliniko.fields import Id, Timestamp
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.operations import Get, Resource


class Signature(Record):
    id: Id
    created_at: Timestamp | None = None
    image: str | None = Field(default=None, description="The drawing itself.")
    updated_at: Timestamp | None = None
    user_id: Id | None = None


class Signatures(Resource):
    """Drawn signatures, each reached through its patient form."""

    get_signature = Get(Signature, "/patient_forms/{patient_form_id}/signatures/{id}", "Read the drawing of a signature on a patient form.")
