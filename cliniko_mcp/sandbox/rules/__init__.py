"""True clinic logic, one file for each part of the clinic's life; everything else answers by shape."""

from functools import cache
from importlib import import_module
from typing import Final

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
"""The modules with rules, in the order in which they are asked. Each holds `RULES`."""


@cache
def rulebook() -> Rulebook:
    """All rules of the demo clinic."""
    book = Rulebook()
    for module in MODULES:
        book.add(import_module(f"cliniko_mcp.sandbox.rules.{module}").RULES)
    return book
