"""read_patient_attachment: what is in a file that is kept with a patient, where it is text and small; else its details.

Requests: one for the details, and for a text one each for the storage's address and, without our credentials, the
file; 1 more for the patient's name.
"""

from functools import partial
from typing import Final

from pydantic import Field

from cliniko_mcp.cliniko.fields import Id
from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.cliniko.resources.patient_attachments import PatientAttachment, PatientAttachments
from cliniko_mcp.cliniko.resources.patients import Patients
from cliniko_mcp.frontdesk.partial_reads import PartialReads
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.budget import ENVELOPE_TOKENS, MAX_TOKENS
from cliniko_mcp.results.cutting import left_out, text_within
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.names import person
from cliniko_mcp.results.rows import Row, local_text
from cliniko_mcp.sanitize import MAX_CHARACTERS, clean
from cliniko_mcp.tools.tool import curated

MAX_FILE_BYTES: Final = 1_000_000
"""Bytes of the largest file that is opened at all."""
_ROOM: Final = MAX_TOKENS - ENVELOPE_TOKENS - 400
"""Tokens of a text: the envelope, the description and the notes stand beside it."""

_TEXTS: Final = frozenset({"application/json", "application/xml", "application/csv", "application/x-ndjson"})


class ReadPatientAttachment(Body):
    """Which file."""

    id: Id = Field(description="list_patient_attachments has it.")
    skip: int = Field(default=0, ge=0, description="Characters of the text to pass over.")


async def read_patient_attachment(clinic: GuardedClinic, arguments: ReadPatientAttachment) -> Answer:
    """The file's details, and its text where it has any to show."""
    call = PatientAttachments.get_patient_attachment.call(id=arguments.id, include_archived=True)
    attachment = await clinic.perform(call)
    zone = await clinic.zone()
    notes: list[str] = []
    item: Row = {"id": attachment.id}
    if attachment.patient_id:
        item |= await _patient(clinic, attachment.patient_id, notes)
    if attachment.filename:
        item["filename"] = clean(attachment.filename, 120)
    for name, value in (("content_type", attachment.content_type), ("size", attachment.size)):
        if value is not None:
            item[name] = value
    if attachment.created_at is not None:
        item["created_at"] = local_text(attachment.created_at, zone)
    if attachment.archived_at is not None:
        item["archived_at"] = local_text(attachment.archived_at, zone)
    free_text: Row = {"description": clean(attachment.description, 255)} if attachment.description else {}
    if (why := _closed(attachment)) is not None:
        notes.append(why)
    else:
        text, left, total = _shown(await clinic.file(call, MAX_FILE_BYTES), arguments.skip)
        if text is None:
            notes.append("The file is not readable text. Open it in Cliniko itself.")
        else:
            free_text["content"] = text
        if left:
            notes.append(left_out(left, total, "characters", f"call again with skip: {total - left}"))
    if free_text:
        item["free_text"] = free_text
    return Answer({"item": item}, notes, zone, MAX_TOKENS)


async def _patient(clinic: GuardedClinic, patient_id: str, notes: list[str]) -> Row:
    """Whose file it is: the name beside the id, where the key may read it and the operator lets it."""
    row: Row = {"patient_id": patient_id}
    reads = PartialReads()
    found = await reads.read("Patients' names", partial(clinic.by_id, Patients.list_patients, [patient_id])) or {}
    patient = found.get(patient_id)
    notes += reads.notes
    return {"patient": person(patient), **row} if patient else row


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
    "Read a file attached to a patient: its text where it is text, else its name, type and size. To find files use "
    "list_patient_attachments; to add one upload_patient_attachment.",
    ReadPatientAttachment,
    read_patient_attachment,
    needs=[PatientAttachments.get_patient_attachment],
)
