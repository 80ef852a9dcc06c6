"""Routes that are no longer described (cliniko-api.md#archive-delete-cancel).

`LEGACY` always has routes, because embedded links lead there: the old `/appointments` family, and the content of an
attachment (cliniko-api.md#attachments). The lists of what is deleted, archived or cancelled are off unless named
(choices 79).
"""

from collections.abc import Mapping
from typing import Final

from cliniko_mcp.cliniko import registry
from cliniko_mcp.cliniko.filters import ARRAY, COMMON, FLAG, INSTANT, NUMBER
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.operations import Get, List, Operation
from cliniko_mcp.cliniko.resources.patient_attachments import PatientAttachment
from cliniko_mcp.sandbox.filtering import Condition
from cliniko_mcp.sandbox.serialise import columns_of

_STAMP_BY_PATH: Final[Mapping[str, str]] = {
    "deleted": "deleted_at",
    "archived": "archived_at",
    "cancelled": "cancelled_at",
}


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


_LIST: Final = List(LegacyAppointment, "/appointments", "Legacy list.", filters=_FILTERS)
LEGACY: Final[tuple[Operation, ...]] = (
    _named("list_appointments", _LIST),
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
"""Operations of the demo clinic alone; no registry has them."""


class HiddenList(List[Record]):
    """GET the records that a stamp hides: `/patients/deleted`. `shows` names their only fields, empty for all."""

    shape = "hidden list"

    def __init__(self, listing: List[Record] | List[LegacyAppointment], suffix: str) -> None:
        super().__init__(listing.row, f"{listing.path}/{suffix}", "Legacy list.", filters=listing.filters)
        self.name, self.resource = f"list_{suffix}_{listing.resource}", listing.resource
        self.implied = (Condition(_STAMP_BY_PATH[suffix], "?", "", INSTANT),)
        self.shows = _SHOWN_FIELDS.get(self.path, ())


_SHOWN_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {"/patients/deleted": ("deleted_at", "links")}


def hidden_lists() -> tuple[HiddenList, ...]:
    """A list of hidden records for every resource and every stamp that its records have."""
    lists = [
        operation
        for module in registry.RESOURCES
        for operation in registry.lists(module)
        if operation.path.count("/") == 1
    ]
    return tuple(
        HiddenList(listing, suffix)
        for listing in (*lists, _LIST)
        for suffix, stamp in _STAMP_BY_PATH.items()
        if stamp in columns_of(listing.resource)
    )
