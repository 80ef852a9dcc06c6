"""The whole registry as parameters of a law: one case for each operation, or for each tool as hosts are told of it."""

import pytest

from cliniko_mcp.cliniko.registry import operations
from cliniko_mcp.tools.index import entries

OPERATIONS = list(operations().values())
ENTRIES = list(entries().values())

every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
every_tool = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
