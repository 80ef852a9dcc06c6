"""What replicas tell each other of an account's set-up: zones, and that something was changed. Nothing of a person."""

from collections.abc import Mapping, Sequence
from typing import Final

import anyio

from cliniko_mcp.shared_state.connection import Script, SharedState, key

_PATIENCE_SECONDS: Final = 0.5
"""What is kept here can be read from the clinic as well: nobody waits for it long."""
_DAY_SECONDS: Final = 86_400
_GET: Final = Script("return redis.call('GET', KEYS[1])")
_PUT: Final = Script("return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])")
_GENERATIONS: Final = Script("return redis.call('HGETALL', KEYS[1])")
_CHANGED: Final = Script(
    "for i = 2, #ARGV do redis.call('HINCRBY', KEYS[1], ARGV[i], 1) end return redis.call('EXPIRE', KEYS[1], ARGV[1])"
)


class SharedElsewhere:
    """The memory that the replicas of one account share; see `guards.elsewhere.Elsewhere`."""

    def __init__(self, state: SharedState, account: str) -> None:
        self._state = state
        self._account = account

    async def get(self, name: str) -> bytes | None:
        """What was put under this name; None where there is nothing, or Redis is away."""
        found = await self._state.try_to(_GET, [key(self._account, "kept", name)], patience=_PATIENCE_SECONDS)
        return found[0] or None if found else None

    async def put(self, name: str, value: bytes, seconds: float) -> None:
        """Keep this, where Redis is there."""
        told = (value, int(seconds * 1000))
        await self._state.try_to(_PUT, [key(self._account, "kept", name)], told, patience=_PATIENCE_SECONDS)

    async def generations(self) -> Mapping[str, int]:
        """How often each kind was changed within a day; empty where Redis is away."""
        found = await self._state.try_to(_GENERATIONS, [key(self._account, "gen")], patience=_PATIENCE_SECONDS)
        return {kind.decode(): int(count) for kind, count in zip(found[::2], found[1::2], strict=True)}

    async def changed(self, kinds: Sequence[str]) -> None:
        """Tell all replicas, where Redis is there, also where the call that changed it was cut off.

        Zones that were kept of what has changed are dropped with it.
        """
        with anyio.CancelScope(shield=True):
            names = [key(self._account, "gen")]
            await self._state.try_to(_CHANGED, names, (_DAY_SECONDS, *kinds), patience=_PATIENCE_SECONDS)
