"""Products: the goods that the clinic sells, with price, supplier and stock."""

from pydantic import Field

from cliniko_mcp.cliniko.fields import BoundedAmount, Id, Money, NonNegative, Number, Timestamp, omittable
from cliniko_mcp.cliniko.filters import COMMON, INSTANT, NUMBER, TEXT
from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.cliniko.operations import Archive, Create, Get, List, Resource, Update


class ProductDetails(Body):
    item_code: str | None = Field(default=None, max_length=100)
    name: str = Field(max_length=255)
    notes: str | None = None
    product_supplier_id: Id | None = None
    serial_number: str | None = Field(default=None, max_length=255)
    tax_id: Id | None = None


class ProductBody(ProductDetails):
    cost_price: NonNegative | None = None
    price: Number
    price_includes_tax: bool | None = None
    product_supplier_name: str = omittable(description="Deprecated.")
    stock_level: BoundedAmount | None = Field(
        default=None, description="Opening stock."
    )


class Product(ProductDetails, Record):
    concise = ("id", "name", "item_code", "price_including_tax", "stock_level", "product_supplier_id", "archived_at")

    id: Id
    archived_at: Timestamp | None = None
    cost_price: Money | None = None
    created_at: Timestamp | None = None
    price_ex_tax: Money | None = None
    price_including_tax: Money | None = None
    product_supplier_name: str | None = None
    stock_level: Money | None = None
    updated_at: Timestamp | None = None


FILTERS = COMMON | {
    "archived_at": INSTANT,
    "name": TEXT,
    "tax_id": NUMBER,
}


class Products(Resource):
    """Goods for sale: retail, supplies, equipment, with stock on hand."""

    list_products = List(Product, "/products", "List products (goods for sale) with prices and stock on hand.", filters=FILTERS)
    get_product = Get(Product, "/products/{id}", "Read one product and its stock on hand.", hidden=("archived_at",))
    create_product = Create(ProductBody, Product, "/products", "Add a product (goods for sale) with its price.")
    update_product = Update(
        ProductBody, Product, "/products/{id}",
        "Change a product's name, price, cost, tax or supplier, not its stock (create_stock_adjustment).")
    archive_product = Archive("/products/{id}/archive", "Stop selling a product by archiving it.")
    delete_product = Archive(
        "/products/{id}",
        "Archive a product the old way. Deprecated: use archive_product.",
        method="DELETE", replaced_by="archive_product")
