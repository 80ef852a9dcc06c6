"""Taxes: `amount`, the old name of the rate, always equals it (cliniko-api.md#money-and-stock)."""

from typing import Final

from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.rulebook import Change, Rulebook

RULES: Final = Rulebook[RequestContext]()


@RULES.on("taxes", "create", "update")
def mirror_rate(context: RequestContext, change: Change) -> None:
    """`amount` always shows the rate; sent alone, it sets the rate."""
    if change.sets("amount") and not change.sets("rate"):
        change.new["rate"] = change.new.get("amount")
    change.new["amount"] = change.new.get("rate")
