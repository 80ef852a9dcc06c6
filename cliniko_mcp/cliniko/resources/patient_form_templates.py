"""Patient form templates: the questions that an intake, consent or other form starts with."""

from pydantic import Field

from cliniko_mcp.cliniko.fields import Id, Timestamp
from cliniko_mcp.cliniko.filters import COMMON, INSTANT
from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.cliniko.operations import Archive, Create, Get, List, Resource, Update
from cliniko_mcp.cliniko.shapes.content import PatientFormTemplateContent, RecordedContent


class PatientFormTemplateDetails(Body):
    name: str = Field(max_length=255)
    email_to_patient_on_completion: bool | None = None
    restricted_to_practitioner: bool | None = None


class PatientFormTemplateBody(PatientFormTemplateDetails):
    content: PatientFormTemplateContent | None = None


class PatientFormTemplate(PatientFormTemplateDetails, Record):
    concise = ("id", "name", "archived_at")

    id: Id
    archived_at: Timestamp | None = None
    content: RecordedContent | None = None
    created_at: Timestamp | None = None
    updated_at: Timestamp | None = None


class PatientFormTemplates(Resource):
    """Blank forms for patients: new patient intake, consent, outcome measures."""

    list_patient_form_templates = List(
        PatientFormTemplate, "/patient_form_templates",
        "List patient form templates (blank intake, consent, questionnaires).",
        filters=COMMON | {"archived_at": INSTANT})
    get_patient_form_template = Get(
        PatientFormTemplate, "/patient_form_templates/{id}",
        "Read one patient form template with its questions.",
        hidden=("archived_at",))
    create_patient_form_template = Create(
        PatientFormTemplateBody, PatientFormTemplate, "/patient_form_templates",
        "Add a patient form template (intake, consent).")
    update_patient_form_template = Update(
        PatientFormTemplateBody, PatientFormTemplate, "/patient_form_templates/{id}",
        "Change a patient form template. Content is replaced whole.")
    archive_patient_form_template = Archive("/patient_form_templates/{id}/archive", "Stop offering a patient form template.")
