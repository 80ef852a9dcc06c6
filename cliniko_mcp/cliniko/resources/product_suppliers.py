"""Product suppliers: where the clinic buys the goods that it sells."""


from cliniko_mcp.cliniko.fields import Id, Timestamp
from cliniko_mcp.cliniko.filters import COMMON, TEXT
from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.cliniko.operations import Archive, Create, Get, List, Resource, Update


class ProductSupplierBody(Body):
    name: str


class ProductSupplier(ProductSupplierBody, Record):
    id: Id
    created_at: Timestamp | None = None
    updated_at: Timestamp | None = None


FILTERS = COMMON | {
    "name": TEXT,
}


class ProductSuppliers(Resource):
    """Suppliers of goods: wholesalers, vendors, distributors."""

    list_product_suppliers = List(ProductSupplier, "/product_suppliers", "List suppliers (vendors) of products.", filters=FILTERS)
    get_product_supplier = Get(ProductSupplier, "/product_suppliers/{id}", "Read one supplier (vendor) of products.")
    create_product_supplier = Create(ProductSupplierBody, ProductSupplier, "/product_suppliers", "Add a supplier (vendor) of products.")
    update_product_supplier = Update(ProductSupplierBody, ProductSupplier, "/product_suppliers/{id}", "Rename a supplier (vendor) of products.")
    archive_product_supplier = Archive("/product_suppliers/{id}/archive", "Take a supplier (vendor) off the list.")
    delete_product_supplier = Archive(
        "/product_suppliers/{id}",
        "Archive a supplier the old way. Deprecated: use archive_product_supplier.",
        method="DELETE", replaced_by="archive_product_supplier")
