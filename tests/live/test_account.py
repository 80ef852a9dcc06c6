"""A real account, read and never changed: whether what Cliniko sends is what the records expect.

    CLINIKO_API_KEY=... CLINIKO_CONTACT_EMAIL=... pytest -n 0 --live tests/live

Left out without `--live`. Nothing of what is read is printed: a failure names operations and fields only.
"""

import os

import pytest

from cliniko_mcp.app import open_app
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.cliniko.registry import is_list, operations
from cliniko_mcp.errors import ClinikoMcpError, NotAllowed, PermissionMissing
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.guards.pipeline import Caller
from cliniko_mcp.settings import Settings

pytestmark = [pytest.mark.live, pytest.mark.anyio]

NEEDED = ("CLINIKO_API_KEY", "CLINIKO_CONTACT_EMAIL")
GIVEN = {name: os.environ[name] for name in (*NEEDED, "CLINIKO_MCP_BASE_URL") if name in os.environ}
"""Read before the suite forgets what this computer's user has set."""


def settings() -> Settings:
    if missing := [name for name in NEEDED if name not in GIVEN]:
        pytest.fail(f"set {' and '.join(missing)} to read a real account")
    return Settings.load({"read_only": True}, GIVEN)


async def unexpected(clinic: GuardedClinic, operation: Operation) -> str:
    """The fields of the first rows, or of the one record, that are not as expected; empty if there are none."""
    name = operation.name
    try:
        if is_list(operation):
            records = [*(await clinic.rows(operation.call(), limit=5)).rows]
        else:
            records = [await clinic.perform(operation.of({}))]
    except PermissionMissing:
        return ""  # what the key's role may not read says nothing about records
    except ClinikoMcpError as problem:
        return f"{name}: {problem.code}"
    odd = {field for record in records if record for field in record.unexpected}
    return f"{name}: {', '.join(sorted(odd))}" if odd else ""


async def test_everything_that_needs_no_id_reads_as_expected() -> None:
    plain = [
        operation
        for operation in operations().values()
        if operation.shape in ("list", "get") and not operation.path_ids
    ]
    async with open_app(settings()) as app:
        clinic = await app.guarded_clinic("tests", Caller(route="terminal"))
        found = [
            await unexpected(clinic, operation)
            for operation in plain
            if operation.query is None and not operation.deprecated
        ]
    assert list(filter(None, found)) == []
    assert len(found) > 30


async def test_days_are_those_of_the_account() -> None:
    async with open_app(settings()) as app:
        overview = await app.call("clinic_overview", {}, Caller(route="terminal"))
    assert overview["time_zone"] and overview["now"]


async def test_a_change_is_refused_before_it_is_sent() -> None:
    async with open_app(settings()) as app:
        with pytest.raises(NotAllowed):
            await app.call("create_concession_type", {"name": "Never made"}, Caller(route="terminal"))
