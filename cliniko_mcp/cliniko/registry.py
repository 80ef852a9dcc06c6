"""The table of all operations: a resource's module is imported when one of its operations is asked for."""

import re
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import Final, TypeGuard

from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.operations import Get, List, Operation, Resource

RESOURCES: Final = (
    "appointment_types",
    "appointment_type_billable_items",
    "appointment_type_products",
    "attendees",
    "availability_blocks",
    "available_times",
    "billable_items",
    "bookings",
    "businesses",
    "communications",
    "concession_prices",
    "concession_types",
    "contacts",
    "daily_availabilities",
    "group_appointments",
    "individual_appointments",
    "invoice_items",
    "invoices",
    "medical_alerts",
    "patient_attachments",
    "patient_cases",
    "patient_form_templates",
    "patient_forms",
    "patients",
    "practitioner_reference_numbers",
    "practitioners",
    "product_suppliers",
    "products",
    "public_settings",
    "referral_source_types",
    "referral_sources",
    "relationships",
    "services",
    "settings",
    "signatures",
    "stock_adjustments",
    "taxes",
    "treatment_note_templates",
    "treatment_notes",
    "unavailable_block_types",
    "unavailable_blocks",
    "users",
)
"""The modules of `cliniko/resources`, in the order in which lists show them."""


@cache
def resource(module: str) -> type[Resource]:
    """The resource that this module of `cliniko/resources` defines. Raises KeyError for a name not in RESOURCES."""
    if module not in RESOURCES:
        raise KeyError(module)
    names = vars(import_module(f"cliniko_mcp.cliniko.resources.{module}"))
    found = [value for value in names.values() if isinstance(value, type) and issubclass(value, Resource)]
    return next(value for value in found if value.__module__.endswith(f".{module}"))


@cache
def operations() -> Mapping[str, Operation]:
    """Every operation by name. Imports all resource modules: for generators, laws and searches, not for one call.

    Raises ValueError if two operations share a name.
    """
    table: dict[str, Operation] = {}
    for module in RESOURCES:
        for operation in resource(module).operations():
            if operation.name in table:
                raise ValueError(f"two operations are called {operation.name}")
            table[operation.name] = operation
    return MappingProxyType(table)


def find(name: str, module: str | None = None) -> Operation | None:
    """The operation with this name, or None; only the module of its resource is imported where that is given."""
    if module in RESOURCES:
        return next((operation for operation in resource(module).operations() if operation.name == name), None)
    return operations().get(name)


def reads(module: str) -> list[Get[Record]]:
    """The operations of this resource that read one record."""
    return [operation for operation in resource(module).operations() if _is_read(operation)]


def lists(module: str) -> list[List[Record]]:
    """The operations of this resource that list records."""
    return [operation for operation in resource(module).operations() if is_list(operation)]


@cache
def own_lists(module: str) -> tuple[List[Record], ...]:
    """The operations that list all records of this resource: those in use, then those who left."""
    own = [f"/{module}", f"/{module}/inactive"]
    return tuple(sorted((one for one in lists(module) if one.path in own), key=lambda listing: listing.path))


def is_list(operation: Operation) -> TypeGuard[List[Record]]:
    """Whether this operation gives a page of records."""
    return isinstance(operation, List)


def _is_read(operation: Operation) -> TypeGuard[Get[Record]]:
    return isinstance(operation, Get)


def reader_of(operation: Operation) -> Operation | None:
    """The operation that reads the record this one writes, or the list it adds to; None where there is none."""
    if operation.resource not in RESOURCES:
        return None
    path = _anonymous(operation.path)
    found = [
        read
        for read in resource(operation.resource).operations()
        if read.method == "GET" and not read.deprecated and f"{path}/".startswith(f"{_anonymous(read.path)}/")
    ]
    return max(found, key=lambda read: len(_anonymous(read.path)), default=None)


_NAMES: Final = ("label", "display_name", "business_name", "name", "first_name")
"""Fields that name a record."""


@cache
def listed_by_name(field: str) -> List[Record] | None:
    """The list of the records that a field such as `practitioner_id` or `patient_ids` refers to by their ids.

    None where the field refers to no records of one kind, or to records without names, such as bookings. Imports the
    module of that kind.
    """
    noun = field.removesuffix("_ids") if field.endswith("_ids") else field.removesuffix("_id")
    plurals = {f"{noun}s", f"{noun}es", f"{noun.removesuffix('y')}ies"} if noun != field else set[str]()
    for module in plurals.intersection(RESOURCES):
        for listing in own_lists(module)[:1]:
            if any(name in listing.row.model_fields for name in _NAMES):
                return listing
    return None


def _anonymous(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)
