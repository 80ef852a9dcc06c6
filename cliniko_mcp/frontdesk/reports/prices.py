"""What a visit of each type is charged by default: its billable items and products with their tax.

Requests: two lists, each of a hundred rows as a rule, which memory keeps, and one each 95 of the billable items,
products and taxes of the types asked about, where there are any.
"""

from collections.abc import Collection, Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from typing import Final

from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.cliniko.resources.appointment_type_billable_items import (
    AppointmentTypeBillableItem,
    AppointmentTypeBillableItems,
)
from cliniko_mcp.cliniko.resources.appointment_type_products import AppointmentTypeProduct, AppointmentTypeProducts
from cliniko_mcp.cliniko.resources.billable_items import BillableItems
from cliniko_mcp.cliniko.resources.products import Products
from cliniko_mcp.cliniko.resources.taxes import Taxes
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.reports.figures import amount
from cliniko_mcp.guards.guarded_clinic import GuardedClinic

NEEDS: Final[tuple[Operation, ...]] = (
    AppointmentTypeBillableItems.list_appointment_type_billable_items,
    AppointmentTypeProducts.list_appointment_type_products,
    BillableItems.list_billable_items,
    Products.list_products,
    Taxes.list_taxes,
)

_CENT: Final = Decimal("0.01")
_HUNDRED: Final = Decimal(100)


async def expected_amounts(clinic: GuardedClinic, types: Collection[str]) -> dict[str, Decimal]:
    """What a visit of these types is charged by default, tax included, by the type's id; those that charge nothing are
    missing.

    A fee is its price and tax; a product its price with tax. Concessions are not known before an invoice is made.
    """
    if not types:
        return {}
    every_fee, every_good = await run_concurrently(
        partial(clinic.collect, AppointmentTypeBillableItems.list_appointment_type_billable_items),
        partial(clinic.collect, AppointmentTypeProducts.list_appointment_type_products),
    )
    fees = [fee for fee in every_fee if fee.appointment_type_id in types]
    goods = [good for good in every_good if good.appointment_type_id in types]
    items, products = await run_concurrently(
        partial(clinic.by_id, BillableItems.list_billable_items, _ids(fee.billable_item_id for fee in fees)),
        partial(clinic.by_id, Products.list_products, _ids(good.product_id for good in goods)),
    )
    taxes = await clinic.by_id(Taxes.list_taxes, _ids(item.tax_id for item in items.values()))
    rates = {row_id: 1 + amount(tax.rate) / _HUNDRED for row_id, tax in taxes.items()}
    priced = {row_id: amount(item.price) * rates.get(item.tax_id or "", Decimal(1)) for row_id, item in items.items()}
    shelf = {row_id: amount(product.price_including_tax) for row_id, product in products.items()}
    found: dict[str, Decimal] = {}
    for fee in fees:
        _charge(found, fee, priced, fee.billable_item_id)
    for good in goods:
        _charge(found, good, shelf, good.product_id)
    return found


def _ids(found: Iterable[str | None]) -> set[str]:
    return {record_id for record_id in found if record_id}


def _charge(
    found: dict[str, Decimal],
    line: AppointmentTypeBillableItem | AppointmentTypeProduct,
    prices: Mapping[str, Decimal],
    priced: str | None,
) -> None:
    """Add what a line of a type comes to, its discount taken off, to that of the type."""
    whole = prices.get(priced or "", Decimal()) * amount(line.quantity)
    if line.is_monetary_discount:
        whole -= amount(line.discounted_amount)
    else:
        whole -= whole * amount(line.discount_percentage) / _HUNDRED
    kind = line.appointment_type_id or ""
    found[kind] = found.get(kind, Decimal()) + whole.quantize(_CENT, ROUND_HALF_UP)
