"""A demo clinic for each test, with what the rules of sections 52 to 74 need beyond the seed."""

from functools import cache

import pytest

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.core import Sandbox
from cliniko_mcp.sandbox.desk import Desk
from sandbox.front import NOW, Front


@cache
def _sown() -> tuple[dict[str, JsonValue], int]:
    desk = Sandbox(now=NOW, frozen=True, rate_limit=0).desk
    return desk.store.dump(), desk.ids.count


def _planted(desk: Desk) -> None:
    # Rows are never altered in place, so every test can begin with the same ones: sowing anew costs more than a test.
    tables, desk.ids.count = _sown()
    desk.store.load(tables)


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
