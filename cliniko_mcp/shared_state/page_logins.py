"""Who is logged in on the hosted pages, and logins under way: sealed records that end by themselves, or at once.

The name of a record is a digest of its secret id, so that whoever reads Redis can use none of them.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

from cliniko_mcp.shared_state.connection import Script, SharedState, key
from cliniko_mcp.shared_state.keys import KeyRing, Unsealable

_ACCOUNT: Final = "pages"
"""Pages belong to a person, who may have several accounts: the records lie under a name of their own."""
_PUT: Final = Script(
    """
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if #KEYS > 1 then
  redis.call('SADD', KEYS[2], KEYS[1])
  redis.call('PEXPIRE', KEYS[2], ARGV[3])
end
return '1'
"""
)
_GET: Final = Script(
    """
local found = redis.call('GET', KEYS[1])
if found and tonumber(ARGV[1]) > 0 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return found
"""
)
_TAKE: Final = Script("local found = redis.call('GET', KEYS[1]) redis.call('DEL', KEYS[1]) return found")
_NAMES: Final = Script("local found = redis.call('SMEMBERS', KEYS[1]) redis.call('DEL', KEYS[1]) return found")
_DROP: Final = Script("return redis.call('DEL', unpack(KEYS))")
_DAY: Final = 86_400_000


class PageLogins:
    """The records of the hosted pages. Every method raises Unavailable where Redis is away."""

    def __init__(self, state: SharedState, ring: KeyRing) -> None:
        self._state = state
        self._ring = ring

    async def put(self, secret: str, record: bytes, seconds: float, person: str = "") -> None:
        """Keep the record of this secret id for so many seconds; `person` is by whom `drop_all` finds it."""
        names = [_name(secret), *([_names(person)] if person else [])]
        sealed = self._ring.seal(record, "page", bound=secret.encode())
        await self._state.run(_PUT, names, (sealed, int(seconds * 1000), _DAY))

    async def get(self, secret: str, *, keep: float = 0.0) -> bytes | None:
        """The record, kept for `keep` seconds from now on where that is more than 0; None where there is none."""
        (sealed,) = await self._state.run(_GET, [_name(secret)], (int(keep * 1000),))
        return self._opened(sealed, secret)

    async def take(self, secret: str) -> bytes | None:
        """The record, which there is none of from now on: what is good for one use, of which one hears."""
        # An answer that is lost loses the record with it: whoever logs in begins anew.
        (sealed,) = await self._state.run(_TAKE, [_name(secret)])
        return self._opened(sealed, secret)

    async def drop_all(self, person: str) -> None:
        """End everything of this person."""
        found: Sequence[bytes] = await self._state.run(_NAMES, [_names(person)])
        names = [name.decode() for name in found if name]
        if names:
            await self._state.run(_DROP, names)

    def _opened(self, sealed: bytes, secret: str) -> bytes | None:
        try:
            return self._ring.unseal(sealed, "page", bound=secret.encode()) if sealed else None
        except Unsealable:
            return None


def _name(secret: str) -> str:
    return key(_ACCOUNT, "record", hashlib.sha256(secret.encode()).hexdigest())


def _names(person: str) -> str:
    return key(_ACCOUNT, "of", hashlib.sha256(person.encode()).hexdigest())
