"""Stock adjustments: the sign of a quantity has to fit its reason (cliniko-api.md#enumerations)."""

import pytest

from cliniko_mcp.cliniko.resources.stock_adjustments import DECREASING, INCREASING, StockAdjustments
from cliniko_mcp.errors import InvalidArguments

CREATE = StockAdjustments.create_stock_adjustment


@pytest.mark.parametrize(
    ("reason", "quantity"), [*((each, "2") for each in INCREASING), *((each, "-2.5") for each in DECREASING)]
)
def test_a_quantity_whose_sign_fits_its_reason_is_sent(reason: str, quantity: str):
    call = CREATE.parse({"quantity": quantity, "product_id": "1", "adjustment_type": reason})
    assert call.request().body == {"product_id": "1", "adjustment_type": reason, "quantity": quantity}


@pytest.mark.parametrize(
    ("reason", "quantity", "sign"),
    [
        *((each, "-2", "positive") for each in INCREASING if each not in DECREASING),
        *((each, "2", "negative") for each in DECREASING if each not in INCREASING),
    ],
)
def test_a_quantity_whose_sign_does_not_fit_is_refused_with_the_right_sign(reason: str, quantity: str, sign: str):
    with pytest.raises(InvalidArguments, match=f"quantity must be {sign} for {reason}"):
        CREATE.parse({"quantity": quantity, "product_id": "1", "adjustment_type": reason})
