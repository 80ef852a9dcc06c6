"""A log that is written to a database: what must be written down first is, and the rest follows within a second.

What is announced waits until it is kept. What is noted is queued, at most 500 lines, and written with the next
announcement, once a second, or once the queue is full. Where the database is away announcements fail, and notes wait;
where the queue is full nobody begins what has to be noted.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from typing import Final, Protocol

import anyio

from cliniko_mcp.errors import JsonValue, Unavailable
from cliniko_mcp.guards.chain_lines import compact
from cliniko_mcp.guards.log import to_its_end

MAX_QUEUED: Final = 500
"""Lines that wait to be written, and are written in one statement."""
FLUSH_SECONDS: Final = 1.0
PATIENCE: Final = 5.0
"""Seconds for which what has to be noted waits for room in the queue."""
_PAUSE: Final = 0.5
"""Between attempts while the database is away."""
_STOPPING: Final = "the server is stopping"
_LOG = logging.getLogger(__name__)


class Lines(Protocol):
    """Where lines are added to the chain of a clinic."""

    async def append(self, clinic: str, bodies: Sequence[str], batch: str, *, again: bool) -> int:
        """Add these entries to a chain; the number of the last. Raises OSError where that is not possible.

        Where it is tried `again`, a batch of this name that is there already is not added a second time.
        """
        ...


class QueuedLog:
    """The log of one clinic. Its lines are written while `write` runs, which somebody has to start."""

    def __init__(self, clinic: str, lines: Lines, name: Callable[[], str]) -> None:
        """`name` gives another name for each batch."""
        self._clinic = clinic
        self._lines = lines
        self._name = name
        self._announced: deque[tuple[str, asyncio.Future[int]]] = deque()
        self._noted: deque[str] = deque()
        self._held = 0
        self._come = anyio.Event()
        self._hurry = anyio.Event()
        self._freed = anyio.Event()
        self._away = False
        self._over = False
        self._writing = anyio.CancelScope(shield=True)
        self.ended: Final = anyio.Event()
        """Set once `write` has ended."""

    @property
    def place(self) -> str:
        """Which chain it is, in the database that the operator named."""
        return f"{self._clinic} in Postgres"

    @property
    def queued(self) -> int:
        """How many lines wait to be written."""
        return len(self._noted)

    async def append(self, entry: Mapping[str, JsonValue]) -> int:
        """See `Log.append`."""
        if self._over:
            raise OSError(_STOPPING)
        kept: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._announced.append((compact(entry), kept))
        self._come.set()
        self._hurry.set()
        return await to_its_end(kept)

    async def note(self, entry: Mapping[str, JsonValue]) -> None:
        """See `Log.note`."""
        self._noted.append(compact(entry))
        self._come.set()
        if len(self._noted) >= MAX_QUEUED:
            self._hurry.set()

    @asynccontextmanager
    async def room(self) -> AsyncGenerator[None]:
        """See `Log.room`."""
        if self._full:
            with anyio.move_on_after(PATIENCE):
                while self._full:
                    self._hurry.set()
                    await self._freed.wait()
            if self._full:
                raise Unavailable(
                    "This server cannot write its audit log just now, so nothing more was read or changed.",
                    "Try again in half a minute; if it goes on, tell the person who looks after this server.",
                    retry_after=30,
                )
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            self._free()

    @property
    def _full(self) -> bool:
        # While lines are written, many calls at once of one person are no reason for others to wait.
        return len(self._noted) + (self._held if self._away else 0) >= MAX_QUEUED

    def _free(self) -> None:
        freed, self._freed = self._freed, anyio.Event()
        freed.set()

    async def write(self) -> None:
        """Write what comes, until `end` was called and nothing waits; not even a cancelled task ends it, but `drop`."""
        with self._writing:
            while self._waits or not self._over:
                if not self._waits:
                    await self._come.wait()
                if not self._over:
                    with anyio.move_on_after(FLUSH_SECONDS):
                        await self._hurry.wait()
                # Before what waits is taken, so that what comes meanwhile is seen afterwards.
                self._come, self._hurry = anyio.Event(), anyio.Event()
                await self._write_batch()
                while self._announced or len(self._noted) >= MAX_QUEUED:
                    await self._write_batch()
        self.ended.set()

    def end(self) -> None:
        """No more lines come: `write` ends once those that wait are written."""
        self._over = True
        self._come.set()
        self._hurry.set()

    def drop(self) -> None:
        """End `write` now; how many lines are lost by it is told on standard error."""
        self._writing.cancel()
        _fail(self._announced, OSError(_STOPPING))
        if self._noted:
            _LOG.error("%d lines of the audit log of %s could not be written", len(self._noted), self._clinic)

    @property
    def _waits(self) -> bool:
        return bool(self._announced or self._noted)

    async def _write_batch(self) -> None:
        """Write what waits, at most as much as one statement takes.

        Where that is not possible what was announced fails, and what was noted is tried until it is.
        """
        announced = [self._announced.popleft() for _ in range(min(len(self._announced), MAX_QUEUED))]
        noted = [*islice(self._noted, MAX_QUEUED - len(announced))]
        batch, again = self._name(), False
        try:
            while noted or announced:
                bodies = [*noted, *(body for body, _ in announced)]
                try:
                    last = await self._lines.append(self._clinic, bodies, batch, again=again)
                except OSError as problem:
                    self._warn(problem)
                    # What is announced is not done. If the line was kept all the same, it stands there without an end.
                    _fail([*announced, *self._announced], problem)
                    self._announced.clear()
                    announced, again = [], True
                    if noted:
                        with anyio.move_on_after(_PAUSE):
                            await self._hurry.wait()
                        self._hurry = anyio.Event()
                else:
                    self._away = False
                    for number, (_, kept) in enumerate(announced, last - len(announced) + 1):
                        kept.set_result(number)
                    for _ in noted:
                        self._noted.popleft()
                    self._free()
                    return
        finally:
            _fail(announced, OSError(_STOPPING))

    def _warn(self, problem: OSError) -> None:
        if not self._away:
            _LOG.warning("the audit log %s cannot be written (%s)", self.place, problem)
        self._away = True


def _fail(announced: Iterable[tuple[str, asyncio.Future[int]]], problem: OSError) -> None:
    for _, kept in announced:
        if not kept.done():
            kept.set_exception(problem)
