"""A demo clinic for each test, its clock frozen on a Tuesday morning."""

import pytest

from cliniko_mcp.sandbox.core import Sandbox

from .client import NOW, Client


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(now=NOW, frozen=True, rate_limit=0)


@pytest.fixture
def client(sandbox: Sandbox) -> Client:
    return Client(sandbox)
