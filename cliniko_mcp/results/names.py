"""The names people know records by, beside the ids that point at them: looked up in batches, never one a row."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeGuard
from zoneinfo import ZoneInfo

import anyio

from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.labels import is_hidden, name_of
from cliniko_mcp.cliniko.models import Record, value_of
from cliniko_mcp.cliniko.operations import List
from cliniko_mcp.cliniko.registry import own_lists
from cliniko_mcp.cliniko.time_zones import zone_of
from cliniko_mcp.errors import ClinikoRefused, NotAllowed
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.moments import is_timed, local_text

_UTC: Final = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Reference:
    """A field of rows that refers to a record by its id: the noun for it, and the lists in which it may be."""

    noun: str
    module: str

    def listings(self) -> Sequence[List[Record]]:
        """The operations that list these records: those in use, then those who left. Imports the resource."""
        return own_lists(self.module)

    def current(self) -> Call[Record]:
        """The list of the records in use."""
        return self.listings()[0].call()

    def label(self, record: Record) -> str:
        """The record's name; empty where it has none."""
        return name_of(record)


REFERENCES: Final[Mapping[str, Reference]] = {
    "practitioner_id": Reference("practitioner", "practitioners"),
    "business_id": Reference("business", "businesses"),
    "appointment_type_id": Reference("appointment_type", "appointment_types"),
    "patient_id": Reference("patient", "patients"),
}
"""The fields whose records stand in a row by name alone, and may be asked for by name."""

LINKS: Final[Mapping[str, Reference]] = {
    **REFERENCES,
    "appointment_id": Reference("appointment", "individual_appointments"),
    "billable_item_id": Reference("billable_item", "billable_items"),
    "booking_id": Reference("booking", "bookings"),
    "concession_type_id": Reference("concession_type", "concession_types"),
    "contact_id": Reference("contact", "contacts"),
    "default_appointment_type_id": Reference("default_appointment_type", "appointment_types"),
    "invoice_id": Reference("invoice", "invoices"),
    "latest_booking_id": Reference("latest_booking", "bookings"),
    "merged_with_patient_id": Reference("merged_with_patient", "patients"),
    "original_invoice_id": Reference("original_invoice", "invoices"),
    "patient_case_id": Reference("patient_case", "patient_cases"),
    "patient_ids": Reference("patients", "patients"),
    "product_id": Reference("product", "products"),
    "product_supplier_id": Reference("product_supplier", "product_suppliers"),
    "referral_source_type_id": Reference("referral_source_type", "referral_source_types"),
    "referring_doctor_id": Reference("referring_doctor", "contacts"),
    "related_patient_id": Reference("related_patient", "patients"),
    "tax_id": Reference("tax", "taxes"),
    "treatment_note_template_id": Reference("treatment_note_template", "treatment_note_templates"),
    "unavailable_block_type_id": Reference("unavailable_block_type", "unavailable_block_types"),
    "user_id": Reference("user", "users"),
}
"""Every field of rows whose record has a name worth showing beside the id."""

NAMELESS: Final[Mapping[str, str]] = {
    "appointment_confirmation_template_ids": "the API has no operation that reads these templates",
    "appointment_follow_up_template_ids": "the API has no operation that reads these templates",
    "appointment_reminder_template_ids": "the API has no operation that reads these templates",
    "appointment_type_ids": "a site offers most types: clinic_overview names them",
    "attendee_id": "a patient's place in a booking, whose patient stands beside it",
    "attendee_ids": "places of the patient of the case, who stands beside them",
    "content_id": "the id of a file, which read_patient_attachment shows",
    "letter_id": "the API has no operation that reads letters",
    "old_reference_id": "a number of another program",
    "payment_id": "the API has no operation that reads payments",
    "referrer_id": "a patient or a contact, as the type of the source says",
    "repeated_from_id": "the first of a series, which is like this one",
    "signature_id": "a picture",
    "signature_ids": "pictures",
}
"""Ids that stand without a name, each with the reason."""


@dataclass(slots=True)
class Named:
    """What was found behind ids: the records and their names, by field and id, and what could not be read."""

    records: dict[str, Mapping[str, Record]] = field(default_factory=dict[str, Mapping[str, Record]])
    labels: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    notes: list[str] = field(default_factory=list[str])

    @property
    def hidden(self) -> frozenset[str]:
        """The ids of patients that are archived, found anew each time."""
        return frozenset(key for key, record in self.records.get("patient_id", {}).items() if is_hidden(record))


