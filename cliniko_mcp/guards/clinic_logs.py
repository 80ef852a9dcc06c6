"""The audit logs of a server for many, one a clinic: files beside the server's own, or chains in Postgres."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol
from weakref import WeakValueDictionary

import anyio

from cliniko_mcp.guards.hash_chain import HashChain
from cliniko_mcp.guards.log import LocalLog, Log
from cliniko_mcp.guards.queued_log import QueuedLog

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from cliniko_mcp.guards.queued_log import Lines

FLUSH_SECONDS: Final = 8.0
"""How long a stop waits for the lines that are not written yet."""


class ClinicLogs(Protocol):
    """Gives each clinic its log."""

    def of(self, clinic: str) -> Log:
        """The log of the clinic of this id, the same at every call while somebody holds it."""
        ...


def file_of(own: Path, clinic: str) -> Path:
    """The file of a clinic's audit log, beside the server's own: `audit-north.jsonl`."""
    return own.with_name(f"{own.stem}-{clinic}{own.suffix}")


class FileLogs:
    """A file a clinic, beside the server's own."""

    def __init__(self, own: Path) -> None:
        self._own = own
        self._known: WeakValueDictionary[str, LocalLog] = WeakValueDictionary()
        """The logs that somebody holds: another of the same file would take its turn at the lock by waiting."""

    def of(self, clinic: str) -> Log:
        """See `ClinicLogs.of`."""
        log = self._known.get(clinic)
        if log is None:
            log = self._known[clinic] = LocalLog(HashChain(file_of(self._own, clinic)))
        return log


class QueuedLogs:
    """A chain a clinic in a database, to which a task of each adds."""

    def __init__(self, lines: Lines, name: Callable[[], str], tasks: TaskGroup) -> None:
        """`name` gives another name at each call."""
        self._lines = lines
        self._name = name
        self._tasks = tasks
        self._known: dict[str, QueuedLog] = {}

    def of(self, clinic: str) -> Log:
        """See `ClinicLogs.of`."""
        if clinic not in self._known:
            log = self._known[clinic] = QueuedLog(clinic, self._lines, self._name)
            self._tasks.start_soon(log.write)
        return self._known[clinic]

    @property
    def queued(self) -> int:
        """How many lines wait to be written."""
        return sum(log.queued for log in self._known.values())

    def end(self) -> None:
        """No more lines come."""
        for log in self._known.values():
            log.end()

    async def ended(self) -> None:
        """Return once everything is written."""
        for log in self._known.values():
            await log.ended.wait()

    def drop(self) -> None:
        """Do not wait any more for what is not written."""
        for log in self._known.values():
            log.drop()


@asynccontextmanager
async def queued_logs(
    lines: Lines, name: Callable[[], str], seconds: float = FLUSH_SECONDS
) -> AsyncGenerator[QueuedLogs]:
    """The logs for the length of a run, at whose end what waits is written, within so many seconds."""
    try:
        async with anyio.create_task_group() as tasks:
            logs = QueuedLogs(lines, name, tasks)
            try:
                yield logs
            finally:
                logs.end()
                with anyio.move_on_after(seconds, shield=True):
                    await logs.ended()
                logs.drop()
    except BaseExceptionGroup as wrapped:  # by the task group, also where one thing alone went wrong
        raise wrapped.exceptions[0] from None
