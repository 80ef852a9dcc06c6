"""A store of logins by where it is, as tests and the processes that they start open it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from cliniko_mcp.shared_state.logins import Logins, PersonRow
from cliniko_mcp.shared_state.logins_sqlite import SqliteLogins


@asynccontextmanager
async def logins_at(where: str) -> AsyncGenerator[Logins]:
    """The store at this path, or at this address of a database."""
    if where.startswith("postgresql:"):
        from cliniko_mcp.shared_state.logins_postgres import open_logins

        async with open_logins(where) as logins:
            yield logins
        return
    logins = SqliteLogins(Path(where))
    yield logins
    logins.close()


def row_of(person: str) -> PersonRow:
    """Somebody with a key."""
    return PersonRow(person, person.title(), "", "receptionist", "Northside", 0, b"sealed", 0.0)
