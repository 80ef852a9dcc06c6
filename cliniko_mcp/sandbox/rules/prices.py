"""Prices of products with and without tax, their suppliers, and taxes that are in use.

Source: cliniko-api.md#money-and-stock.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.rulebook import Change, Rulebook
from cliniko_mcp.sandbox.rules.stock import BOUND
from cliniko_mcp.sandbox.store import Row
from cliniko_mcp.sandbox.validation import decimal_text
from cliniko_mcp.sandbox.wire import Json

RULES: Final = Rulebook[RequestContext]()
IN_USE: Final = "Tax is in use"

_CENT: Final = Decimal("0.01")
_TAXED: Final = ("billable_items", "products")


def both_prices(price: JsonValue, includes_tax: JsonValue, rate: JsonValue) -> Json:
    """The two prices that a product shows, to the cent (choices 53); `rate` is the percentage, None without tax."""
    if price is None:
        return {"price_ex_tax": None, "price_including_tax": None}
    factor = 1 + Decimal(str(rate or 0)) / 100
    amount = Decimal(str(price))
    without = amount / factor if includes_tax is True else amount
    whole = amount if includes_tax is True else amount * factor
    return {"price_ex_tax": _to_the_cent(without), "price_including_tax": _to_the_cent(whole)}


def _to_the_cent(amount: Decimal) -> str:
    return decimal_text(amount.quantize(_CENT, ROUND_HALF_UP))


@RULES.on("products", "create", "update")
def price_product(context: RequestContext, change: Change) -> None:
    """Both prices that are read follow from the one that is written."""
    if change.sets("price") and abs(Decimal(str(change.new.get("price") or 0))) >= BOUND:
        change.errors["price"] = f"must be less than {BOUND}"
        return
    change.new.update(_prices(context, change.new))


def _prices(context: RequestContext, product: Row) -> Json:
    tax = context.get("taxes", product.get("tax_id"))
    return both_prices(product.get("price"), product.get("price_includes_tax"), tax.get("rate") if tax else None)


@RULES.on("products", "create", "update")
def name_supplier(context: RequestContext, change: Change) -> None:
    """The old field for a supplier still works: the supplier of that name is taken, or made (choices 53)."""
    name = change.new.pop("product_supplier_name", None)
    if not isinstance(name, str) or not name.strip() or change.sets("product_supplier_id"):
        return
    known = (row for row in context.store.table("product_suppliers").live.values() if row.get("name") == name)
    supplier = next(known, None) or context.insert("product_suppliers", {"name": name})
    change.new["product_supplier_id"] = supplier["id"]


@RULES.serialises("products")
def show_product(context: RequestContext, row: Row, shown: Json) -> None:
    """The supplier's name beside its id."""
    supplier = context.get("product_suppliers", row.get("product_supplier_id"))
    shown["product_supplier_name"] = supplier.get("name") if supplier else None


@RULES.on("taxes", "updated")
def reprice(context: RequestContext, change: Change) -> None:
    """A new rate changes the prices of its products."""
    if change.old is None or change.old.get("rate") == change.new.get("rate"):
        return
    for product in _with_tax(context, "products", str(change.new["id"])):
        context.amend("products", str(product["id"]), **_prices(context, product))


@RULES.on("taxes", "delete")
def keep_used_tax(context: RequestContext, change: Change) -> None:
    """A tax that an item or a product names, archived ones included, cannot be deleted (choices 71)."""
    if any(_with_tax(context, table, str(change.new["id"])) for table in _TAXED):
        change.errors["base"] = IN_USE


def _with_tax(context: RequestContext, resource: str, tax_id: str) -> list[Row]:
    table = context.store.table(resource)
    return [table.rows[row_id] for row_id in table.matching("tax_id", tax_id)]
