"""Notes that are written already: the one that a repeated call wrote, and what a change to a draft takes away."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, NamedTuple

from cliniko_mcp.cliniko.filters import FilterValue, From
from cliniko_mcp.cliniko.resources.treatment_notes import TreatmentNote, TreatmentNotes
from cliniko_mcp.cliniko.shapes.written_answers import Document, document_of
from cliniko_mcp.errors import NotAllowed
from cliniko_mcp.frontdesk.notes import called
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.sanitize import label

_DAY: Final = timedelta(days=1)
_SHOWN_LENGTH: Final = 200


class NoteSource(NamedTuple):
    """A filled document, what it is called, and the id of the template that it comes from."""

    document: Document
    title: str
    template_id: str


def held(document: Document) -> dict[str, str]:
    """What each answered question holds, in words, by the name that it is called by."""
    found: dict[str, str] = {}
    for number, (question, answer) in enumerate(document.answers(), 1):
        if answer:
            name = called(document, question)
            found[f"{name} (question {number})" if name in found else name] = answer
    return found


def replaced_answers(before: Mapping[str, str], document: Document) -> list[str]:
    """A sentence on the answers that were there before and are no longer, by value; none where all are still there."""
    now = held(document)
    gone = [
        f"{name}: {label(was, _SHOWN_LENGTH)} (now {label(now[name], _SHOWN_LENGTH) if name in now else 'empty'})"
        for name, was in before.items()
        if now.get(name) != was
    ]
    return [f"Replaced: {'; '.join(gone)}."] if gone else []


async def same_note(
    clinic: GuardedClinic, source: NoteSource, patient_id: str, booking_id: str | None, *, final: bool
) -> TreatmentNote | None:
    """The note that the very same call wrote before: from this template, about this visit, with the same answers.

    Without a visit only one of the last day counts. A request for each hundred notes. Raises NotAllowed where the visit
    has a draft from this template with other answers, which is to be gone on with, or a finished one.
    """
    filters: dict[str, FilterValue] = {"patient_id": patient_id}
    if booking_id is not None:
        filters["booking_id"] = booking_id
    else:
        filters["created_at"] = From(clinic.now - _DAY)
    wanted = held(source.document)
    other: TreatmentNote | None = None
    for note in await clinic.collect(TreatmentNotes.list_treatment_notes, **filters):
        if note.treatment_note_template_id != source.template_id or note.booking_id != booking_id:
            continue
        if (note.draft is False) == final and held(document_of(note.content)) == wanted:
            return note
        if other is None or note.draft is not False:
            other = note
    if booking_id is not None and other is not None:
        raise _taken(source.title, other)
    return None


def _taken(title: str, note: TreatmentNote) -> NotAllowed:
    """The error that a visit has a note from this template already; the caller raises it."""
    if note.draft is False:
        return NotAllowed(
            f"This visit has a finished note from the template {title} already: {note.id}.",
            "A finished note is not changed. Read it with get_treatment_note; write a further one about the visit with "
            "create_treatment_note.",
            note=note.id,
        )
    return NotAllowed(
        f"This visit has a draft from the template {title} already: {note.id}.",
        f"Go on with it: call again with note: {note.id} and without template.",
        note=note.id,
    )
