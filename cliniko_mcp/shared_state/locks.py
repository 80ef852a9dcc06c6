"""A lock for each record, held by one replica at a time, and by whoever waits longest within a replica."""

import hashlib
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final, Protocol

import anyio

from cliniko_mcp.errors import Unavailable
from cliniko_mcp.shared_state.connection import Script, SharedState, key

LEASE_SECONDS: Final = 60.0
"""How long the lock of a replica that has ended keeps others out. Whoever holds it renews it before it acts."""
_PAUSE_SECONDS: Final = 0.05
_LAST_WORD_SECONDS: Final = 1.0
_TAKE: Final = Script(
    """
-- ARGV: who takes it, for how many ms. Taken again by the same one where an answer was lost
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then return '' end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return '1'
"""
)
_RENEW: Final = Script(
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0"
)
_RELEASE: Final = Script("if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0")


class Near(Protocol):
    """The locks of one process."""

    def at(self, record: str, /) -> AbstractAsyncContextManager[object]:
        """Alone with this record in this process."""
        ...


class SharedHold:
    """A record that this replica holds, until it is released or its lease is over."""

    def __init__(self, state: SharedState, name: str, mine: bytes, lease: int) -> None:
        self._state = state
        self._name = name
        self._mine = mine
        self._lease = lease

    async def renew(self) -> None:
        """Hold it for a whole lease from now on. Raises Unavailable where it has gone to another replica meanwhile."""
        (held,) = await self._state.run(_RENEW, [self._name], (self._mine, self._lease))
        if held != b"1":
            raise Unavailable(
                "This took so long that another replica may be at the same record, so nothing was changed.",
                "Look at the record, and try again.",
            )


class SharedLocks:
    """The locks of one account, for all replicas."""

    def __init__(
        self, state: SharedState, account: str, near: Near, token: Callable[[], bytes], *, lease: float = LEASE_SECONDS
    ) -> None:
        """`near` lets one after the other within this replica; `token` gives eight bytes that nobody else has."""
        self._state = state
        self._account = account
        self._near = near
        self._token = token
        self._lease = int(lease * 1000)

    @asynccontextmanager
    async def at(self, record: str, /) -> AsyncGenerator[SharedHold]:
        """See `guards.turns.Locks.at`. Entering raises Unavailable where Redis is away."""
        name = key(self._account, "lock", hashlib.blake2b(record.encode(), digest_size=12).hexdigest())
        async with self._near.at(record):
            mine = self._token()
            try:
                while not (await self._state.run(_TAKE, [name], (mine, self._lease)))[0]:  # noqa: ASYNC110 - others hold it
                    await anyio.sleep(_PAUSE_SECONDS)
                yield SharedHold(self._state, name, mine, self._lease)
            finally:
                with anyio.CancelScope(shield=True):
                    await self._state.try_to(_RELEASE, [name], (mine,), patience=_LAST_WORD_SECONDS)
