"""A demo clinic for each test, with what the rules of sections 52 to 74 need beyond the seed."""

from functools import cache

import pytest

from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.core import Sandbox
from cliniko_mcp.sandbox.store import Table
from sandbox.client import NOW, Front

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
"""What these tests make themselves, so that whatever is found is theirs."""


@cache
def _sown() -> tuple[dict[str, Table], int]:
    desk = Sandbox(now=NOW, frozen=True, rate_limit=0).context
    tables = {name: table for name, table in desk.store.tables().items() if name not in CLEARED}
    for name in ("attendees", "individual_appointments"):
        for row_id in tuple(tables[name].rows):
            desk.note(name, row_id, patient_case_id=None, treatment_note_status=None)
    for row_id in tuple(tables["appointment_types"].rows):
        desk.note("appointment_types", row_id, billable_item_id=None, product_id=None)
    return tables, desk.ids.count


def _planted(desk: RequestContext) -> None:
    tables, desk.ids.count = _sown()
    desk.store.take(tables)


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(now=NOW, frozen=True, rate_limit=0, sow=_planted)


@pytest.fixture
def desk(sandbox: Sandbox) -> Front:
    """The administrator, Dr Mei Ng, who is a practitioner as well."""
    return Front(sandbox)


@pytest.fixture
def tom(sandbox: Sandbox) -> Front:
    """Another practitioner."""
    return Front(sandbox, "practitioner")


@pytest.fixture
def ana(desk: Front) -> str:
    return desk.id("patients", "Ana Lima")


@pytest.fixture
def ben(desk: Front) -> str:
    return desk.id("patients", "Ben Adeyemi")
