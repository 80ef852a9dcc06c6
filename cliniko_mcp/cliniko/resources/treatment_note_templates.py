"""Treatment note templates: the questions that a kind of treatment note starts with."""

from pydantic import Field

from cliniko_mcp.cliniko.fields import Id, Timestamp, omittable
from cliniko_mcp.cliniko.filters import COMMON, INSTANT
from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.cliniko.operations import Archive, Create, Get, List, Resource, Update
from cliniko_mcp.cliniko.shapes.content import RecordedContent, TreatmentNoteTemplateContent


class PrintSettings(Body):
    include_patient_address: bool = omittable()
    include_patient_dob: bool = omittable()
    include_patient_medicare: bool = omittable()
    include_patient_occupation: bool = omittable()
    include_patient_reference_number: bool = omittable()
    title: str = omittable()


class TreatmentNoteTemplateDetails(Body):
    name: str = Field(max_length=255)


class TreatmentNoteTemplateBody(TreatmentNoteTemplateDetails):
    content: TreatmentNoteTemplateContent
    print_settings: PrintSettings = omittable()


class RecordedPrintSettings(Record):
    include_patient_address: bool | None = None
    include_patient_dob: bool | None = None
    include_patient_medicare: bool | None = None
    include_patient_occupation: bool | None = None
    include_patient_reference_number: bool | None = None
    title: str | None = None


class TreatmentNoteTemplate(TreatmentNoteTemplateDetails, Record):
    concise = ("id", "name", "archived_at", "deleted_at")

    id: Id
    archived_at: Timestamp | None = None
    content: RecordedContent | None = None
    created_at: Timestamp | None = None
    deleted_at: Timestamp | None = None
    print_settings: RecordedPrintSettings | None = None
    updated_at: Timestamp | None = None


FILTERS = COMMON | {"archived_at": INSTANT, "deleted_at": INSTANT}
STAMPS = ("archived_at", "deleted_at")


class TreatmentNoteTemplates(Resource):
    """Blank treatment notes: initial assessment, progress note, discharge summary."""

    list_treatment_note_templates = List(
        TreatmentNoteTemplate, "/treatment_note_templates",
        "List treatment note templates (SOAP, initial assessment).",
        filters=FILTERS)
    get_treatment_note_template = Get(
        TreatmentNoteTemplate, "/treatment_note_templates/{id}",
        "Read one treatment note template with its questions.",
        hidden=STAMPS)
    create_treatment_note_template = Create(
        TreatmentNoteTemplateBody, TreatmentNoteTemplate, "/treatment_note_templates",
        "Add a treatment note template. Only a paragraph may start with text.")
    update_treatment_note_template = Update(
        TreatmentNoteTemplateBody, TreatmentNoteTemplate, "/treatment_note_templates/{id}",
        "Change a treatment note template. Content is replaced whole.")
    archive_treatment_note_template = Archive("/treatment_note_templates/{id}/archive", "Stop offering a treatment note template.")
    delete_treatment_note_template = Archive(
        "/treatment_note_templates/{id}",
        "Archive a treatment note template the old way. Deprecated: use archive_treatment_note_template.",
        method="DELETE", replaced_by="archive_treatment_note_template")
