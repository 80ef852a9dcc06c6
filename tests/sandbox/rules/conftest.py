"""A demo clinic for each test, its clock frozen on a Tuesday morning, without records that these tests make."""

from functools import cache

import pytest

from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.core import Sandbox
from cliniko_mcp.sandbox.store import Table
from sandbox.client import NOW, Client

CLEARED = (
    "appointment_type_billable_items",
    "appointment_type_products",
    "communications",
    "files",
    "patient_attachments",
    "patient_cases",
    "patient_forms",
    "products",
    "product_suppliers",
    "referral_source_types",
    "referral_sources",
    "signatures",
    "treatment_notes",
)
"""Tables whose rows these tests make themselves, so that every row in them is theirs."""


@cache
def _built() -> tuple[dict[str, Table], int]:
    context = Sandbox(now=NOW, frozen=True, rate_limit=0).context
    tables = {name: table for name, table in context.store.tables().items() if name not in CLEARED}
    for name in ("attendees", "individual_appointments"):
        for row_id in tuple(tables[name].rows):
            context.set_derived(name, row_id, patient_case_id=None, treatment_note_status=None)
    for row_id in tuple(tables["appointment_types"].rows):
        context.set_derived("appointment_types", row_id, billable_item_id=None, product_id=None)
    return tables, context.ids.count


def _load(context: RequestContext) -> None:
    tables, context.ids.count = _built()
    context.store.take(tables)


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(now=NOW, frozen=True, rate_limit=0, seed_with=_load)


@pytest.fixture
def client(sandbox: Sandbox) -> Client:
    """The administrator, Dr Mei Ng, who is a practitioner as well."""
    return Client(sandbox)


@pytest.fixture
def tom(sandbox: Sandbox) -> Client:
    """Another practitioner."""
    return Client(sandbox, "practitioner")


@pytest.fixture
def ana(client: Client) -> str:
    return client.id("patients", "Ana Lima")


@pytest.fixture
def ben(client: Client) -> str:
    return client.id("patients", "Ben Adeyemi")
