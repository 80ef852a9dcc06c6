"""read_patient_attachment: what is in a file that is kept with a patient, where it is text and small; else its details.

Requests: one for the details, and for a text one each for the storage's address and, without our credentials, the
file; 1 more for the patient's name.
"""

from typing import Final

from pydantic import Field

from cliniko_mcp.cliniko.fields import Id
from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.cliniko.resources.patient_attachments import PatientAttachment
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.names import person
from cliniko_mcp.results.rows import local_text
from cliniko_mcp.sanitize import clean
from cliniko_mcp.tools.tool import curated

MOST_BYTES: Final = 1_000_000
"""Bytes of the largest file that is opened at all."""
MOST_SHOWN: Final = 20_000
"""Characters shown of a text."""

_TEXTS: Final = frozenset({"application/json", "application/xml", "application/csv", "application/x-ndjson"})


class ReadPatientAttachment(Body):
    id: Id = Field(description="list_patient_attachments has it.")


async def work(clinic: GuardedClinic, given: ReadPatientAttachment) -> Answer:
    """The file's details, and its text where it has any to show."""
    call = clinic.call("get_patient_attachment", id=given.id, include_archived=True)
    found = await clinic.perform(call)
    assert isinstance(found, PatientAttachment)
    zone = await clinic.zone()
    item: dict[str, JsonValue] = {"id": found.id}
    if found.patient_id:
        whose = (await clinic.by_id_named("list_patients", [found.patient_id])).get(found.patient_id)
        item |= (
            {"patient": person(whose), "patient_id": found.patient_id} if whose else {"patient_id": found.patient_id}
        )
    if found.filename:
        item["filename"] = clean(found.filename, 120)
    for name, value in (("content_type", found.content_type), ("size", found.size)):
        if value is not None:
            item[name] = value
    if found.created_at is not None:
        item["created_at"] = local_text(found.created_at, zone)
    if found.archived_at is not None:
        item["archived_at"] = local_text(found.archived_at, zone)
    free: dict[str, JsonValue] = {"description": clean(found.description, 255)} if found.description else {}
    notes: list[str] = []
    if (why := _closed(found)) is not None:
        notes.append(why)
    else:
        text, left = _shown(await clinic.file(call, MOST_BYTES))
        if text is None:
            notes.append("The file is not readable text. Open it in Cliniko itself.")
        else:
            free["content"] = text
        if left:
            notes.append(f"{left:,} more characters are not shown. Open the file in Cliniko to read them.")
    if free:
        item["free_text"] = free
    return Answer({"item": item}, notes, zone)


def _closed(found: PatientAttachment) -> str | None:
    """Why the content is not shown, or None where it can be."""
    kind = (found.content_type or "").partition(";")[0].strip().lower()
    if found.processing_completed is False or (found.processed_at is None and not found.content_type):
        return "Cliniko is still processing this file, so it has no content yet. Ask again in a moment."
    if not (kind.startswith("text/") or kind in _TEXTS):
        return f"Only text can be read here, not {clean(kind, 60) or 'this kind of file'}. Open it in Cliniko itself."
    if found.size is not None and found.size > MOST_BYTES:
        return "This file is too large to be read here. Open it in Cliniko itself."
    return None


def _shown(data: bytes) -> tuple[str | None, int]:
    """The text as far as it is shown, and how many characters are not; None for what is no text."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None, 0
    whole = clean(text, len(text) + 1, lines=True)
    beyond = max(len(text) - 100_000, 0)  # `clean` looks no further
    return whole[:MOST_SHOWN], max(len(whole) - MOST_SHOWN, 0) + beyond


tool = curated(
    "read_patient_attachment",
    "Read a file attached to a patient: its text where it is text, else its name, type and size.",
    ReadPatientAttachment,
    work,
    needs=("get_patient_attachment",),
)
