"""Taxes: the old name of the rate is kept in step with it (api.md 2.4)."""

from typing import Final

from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.rulebook import Change, Rulebook

RULES: Final = Rulebook()


@RULES.on("taxes", "create", "update")
def mirror_rate(context: RequestContext, change: Change) -> None:
    """`amount` always shows the rate; written alone, it sets it."""
    if change.gives("amount") and not change.gives("rate"):
        change.new["rate"] = change.new.get("amount")
    change.new["amount"] = change.new.get("rate")
