"""Treatment notes: what a practitioner writes about a patient's visit, as a draft and then final."""

from typing import Self

from pydantic import model_validator

from cliniko_mcp.cliniko.fields import Id, Timestamp, omittable
from cliniko_mcp.cliniko.filters import COMMON, FLAG, INSTANT, NUMBER
from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.cliniko.operations import Archive, Create, Get, List, Resource, Unarchive, Update
from cliniko_mcp.cliniko.shapes.content import RecordedContent, TreatmentNoteContent, refusal


class TreatmentNoteDetails(Body):
    patient_id: Id
    title: str = omittable()
    draft: bool | None
    attendee_id: Id | None = None
    booking_id: Id | None = None
    treatment_note_template_id: Id | None = None


class TreatmentNoteChanges(TreatmentNoteDetails):
    content: TreatmentNoteContent | None = None


class TreatmentNoteBody(TreatmentNoteChanges):
    title: str = omittable(description="Else a template.")

    @model_validator(mode="after")
    def _is_titled(self) -> Self:
        if "title" not in self.model_fields_set and self.treatment_note_template_id is None:
            raise refusal((("title",), "is needed unless treatment_note_template_id is given"))
        return self


class TreatmentNote(TreatmentNoteDetails, Record):
    concise = ("id", "title", "draft", "patient_id", "practitioner_id", "author_name", "booking_id", "created_at", "finalized_at", "archived_at", "deleted_at")

    id: Id
    archived_at: Timestamp | None = None
    author_name: str | None = None
    content: RecordedContent | None = None
    created_at: Timestamp | None = None
    deleted_at: Timestamp | None = None
    draft: bool | None = None
    finalized_at: Timestamp | None = None
    pinned_at: Timestamp | None = None
    practitioner_id: Id | None = None
    updated_at: Timestamp | None = None


FILTERS = COMMON | {
    "archived_at": INSTANT,
    "attendee_id": NUMBER,
    "booking_id": NUMBER,
    "deleted_at": INSTANT,
    "draft": FLAG,
    "patient_id": NUMBER,
    "practitioner_id": NUMBER,
    "treatment_note_template_id": NUMBER,
}
STAMPS = ("archived_at", "deleted_at")


class TreatmentNotes(Resource):
    """Clinical notes (SOAP, progress and assessment notes) of patients' visits."""

    list_treatment_notes = List(TreatmentNote, "/treatment_notes", "List treatment notes (clinical, SOAP, progress notes), draft and final.", filters=FILTERS)
    get_treatment_note = Get(TreatmentNote, "/treatment_notes/{id}", "Read one treatment note with its answers.", hidden=STAMPS)
    create_treatment_note = Create(
        TreatmentNoteBody, TreatmentNote, "/treatment_notes",
        "Write a treatment note (SOAP, progress note) by the key's user. Keep it a draft until read over.")
    update_treatment_note = Update(
        TreatmentNoteChanges, TreatmentNote, "/treatment_notes/{id}",
        "Change a draft treatment note, or finalise it with draft false. Its author only; content is replaced whole.")
    archive_treatment_note = Archive("/treatment_notes/{id}/archive", "Archive a treatment note; unarchive_treatment_note restores it.")
    unarchive_treatment_note = Unarchive(TreatmentNote, "/treatment_notes/{id}/unarchive", "Restore an archived treatment note.")
    list_patient_treatment_notes = List(
        TreatmentNote, "/patients/{patient_id}/treatment_notes",
        "List one patient's treatment notes (clinical history).",
        filters=FILTERS)
    delete_treatment_note = Archive(
        "/treatment_notes/{id}",
        "Archive a treatment note the old way. Deprecated: use archive_treatment_note.",
        method="DELETE", replaced_by="archive_treatment_note")
