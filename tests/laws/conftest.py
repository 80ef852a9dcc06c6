"""What the laws are about: every tool, made once for all of them."""

from collections.abc import Mapping

import pytest

from cliniko_mcp.manifest import all_tools
from cliniko_mcp.tools.tool import Tool


@pytest.fixture(scope="session")
def tools() -> Mapping[str, Tool]:
    """Every tool by name, with its schema built."""
    return all_tools()


@pytest.fixture(autouse=True)
def state_of_its_own() -> None:
    """Laws read source and tables and touch no state, so the thousands of them share one folder: none."""
