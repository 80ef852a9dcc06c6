"""What the clinic charges and sells: taxes, fees, concessions, products with their stock, and what a type bills."""

from decimal import Decimal
from typing import Final, NamedTuple

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.rules.prices import both_prices
from cliniko_mcp.sandbox.seed.builder import SeedBuilder
from cliniko_mcp.sandbox.seed.offer import OFFERS, RETIRED, Offer
from cliniko_mcp.sandbox.validation import decimal_text
from cliniko_mcp.sandbox.wire import Json

RATES: Final = {"GST": "10.0", "GST free": "0.0"}
FEES: Final = {15: "45.0", 30: "95.0", 45: "130.0", 60: "165.0"}
"""What a visit costs before tax, by its minutes."""

CLASS_FEES: Final = {45: "25.0", 60: "35.0"}
CONCESSIONS: Final = ("Pensioner", "Student", "Health care card")
OFF: Final = Decimal("0.8")
"""What a concession leaves of a fee."""


class Good(NamedTuple):
    """A product: its supplier, price as written (with tax or without), cost, and how it came and went."""

    name: str
    code: str | None
    supplier: str | None
    price: str
    includes_tax: bool
    cost: str | None
    moves: tuple[tuple[str, int, str | None], ...]
    tax: str | None = "GST"


_BOUGHT, _SOLD = "Stock Purchase", "Item Sold"
SUPPLIERS: Final = ("Bandage & Brace Supplies", "Example Orthotics", "Sole Traders")
GOODS: Final = (
    Good(
        "Resistance band, light", "RB-L", SUPPLIERS[0], "14.95", True, "6.2", ((_BOUGHT, 40, None), (_SOLD, -9, None))
    ),
    Good(
        "Resistance band, heavy", "RB-H", SUPPLIERS[0], "16.95", True, "7.1", ((_BOUGHT, 40, None), (_SOLD, -12, None))
    ),
    Good(
        "Foam roller",
        "FR-90",
        SUPPLIERS[0],
        "39.5",
        True,
        "18.0",
        ((_BOUGHT, 15, None), (_SOLD, -4, None), ("Damaged", -1, "Dented in transport.")),
    ),
    Good(
        "Spiky ball", "SB-1", SUPPLIERS[0], "9.9", True, "3.0", ((_BOUGHT, 60, None), ("Correction", -2, "Stocktake."))
    ),
    Good("Kinesiology tape", "KT-5", SUPPLIERS[0], "18.0", False, "8.5", ((_BOUGHT, 30, None), (_SOLD, -7, None))),
    Good("Heat pack", None, SUPPLIERS[0], "24.95", True, "11.0", ((_BOUGHT, 20, None), ("Returned", 1, "Unopened."))),
    Good("Insoles, full length", "IN-F", SUPPLIERS[1], "89.0", False, "35.0", ((_BOUGHT, 12, None), (_SOLD, -3, None))),
    Good("Ankle brace", "AB-M", SUPPLIERS[1], "64.0", False, "30.0", ((_BOUGHT, 8, None), (_SOLD, -8, "Sold out."))),
    Good("Massage oil", "MO-2", None, "21.5", True, "8.0", ((_BOUGHT, 24, None), ("Out of Date", -6, None))),
    Good("Exercise book", None, None, "5.0", False, None, (("Other", 100, "Printed here."),), "GST free"),
    Good("Gift voucher", "GIFT", None, "50.0", False, None, (), None),
)
_RETIRED_GOOD: Final = Good("Wobble cushion", "WC", SUPPLIERS[2], "45.0", True, "20.0", ((_BOUGHT, 2, None),))


def build_goods(builder: SeedBuilder) -> None:
    """Taxes first: everything with a price names one."""
    for name, rate in RATES.items():
        builder.add("taxes", {"name": name, "rate": rate, "amount": rate}, known_as=name, days_ago=1500)
    for name in SUPPLIERS:
        builder.add("product_suppliers", {"name": name}, known_as=name, days_ago=1490)
    for good in (*GOODS, _RETIRED_GOOD):
        _add_good(builder, good)
    builder.archive("products", builder.id("products", _RETIRED_GOOD.name), 200)
    builder.archive("product_suppliers", builder.id("product_suppliers", SUPPLIERS[2]), 190)
    for name in (*CONCESSIONS, "Staff and family"):
        builder.add("concession_types", {"name": name}, known_as=name, days_ago=1450)
    builder.archive("concession_types", builder.id("concession_types", "Staff and family"), 300)
    for offer in (*OFFERS, RETIRED):
        _add_fee(builder, offer)
    builder.archive("billable_items", builder.id("billable_items", RETIRED.name), 240)
    report: Json = {"name": "Report for an insurer", "item_code": "REP", "item_type": "Other", "price": "180.0"}
    builder.add("billable_items", {**report, "tax_id": builder.id("taxes", "GST")}, days_ago=1180)
    builder.add("billable_items", {"name": "Cancellation fee", "item_type": "Other", "price": "50.0"}, days_ago=1180)
    _add_goods_of_types(builder)


