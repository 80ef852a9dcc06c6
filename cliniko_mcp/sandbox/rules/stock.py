"""Stock adjustments: each changes the product's stock, names the key's owner and cannot be changed.

Source: cliniko-api.md#money-and-stock.
"""

from decimal import Decimal
from typing import Final

from cliniko_mcp.cliniko.resources.stock_adjustments import DECREASING, INCREASING
from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.rulebook import Change, Rulebook
from cliniko_mcp.sandbox.validation import INVALID, decimal_text

RULES: Final = Rulebook[RequestContext]()
BOUND: Final = Decimal(4_000_000_000)
"""Quantities and stock lie strictly between this and its negative (cliniko-api.md#discrepancies)."""


@RULES.on("stock_adjustments", "create")
def check_adjustment(context: RequestContext, change: Change) -> None:
    """The quantity's sign fits the reason, and the resulting stock is within bounds (choices 52)."""
    new = change.new
    quantity = _amount(new.get("quantity"))
    if quantity == 0:
        change.errors["quantity"] = "must be other than 0"
    elif new.get("adjustment_type") not in (INCREASING if quantity > 0 else DECREASING):
        change.errors["quantity"] = INVALID
    product = context.get("products", new.get("product_id"))
    if product is not None and abs(_amount(product.get("stock_level")) + quantity) >= BOUND:
        change.errors["quantity"] = INVALID
    # `comment` is the old name of `notes`: whichever was sent is read back under both.
    new["notes"] = new["comment"] = new.get("notes") if new.get("notes") is not None else new.get("comment")
    new["user_id"] = change.user_id


@RULES.on("stock_adjustments", "created")
def move_stock(context: RequestContext, change: Change) -> None:
    """The product's stock rises or falls by the quantity."""
    product = context.get("products", change.new.get("product_id"))
    if product is not None:
        level = _amount(product.get("stock_level")) + _amount(change.new.get("quantity"))
        context.amend("products", str(product["id"]), stock_level=decimal_text(level))


@RULES.on("products", "create", "update")
def keep_stock(context: RequestContext, change: Change) -> None:
    """Stock may be set on create; afterwards only adjustments change it (cliniko-api.md#money-and-stock)."""
    new = change.new
    new["stock_level"] = (new.get("stock_level") or "0.0") if change.old is None else change.old.get("stock_level")


def _amount(value: object) -> Decimal:
    return Decimal(str(value)) if value is not None else Decimal(0)
