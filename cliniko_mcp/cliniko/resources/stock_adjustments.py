"""Stock adjustments: goods that came in or went out, each with its reason; together they make the stock on hand."""

from decimal import Decimal
from typing import Final, Literal

from pydantic import Field, ValidationInfo, field_validator

from cliniko_mcp.cliniko.fields import Id, Money, Timestamp
from cliniko_mcp.cliniko.filters import COMMON, INSTANT, NUMBER
from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.cliniko.operations import Create, Get, List, Resource

INCREASING: Final = ("Stock Purchase", "Returned", "Other")
DECREASING: Final = ("Damaged", "Out of Date", "Item Sold", "Other", "Correction")


class StockAdjustmentBody(Body):
    adjustment_type: Literal["Correction", "Damaged", "Item Sold", "Other", "Out of Date", "Returned", "Stock Purchase"] = Field(
        description="Purchase, return: in; Other: either; the rest: out."
    )
    comment: str | None = Field(default=None, description="Deprecated.")
    notes: str | None = None
    product_id: Id
    quantity: Money | None = Field(description="5 in, -5 out.")

    @field_validator("quantity")
    @classmethod
    def _sign_fits_reason(cls, quantity: str | None, info: ValidationInfo) -> str | None:
        reason = info.data.get("adjustment_type")
        number = Decimal(quantity or 0)
        if reason and number > 0 and reason not in INCREASING:
            raise ValueError(f"must be negative for {reason}, which takes goods out of stock")
        if reason and number < 0 and reason not in DECREASING:
            raise ValueError(f"must be positive for {reason}, which brings goods into stock")
        return quantity


class StockAdjustment(Record):
    id: Id
    adjustment_type: str | None = None
    archived_at: Timestamp | None = None
    comment: str | None = None
    created_at: Timestamp | None = None
    notes: str | None = None
    product_id: Id | None = None
    quantity: Money | None = Field(default=None, description="Positive: came in. Negative: went out.")
    updated_at: Timestamp | None = None
    user_id: Id | None = Field(default=None, description="Who made the adjustment.")


FILTERS = COMMON | {
    "archived_at": INSTANT,
    "product_id": NUMBER,
}


class StockAdjustments(Resource):
    """Movements of stock: deliveries, sales, breakages, stocktake corrections."""

    list_stock_adjustments = List(StockAdjustment, "/stock_adjustments", "List stock movements, in and out.", filters=FILTERS)
    get_stock_adjustment = Get(StockAdjustment, "/stock_adjustments/{id}", "Read one stock movement.", hidden=("archived_at",))
    create_stock_adjustment = Create(
        StockAdjustmentBody, StockAdjustment, "/stock_adjustments",
        "Record stock that came in or went out. It stays: correct a mistake with an opposite one.")
