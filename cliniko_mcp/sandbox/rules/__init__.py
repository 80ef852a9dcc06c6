"""The logic of a clinic, one module for each part of it; all other operations answer by their shape."""

from functools import cache
from importlib import import_module
from typing import Final

from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.rulebook import Rulebook

MODULES: Final = (
    "patients",
    "businesses",
    "services",
    "bookings",
    "repeats",
    "attendees",
    "cancelling",
    "available_times",
    "account",
    "taxes",
    "contacts",
    "custom_fields",
    "referrals",
    "relationships",
    "content",
    "notes",
    "forms",
    "attachments",
    "cases",
    "communications",
    "stock",
    "prices",
    "joins",
    "invoices",
)
"""The modules with rules, in the order in which these run. Each holds `RULES`."""


@cache
def all_rules() -> Rulebook[RequestContext]:
    """The rulebook of the demo clinic."""
    book = Rulebook[RequestContext]()
    for module in MODULES:
        book.add(import_module(f"cliniko_mcp.sandbox.rules.{module}").RULES)
    return book
