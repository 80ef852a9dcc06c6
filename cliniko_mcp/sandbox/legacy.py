"""Routes that are not described but answer, because embedded links lead there.

The old `/appointments` family (api.md 1.8), and the content of an attachment (api.md 3.3).
"""

from typing import Final

from cliniko_mcp.filters import ARRAY, COMMON, FLAG, INSTANT, NUMBER
from cliniko_mcp.model import Record
from cliniko_mcp.operation import Get, List, Operation
from cliniko_mcp.resources.patient_attachments import PatientAttachment


class LegacyAppointment(Record):
    """An individual or group appointment, as its own resource shows it."""


_FILTERS: Final = COMMON | {
    "appointment_type_id": NUMBER,
    "archived_at": INSTANT,
    "business_id": NUMBER,
    "cancelled_at": INSTANT,
    "deleted_at": INSTANT,
    "did_not_arrive": FLAG,
    "ends_at": INSTANT,
    "patient_id": NUMBER,
    "patient_ids": ARRAY,
    "practitioner_id": NUMBER,
    "starts_at": INSTANT,
}


def _named(name: str, operation: Operation, resource: str = "appointments") -> Operation:
    operation.name, operation.resource = name, resource
    return operation


def _list(parent: str) -> Operation:
    path = (
        f"/{parent}s/{{{parent}_id}}/appointments" if parent != "business" else "/businesses/{business_id}/appointments"
    )
    return _named(f"list_{parent}_appointments", List(LegacyAppointment, path, "Legacy list.", filters=_FILTERS))


LEGACY: Final = (
    _named("list_appointments", List(LegacyAppointment, "/appointments", "Legacy list.", filters=_FILTERS)),
    _named(
        "get_appointment",
        Get(
            LegacyAppointment,
            "/appointments/{id}",
            "Legacy read.",
            hidden=("archived_at", "cancelled_at", "deleted_at"),
        ),
    ),
    *(_list(parent) for parent in ("patient", "practitioner", "business")),
    _named(
        "get_patient_attachment_content",
        Get(PatientAttachment, "/patient_attachments/{id}/content", "The file itself, by a redirect."),
        "patient_attachments",
    ),
)
"""Operations of the sandbox alone; they stand in no registry."""
