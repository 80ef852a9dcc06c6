"""A database in one SQLite file: written ahead, flushed at each commit, for its owner alone."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import anyio
import anyio.to_thread

from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.private_files import open_private, private_folder
from cliniko_mcp.shared_state.statements import HOLD, Found, Work

T = TypeVar("T")
_WAIT_SECONDS: Final = 10.0
"""For another process that writes."""


class SqliteFile:
    """See `Database`. One connection, used by one thread at a time."""

    def __init__(self, path: Path, schema: str, called: str) -> None:
        """Make or open the file, with these tables; `called` is what messages call what is in it, `the logins`.

        Raises ConfigurationError where it cannot be used, or can be read by others.
        """
        try:
            private_folder(path.parent) if not path.parent.exists() else None
            if path.exists() and os.name == "posix" and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise ConfigurationError(f"{path}, which holds {called}, can be read by others: chmod 600 it")
            os.close(open_private(path, os.O_RDWR | os.O_CREAT))
            self._db = sqlite3.connect(path, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False)
            for line in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
                self._db.execute(f"PRAGMA {line}")
            self._db.executescript(schema)
        except (OSError, sqlite3.Error) as problem:
            raise ConfigurationError(f"the file of {called}, {path}, cannot be used: {problem}") from None
        self._turn = anyio.CapacityLimiter(1)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    async def read(self, work: Callable[[], Work[T]]) -> T:
        """See `Database.read`."""
        return await anyio.to_thread.run_sync(self._played, work, limiter=self._turn)

    async def write(self, work: Callable[[], Work[T]], alone_with: str = "") -> T:
        """See `Database.write`; the work has the whole file for itself from its beginning."""

        def whole() -> T:
            with self._transaction():
                return self._played(work)

        return await anyio.to_thread.run_sync(whole, limiter=self._turn)

    @contextmanager
    def _transaction(self) -> Generator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _played(self, work: Callable[[], Work[T]]) -> T:
        steps = work()
        try:
            statement = next(steps)
            while True:
                done = self._db.execute(statement.text.removesuffix(HOLD), statement.values)
                statement = steps.send(Found(done.fetchall(), done.rowcount))
        except StopIteration as ended:
            outcome: T = ended.value
            return outcome


class SqliteWhenNeeded:
    """See `Database`. The file is opened, and made, with the first transaction, which raises what opening raises."""

    def __init__(self, path: Path, schema: str, called: str) -> None:
        self._path = path
        self._schema = schema
        self._called = called
        self._file: SqliteFile | None = None

    def close(self) -> None:
        """Close the file, where it was opened."""
        if self._file is not None:
            self._file.close()
            self._file = None

    async def read(self, work: Callable[[], Work[T]]) -> T:
        """See `Database.read`."""
        return await self._opened().read(work)

    async def write(self, work: Callable[[], Work[T]], alone_with: str = "") -> T:
        """See `Database.write`."""
        return await self._opened().write(work, alone_with)

    def _opened(self) -> SqliteFile:
        if self._file is None:
            self._file = SqliteFile(self._path, self._schema, self._called)
        return self._file
