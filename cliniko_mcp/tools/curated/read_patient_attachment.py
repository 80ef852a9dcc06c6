"""read_patient_attachment: what is in a file that is kept with a patient, where it is text and small; else its details.

Requests: 3 cold, 1 warm (with the set-up in memory) for a usual call. In general one for the details, and for a text
one each for the storage's address and, without our credentials, the file; 1 more for the patient's name.
"""

from functools import partial
from typing import Final

from pydantic import Field

from cliniko_mcp.cliniko.fields import Id
from cliniko_mcp.cliniko.labels import name_of
from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.cliniko.resources.patient_attachments import PatientAttachment, PatientAttachments
from cliniko_mcp.cliniko.resources.patients import Patients
from cliniko_mcp.frontdesk.answer_rows import FileRow, LocalTime
from cliniko_mcp.frontdesk.files import NAME_LENGTH
from cliniko_mcp.frontdesk.partial_reads import PartialReads
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.budget import ENVELOPE_TOKENS, MAX_TOKENS
from cliniko_mcp.results.cutting import left_out, text_within
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.results.rows import local_text
from cliniko_mcp.sanitize import MAX_CHARACTERS, clean
from cliniko_mcp.tools.tool import curated

MAX_FILE_BYTES: Final = 1_000_000
"""Bytes of the largest file that is opened at all."""
_ROOM: Final = MAX_TOKENS - ENVELOPE_TOKENS - 400
"""Tokens of a text: the envelope, the description and the notes stand beside it."""

_TEXTS: Final = frozenset({"application/json", "application/xml", "application/csv", "application/x-ndjson"})


class ReadPatientAttachment(Body):
    """Which file."""

    id: Id
    skip: int = Field(default=0, ge=0, description="Characters of the text to pass over.")


class FileText(AnswerModel):
    """What people wrote about a file and in it."""

    description: str | None = Field(default=None, description="Its description.")
    content: str | None = Field(default=None, description="Its text.")


class ReadFileRow(FileRow):
    """A file with its text."""

    created_at: LocalTime | None = Field(default=None, description="When it was attached.")
    archived_at: LocalTime | None = Field(default=None, description="When it was archived.")
    free_text: FileText | None = Field(default=None, description="What people wrote.")


class FileRead(AnswerModel):
    """A file that was read."""

    item: ReadFileRow = Field(description="The file.")


async def read_patient_attachment(clinic: GuardedClinic, arguments: ReadPatientAttachment) -> Answer:
    """The file's details, and its text where it has any to show."""
    call = PatientAttachments.get_patient_attachment.call(id=arguments.id, include_archived=True)
    attachment = await clinic.perform(call)
    zone = await clinic.zone()
    notes: list[str] = []
    whose = await _name(clinic, attachment.patient_id, notes)
    content: str | None = None
    if (why := _closed(attachment)) is not None:
        notes.append(why)
    else:
        content, left, total = _shown(await clinic.file(call, MAX_FILE_BYTES), arguments.skip)
        if content is None:
            notes.append("The file is not readable text. Open it in Cliniko itself.")
        if left:
            notes.append(left_out(left, total, "characters", f"call again with skip: {total - left}"))
    text = FileText(description=clean(attachment.description, 255) if attachment.description else None, content=content)
    item = ReadFileRow(
        id=attachment.id,
        patient=whose,
        patient_id=attachment.patient_id,
        filename=clean(attachment.filename, NAME_LENGTH) if attachment.filename else None,
        content_type=attachment.content_type,
        size=attachment.size,
        created_at=local_text(attachment.created_at, zone) if attachment.created_at else None,
        archived_at=local_text(attachment.archived_at, zone) if attachment.archived_at else None,
        free_text=text if text != FileText() else None,
    )
    return Answer(FileRead(item=item), notes, zone, MAX_TOKENS)


async def _name(clinic: GuardedClinic, patient_id: str | None, notes: list[str]) -> str | None:
    """Whose file it is, by name, where the key may read it and the operator lets it; else None."""
    if not patient_id:
        return None
    reads = PartialReads()
    found = await reads.read("Patients' names", partial(clinic.by_id, Patients.list_patients, [patient_id])) or {}
    patient = found.get(patient_id)
    notes += reads.notes
    return name_of(patient) if patient else None


def _closed(attachment: PatientAttachment) -> str | None:
    """Why the content is not shown, or None where it can be."""
    content_type = (attachment.content_type or "").partition(";")[0].strip().lower()
    if attachment.processing_completed is False or (attachment.processed_at is None and not attachment.content_type):
        return "Cliniko is still processing this file, so it has no content yet. Ask again in a moment."
    if not (content_type.startswith("text/") or content_type in _TEXTS):
        described = clean(content_type, 60) or "this kind of file"
        return f"Only text can be read here, not {described}. Open it in Cliniko itself."
    if attachment.size is not None and attachment.size > MAX_FILE_BYTES:
        return "This file is too large to be read here. Open it in Cliniko itself."
    return None


def _shown(data: bytes, skip: int) -> tuple[str | None, int, int]:
    """The text from there on as far as there is room, how many characters are left, of how many; None for no text."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None, 0, 0
    # `clean` looks at so many characters at once; a file has more.
    pieces = (text[start : start + MAX_CHARACTERS] for start in range(0, len(text), MAX_CHARACTERS))
    whole = "".join(clean(piece, lines=True) + " " * piece[-1].isspace() for piece in pieces).rstrip()
    shown = text_within(whole[skip:], _ROOM)
    return shown, max(len(whole) - skip - len(shown), 0), len(whole)


tool = curated(
    "read_patient_attachment",
    "Read a file attached to a patient: its text where it is text, else its name, type and size. To find files: "
    "list_patient_attachments; to add one: upload_patient_attachment.",
    ReadPatientAttachment,
    read_patient_attachment,
    answer=FileRead,
    needs=[PatientAttachments.get_patient_attachment],
)
