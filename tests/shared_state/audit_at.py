"""An audit log in a Postgres of the tests: its tables made by their owner, and a role that may only add lines."""

from itertools import count

import anyio

from cliniko_mcp.shared_state.audit_postgres import open_audit
from cliniko_mcp.shared_state.audit_sql import setup
from tests.postgres import PostgresServer

_ROLES = count(1)


def audit_database(postgres: PostgresServer) -> tuple[str, str]:
    """The address of a new database with the tables of the log: as the server logs in, and as their owner does."""
    owner = postgres.database()
    role = f"app_{next(_ROLES)}_{postgres.port}"
    postgres.do(owner, f'CREATE ROLE "{role}" LOGIN')

    async def made() -> None:
        async with open_audit(owner) as audit:
            await audit.run(setup(role))

    anyio.run(made)
    return owner.replace("tests@", f"{role}@"), owner
