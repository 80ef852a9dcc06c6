"""Patient attachments: files kept with a patient, such as referral letters, scans and reports."""

from pydantic import Field

from cliniko_mcp.cliniko.fields import HttpsAddress, Id, Timestamp, Uri
from cliniko_mcp.cliniko.filters import COMMON, INSTANT, NUMBER, TEXT
from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.cliniko.operations import Archive, Create, Get, List, Resource, Update


class PatientAttachmentChanges(Body):
    description: str | None = Field(default=None, max_length=255)


class PatientAttachmentBody(PatientAttachmentChanges):
    patient_id: Id
    upload_url: HttpsAddress = Field(description="The presigned url and the upload's Key.")
    filename: str | None = None


class PatientAttachment(PatientAttachmentChanges, Record):
    concise = ("id", "filename", "description", "content_type", "size", "patient_id", "created_at", "archived_at")

    id: Id
    archived_at: Timestamp | None = None
    content_id: Id | None = None
    content_type: str | None = None
    created_at: Timestamp | None = None
    filename: str | None = None
    patient_id: Id | None = None
    pinned_at: Timestamp | None = None
    processed_at: Timestamp | None = None
    processing_completed: bool | None = None
    size: int | None = Field(default=None, description="In bytes.")
    updated_at: Timestamp | None = None
    user_id: Id | None = None


class PresignedPost(Record):
    url: Uri | None = None
    fields: dict[str, object] | None = Field(default=None, description="To be sent as form fields before the file.")


FILTERS = COMMON | {
    "archived_at": INSTANT,
    "content_type": TEXT,
    "description": TEXT,
    "filename": TEXT,
    "patient_id": NUMBER,
    "processed_at": INSTANT,
    "size": NUMBER,
    "user_id": NUMBER,
}


class PatientAttachments(Resource):
    """Files kept with patients: referral letters, X-rays, reports."""

    list_patient_attachments = List(
        PatientAttachment, "/patient_attachments",
        "List files attached to patients (letters, scans, reports), without their content.",
        filters=FILTERS)
    get_patient_attachment = Get(PatientAttachment, "/patient_attachments/{id}", "Read the details of one attached file.", hidden=("archived_at",))
    create_patient_attachment = Create(
        PatientAttachmentBody, PatientAttachment, "/patient_attachments",
        "Attach a file to a patient, uploaded first with get_attachment_presigned_post.")
    update_patient_attachment = Update(PatientAttachmentChanges, PatientAttachment, "/patient_attachments/{id}", "Change the description of an attached file.")
    archive_patient_attachment = Archive("/patient_attachments/{id}/archive", "Archive a file attached to a patient.")
    list_patient_case_patient_attachments = List(
        PatientAttachment, "/patient_cases/{patient_case_id}/patient_attachments",
        "List the files of one patient case, such as its referral letter.",
        filters=FILTERS)
    get_attachment_presigned_post = Get(
        PresignedPost, "/patients/{patient_id}/attachment_presigned_post",
        "Get the address and form fields to upload a patient's file, for create_patient_attachment. Private.",
        grants_writing=True)  # cliniko-api.md#attachments
    delete_patient_attachment = Archive(
        "/patient_attachments/{id}",
        "Archive an attached file the old way. Deprecated: use archive_patient_attachment.",
        method="DELETE", replaced_by="archive_patient_attachment")
    list_patient_patient_attachments = List(
        PatientAttachment, "/patients/{patient_id}/patient_attachments",
        "List the files attached to one patient. Deprecated: use list_patient_attachments with patient_id.",
        filters=FILTERS, replaced_by="list_patient_attachments")
