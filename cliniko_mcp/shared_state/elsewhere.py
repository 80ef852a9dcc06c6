"""What replicas tell each other of an account's set-up: zones, and that something was changed. Nothing of a person."""

from collections.abc import Mapping, Sequence
from typing import Final

import anyio

from cliniko_mcp.shared_state.connection import Script, SharedState, key

OF_USER: Final = "zone:"
"""The name of the zone of the key's user, who is another one for each key; a site's has its id at its end."""
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

    def __init__(self, state: SharedState, account: str, own: str = "") -> None:
        """`own` is the account of the key, where people work in one clinic in keys of their own."""
        self._state = state
        self._account = account
        self._own = own or account

    async def get(self, name: str) -> bytes | None:
        """What was put under this name; None where there is nothing, or Redis is away."""
        found = await self._state.try_to(_GET, [self._key(name)], patience=_PATIENCE_SECONDS)
        return found[0] or None if found else None

    async def put(self, name: str, value: bytes, seconds: float) -> None:
        """Keep this, where Redis is there."""
        told = (value, int(seconds * 1000))
        await self._state.try_to(_PUT, [self._key(name)], told, patience=_PATIENCE_SECONDS)

    def _key(self, name: str) -> str:
        return key(self._own if name == OF_USER else self._account, "kept", name)

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
