"""Concession prices: what a discount group pays for a fee."""

from cliniko_mcp.cliniko.fields import Id, Money, Timestamp
from cliniko_mcp.cliniko.filters import COMMON, NUMBER
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.operations import Get, List, Resource


class ConcessionPrice(Record):
    id: Id
    billable_item_id: Id | None = None
    concession_type_id: Id | None = None
    created_at: Timestamp | None = None
    price: Money | None = None
    updated_at: Timestamp | None = None


FILTERS = COMMON | {
    "billable_item_id": NUMBER,
    "concession_type_id": NUMBER,
}


class ConcessionPrices(Resource):
    """Reduced prices: what pensioners or students pay for each fee."""

    list_concession_prices = List(ConcessionPrice, "/concession_prices", "List what discount groups (concessions) pay for fees.", filters=FILTERS)
    get_concession_price = Get(ConcessionPrice, "/concession_prices/{id}", "Read one reduced price of a discount group.")
