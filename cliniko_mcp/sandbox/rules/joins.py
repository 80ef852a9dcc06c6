"""Fees and products that a type charges by default, and the old fields that name one of them.

Source: cliniko-api.md#calendar.
"""

from typing import Final, NamedTuple

from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.rulebook import Change, Rulebook
from cliniko_mcp.sandbox.store import Row
from cliniko_mcp.sandbox.validation import INVALID

RULES: Final = Rulebook[RequestContext]()
TYPES: Final = "appointment_types"


class Join(NamedTuple):
    """A table of joins and the old field of the type that names the first of them."""

    table: str
    field: str


JOINS: Final = (
    Join("appointment_type_billable_items", "billable_item_id"),
    Join("appointment_type_products", "product_id"),
)
_TABLES: Final = tuple(join.table for join in JOINS)


@RULES.on(_TABLES, "create", "update")
def choose_discount(context: RequestContext, change: Change) -> None:
    """A discount is either a percentage or money; giving one takes the other away (choices 54)."""
    new, body = change.new, change.body
    percentage, money = body.get("discount_percentage"), body.get("discounted_amount")
    if percentage is not None and money is not None:
        change.errors["discounted_amount"] = INVALID
    elif percentage is not None:
        new["discounted_amount"] = None
    elif money is not None:
        new["discount_percentage"] = None
    new["is_monetary_discount"] = new.get("discounted_amount") is not None


@RULES.on(_TABLES, "created", "updated", "deleted")
def follow_join(context: RequestContext, change: Change) -> None:
    """The type's old field names the first of its joins."""
    join = next(join for join in JOINS if join.table == change.resource)
    type_id = str(change.new["appointment_type_id"])
    first = _first(context, join, type_id)
    context.set_derived(TYPES, type_id, **{join.field: first.get(join.field) if first else None})


@RULES.on(TYPES, "created", "updated")
def follow_old_field(context: RequestContext, change: Change) -> None:
    """Writing the old field changes the first join, or makes it; emptying it removes that join (choices 54)."""
    for join in JOINS:
        if not change.sets(join.field):
            continue
        type_id, chosen = str(change.new["id"]), change.new.get(join.field)
        first = _first(context, join, type_id)
        if chosen is None:
            if first is not None:
                context.store.remove(join.table, str(first["id"]))
        elif first is not None:
            context.amend(join.table, str(first["id"]), **{join.field: chosen})
        else:
            plain = {"quantity": "1.0", "is_monetary_discount": False}
            context.insert(join.table, {"appointment_type_id": type_id, join.field: chosen, **plain})
        follower = _first(context, join, type_id)
        context.set_derived(TYPES, type_id, **{join.field: follower.get(join.field) if follower else None})


def _first(context: RequestContext, join: Join, type_id: str) -> Row | None:
    return min(
        context.where(join.table, "appointment_type_id", type_id), key=lambda row: int(str(row["id"])), default=None
    )
