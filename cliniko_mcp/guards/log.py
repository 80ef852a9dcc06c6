"""Where the lines of the audit log go: a file of this computer, or wherever several processes write one log."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Final, Protocol, TypeVar

import anyio

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.guards.hash_chain import HashChain

T = TypeVar("T")
_ROOM: Final = nullcontext()


class Log(Protocol):
    """An audit log to which lines are added."""

    @property
    def place(self) -> str:
        """Where it is, for whoever runs the server."""
        ...

    async def append(self, entry: Mapping[str, JsonValue]) -> int:
        """Add one line, and return once it is kept; its number, from 1. Raises OSError where it cannot be written.

        A line that was begun is written to its end, whatever becomes of the call meanwhile.
        """
        ...

    async def note(self, entry: Mapping[str, JsonValue]) -> None:
        """Add one line whose number nobody needs; it may be kept a little later. Raises OSError as `append` does."""
        ...

    def room(self) -> AbstractAsyncContextManager[None]:
        """While inside there is room for one line to be noted.

        Entering waits for it, and raises Unavailable where there is none for long.
        """
        ...


class LocalLog:
    """The log as a file. A line that has to wait for another process, which may hold the lock for up to two seconds, or
    for a copy of it is written in a thread; every other one here, as a thread costs three times what the line does."""

    def __init__(self, chain: HashChain) -> None:
        self.chain = chain
        # One thread: lines keep the order in which they were given.
        self._thread = ThreadPoolExecutor(1, "audit-log")
        self._in_thread = 0

    @property
    def place(self) -> str:
        """The path of the file."""
        return str(self.chain.path)

    async def append(self, entry: Mapping[str, JsonValue]) -> int:
        """See `Log.append`."""
        if not self._in_thread and (number := self.chain.append_at_once(entry)) is not None:
            return number
        self._in_thread += 1
        try:
            return await to_its_end(asyncio.get_running_loop().run_in_executor(self._thread, self.chain.append, entry))
        finally:
            self._in_thread -= 1

    async def note(self, entry: Mapping[str, JsonValue]) -> None:
        """See `Log.note`."""
        await self.append(entry)

    def room(self) -> AbstractAsyncContextManager[None]:
        """See `Log.room`: a file always has it."""
        return _ROOM


async def to_its_end(work: asyncio.Future[T]) -> T:
    """What this gives, waited for also where the task is cancelled meanwhile: that comes with its next wait.

    Whoever announced a change has to know the announcement's number, to write down that it was cut off.
    """
    task, cancelled = asyncio.current_task(), 0
    with anyio.CancelScope(shield=True):
        while not work.done():
            try:
                await asyncio.wait((work,))
            except asyncio.CancelledError:
                cancelled += 1
    if task is not None:
        for _ in range(cancelled):
            task.uncancel()
            task.cancel()
    return work.result()
