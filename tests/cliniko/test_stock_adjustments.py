"""Stock adjustments: the sign of a quantity has to fit its reason (cliniko-api.md#enumerations)."""

import pytest

from cliniko_mcp.cliniko.resources.stock_adjustments import DECREASING, INCREASING, StockAdjustments
from cliniko_mcp.errors import InvalidArguments

CREATE = StockAdjustments.create_stock_adjustment


@pytest.mark.parametrize(
    ("reason", "quantity"), [*((reason, "2") for reason in INCREASING), *((reason, "-2.5") for reason in DECREASING)]
)
def test_a_quantity_whose_sign_fits_its_reason_is_sent(reason: str, quantity: str):
    call = CREATE.parse({"quantity": quantity, "product_id": "1", "adjustment_type": reason})
    assert call.request().body == {"product_id": "1", "adjustment_type": reason, "quantity": quantity}


@pytest.mark.parametrize(
    ("reason", "quantity", "sign"),
    [
        *((reason, "-2", "positive") for reason in INCREASING if reason not in DECREASING),
        *((reason, "2", "negative") for reason in DECREASING if reason not in INCREASING),
    ],
)
def test_a_quantity_whose_sign_does_not_fit_is_refused_with_the_right_sign(reason: str, quantity: str, sign: str):
    with pytest.raises(InvalidArguments, match=f"quantity must be {sign} for {reason}"):
        CREATE.parse({"quantity": quantity, "product_id": "1", "adjustment_type": reason})
