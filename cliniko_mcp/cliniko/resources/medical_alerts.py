"""Medical alerts: short warnings that staff see on a patient's file, such as allergies."""

from pydantic import Field

from cliniko_mcp.cliniko.fields import Id, Timestamp
from cliniko_mcp.cliniko.filters import COMMON, INSTANT, NUMBER
from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.cliniko.operations import Archive, Create, Get, List, Resource, Update


class MedicalAlertDetails(Body):
    patient_id: Id


class MedicalAlertBody(MedicalAlertDetails):
    name: str = Field(min_length=1, max_length=255, description="Latex allergy.")


class MedicalAlert(MedicalAlertDetails, Record):
    id: Id
    archived_at: Timestamp | None = None
    created_at: Timestamp | None = None
    deleted_at: Timestamp | None = None
    name: str | None = None
    updated_at: Timestamp | None = None


FILTERS = COMMON | {"archived_at": INSTANT, "deleted_at": INSTANT, "patient_id": NUMBER}
STAMPS = ("archived_at", "deleted_at")


class MedicalAlerts(Resource):
    """Warnings on patients' files: allergies, pacemakers, falls risk."""

    list_medical_alerts = List(MedicalAlert, "/medical_alerts", "List medical alerts (allergies, pacemaker, falls risk).", filters=FILTERS)
    get_medical_alert = Get(MedicalAlert, "/medical_alerts/{id}", "Read one medical alert.", hidden=STAMPS)
    create_medical_alert = Create(MedicalAlertBody, MedicalAlert, "/medical_alerts", "Add a medical alert, such as an allergy, to a patient's file.")
    update_medical_alert = Update(MedicalAlertBody, MedicalAlert, "/medical_alerts/{id}", "Reword a medical alert, or move it to the right patient.")
    archive_medical_alert = Archive("/medical_alerts/{id}/archive", "Archive a medical alert, so that staff no longer see the warning.")
    delete_medical_alert = Archive(
        "/medical_alerts/{id}",
        "Archive a medical alert the old way. Deprecated: use archive_medical_alert.",
        method="DELETE", replaced_by="archive_medical_alert")
    list_patient_medical_alerts = List(
        MedicalAlert, "/patients/{patient_id}/medical_alerts",
        "List the medical alerts of one patient. Deprecated: use list_medical_alerts with patient_id.",
        filters=FILTERS, replaced_by="list_medical_alerts")
