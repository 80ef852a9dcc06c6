"""A database of audit lines in memory, and the queue of a clinic before it."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from itertools import count

import anyio

from cliniko_mcp.guards.clinic_logs import queued_logs
from cliniko_mcp.guards.queued_log import QueuedLog


class Kept:
    """A database in memory that can be away, slow, or lose its answer."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.batches: list[tuple[int, str, bool]] = []
        self.written: list[tuple[float, int]] = []
        """When each batch was written, and of how many lines."""
        self.tried: list[float] = []
        """When each batch was, whatever became of it."""
        self.away = False
        self.lost = 0
        self.takes = 0.0
        self.slow = anyio.Event()
        self.slow.set()

    async def append(self, clinic: str, bodies: Sequence[str], batch: str, *, again: bool) -> int:
        self.tried.append(anyio.current_time())
        await self.slow.wait()
        await anyio.sleep(self.takes)
        if self.away:
            raise OSError("it is away")
        if not again or not any(name == batch for _, name, _ in self.batches):
            self.lines += bodies
        self.batches.append((len(bodies), batch, again))
        self.written.append((anyio.current_time(), len(bodies)))
        if self.lost:
            self.lost -= 1
            raise OSError("its answer was lost")
        return len(self.lines)


@asynccontextmanager
async def opened(kept: Kept, seconds: float = 5.0) -> AsyncGenerator[QueuedLog]:
    names = count()
    async with queued_logs(kept, lambda: str(next(names)), seconds) as logs:
        log = logs.of("north")
        assert isinstance(log, QueuedLog) and log is logs.of("north") and log is not logs.of("south")
        yield log
