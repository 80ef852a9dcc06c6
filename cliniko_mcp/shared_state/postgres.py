"""A database in Postgres, for several servers of one address.

Where SQLite lets one process write at a time, here whoever uses or ends a row holds it, and whoever looks whether there
is room for another holds the table.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias, TypeVar

import asyncpg

from cliniko_mcp.errors import ConfigurationError, Unavailable
from cliniko_mcp.shared_state.statements import Found, Work

T = TypeVar("T")
_CONNECTIONS: Final = 8
_ANSWER_SECONDS: Final = 5.0
_TRIES: Final = 3
_LOCK: Final = 4_711_052_026
"""By which servers that start at once make the tables one after the other; any number of our own."""
_WORDS: Final = {" STRICT": "", "REAL": "DOUBLE PRECISION", "BLOB": "BYTEA"}
"""What SQLite's words for tables are here."""
_AGAIN: Final = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
"""It was undone, and may be done once more."""
_AWAY: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
)
_UNUSABLE: Final = (asyncpg.SyntaxOrAccessError, asyncpg.InvalidSchemaNameError)
"""Our tables are not there, or not for us: somebody has to mend that, and until then it is as if it were away."""
_LOG = logging.getLogger(__name__)


Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"


@dataclass(frozen=True, slots=True)
class Tables:
    """What is kept in a database, by whom it is used."""

    schema: str
    """The schema of Postgres that is ours alone."""
    text: str
    """Makes the tables, in the words of SQLite."""
    called: str
    """What messages call it, `its logins`."""
    away: str
    """What cannot be done while it is away, as a sentence."""


class PostgresDatabase:
    """See `Database`. `open_database` makes it."""

    def __init__(self, pool: Pool, tables: Tables) -> None:
        self._pool = pool
        self._tables = tables

    async def read(self, work: Callable[[], Work[T]]) -> T:
        """See `Database.read`."""
        try:
            async with self._pool.acquire() as connection:
                return await _played(connection, work)
        except _UNUSABLE as problem:
            raise self._unusable(problem) from None
        except _AWAY:
            raise _away(self._tables) from None

    async def write(self, work: Callable[[], Work[T]], alone_with: str = "") -> T:
        """See `Database.write`."""
        tries = _TRIES
        while True:
            tries -= 1
            try:
                async with self._pool.acquire() as connection, connection.transaction():
                    if alone_with:
                        await connection.execute(f"LOCK TABLE {alone_with} IN SHARE ROW EXCLUSIVE MODE")
                    return await _played(connection, work)
            except _AGAIN:
                if not tries:
                    raise _away(self._tables) from None
            except _UNUSABLE as problem:
                raise self._unusable(problem) from None
            except _AWAY:
                raise _away(self._tables) from None

    def _unusable(self, problem: Exception) -> Unavailable:
        _LOG.error("the tables of %s cannot be used: %s", self._tables.called, type(problem).__name__)
        return _away(self._tables)


async def _played(connection: Connection, work: Callable[[], Work[T]]) -> T:
    steps = work()
    try:
        statement = next(steps)
        while True:
            text, gives_rows = _numbered(statement.text)
            if gives_rows:
                rows = await connection.fetch(text, *statement.values)
                found = Found([tuple(row) for row in rows], len(rows))
            else:
                told = await connection.execute(text, *statement.values)
                found = Found((), int(told.rpartition(" ")[2]))
            statement = steps.send(found)
    except StopIteration as ended:
        outcome: T = ended.value
        return outcome


@lru_cache(maxsize=200)
def _numbered(text: str) -> tuple[str, bool]:
    """A statement with its values numbered, and whether it gives rows."""
    parts = text.split("?")
    numbered = "".join(f"{part}${place}" for place, part in enumerate(parts[:-1], 1)) + parts[-1]
    return numbered, text.startswith("SELECT") or " RETURNING " in text


def _away(tables: Tables) -> Unavailable:
    return Unavailable(
        tables.away,
        "Try again in half a minute; if it goes on, tell the person who looks after this server.",
        retry_after=30,
    )


@asynccontextmanager
async def open_database(url: str, tables: Tables) -> AsyncGenerator[PostgresDatabase]:
    """The database for the length of a run, its tables made where there are none. `url` is `postgresql://`.

    Raises ConfigurationError for an address that is none or lets nobody in, Unavailable where nothing answers.
    """
    if not url.startswith(("postgresql://", "postgres://")):
        raise ConfigurationError(
            f"the address of {tables.called} is not one of Postgres: postgresql://user@host/database"
        )
    try:
        pool = asyncpg.create_pool(
            url,
            min_size=1,
            max_size=_CONNECTIONS,
            command_timeout=_ANSWER_SECONDS,
            timeout=_ANSWER_SECONDS,
            server_settings={"search_path": tables.schema, "application_name": "cliniko-mcp"},
        )
        await pool
    except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError, ValueError) as problem:
        # Its own words may hold the address, and that the password.
        raise ConfigurationError(f"Postgres does not let this server in ({type(problem).__name__})") from None
    except _AWAY:
        raise _away(tables) from None
    try:
        await _make_tables(pool, tables)
        yield PostgresDatabase(pool, tables)
    finally:
        pool.terminate()


async def _make_tables(pool: Pool, tables: Tables) -> None:
    text = re.sub("|".join(map(re.escape, _WORDS)), lambda found: _WORDS[found.group()], tables.text)
    try:
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
            await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {tables.schema}")
            await connection.execute(text)
    except asyncpg.InsufficientPrivilegeError:
        raise ConfigurationError(
            f"Postgres does not let this server make the tables of {tables.called}, in the schema {tables.schema}",
            f"CREATE SCHEMA {tables.schema} AUTHORIZATION the user that the server logs in as.",
        ) from None
    except _AWAY:
        raise _away(tables) from None
