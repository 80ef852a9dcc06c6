"""Services, lists of practitioners, types of a practitioner (cliniko-api.md#staff-and-sites, #calendar).

A site offers the types in its `appointment_type_ids`; the practitioners in `practitioner_ids` of a type offer it; a
practitioner works at the sites in their `business_ids`, which no route shows.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.request import OperationRequest
from cliniko_mcp.sandbox.rulebook import Change, Rulebook
from cliniko_mcp.sandbox.serialise import link
from cliniko_mcp.sandbox.store import Row
from cliniko_mcp.sandbox.wire import not_found

RULES: Final = Rulebook[RequestContext]()


def ids_in(row: Row | None, column: str) -> list[str]:
    """The ids in a list column; none where it is unset."""
    value = row.get(column) if row else None
    return [str(row_id) for row_id in value] if isinstance(value, list) else []


def practitioners_offering(context: RequestContext, business: Row, appointment_type: Row) -> list[Row]:
    """The active practitioners who offer this type at this site."""
    return [
        row
        for row in context.store.table("practitioners").rows.values()
        if row.get("active") is not False
        and row["id"] in ids_in(appointment_type, "practitioner_ids")
        and business["id"] in ids_in(row, "business_ids")
    ]


@RULES.on("appointment_types", "created", "updated")
def offer_at_sites(context: RequestContext, change: Change) -> None:
    """`business_ids` of a type is sent here and stored in the sites (cliniko-api.md#calendar)."""
    if not change.sets("business_ids"):
        return
    own, chosen = str(change.new["id"]), ids_in(change.new, "business_ids")
    for business in tuple(context.store.table("businesses").rows.values()):
        types: list[JsonValue] = [*ids_in(business, "appointment_type_ids")]
        if (business["id"] in chosen) is not (own in types):
            changed = [*types, own] if business["id"] in chosen else [type_id for type_id in types if type_id != own]
            context.amend("businesses", str(business["id"]), appointment_type_ids=changed)


@RULES.serialises("appointment_types")
def show_type(context: RequestContext, row: Row, shown: dict[str, JsonValue]) -> None:
    """Whether the type takes payments online follows from its mode."""
    shown["online_payments_enabled"] = row.get("online_payments_mode") is not None


@RULES.rows("list_services")
def services(context: RequestContext, request: OperationRequest) -> Iterable[Row]:
    """A row for each live site and each live type offered there."""
    for business in context.store.table("businesses").live.values():
        yield from _services_of(context, business)


@RULES.rows("list_business_services")
def business_services(context: RequestContext, request: OperationRequest) -> Iterable[Row]:
    """A row for each live type offered at one site."""
    business = context.live("businesses", request.ids["business_id"])
    if business is None:
        raise not_found()
    return _services_of(context, business)


def _services_of(context: RequestContext, business: Row) -> Iterator[Row]:
    for type_id in ids_in(business, "appointment_type_ids"):
        appointment_type = context.live("appointment_types", type_id)
        if appointment_type is not None:
            staff: list[JsonValue] = [
                link(context.base_url, f"/practitioners/{practitioner['id']}")
                for practitioner in practitioners_offering(context, business, appointment_type)
            ]
            yield {"business_id": business["id"], "appointment_type_id": type_id, "practitioners": staff}


@RULES.rows("list_practitioners")
def active_practitioners(context: RequestContext, request: OperationRequest) -> Iterable[Row]:
    """The practitioners who work here."""
    return _practitioners(context, active=True)


@RULES.rows("list_inactive_practitioners")
def inactive_practitioners(context: RequestContext, request: OperationRequest) -> Iterable[Row]:
    """The practitioners who no longer work here."""
    return _practitioners(context, active=False)


@RULES.rows("list_business_practitioners", "list_inactive_business_practitioners")
def practitioners_at_site(context: RequestContext, request: OperationRequest) -> Iterable[Row]:
    """The practitioners of one site."""
    business_id = request.ids["business_id"]
    if context.get("businesses", business_id) is None:
        raise not_found()
    staff = _practitioners(context, active=not request.operation.path.endswith("/inactive"))
    return [row for row in staff if business_id in ids_in(row, "business_ids")]


@RULES.rows("list_appointment_type_practitioners", "list_inactive_appointment_type_practitioners")
def practitioners_of_type(context: RequestContext, request: OperationRequest) -> Iterable[Row]:
    """The practitioners who offer one type."""
    appointment_type = context.get("appointment_types", request.ids["appointment_type_id"])
    if appointment_type is None:
        raise not_found()
    staff = _practitioners(context, active=not request.operation.path.endswith("/inactive"))
    return [row for row in staff if row["id"] in ids_in(appointment_type, "practitioner_ids")]


@RULES.rows("list_practitioner_appointment_types")
def types_of_practitioner(context: RequestContext, request: OperationRequest) -> Iterable[Row]:
    """The types that one practitioner offers."""
    return context.children("appointment_types", "practitioner_ids", "practitioners", request.ids["practitioner_id"])


def _practitioners(context: RequestContext, *, active: bool) -> list[Row]:
    rows = context.store.table("practitioners").rows.values()
    return [row for row in rows if (row.get("active") is not False) is active]
