"""A store of logins by where it is, as tests and the processes that they start open it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from cliniko_mcp.shared_state.logins import CodeRow, GrantRow, Logins, PersonRow, RequestRow, Told, nobody_told
from cliniko_mcp.shared_state.logins_sqlite import SqliteLogins


@asynccontextmanager
async def logins_at(where: str, told: Told = nobody_told) -> AsyncGenerator[Logins]:
    """The store at this path, or at this address of a database."""
    if where.startswith("postgresql:"):
        from cliniko_mcp.shared_state.logins_postgres import open_logins

        async with open_logins(where, told) as logins:
            yield logins
        return
    logins = SqliteLogins(Path(where), told)
    yield logins
    logins.close()


def row_of(person: str) -> PersonRow:
    """Somebody with a key."""
    return PersonRow(person, person.title(), "", "receptionist", "Northside", 0, b"", 0.0)


def sealed(version: int) -> bytes:
    """Their key, sealed."""
    return b"sealed"


async def give(logins: Logins, count: int) -> None:
    """So many codes, `c0` and on, of a grant each."""
    await logins.put_person(row_of("ana"), sealed)
    for number in range(count):
        await logins.put_request(RequestRow(f"r{number}", "{}", 1e9))
        grant = GrantRow(f"g{number}", "ana", "client", "Program", "cliniko:read", 0.0, 1e9)
        answered = RequestRow(f"r{number}", "{}", 1e9, handed=b"x", handed_at=0.5)
        assert await logins.decide(answered, CodeRow(f"c{number}", grant.id, "{}", 1e9), grant)
