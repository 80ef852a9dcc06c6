"""Cancelling an individual appointment or a place in a group: with a reason, for good, series included (api.md 3.2)."""

from collections.abc import Iterable
from typing import Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox import validation
from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.handlers import keep
from cliniko_mcp.sandbox.request import Ask
from cliniko_mcp.sandbox.rulebook import Change, Rulebook
from cliniko_mcp.sandbox.rules.attendees import attendees_of
from cliniko_mcp.sandbox.rules.bookings import GROUP, INDIVIDUAL
from cliniko_mcp.sandbox.store import Row, is_hidden
from cliniko_mcp.sandbox.wire import SandboxResponse, invalid, json_body, not_found, nothing

RULES: Final = Rulebook()
ALREADY: Final = "has already been cancelled"
NOT_A_GROUP: Final = "Only attendees of group appointments can be cancelled"


@RULES.answers("cancel_individual_appointment")
def cancel_individual(context: RequestContext, ask: Ask) -> SandboxResponse:
    """204; with `apply_to_repeats` this one and the later ones of its series."""
    row = _cancellable(context, ask)
    given = _given(ask)
    together = _later(context, INDIVIDUAL, row) if given.get("apply_to_repeats") is True else [row]
    _cancel(context, ask, INDIVIDUAL, together, given)
    return nothing()


@RULES.answers("cancel_attendee")
def cancel_attendee(context: RequestContext, ask: Ask) -> SandboxResponse:
    """204 for a place in a group; the attendee of an individual appointment is refused (choices 30)."""
    row = _cancellable(context, ask)
    given = _given(ask)
    group = context.get(GROUP, row.get("booking_id"))
    if group is None:
        raise invalid({"base": NOT_A_GROUP})
    together = [row]
    if given.get("apply_to_repeats") is True:
        groups = [each for each in _later(context, GROUP, group) if each["id"] != group["id"]]
        places = (place for each in groups for place in attendees_of(context, str(each["id"])))
        together += [each for each in places if each.get("patient_id") == row.get("patient_id") and not is_hidden(each)]
    _cancel(context, ask, "attendees", together, given)
    return nothing()


def _cancellable(context: RequestContext, ask: Ask) -> Row:
    row = context.get(ask.resource, ask.ids["id"])
    if row is None or "archived_at" in row:
        raise not_found()
    if "cancelled_at" in row:
        raise invalid({"base": ALREADY})
    return row


def _given(ask: Ask) -> dict[str, JsonValue]:
    given, errors = validation.read(ask.operation, json_body(ask.request))
    if errors:
        raise invalid(errors)
    return given


def _later(context: RequestContext, table: str, row: Row) -> list[Row]:
    """This live record and the later live ones of its series."""
    first = row.get("repeated_from_id") or row["id"]
    series: Iterable[Row | None] = (context.live(table, first), *context.where(table, "repeated_from_id", str(first)))
    return [each for each in series if each is not None and str(each["starts_at"]) >= str(row["starts_at"])]


def _cancel(context: RequestContext, ask: Ask, table: str, rows: list[Row], given: dict[str, JsonValue]) -> None:
    for row in rows:
        stamps: dict[str, JsonValue] = {
            "cancelled_at": context.clock.stamp(),
            "cancellation_reason": given.get("cancellation_reason"),
            "cancellation_note": given.get("cancellation_note"),
        }
        change = Change(table, row, {**row, **stamps}, given, ask.caller.user_id)
        context.book.run("cancel", context, change)
        if change.errors:
            raise invalid(change.errors)
        keep(context, change)
        context.book.run("cancelled", context, change)
