"""The names people know practitioners, sites, types and patients by, looked up in batches, never one a row."""

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import anyio

from cliniko_mcp.cliniko.models import Record, value_of
from cliniko_mcp.errors import ClinikoRefused
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.sanitize import clean

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


@dataclass(frozen=True, slots=True)
class Named:
    """A kind of record that rows refer to: the word for it, the list that knows it, and how it is called."""

    word: str
    list: str
    label: Callable[[Record], str]


NAMED: Final[Mapping[str, Named]] = {
    "practitioner_id": Named("practitioner", "list_practitioners", person),
    "business_id": Named(
        "business", "list_businesses", lambda record: text_of(record, "business_name", "display_name", "label")
    ),
    "appointment_type_id": Named("appointment_type", "list_appointment_types", lambda record: text_of(record, "name")),
    "patient_id": Named("patient", "list_patients", person),
}


async def look_up(clinic: GuardedClinic, wanted: Mapping[str, Collection[str]]) -> Mapping[str, Mapping[str, Record]]:
    """The records behind these ids, by field and id: `{"practitioner_id": {"12": record}}`, a batch for each field.

    Names are a kindness: where Cliniko does not give them just now, they are absent and the ids stand in their place.
    """
    found: dict[str, Mapping[str, Record]] = {field: {} for field in wanted}

    async def kindly(field: str, ids: Collection[str]) -> None:
        # Also after a change that was made: its answer must never become an error because a name is missing.
        with suppress(ClinikoRefused):
            found[field] = await clinic.by_id_named(NAMED[field].list, sorted(ids))

    async with anyio.create_task_group() as group:
        for field, ids in wanted.items():
            if ids and field in NAMED:
                group.start_soon(kindly, field, ids)
    return found


def ids_in(records: Iterable[Record]) -> dict[str, set[str]]:
    """The ids in these rows that have names worth showing, by field."""
    wanted: dict[str, set[str]] = {field: set() for field in NAMED}
    for record in records:
        for field, ids in wanted.items():
            value = value_of(record, field)
            if isinstance(value, str):
                ids.add(value)
    return {field: ids for field, ids in wanted.items() if ids}
