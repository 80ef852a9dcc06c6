"""The handler of each shape of operation; rules add what is particular to a resource.

Source: cliniko-api.md#pagination to #archive-delete-cancel.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final

from cliniko_mcp.cliniko.filters import INSTANT, NUMBER, Family
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox import filtering, paging, query
from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.legacy_routes import HiddenList
from cliniko_mcp.sandbox.links import VIEWS, target_of
from cliniko_mcp.sandbox.request import OperationRequest
from cliniko_mcp.sandbox.rulebook import Change
from cliniko_mcp.sandbox.serialise import columns_of, envelope
from cliniko_mcp.sandbox.store import Row, is_hidden
from cliniko_mcp.sandbox.validation import INVALID, validate
from cliniko_mcp.sandbox.wire import Json, SandboxResponse, invalid, json_response, no_content, not_found

_EXTRA_FILTERS: Final[Mapping[str, Mapping[str, Family]]] = {"invoices": {"invoice_id": NUMBER}}
"""Filters that no list names, but that embedded links use (cliniko-api.md#discrepancies, reversed_invoices)."""

_ARCHIVED: Final = {"patient_cases": "Case has been archived."}
"""Resources whose hidden rows, where an id names one, are refused for the whole record.

Source: cliniko-api.md#calendar, attendees.
"""


def list_rows(context: RequestContext, request: OperationRequest) -> SandboxResponse:
    """A page of rows: the parent's, filtered, visible, sorted."""
    return page(context, request, _rows(context, request))


def list_hidden(context: RequestContext, request: OperationRequest) -> SandboxResponse:
    """A page of the rows that a stamp hides (cliniko-api.md#archive-delete-cancel, legacy routes)."""
    operation = request.operation
    assert isinstance(operation, HiddenList), "the shape of hidden lists"
    return page(context, request, _rows(context, request, operation.implied), operation.shows)


def _rows(
    context: RequestContext, request: OperationRequest, conditions: tuple[filtering.Condition, ...] = ()
) -> Sequence[Row]:
    operation = request.operation
    if operation.filters:  # a list without filters does not look at q at all (services)
        allowed = {**operation.filters, **_EXTRA_FILTERS.get(request.resource, {})}
        conditions += filtering.parse(request.filter_texts, allowed)
    order = query.sort_columns(request.parameter("sort"), request.parameter("order"), columns_of(request.resource))
    source = context.rulebook.row_sources.get(operation.name)
    if source is not None:
        return query.select(source(context, request), query.Query((request.resource,), (), conditions, order))
    parents = tuple(_parents(context, request))
    tables = VIEWS.get(request.resource, (request.resource,))
    return context.finder.find(query.Query(tables, parents, conditions, order))


def page(
    context: RequestContext, request: OperationRequest, rows: Sequence[Row], fields: Sequence[str] = ()
) -> SandboxResponse:
    """The requested page of these rows in the envelope; of each row only these fields, where any are named."""
    requested = paging.page_of(request)
    shown = [serialise_row(context, request.resource, row) for row in requested.of(rows)]
    if fields:
        shown = [{name: row[name] for name in fields} for row in shown]
    path = request.operation.path.format_map(request.ids)
    links = paging.links(request, context.base_url, path, requested, len(rows))
    return json_response(envelope(request.resource, shown, len(rows), links))


def _parents(context: RequestContext, request: OperationRequest) -> Iterable[tuple[str, str]]:
    """The columns and ids of the parents that the path names. Raises the 404 for an unknown one."""
    steps = request.operation.path.strip("/").split("/")
    for parent, step in pairwise(steps):  # /patients/{patient_id}/...: the segment before an id names its resource
        name = step.strip("{}")
        if name in request.ids:
            if context.get(parent, request.ids[name]) is None:
                raise not_found()
            yield name, request.ids[name]


def serialise_row(context: RequestContext, resource: str, row: Row) -> Json:
    """The row as this resource shows it; in a view it keeps its concrete form and, for bookings, gets its own link."""
    table = context.table_of(resource, str(row.get("id"))) if resource in VIEWS else resource
    shown = context.serialise(table or resource, row)
    if resource == "bookings":
        shown["links"] = {"self": f"{context.base_url}/bookings/{row['id']}"}
    return shown


def get(context: RequestContext, request: OperationRequest) -> SandboxResponse:
    """One row; a hidden one only where `q[]` asks for it (cliniko-api.md#archive-delete-cancel)."""
    row = context.get(request.resource, request.ids.get("id"))
    allowed = dict.fromkeys(request.operation.hidden_filters, INSTANT)
    conditions = filtering.parse(request.filter_texts, allowed) if allowed else ()
    if row is None or not query.is_visible(row, conditions):
        raise not_found()
    return _row_response(context, request, row)


def _row_response(
    context: RequestContext, request: OperationRequest, row: Row, status: int = 200, **headers: str
) -> SandboxResponse:
    return json_response(serialise_row(context, request.resource, row), status, **headers)


def create(context: RequestContext, request: OperationRequest) -> SandboxResponse:
    """201 with the new row and where it is."""
    body, errors = validate(request.operation, request.json())
    _check_targets(context, request.resource, body, errors, {})
    if errors:
        raise invalid(errors)
    change = Change(request.resource, None, dict(body), body, request.owner.user_id)
    _run(context, "create", change)
    stamp = context.clock.stamp()
    row_id = context.ids.next()
    context.store.put(request.resource, {"id": row_id, "created_at": stamp, "updated_at": stamp, **change.new})
    change.new["id"] = row_id
    context.rulebook.run("created", context, change)
    row = context.get(request.resource, row_id)
    assert row is not None, "a row that was just stored"
    return _row_response(context, request, row, 201, Location=f"{context.base_url}/{request.resource}/{row_id}")


def update(context: RequestContext, request: OperationRequest) -> SandboxResponse:
    """200 with the changed row; what was not sent stays, null empties, and only a real change moves `updated_at`."""
    old = live_row(context, request)
    body, errors = validate(request.operation, request.json())
    _check_targets(context, request.resource, body, errors, old)
    if errors:
        raise invalid(errors)
    change = Change(request.resource, old, {**old, **body}, body, request.owner.user_id)
    _run(context, "update", change)
    store_change(context, change)
    context.rulebook.run("updated", context, change)
    return _row_response(context, request, live_row(context, request))


def store_change(context: RequestContext, change: Change) -> None:
    """Store the changed row, with a new `updated_at` if anything in it differs."""
    old = change.old or {}
    if any(old.get(name) != value for name, value in change.new.items()):
        context.store.put(change.resource, {**change.new, "updated_at": context.clock.stamp()})


def archive(context: RequestContext, request: OperationRequest) -> SandboxResponse:
    """204; `archived_at` and, where the record has it, `deleted_at` are set alike. A second time is 404."""
    old = live_row(context, request)
    now: JsonValue = context.clock.stamp()
    stamps: Json = {"archived_at": now}
    if "deleted_at" in columns_of(request.resource):
        stamps["deleted_at"] = now
    change = Change(request.resource, old, {**old, **stamps}, {}, request.owner.user_id)
    _run(context, "archive", change)
    store_change(context, change)
    context.rulebook.run("archived", context, change)
    return no_content()


def unarchive(context: RequestContext, request: OperationRequest) -> SandboxResponse:
    """200 with the row brought back; 404 for one that is not archived (choices 11)."""
    old = context.get(request.resource, request.ids.get("id"))
    if old is None or "archived_at" not in old:
        raise not_found()
    restored: Json = {**old, "archived_at": None, "deleted_at": None}
    change = Change(request.resource, old, restored, {}, request.owner.user_id)
    _run(context, "unarchive", change)
    store_change(context, change)
    context.rulebook.run("unarchived", context, change)
    return _row_response(context, request, live_row(context, request))


def delete(context: RequestContext, request: OperationRequest) -> SandboxResponse:
    """204; the row is gone for good."""
    old = live_row(context, request)
    change = Change(request.resource, old, dict(old), {}, request.owner.user_id)
    _run(context, "delete", change)
    context.store.remove(request.resource, str(old["id"]))
    context.rulebook.run("deleted", context, change)
    return no_content()


def live_row(context: RequestContext, request: OperationRequest) -> Row:
    """The row that the path names; 404 unless it exists and is not hidden."""
    row = context.live(request.resource, request.ids.get("id"))
    if row is None:
        raise not_found()
    return row


def _run(context: RequestContext, event: str, change: Change) -> None:
    context.rulebook.run(event, context, change)
    if change.errors:
        raise invalid(change.errors)


def _check_targets(
    context: RequestContext, resource: str, body: Mapping[str, JsonValue], errors: dict[str, str], old: Row
) -> None:
    """Add an error for every id that names no live record; an id that is stored already may stay."""
    for name, value in body.items():
        target = target_of(resource, name)
        before = old.get(name)
        if target is None or value is None or name in errors or value == before:
            continue
        stored = before if isinstance(before, list) else []
        for row_id in value if isinstance(value, list) else [value]:
            if row_id in stored:
                continue
            row = context.get(target, row_id)
            if row is not None and is_hidden(row) and target in _ARCHIVED:
                errors["base"] = _ARCHIVED[target]
            elif row is None or is_hidden(row):
                errors[name] = INVALID


HANDLERS: Final[Mapping[str, Callable[[RequestContext, OperationRequest], SandboxResponse]]] = {
    "list": list_rows,
    "hidden list": list_hidden,
    "get": get,
    "create": create,
    "update": update,
    "archive": archive,
    "unarchive": unarchive,
    "delete": delete,
}
"""The handler of each shape. Conflicts and cancellations have no general one: rules answer them."""