def fee(offer: Offer) -> str:
    """What this type of visit costs before tax."""
    return (CLASS_FEES if offer.places > 1 else FEES)[offer.minutes]


def tax_of(offer: Offer) -> str:
    """The tax on it: massage is taxed, care is not."""
    return "GST" if offer.category == "Massage" else "GST free"


def code(offer: Offer) -> str:
    """Its item code."""
    return "".join(word[0] for word in offer.name.split()).upper() + str(offer.minutes)


def _add_fee(builder: SeedBuilder, offer: Offer) -> None:
    appointment_type = builder.id("appointment_types", offer.name)
    item = builder.add(
        "billable_items",
        {
            "name": offer.name,
            "item_code": code(offer),
            "item_type": "Service",
            "price": fee(offer),
            "tax_id": builder.id("taxes", tax_of(offer)),
        },
        known_as=offer.name,
        days_ago=1190,
    )
    join: Json = {
        "appointment_type_id": appointment_type,
        "billable_item_id": item,
        "quantity": "1.0",
        "is_monetary_discount": False,
    }
    builder.add("appointment_type_billable_items", join, days_ago=1180)
    builder.context.set_derived("appointment_types", appointment_type, billable_item_id=item)
    for concession in CONCESSIONS if offer.minutes <= 60 and offer.places == 1 else ():
        builder.add(
            "concession_prices",
            {
                "billable_item_id": item,
                "concession_type_id": builder.id("concession_types", concession),
                "price": decimal_text(Decimal(fee(offer)) * OFF),
            },
            days_ago=1170,
        )


def _add_goods_of_types(builder: SeedBuilder) -> None:
    """A class hands out a band, with money off; a foot check sells insoles for a tenth less."""
    for appointment_type, good, discount in (
        ("Pilates class", "Resistance band, light", {"discounted_amount": "5.0"}),
        ("Foot and gait check", "Insoles, full length", {"discount_percentage": "10.0"}),
    ):
        join: Json = {
            "appointment_type_id": builder.id("appointment_types", appointment_type),
            "product_id": builder.id("products", good),
            "quantity": "1.0",
            "is_monetary_discount": "discounted_amount" in discount,
            **discount,
        }
        builder.add("appointment_type_products", join, days_ago=500)
        builder.context.set_derived(
            "appointment_types",
            builder.id("appointment_types", appointment_type),
            product_id=builder.id("products", good),
        )


def _add_good(builder: SeedBuilder, good: Good) -> None:
    known_tax = builder.id("taxes", good.tax) if good.tax else None
    level = decimal_text(Decimal(sum(quantity for _, quantity, _ in good.moves)))
    product = builder.add(
        "products",
        {
            "name": good.name,
            "item_code": good.code,
            "product_supplier_id": builder.id("product_suppliers", good.supplier) if good.supplier else None,
            "price": good.price,
            "price_includes_tax": good.includes_tax,
            "cost_price": good.cost,
            "tax_id": known_tax,
            "stock_level": level if good.moves else "0.0",
            **both_prices(good.price, good.includes_tax, RATES[good.tax] if good.tax else None),
        },
        known_as=good.name,
        days_ago=1100,
    )
    for number, (adjustment_type, quantity, text) in enumerate(good.moves):
        note: JsonValue = text
        builder.add(
            "stock_adjustments",
            {
                "product_id": product,
                "adjustment_type": adjustment_type,
                "quantity": decimal_text(Decimal(quantity)),
                "notes": note,
                "comment": note,
                "user_id": builder.id("users", "Bianca Rossi"),
            },
            days_ago=420 - number * 140 - len(good.name),
        )
