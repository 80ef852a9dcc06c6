"""Stored rows to the JSON objects that Cliniko would send (cliniko-api.md#values).

Declared fields are always present, null when unset; an unset to-one link is left out unless it is nullable; links are
absolute on the configured host.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from cliniko_mcp.cliniko import registry
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.field_types import FieldType, field_types
from cliniko_mcp.sandbox.links import LINKS, NO_SELF, VIEWS, WRITE_ONLY, Links
from cliniko_mcp.sandbox.newer_routes import RECORDS
from cliniko_mcp.sandbox.store import Row
from cliniko_mcp.sandbox.wire import Json

_SHOWN_IDS: Final = {"products": frozenset({"product_supplier_id"})}
"""Ids that a record shows as they are, beside their link (cliniko-api.md#discrepancies)."""


@dataclass(frozen=True, slots=True)
class SerialisationPlan:
    """How rows of one resource are serialised; `nested` are the fields that hold a list or an object."""

    fields: tuple[str, ...]
    nested: tuple[str, ...]
    one: tuple[tuple[str, str, str], ...]
    many: tuple[tuple[str, str], ...]
    nullable: tuple[str, ...]
    has_self: bool


@cache
def record_of(resource: str) -> type[Record]:
    """The record type that this resource's operations return."""
    if resource in RECORDS:
        return RECORDS[resource]
    for operation in registry.resource(resource).operations():
        if operation.record is not None and operation.shape != "conflicts":
            return operation.record
    raise KeyError(resource)


@cache
def columns_of(resource: str) -> Mapping[str, FieldType]:
    """Every column of a resource with its type: shown fields and linked ids."""
    columns = {"id": FieldType.ID, "created_at": FieldType.INSTANT, "updated_at": FieldType.INSTANT}
    for table in VIEWS.get(resource, (resource,)):
        columns.update(field_types(record_of(table)))
    return columns


@cache
def plan_of(resource: str) -> SerialisationPlan:
    """The plan for a resource, made from its record type and its links."""
    links = LINKS.get(resource, Links())
    linked = {f"{name}_id" for name in (*links.one, *links.nullable)}
    # A link named in the plural is read as a list of ids: `signatures` becomes `signature_ids`.
    linked |= {f"{name.removesuffix('s')}_ids" for name in links.nullable if name.endswith("s")}
    shown_ids = _SHOWN_IDS.get(resource, frozenset[str]())
    types = field_types(record_of(resource))
    fields = [
        name
        for name in types
        if name == "id" or name in shown_ids or (name not in linked and name not in WRITE_ONLY.get(resource, ()))
    ]
    many_names = {f"{name}_ids" for name in links.many} | {f"{name}_id" for name in links.many}
    fields = [name for name in fields if name not in many_names or types[name] is FieldType.IDS]
    return SerialisationPlan(
        fields=tuple(fields),
        nested=tuple(name for name in fields if not types[name].sortable),
        one=tuple((name, f"{name}_id", f"/{target}/") for name, target in links.one.items()),
        many=tuple(links.many.items()),
        nullable=tuple(name for name in links.nullable if name not in links.one),
        has_self=resource not in NO_SELF,
    )


def link(base_url: str, path: str) -> Json:
    """A link object to a path below the base URL."""
    return {"links": {"self": f"{base_url}{path}"}}


def serialise(resource: str, row: Row, base_url: str) -> Json:
    """The JSON object of a row; rules may complete it."""
    plan = plan_of(resource)
    shown: Json = dict(zip(plan.fields, map(row.get, plan.fields), strict=True))
    for name in plan.nested:
        shown[name] = _copied(shown[name])
    for name in _SHOWN_IDS.get(resource, ()):
        if name not in row:  # an id is never null: unset, it is left out like its link
            del shown[name]
    for name, column, path in plan.one:
        if (linked := row.get(column)) is not None:
            shown[name] = {"links": {"self": f"{base_url}{path}{linked}"}}
    own = str(row.get("id", ""))
    for name, path in plan.many:
        shown[name] = {"links": {"self": base_url + path.replace("{id}", own)}}
    for name in plan.nullable:
        shown.setdefault(name, None)
    if plan.has_self:
        shown["links"] = {"self": f"{base_url}/{resource}/{own}"}
    return shown


def _copied(value: JsonValue) -> JsonValue:
    # What rules add to a shown list or object must not reach the stored row.
    if isinstance(value, list):
        return [_copied(item) for item in value]
    if isinstance(value, dict):
        return {name: _copied(item) for name, item in value.items()}
    return value


def envelope(key: str, shown: Sequence[Json], total: int, links: Json) -> Json:
    """A page: the plural key, the count of all entries, and the links (cliniko-api.md#pagination)."""
    items: list[JsonValue] = list(shown)
    return {key: items, "total_entries": total, "links": links}
