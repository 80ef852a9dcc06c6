"""Cancelling an individual appointment or a place in a group: with a reason, for good, series included.

Source: cliniko-api.md#appointments.
"""

from collections.abc import Iterable
from typing import Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.handlers import store_change
from cliniko_mcp.sandbox.request import OperationRequest
from cliniko_mcp.sandbox.rulebook import Change, Rulebook
from cliniko_mcp.sandbox.rules.attendees import attendees_of
from cliniko_mcp.sandbox.rules.bookings import GROUP, INDIVIDUAL
from cliniko_mcp.sandbox.store import Row, is_hidden
from cliniko_mcp.sandbox.validation import validate
from cliniko_mcp.sandbox.wire import SandboxResponse, invalid, no_content, not_found

RULES: Final = Rulebook[RequestContext]()
ALREADY: Final = "has already been cancelled"
NOT_A_GROUP: Final = "Only attendees of group appointments can be cancelled"


@RULES.answers("cancel_individual_appointment")
def cancel_individual(context: RequestContext, request: OperationRequest) -> SandboxResponse:
    """204; with `apply_to_repeats` this one and the later ones of its series."""
    row = _cancellable(context, request)
    body = _body(request)
    rows = _later(context, INDIVIDUAL, row) if body.get("apply_to_repeats") is True else [row]
    _cancel(context, request, INDIVIDUAL, rows, body)
    return no_content()


@RULES.answers("cancel_attendee")
def cancel_attendee(context: RequestContext, request: OperationRequest) -> SandboxResponse:
    """204 for a place in a group; the attendee of an individual appointment is refused (choices 30)."""
    row = _cancellable(context, request)
    body = _body(request)
    group = context.get(GROUP, row.get("booking_id"))
    if group is None:
        raise invalid({"base": NOT_A_GROUP})
    rows = [row]
    if body.get("apply_to_repeats") is True:
        groups = [later for later in _later(context, GROUP, group) if later["id"] != group["id"]]
        attendees = (attendee for later in groups for attendee in attendees_of(context, str(later["id"])))
        patient_id = row.get("patient_id")
        rows += [found for found in attendees if found.get("patient_id") == patient_id and not is_hidden(found)]
    _cancel(context, request, "attendees", rows, body)
    return no_content()


def _cancellable(context: RequestContext, request: OperationRequest) -> Row:
    row = context.get(request.resource, request.ids["id"])
    if row is None or "archived_at" in row:
        raise not_found()
    if "cancelled_at" in row:
        raise invalid({"base": ALREADY})
    return row


def _body(request: OperationRequest) -> dict[str, JsonValue]:
    body, errors = validate(request.operation, request.json())
    if errors:
        raise invalid(errors)
    return body


def _later(context: RequestContext, table: str, row: Row) -> list[Row]:
    """This live record and the later live ones of its series."""
    first = row.get("repeated_from_id") or row["id"]
    series: Iterable[Row | None] = (context.live(table, first), *context.where(table, "repeated_from_id", str(first)))
    starts_at = str(row["starts_at"])
    return [later for later in series if later is not None and str(later["starts_at"]) >= starts_at]


def _cancel(
    context: RequestContext, request: OperationRequest, table: str, rows: list[Row], body: dict[str, JsonValue]
) -> None:
    for row in rows:
        stamps: dict[str, JsonValue] = {
            "cancelled_at": context.clock.stamp(),
            "cancellation_reason": body.get("cancellation_reason"),
            "cancellation_note": body.get("cancellation_note"),
        }
        change = Change(table, row, {**row, **stamps}, body, request.owner.user_id)
        context.rulebook.run("cancel", context, change)
        if change.errors:
            raise invalid(change.errors)
        store_change(context, change)
        context.rulebook.run("cancelled", context, change)
