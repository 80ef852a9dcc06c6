"""What every operation does by its shape alone; rules add what is particular (api.md 1.3 to 1.8)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final

from cliniko_mcp.cliniko.filters import INSTANT, NUMBER, Family
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox import filtering, paging, query, validation
from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.legacy_routes import HiddenList
from cliniko_mcp.sandbox.links import VIEWS, target_of
from cliniko_mcp.sandbox.request import Ask
from cliniko_mcp.sandbox.rulebook import Change
from cliniko_mcp.sandbox.serialise import columns_of, envelope
from cliniko_mcp.sandbox.store import Row, is_hidden
from cliniko_mcp.sandbox.wire import (
    Json,
    SandboxResponse,
    answer,
    invalid,
    json_body,
    not_found,
    nothing,
)

_EXTRA_FILTERS: Final[Mapping[str, Mapping[str, Family]]] = {"invoices": {"invoice_id": NUMBER}}
"""Filters that no list names, but that embedded links use (api.md section 5, reversed_invoices)."""

_ARCHIVED: Final = {"patient_cases": "Case has been archived."}
"""Links whose hidden targets are refused for the whole record, in these words (api.md 2.3, attendees)."""


def answer_list(context: RequestContext, ask: Ask) -> SandboxResponse:
    """A page of rows: the parent's, filtered, visible, sorted."""
    return page(context, ask, _rows(context, ask))


def answer_hidden_list(context: RequestContext, ask: Ask) -> SandboxResponse:
    """A page of the rows that a stamp hides (api.md 1.8, legacy routes)."""
    operation = ask.operation
    assert isinstance(operation, HiddenList), "the shape of hidden lists"
    return page(context, ask, _rows(context, ask, operation.implied), operation.shows)


def _rows(context: RequestContext, ask: Ask, conditions: tuple[filtering.Wanted, ...] = ()) -> Sequence[Row]:
    operation = ask.operation
    if operation.filters:  # a list without filters does not look at q at all (services)
        allowed = {**operation.filters, **_EXTRA_FILTERS.get(ask.resource, {})}
        conditions += filtering.parse(ask.queries, allowed)
    order = query.columns(ask.parameter("sort"), ask.parameter("order"), columns_of(ask.resource))
    source = context.book.sources.get(operation.name)
    if source is not None:
        return query.narrow(source(context, ask), query.Query((ask.resource,), (), conditions, order))
    fixed = tuple(_parent_column(context, ask))
    tables = VIEWS.get(ask.resource, (ask.resource,))
    return context.finder.find(query.Query(tables, fixed, conditions, order))


def page(context: RequestContext, ask: Ask, rows: Sequence[Row], fields: Sequence[str] = ()) -> SandboxResponse:
    """The asked-for page of these rows in the envelope; of each only these fields, where any are named."""
    wanted = paging.page_of(ask)
    shown = [show(context, ask.resource, row) for row in wanted.of(rows)]
    if fields:
        shown = [{name: each[name] for name in fields} for each in shown]
    path = ask.operation.path.format_map(ask.ids)
    return answer(
        envelope(ask.resource, shown, len(rows), paging.links(ask, context.base_url, path, wanted, len(rows)))
    )


def _parent_column(context: RequestContext, ask: Ask) -> Iterable[tuple[str, str]]:
    steps = ask.operation.path.strip("/").split("/")
    for parent, step in pairwise(steps):  # /patients/{patient_id}/...: the segment before an id names its resource
        name = step.strip("{}")
        if name in ask.ids:
            if context.get(parent, ask.ids[name]) is None:
                raise not_found()
            yield name, ask.ids[name]


def show(context: RequestContext, resource: str, row: Row) -> Json:
    """The row as this resource shows it; in a view it keeps its concrete form and, for bookings, gets its own link."""
    table = context.table_of(resource, str(row.get("id"))) if resource in VIEWS else resource
    shown = context.show(table or resource, row)
    if resource == "bookings":
        shown["links"] = {"self": f"{context.base_url}/bookings/{row['id']}"}
    return shown


def answer_get(context: RequestContext, ask: Ask) -> SandboxResponse:
    """One row; a hidden one only where `q[]` asks for it (api.md 1.8)."""
    return answer(show(context, ask.resource, _shown_row(context, ask)))


def _shown_row(context: RequestContext, ask: Ask) -> Row:
    row = context.get(ask.resource, ask.ids.get("id"))
    allowed = dict.fromkeys(ask.operation.hidden_filters, INSTANT)
    conditions = filtering.parse(ask.queries, allowed) if allowed else ()
    if row is None or not query.visible(row, conditions):
        raise not_found()
    return row


