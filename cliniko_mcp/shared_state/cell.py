"""A record of one account that replicas change one after the other: whoever saw an older one has to look again."""

from typing import Final

import anyio

from cliniko_mcp.shared_state.connection import Script, SharedState, key

_READ: Final = Script("return {redis.call('HGET', KEYS[1], 'v') or '0', redis.call('HGET', KEYS[1], 'b') or ''}")
_VERSION: Final = Script("return redis.call('HGET', KEYS[1], 'v') or '0'")
_SWAP: Final = Script(
    """
-- ARGV: the version that was seen, what is kept now, for how many ms, and a name that no other attempt has
local v = redis.call('HGET', KEYS[1], 'v') or '0'
if v ~= ARGV[1] then return redis.call('HGET', KEYS[1], 'by') == ARGV[4] and '1' or '0' end
redis.call('HSET', KEYS[1], 'v', v + 1, 'b', ARGV[2], 'by', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return '1'
"""
)


class Cell:
    """One record, with the number of its version. Every method raises Unavailable where Redis is away."""

    def __init__(self, state: SharedState, account: str, name: str, seconds: float) -> None:
        """It is kept for so many seconds after its last change."""
        self._state = state
        self._keys = [key(account, name)]
        self._milliseconds = int(seconds * 1000)

    async def version(self) -> int:
        """The version; 0 where there is no record."""
        return int((await self._state.run(_VERSION, self._keys))[0])

    async def read(self) -> tuple[int, bytes]:
        """The version and the record; 0 and nothing where there is none."""
        version, record = await self._state.run(_READ, self._keys)
        return int(version), record

    async def swap(self, version: int, record: bytes, attempt: bytes) -> bool:
        """Keep this record in place of that version; False, having done nothing, where that is not the last any more.

        `attempt` is a name that no other attempt has: by it an attempt whose answer was lost knows itself. Once it is
        on its way it is waited for, also where the call is cut off.
        """
        done: list[bytes] = []
        with anyio.CancelScope(shield=True):
            done = await self._state.run(_SWAP, self._keys, (version, record, self._milliseconds, attempt))
        return done == [b"1"]
