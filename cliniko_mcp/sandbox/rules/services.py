"""What is offered where and by whom: services, lists of practitioners, types of a practitioner (api.md 2.2, 2.3).

A site offers the types in its `appointment_type_ids`; a type is given by those in its `practitioner_ids`; a
practitioner works at the sites in their `business_ids`, which no route shows.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.request import Ask
from cliniko_mcp.sandbox.rulebook import Change, Rulebook
from cliniko_mcp.sandbox.serialise import link
from cliniko_mcp.sandbox.store import Row
from cliniko_mcp.sandbox.wire import not_found

RULES: Final = Rulebook()


def ids_in(row: Row | None, column: str) -> list[str]:
    """The ids in a list column; none where it is unset."""
    value = row.get(column) if row else None
    return [str(each) for each in value] if isinstance(value, list) else []


def offered_by(context: RequestContext, business: Row, kind: Row) -> list[Row]:
    """The active practitioners who give this type at this site."""
    return [
        row
        for row in context.store.table("practitioners").rows.values()
        if row.get("active") is not False
        and row["id"] in ids_in(kind, "practitioner_ids")
        and business["id"] in ids_in(row, "business_ids")
    ]


@RULES.on("appointment_types", "created", "updated")
def offer_at_sites(context: RequestContext, change: Change) -> None:
    """`business_ids` of a type is written here and kept at the sites (api.md 2.3)."""
    if not change.gives("business_ids"):
        return
    own, chosen = str(change.new["id"]), ids_in(change.new, "business_ids")
    for business in tuple(context.store.table("businesses").rows.values()):
        types: list[JsonValue] = [*ids_in(business, "appointment_type_ids")]
        if (business["id"] in chosen) is not (own in types):
            changed = [*types, own] if business["id"] in chosen else [each for each in types if each != own]
            context.amend("businesses", str(business["id"]), appointment_type_ids=changed)


@RULES.presents("appointment_types")
def show_type(context: RequestContext, row: Row, shown: dict[str, JsonValue]) -> None:
    """Whether the type takes payments online follows from its mode."""
    shown["online_payments_enabled"] = row.get("online_payments_mode") is not None


@RULES.rows("list_services")
def services(context: RequestContext, ask: Ask) -> Iterable[Row]:
    """A row for each live site and each live type offered there."""
    for business in context.store.table("businesses").live.values():
        yield from _services_of(context, business)


@RULES.rows("list_business_services")
def business_services(context: RequestContext, ask: Ask) -> Iterable[Row]:
    """The same for one site."""
    business = context.live("businesses", ask.ids["business_id"])
    if business is None:
        raise not_found()
    return _services_of(context, business)


def _services_of(context: RequestContext, business: Row) -> Iterator[Row]:
    for type_id in ids_in(business, "appointment_type_ids"):
        kind = context.live("appointment_types", type_id)
        if kind is not None:
            staff: list[JsonValue] = [
                link(context.base_url, f"/practitioners/{each['id']}") for each in offered_by(context, business, kind)
            ]
            yield {"business_id": business["id"], "appointment_type_id": type_id, "practitioners": staff}


@RULES.rows("list_practitioners")
def working(context: RequestContext, ask: Ask) -> Iterable[Row]:
    """Those who work here now."""
    return _practitioners(context, active=True)


@RULES.rows("list_inactive_practitioners")
def former(context: RequestContext, ask: Ask) -> Iterable[Row]:
    """Those who no longer do."""
    return _practitioners(context, active=False)


@RULES.rows("list_business_practitioners", "list_inactive_business_practitioners")
def at_site(context: RequestContext, ask: Ask) -> Iterable[Row]:
    """Those of one site."""
    business_id = ask.ids["business_id"]
    if context.get("businesses", business_id) is None:
        raise not_found()
    staff = _practitioners(context, active=not ask.operation.path.endswith("/inactive"))
    return [row for row in staff if business_id in ids_in(row, "business_ids")]


@RULES.rows("list_appointment_type_practitioners", "list_inactive_appointment_type_practitioners")
def giving_type(context: RequestContext, ask: Ask) -> Iterable[Row]:
    """Those who give one type."""
    kind = context.get("appointment_types", ask.ids["appointment_type_id"])
    if kind is None:
        raise not_found()
    staff = _practitioners(context, active=not ask.operation.path.endswith("/inactive"))
    return [row for row in staff if row["id"] in ids_in(kind, "practitioner_ids")]


@RULES.rows("list_practitioner_appointment_types")
def types_of(context: RequestContext, ask: Ask) -> Iterable[Row]:
    """The types that one practitioner gives."""
    return context.children("appointment_types", "practitioner_ids", "practitioners", ask.ids["practitioner_id"])


def _practitioners(context: RequestContext, *, active: bool) -> list[Row]:
    rows = context.store.table("practitioners").rows.values()
    return [row for row in rows if (row.get("active") is not False) is active]