def answer_create(context: RequestContext, ask: Ask) -> SandboxResponse:
    """201 with the new row and where it is."""
    given, errors = validation.read(ask.operation, json_body(ask.request))
    _check_targets(context, ask.resource, given, errors, {})
    if errors:
        raise invalid(errors)
    change = Change(ask.resource, None, dict(given), given, ask.caller.user_id)
    _run(context, "create", change)
    stamp = context.clock.stamp()
    row_id = context.ids.next()
    context.store.put(ask.resource, {"id": row_id, "created_at": stamp, "updated_at": stamp, **change.new})
    change.new["id"] = row_id
    context.book.run("created", context, change)
    row = context.get(ask.resource, row_id)
    assert row is not None, "a row that was just kept"
    return answer(show(context, ask.resource, row), 201, Location=f"{context.base_url}/{ask.resource}/{row_id}")


def answer_update(context: RequestContext, ask: Ask) -> SandboxResponse:
    """200 with the changed row; what was not sent stays, null empties, and only a real change moves `updated_at`."""
    old = live_row(context, ask)
    given, errors = validation.read(ask.operation, json_body(ask.request))
    _check_targets(context, ask.resource, given, errors, old)
    if errors:
        raise invalid(errors)
    change = Change(ask.resource, old, {**old, **given}, given, ask.caller.user_id)
    _run(context, "update", change)
    keep(context, change)
    context.book.run("updated", context, change)
    return answer(show(context, ask.resource, live_row(context, ask)))


def keep(context: RequestContext, change: Change) -> None:
    """Keep the changed row, with a new `updated_at` if anything in it differs."""
    old = change.old or {}
    if any(old.get(name) != value for name, value in change.new.items()):
        context.store.put(change.resource, {**change.new, "updated_at": context.clock.stamp()})


def answer_archive(context: RequestContext, ask: Ask) -> SandboxResponse:
    """204; `archived_at` and, where the record has it, `deleted_at` are set alike. A second time is 404."""
    old = live_row(context, ask)
    stamp: JsonValue = context.clock.stamp()
    stamps: Json = {"archived_at": stamp}
    if "deleted_at" in columns_of(ask.resource):
        stamps["deleted_at"] = stamp
    change = Change(ask.resource, old, {**old, **stamps}, {}, ask.caller.user_id)
    _run(context, "archive", change)
    keep(context, change)
    context.book.run("archived", context, change)
    return nothing()


def answer_unarchive(context: RequestContext, ask: Ask) -> SandboxResponse:
    """200 with the row brought back; 404 for one that is not archived (choices 11)."""
    old = context.get(ask.resource, ask.ids.get("id"))
    if old is None or "archived_at" not in old:
        raise not_found()
    change = Change(ask.resource, old, {**old, "archived_at": None, "deleted_at": None}, {}, ask.caller.user_id)
    _run(context, "unarchive", change)
    keep(context, change)
    context.book.run("unarchived", context, change)
    return answer(show(context, ask.resource, live_row(context, ask)))


def answer_delete(context: RequestContext, ask: Ask) -> SandboxResponse:
    """204; the row is gone for good."""
    old = live_row(context, ask)
    change = Change(ask.resource, old, dict(old), {}, ask.caller.user_id)
    _run(context, "delete", change)
    context.store.remove(ask.resource, str(old["id"]))
    context.book.run("deleted", context, change)
    return nothing()


def live_row(context: RequestContext, ask: Ask) -> Row:
    """The row that the path names; 404 unless it is there and not hidden."""
    row = context.live(ask.resource, ask.ids.get("id"))
    if row is None:
        raise not_found()
    return row


def _run(context: RequestContext, moment: str, change: Change) -> None:
    context.book.run(moment, context, change)
    if change.errors:
        raise invalid(change.errors)


def _check_targets(
    context: RequestContext, resource: str, given: Mapping[str, JsonValue], errors: dict[str, str], old: Row
) -> None:
    """Put a sentence on every id that names no live record; what is stored already may stay as it is."""
    for name, value in given.items():
        target = target_of(resource, name)
        if target is None or value is None or name in errors or value == old.get(name):
            continue
        before = old.get(name)
        kept = before if isinstance(before, list) else []
        for row_id in value if isinstance(value, list) else [value]:
            if row_id in kept:
                continue
            row = context.get(target, row_id)
            if row is not None and is_hidden(row) and target in _ARCHIVED:
                errors["base"] = _ARCHIVED[target]
            elif row is None or is_hidden(row):
                errors[name] = validation.INVALID


SHAPES: Final[Mapping[str, Callable[[RequestContext, Ask], SandboxResponse]]] = {
    "list": answer_list,
    "hidden list": answer_hidden_list,
    "get": answer_get,
    "create": answer_create,
    "update": answer_update,
    "archive": answer_archive,
    "unarchive": answer_unarchive,
    "delete": answer_delete,
}
