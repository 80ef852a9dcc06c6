"""The audit log in Postgres: lines added to the chain of a clinic, read again, and dropped once a chain is closed."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias

import anyio
import asyncpg

from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.shared_state import audit_sql as sql

_CONNECTIONS: Final = 8
_ANSWER_SECONDS: Final = 5.0
_LONG_SECONDS: Final = 600.0
"""For dropping years of lines."""
_BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)
_ROWS: Final = 500
_AWAY: Final = (OSError, EOFError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)

Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"


class AuditAway(OSError):
    """The database of the audit log does not answer, or does not take a line."""


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The last line of a clinic's chain: its number, from 1, and its seal."""

    clinic: str
    number: int
    seal: str


class PostgresAudit:
    """The chains of all clinics. `open_audit` makes it; every method raises AuditAway where Postgres is away."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.timed: Callable[[float], None] | None = None
        """Told how many seconds each addition took, or until it was given up."""

    async def append(self, clinic: str, bodies: Sequence[str], batch: str, *, again: bool) -> int:
        """Add these entries, JSON objects of plain ASCII without spaces; the number of the last.

        Where it is tried `again`, a batch of this name that is there already is not added a second time.
        """
        begun = anyio.current_time()
        try:
            with _told_when_away():
                async with self._pool.acquire(timeout=_ANSWER_SECONDS) as connection:
                    number = await connection.fetchval(sql.APPEND, clinic, list(bodies), batch, again)
        finally:
            if self.timed is not None:
                self.timed(anyio.current_time() - begun)
        return _whole(number)

    async def heads(self) -> list[ChainHead]:
        """The last line of every chain."""
        with _told_when_away():
            async with self._pool.acquire(timeout=_ANSWER_SECONDS) as connection:
                rows = await connection.fetch(sql.HEADS)
        return [ChainHead(str(row["clinic"]), _whole(row["n"]), str(row["seal"])) for row in rows]

    async def may_change(self) -> list[str]:
        """What this server's role may do to the log besides adding lines, in Postgres's words.

        Raises ConfigurationError where it may not add any, or there is no log.
        """
        with _told_when_away():
            async with self._pool.acquire(timeout=_ANSWER_SECONDS) as connection:
                try:
                    appends = await connection.fetchval(sql.MAY_APPEND)
                    found = await connection.fetch(sql.MAY_CHANGE)
                except (asyncpg.UndefinedTableError, asyncpg.UndefinedFunctionError, asyncpg.InvalidSchemaNameError):
                    raise _no_tables() from None
                except asyncpg.InsufficientPrivilegeError:
                    appends, found = False, []
        if not appends:
            raise _no_tables()
        return sorted({str(row["what"]) for row in found})

    async def check(self) -> None:
        """Raise ConfigurationError where this server could change what it wrote down, or cannot write."""
        if found := await self.may_change():
            raise ConfigurationError(
                f"this server's role could change the audit log in Postgres ({', '.join(found)})",
                "Make the tables as another role, by `cliniko-mcp audit setup`, and log in as one that owns nothing.",
            )

    @asynccontextmanager
    async def reading(self, clinic: str, since: datetime | None = None) -> AsyncGenerator[Reading]:
        """The chain as it is at this moment; with `since` only what was written from then on.

        Its lines raise AuditAway too.
        """
        async with AsyncExitStack() as stack:
            with _told_when_away():
                connection = await stack.enter_async_context(self._pool.acquire(timeout=_ANSWER_SECONDS))
                alone = connection.transaction(isolation="repeatable_read", readonly=True)
                await stack.enter_async_context(alone)
                row = await connection.fetchrow(sql.HEAD, clinic)
            head = ChainHead(clinic, _whole(row["n"]), str(row["seal"])) if row is not None else None
            yield Reading(connection, head, clinic, since or _BEGINNING)

    async def close(self, clinic: str, before: datetime, closing: Callable[[int, str], str]) -> int:
        """Drop the lines of this clinic that were written before then; how many they were.

        `closing` makes the entry that is added first and tells of it, of the number and the seal of the last line that
        goes. Only the owner of the tables may. Raises ConfigurationError for anybody else.
        """
        try:
            async with self._pool.acquire(timeout=_ANSWER_SECONDS) as connection, connection.transaction():
                head = await connection.fetchrow(sql.LOCK_HEAD, clinic)
                if head is None:
                    raise ConfigurationError(f"there is no audit log of {clinic}")
                since = await connection.fetchval(sql.FIRST_SINCE, clinic, before)
                last = (_whole(since) if since is not None else _whole(head["n"]) + 1) - 1
                if not last:
                    return 0
                seal = await self._seal_of(connection, clinic, last)
                entry = closing(last, seal)
                await connection.fetchval(sql.APPEND, clinic, [entry], f"closed-{last}", False)
                done = await connection.execute(sql.DROP, clinic, last, timeout=_LONG_SECONDS)
                return int(done.rpartition(" ")[2])
        except asyncpg.InsufficientPrivilegeError:
            raise ConfigurationError(
                "this role may not drop lines of the audit log.",
                "Log in as the owner of its tables: --database env:NAME.",
            ) from None
        except _AWAY as problem:
            raise _away(problem) from None

    @staticmethod
    async def _seal_of(connection: Connection, clinic: str, number: int) -> str:
        """The seal of this line, by the line itself or the one that follows it."""
        for place, field in ((number, "seal"), (number + 1, "before")):
            line = await connection.fetchval(sql.LINE, clinic, place)
            if line is not None:
                return str(json.loads(line)[field])
        raise ConfigurationError(f"line {number} of the audit log of {clinic} is missing; `audit verify` says more")

    async def run(self, text: str) -> None:
        """Run these statements, such as those of `setup`. Raises ConfigurationError for what Postgres refuses."""
        try:
            async with self._pool.acquire(timeout=_ANSWER_SECONDS) as connection, connection.transaction():
                await connection.execute(text)
        except asyncpg.PostgresError as problem:
            raise ConfigurationError(f"Postgres refuses it: {problem}") from None
        except _AWAY as problem:
            raise _away(problem) from None


class Reading:
    """A chain as it was at one moment."""

    def __init__(self, connection: Connection, head: ChainHead | None, clinic: str, since: datetime) -> None:
        self.head: Final = head
        """Its last line, as it is kept apart from the lines; None where there never was one."""
        self._connection = connection
        self._clinic = clinic
        self._since = since

    async def lines(self) -> AsyncGenerator[bytes]:
        """Its lines, oldest first, each with its end."""
        with _told_when_away():
            cursor = await self._connection.cursor(sql.LINES, self._clinic, self._since)
            rows = await cursor.fetch(_ROWS)
        while rows:
            for row in rows:
                yield f"{row['line']}\n".encode()
            with _told_when_away():
                rows = await cursor.fetch(_ROWS)


def _whole(number: object) -> int:
    assert isinstance(number, int)
    return number


def _away(problem: BaseException) -> AuditAway:
    # Its own words may hold the address, and that the password.
    return AuditAway(f"the database of the audit log does not take it: {type(problem).__name__}")


@contextmanager
def _told_when_away() -> Generator[None]:
    try:
        yield
    except AuditAway:
        raise
    except _AWAY as problem:
        raise _away(problem) from None


def _no_tables() -> ConfigurationError:
    return ConfigurationError(
        "the audit log in Postgres has no tables yet, or this server's role may not use them",
        "`cliniko-mcp audit setup --role ROLE --database env:OWNER_URL` makes them.",
    )


@asynccontextmanager
async def open_audit(url: str) -> AsyncGenerator[PostgresAudit]:
    """The log for the length of a run. `url` is `postgresql://`.

    Raises ConfigurationError for an address that is none or lets nobody in, and AuditAway where nothing answers.
    """
    if not url.startswith(("postgresql://", "postgres://")):
        raise ConfigurationError("the address of the audit log is not one of Postgres: postgresql://user@host/database")
    try:
        pool = asyncpg.create_pool(
            url,
            min_size=0,  # what it keeps open is warned of by asyncpg with its whole stack while Postgres is away
            max_size=_CONNECTIONS,
            command_timeout=_ANSWER_SECONDS,
            timeout=_ANSWER_SECONDS,
            server_settings={"application_name": "cliniko-mcp"},
        )
        await pool
        async with pool.acquire(timeout=_ANSWER_SECONDS):
            pass
    except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError, ValueError) as problem:
        raise ConfigurationError(f"Postgres does not let this server in ({type(problem).__name__})") from None
    except _AWAY as problem:
        raise _away(problem) from None
    try:
        yield PostgresAudit(pool)
    finally:
        pool.terminate()
