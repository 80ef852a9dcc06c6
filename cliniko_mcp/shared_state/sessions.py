"""The logins of the pages, which every replica knows and any ends."""

from typing import Final

from cliniko_mcp.shared_state.connection import Script, SharedState, key

_PUT: Final = Script("return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])")
_GET: Final = Script("return redis.call('GET', KEYS[1]) or ''")
_GET_ON: Final = Script("return redis.call('GETEX', KEYS[1], 'PX', ARGV[1]) or ''")
_DROP: Final = Script("return redis.call('DEL', KEYS[1])")


class SharedSessions:
    """Sessions that the replicas share. Every method raises Unavailable where Redis is away."""

    def __init__(self, state: SharedState) -> None:
        self._state = state

    async def put(self, name: str, record: bytes, seconds: float) -> None:
        """Keep this for so many seconds, unless `get` makes them more."""
        await self._state.run(_PUT, [key("pages", name)], (record, int(seconds * 1000)))

    async def get(self, name: str, seconds: float = 0.0) -> bytes:
        """What is kept, from now on for so many seconds where they are named; empty where nothing is."""
        where = [key("pages", name)]
        if seconds > 0:
            return (await self._state.run(_GET_ON, where, (int(seconds * 1000),)))[0]
        return (await self._state.run(_GET, where))[0]

    async def drop(self, name: str) -> None:
        """Keep it no longer."""
        await self._state.run(_DROP, [key("pages", name)])
