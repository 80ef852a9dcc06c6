"""The clinic that all tests here share: they only read."""

from collections.abc import Generator

import pytest

from cliniko_mcp.sandbox.core import Sandbox

from .demo import small_clinic
from .over_port import Port


@pytest.fixture(scope="session")
def clinic() -> Generator[tuple[Sandbox, Port]]:
    with small_clinic() as found:
        yield found
