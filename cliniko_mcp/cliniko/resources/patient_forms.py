"""Patient forms: intake, consent and questionnaires that a patient fills in and may sign."""

from typing import Any, Self

from pydantic import Field, model_validator

from cliniko_mcp.cliniko.fields import Id, Timestamp, Uri, omittable
from cliniko_mcp.cliniko.filters import COMMON, INSTANT, NUMBER
from cliniko_mcp.cliniko.models import Body, JsonObject, Record, linked_id
from cliniko_mcp.cliniko.operations import Archive, Create, Get, List, Resource, Update
from cliniko_mcp.cliniko.shapes.content import PatientFormContent, RecordedContent, refusal


class PatientFormDetails(Body):
    patient_id: Id
    name: str = omittable(max_length=255)
    attendee_id: Id | None = None
    business_id: Id | None = None
    email_to_patient_on_completion: bool | None = None
    restricted_to_practitioner: bool | None = None


class PatientFormChanges(PatientFormDetails):
    patient_form_template_id: Id = omittable()
    content: PatientFormContent | None = None
    completed: bool = omittable()

    @model_validator(mode="after")
    def _is_answered_when_completed(self) -> Self:
        if self.completed and self.content is not None:
            complaint = "must be answered before the form is completed, because it is required"
            places = [(("content", *place), complaint) for place in self.content.unanswered()]
            if places:
                raise refusal(*places)
        return self


class PatientFormBody(PatientFormChanges):
    name: str = omittable(max_length=255, description="Else a template.")

    @model_validator(mode="after")
    def _is_named(self) -> Self:
        if not {"name", "patient_form_template_id"} & self.model_fields_set:
            raise refusal((("name",), "is needed unless patient_form_template_id is given"))
        return self


class PatientForm(PatientFormDetails, Record):
    concise = ("id", "name", "patient_id", "attendee_id", "completed_at", "edited_at", "created_at", "archived_at")
    secret = Record.secret | {"url"}

    id: Id
    archived_at: Timestamp | None = None
    booking_id: Id | None = None
    completed_at: Timestamp | None = None
    content: RecordedContent | None = None
    created_at: Timestamp | None = None
    edited_at: Timestamp | None = None
    signature_ids: list[Id] | None = None
    updated_at: Timestamp | None = None
    url: Uri | None = Field(default=None, description="The patient's private link to fill it in.")

    @classmethod
    def _with_ids(cls, raw: JsonObject) -> dict[str, Any]:
        # Cliniko gives a list of links, or a link to the latest signature (cliniko-api.md#patient-form).
        latest = raw.get("signatures")
        return super()._with_ids(raw if linked_id(latest) is None else {**raw, "signatures": [latest]})


FILTERS = COMMON | {
    "archived_at": INSTANT,
    "attendee_id": NUMBER,
    "completed_at": INSTANT,
    "patient_id": NUMBER,
}


class PatientForms(Resource):
    """Intake, consent and questionnaire forms of patients."""

    list_patient_forms = List(
        PatientForm, "/patient_forms",
        "List patient forms (intake, consent, questionnaires). completed_at none: not filled in.",
        filters=FILTERS)
    get_patient_form = Get(
        PatientForm, "/patient_forms/{id}",
        "Read one patient form: questions, answers, signatures; its private link only when fields names url.",
        hidden=("archived_at",))
    create_patient_form = Create(PatientFormBody, PatientForm, "/patient_forms", "Give a patient a form to fill in (intake, consent), usually from a template.")
    update_patient_form = Update(
        PatientFormChanges, PatientForm, "/patient_forms/{id}",
        "Change a patient form's answers, or complete it once each required question has one. Content is replaced whole.")
    archive_patient_form = Archive("/patient_forms/{id}/archive", "Archive a patient form.")
    list_attendee_patient_forms = List(
        PatientForm, "/attendees/{attendee_id}/patient_forms",
        "List the patient forms of one attendee. Deprecated: use list_patient_forms with attendee_id.",
        filters=FILTERS, replaced_by="list_patient_forms")
