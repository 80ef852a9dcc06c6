"""The account: whose key this is, and its settings, of which the public part is a subset.

Source: cliniko-api.md#staff-and-sites, #account.
"""

from typing import Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.request import OperationRequest
from cliniko_mcp.sandbox.rulebook import Change, Rulebook
from cliniko_mcp.sandbox.validation import INVALID
from cliniko_mcp.sandbox.wire import SandboxResponse, json_response, not_found

RULES: Final = Rulebook[RequestContext]()

PRIVATE: Final = {
    "account": ("compliance", "email_from", "first_name", "last_name"),
    "integrations": ("medipass",),
    "online_bookings": ("adroll", "google_analytics", "google_tag_manager"),
    "patient_privacy": (
        "anonymise_appointments_on_deletion",
        "anonymise_booking_notifications",
        "anonymise_invoices_and_payments_on_deletion",
        "baa_requested",
    ),
}
"""What the public settings leave out of each group (cliniko-api.md#account)."""


@RULES.answers("get_authenticated_user")
def own_user(context: RequestContext, request: OperationRequest) -> SandboxResponse:
    """The key's owner, for every role."""
    row = context.get("users", request.owner.user_id)
    if row is None:
        raise not_found()
    return json_response(context.serialise("users", row))


@RULES.answers("get_settings")
def all_settings(context: RequestContext, request: OperationRequest) -> SandboxResponse:
    """The settings."""
    return json_response(dict(context.settings()))


@RULES.answers("get_public_settings")
def public_settings(context: RequestContext, request: OperationRequest) -> SandboxResponse:
    """The settings without what is private."""
    shown: dict[str, JsonValue] = {}
    for group, values in context.settings().items():
        private = PRIVATE.get(group, ())
        shown[group] = (
            {name: value for name, value in values.items() if name not in private}
            if isinstance(values, dict)
            else values
        )
    return json_response(shown)


@RULES.on("unavailable_block_types", "update", "archive")
def keep_system_type(context: RequestContext, change: Change) -> None:
    """A type that Cliniko itself uses cannot be changed (choices 39)."""
    if (change.old or {}).get("system_controlled") is True:
        change.errors["base"] = INVALID
