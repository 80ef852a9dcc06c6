"""The names people know practitioners, sites, types and patients by, looked up in batches, never one a row."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import anyio

from cliniko_mcp.client.pagination import RowT
from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.models import Record, value_of
from cliniko_mcp.cliniko.operations import List
from cliniko_mcp.errors import ClinikoRefused, NotAllowed
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.sanitize import clean

if TYPE_CHECKING:
    from cliniko_mcp.cliniko.resources.appointment_types import AppointmentType
    from cliniko_mcp.cliniko.resources.businesses import Business
    from cliniko_mcp.cliniko.resources.patients import Patient
    from cliniko_mcp.cliniko.resources.practitioners import Practitioner

NAME_LENGTH: Final = 80


def text_of(record: Record, *fields: str) -> str:
    """The first of these fields that holds text, cleaned and capped; empty where none does."""
    for field in fields:
        value = value_of(record, field)
        if isinstance(value, str) and value.strip():
            return clean(value, NAME_LENGTH)
    return ""


def person(record: Record) -> str:
    """A person's name as the clinic writes it: the label where there is one, else first and last name."""
    label = text_of(record, "display_name", "label")
    if label:
        return label
    first = text_of(record, "preferred_first_name", "first_name")
    return " ".join(part for part in (first, text_of(record, "last_name")) if part)


def site(record: Record) -> str:
    """A site's name."""
    return text_of(record, "business_name", "display_name", "label")


@dataclass(frozen=True, slots=True)
class Reference:
    """A field of rows that refers to a record by its id: the noun for it, how it is read, and how it is named."""

    noun: str
    current: Callable[[], Call[Record]]
    """The list of the records in use."""
    by_id: Callable[[GuardedClinic, Collection[str]], Awaitable[Mapping[str, Record]]]
    """The records with these ids, by id. Those that Cliniko does not give just now, or whose list the operator switched
    off, are absent."""
    label: Callable[[Record], str]


def _reference(noun: str, lists: Callable[[], Sequence[List[RowT]]], label: Callable[[Record], str]) -> Reference:
    """The reference to a record that is in one of these lists: the first is that of records in use."""

    def current() -> Call[Record]:
        return lists()[0].call()

    async def by_id(clinic: GuardedClinic, ids: Collection[str]) -> Mapping[str, Record]:
        found: dict[str, Record] = {}
        # Also after a change that was made: its answer must never become an error because a name is missing.
        with suppress(ClinikoRefused, NotAllowed):
            for listing in lists():
                found |= await clinic.by_id(listing, [record_id for record_id in ids if record_id not in found])
        return found

    return Reference(noun, current, by_id, label)


def _practitioners() -> Sequence[List[Practitioner]]:
    from cliniko_mcp.cliniko.resources.practitioners import Practitioners

    return Practitioners.list_practitioners, Practitioners.list_inactive_practitioners


def _sites() -> Sequence[List[Business]]:
    from cliniko_mcp.cliniko.resources.businesses import Businesses

    return (Businesses.list_businesses,)


def _types() -> Sequence[List[AppointmentType]]:
    from cliniko_mcp.cliniko.resources.appointment_types import AppointmentTypes

    return (AppointmentTypes.list_appointment_types,)


def _patients() -> Sequence[List[Patient]]:
    from cliniko_mcp.cliniko.resources.patients import Patients

    return (Patients.list_patients,)


REFERENCES: Final[Mapping[str, Reference]] = {
    "practitioner_id": _reference("practitioner", _practitioners, person),
    "business_id": _reference("business", _sites, site),
    "appointment_type_id": _reference("appointment_type", _types, lambda record: text_of(record, "name")),
    "patient_id": _reference("patient", _patients, person),
}
"""The fields whose records have names worth showing, by field."""


async def referenced(clinic: GuardedClinic, ids: Mapping[str, Collection[str]]) -> Mapping[str, Mapping[str, Record]]:
    """The records behind these ids, by field and id: `{"practitioner_id": {"12": record}}`, a batch for each field.

    Those that cannot be read are absent.
    """
    found: dict[str, Mapping[str, Record]] = {field: {} for field in ids}

    async def read(field: str, wanted: Collection[str]) -> None:
        found[field] = await REFERENCES[field].by_id(clinic, sorted(wanted))

    async with anyio.create_task_group() as group:
        for field, wanted in ids.items():
            if wanted and field in REFERENCES:
                group.start_soon(read, field, wanted)
    return found


def labels(records: Mapping[str, Mapping[str, Record]]) -> dict[str, dict[str, str]]:
    """The names of these records, by field and id, as `referenced` gives them."""
    return {
        field: {record_id: REFERENCES[field].label(record) for record_id, record in by_id.items()}
        for field, by_id in records.items()
    }


def ids_in(records: Iterable[Record]) -> dict[str, set[str]]:
    """The ids in these rows that have names worth showing, by field."""
    ids: dict[str, set[str]] = {field: set() for field in REFERENCES}
    for record in records:
        for field, found in ids.items():
            value = value_of(record, field)
            if isinstance(value, str):
                found.add(value)
    return {field: found for field, found in ids.items() if found}
