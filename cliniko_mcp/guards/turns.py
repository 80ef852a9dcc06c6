"""Turns at a record: what is read of it to judge a change still holds when the change is sent."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

import anyio


class Hold(Protocol):
    """A record that nobody else is at."""

    async def renew(self) -> None:
        """Nothing, where nobody else has come to it meanwhile. Raises Unavailable where somebody may have."""
        ...


class Held:
    """A record that is this process's own for as long as it is held."""

    async def renew(self) -> None:
        """Nothing: nobody else can have come to it."""


class Locks(Protocol):
    """What lets one act after the other at a record, in this process or wherever several share one account."""

    def at(self, record: str, /) -> AbstractAsyncContextManager[Hold]:
        """Alone with this record for as long as the context lasts.

        Entering it raises Unavailable where nobody knows whether somebody else is at it.
        """
        ...


@dataclass(slots=True)
class _Turn:
    lock: anyio.Lock = field(default_factory=anyio.Lock)
    users: int = 0


class Turns:
    """Lets the calls that change one record go one after the other, whoever makes them."""

    def __init__(self) -> None:
        self._turns: dict[str, _Turn] = {}

    @asynccontextmanager
    async def at(self, record: str, /) -> AsyncGenerator[Held]:
        """Alone with this record, `patients/12`, for as long as the context lasts; those before come first."""
        turn = self._turns.setdefault(record, _Turn())
        turn.users += 1
        try:
            async with turn.lock:
                yield Held()
        finally:
            turn.users -= 1
            if turn.users == 0:
                del self._turns[record]
