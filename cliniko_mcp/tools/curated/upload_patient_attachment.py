"""upload_patient_attachment: a file for a patient, in the three steps that Cliniko wants (cliniko-api.md#attachments).

Requests: 9 cold, 8 warm (with the set-up in memory) for a usual call. In general what finding the patient takes (1 by
id, up to 13 by name), one for files of the same name, then one each for the presigned address, the storage (which gets
no key of ours) and the attachment.
"""

from collections.abc import Mapping
from functools import partial

import anyio.to_thread
from pydantic import Field

from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.cliniko.resources.patient_attachments import (
    PatientAttachment,
    PatientAttachmentBody,
    PatientAttachments,
    PresignedPost,
)
from cliniko_mcp.errors import InvalidArguments, Unavailable
from cliniko_mcp.frontdesk.answer_rows import FileRow
from cliniko_mcp.frontdesk.files import MAX_BASE64_BYTES, NAME_LENGTH, Upload, from_base64, from_folder
from cliniko_mcp.frontdesk.notices import NO_MESSAGE
from cliniko_mcp.frontdesk.patients import NEEDS as PATIENT_NEEDS
from cliniko_mcp.frontdesk.patients import patient as find_patient
from cliniko_mcp.frontdesk.roster import remarks
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.sanitize import clean
from cliniko_mcp.tools.tool import curated


class UploadPatientAttachment(Body):
    """Whose file and which: a `path` in the folder that the operator allowed, or its `content` as base64."""

    patient: str
    path: str | None = None
    content: str | None = None
    filename: str | None = None
    description: str | None = Field(default=None, max_length=255)


class UploadedRow(FileRow):
    """A file that was attached."""

    processing: bool = Field(description="Whether Cliniko is still processing it.")


class FileAttached(AnswerModel):
    """The attachment that was made."""

    item: UploadedRow = Field(description="The file.")


async def upload_patient_attachment(clinic: GuardedClinic, arguments: UploadPatientAttachment) -> Answer:
    """The attachment that was made, and whether Cliniko is still processing it."""
    upload = await _upload(clinic, arguments)
    patient = await find_patient(clinic, arguments.patient)
    same_name = await clinic.collect(
        PatientAttachments.list_patient_attachments, patient_id=patient.id, filename=upload.name
    )
    made = await _attached(clinic, patient.id, upload, arguments.description)
    item = UploadedRow(
        id=made.id,
        patient=patient.name,
        patient_id=patient.id,
        filename=clean(made.filename or upload.name, NAME_LENGTH),
        content_type=upload.kind,
        size=len(upload.data),
        processing=made.processing_completed is not True,
    )
    notes = remarks(patient)
    if made.processing_completed is not True:
        notes.append("Cliniko is still processing the file, which takes a moment; get_patient_attachment says when.")
    if same_name:
        ids = ", ".join(attachment.id for attachment in same_name[:3])
        notes.append(f"The patient had a file of this name already: {ids}.")
    return Answer(FileAttached(item=item), [*notes, NO_MESSAGE])


async def _upload(clinic: GuardedClinic, arguments: UploadPatientAttachment) -> Upload:
    """The file to attach. Raises InvalidArguments where neither or both of path and content are given."""
    if arguments.path is not None and arguments.content is None:
        read = partial(from_folder, clinic.upload_folder, arguments.path, arguments.filename)
        return await anyio.to_thread.run_sync(read)
    if arguments.content is not None and arguments.path is None:
        return from_base64(arguments.content, arguments.filename)
    raise InvalidArguments("Give either path or content.", "path: a file in the allowed folder; content: base64.")


async def _attached(
    clinic: GuardedClinic, patient_id: str, upload: Upload, description: str | None
) -> PatientAttachment:
    address = await clinic.upload(
        PatientAttachments.get_attachment_presigned_post.call(patient_id=patient_id),
        _form_of,
        upload.plain_name,
        upload.kind,
        upload.data,
    )
    body = PatientAttachmentBody(patient_id=patient_id, upload_url=address, filename=upload.name)
    if description:
        body.description = description
    return await clinic.perform(PatientAttachments.create_patient_attachment, body)


def _form_of(post: PresignedPost) -> tuple[str, Mapping[str, str]]:
    if not post.url or not post.fields:
        raise Unavailable("Cliniko gave no address to upload to.", "Nothing was attached. Try again in a minute.")
    return post.url, {name: str(value) for name, value in post.fields.items()}


tool = curated(
    "upload_patient_attachment",
    "Attach a file to a patient: referral letter, scan, report, photo. path: in the folder the operator allowed; "
    f"or content: the file as base64, at most {MAX_BASE64_BYTES // 1_000_000} MB. To read one: "
    "read_patient_attachment; to remove one: archive_patient_attachment.",
    UploadPatientAttachment,
    upload_patient_attachment,
    answer=FileAttached,
    risk=Risk.WRITE,
    needs=[
        *PATIENT_NEEDS,
        PatientAttachments.list_patient_attachments,
        PatientAttachments.get_attachment_presigned_post,
        PatientAttachments.create_patient_attachment,
    ],
    max_argument_bytes=8_000_000,
)