async def referenced(clinic: GuardedClinic, ids: Mapping[str, Collection[str]], zone: ZoneInfo | None = None) -> Named:
    """The records behind these ids, a batch for each list; those that cannot be read are absent, and notes say so.

    A booking's name is its type and its time, by the clock of its site, else in `zone` or UTC: `Pilates class,
    2026-11-24T09:30+11:00 Tue`.
    """
    found: dict[str, dict[str, Record]] = {}
    wanted: dict[str, set[str]] = {}
    for name, some in ids.items():
        if some and name in LINKS:
            # Patients are patients, whichever field points at them: one batch for all.
            wanted.setdefault(LINKS[name].module, set()).update(some)
    named = Named()

    async def read(module: str, some: Collection[str]) -> None:
        found[module] = await _read(clinic, Reference("", module), some, named.notes)

    if len(wanted) == 1:  # a task of its own costs more than most of what is remembered
        await read(*next(iter(wanted.items())))
    elif wanted:
        async with anyio.create_task_group() as group:
            for module, some in wanted.items():
                group.start_soon(read, module, some)
    bookings = [record for records in found.values() for record in records.values() if _starts(record) is not None]
    types, zones = await _types_of(clinic, bookings), await _zones_of(clinic, bookings)
    for name, some in ids.items():
        if name not in LINKS:
            continue
        by_id = found.get(LINKS[name].module, {})
        named.records[name] = {key: by_id[key] for key in some if key in by_id}
        named.labels[name] = {
            key: _label(record, zones.get(next(iter(linked(record, "business_id")), ""), zone or _UTC), types)
            for key, record in named.records[name].items()
        }
    return named


async def _read(
    clinic: GuardedClinic, reference: Reference, ids: Collection[str], notes: list[str]
) -> dict[str, Record]:
    found: dict[str, Record] = {}
    for listing in reference.listings():
        missing = sorted(key for key in ids if key not in found)
        noun = reference.module.replace("_", " ")
        # Also after a change that was made: its answer must never become an error because a name is missing.
        try:
            found |= await clinic.by_id(listing, missing)
        except NotAllowed:
            notes.append(f"Names of some {noun} are not shown: {listing.name} is switched off here.")
        except ClinikoRefused:
            notes.append(f"Names of some {noun} are not shown: {listing.name} could not be read just now.")
    return found


async def _types_of(clinic: GuardedClinic, bookings: Collection[Record]) -> Mapping[str, str]:
    """The names of the appointment types of these bookings, by id; empty where they cannot be read."""
    ids = {kind for booking in bookings for kind in linked(booking, "appointment_type_id")}
    found = await _read(clinic, REFERENCES["appointment_type_id"], ids, []) if ids else {}
    return {key: name_of(record) for key, record in found.items()}


async def _zones_of(clinic: GuardedClinic, bookings: Collection[Record]) -> Mapping[str, ZoneInfo]:
    """The zones of the sites of these bookings, by the site's id; without those that cannot be read."""
    ids = {site for booking in bookings for site in linked(booking, "business_id")}
    return zones_of(await _read(clinic, REFERENCES["business_id"], ids, [])) if ids else {}


def _label(record: Record, zone: ZoneInfo, types: Mapping[str, str]) -> str:
    starts = _starts(record)
    if starts is None:
        return name_of(record)
    name = types.get(next(iter(linked(record, "appointment_type_id")), ""), "")
    return f"{name or 'Booking'}, {local_text(starts, zone)}"


def zones_of(sites: Mapping[str, Record]) -> dict[str, ZoneInfo]:
    """The zones of those sites whose zone is known, by their ids."""
    if not sites:
        return {}
    from cliniko_mcp.cliniko.resources.businesses import Business

    zones = {key: zone_of(site) for key, site in sites.items() if isinstance(site, Business)}
    return {key: zone for key, zone in zones.items() if zone is not None}


def _starts(record: Record) -> datetime | None:
    return record.starts_at if is_timed(record) else None


def ids_in(records: Iterable[Record], fields: Collection[str] = tuple(LINKS)) -> dict[str, set[str]]:
    """The ids in these fields of these rows that have names worth showing, by field."""
    ids: dict[str, set[str]] = {name: set() for name in LINKS if name in fields}
    for record in records:
        for name, found in ids.items():
            if value := value_of(record, name):
                found.update(_ids(value))
    return {name: found for name, found in ids.items() if found}


def linked(record: Record, name: str) -> list[str]:
    """The ids that this field of a record holds: one, several or none."""
    return _ids(value_of(record, name))


def _ids(value: object) -> list[str]:
    if isinstance(value, str):
        return [value] if value else []
    return [key for key in value if isinstance(key, str)] if _is_list(value) else []


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)
