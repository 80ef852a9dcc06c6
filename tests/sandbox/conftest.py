"""A demo clinic for each test, its clock standing still on a Tuesday morning."""

import pytest

from cliniko_mcp.sandbox.core import Sandbox

from .client import NOW, Front


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(now=NOW, frozen=True, rate_limit=0)


@pytest.fixture
def desk(sandbox: Sandbox) -> Front:
    return Front(sandbox)
