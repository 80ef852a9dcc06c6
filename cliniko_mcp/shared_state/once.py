"""What is good for one use: of all replicas that try, one hears that it was the first."""

from typing import Final

from cliniko_mcp.shared_state.connection import Script, SharedState, key

_FIRST: Final = Script("return redis.call('SET', KEYS[1], '1', 'NX', 'PX', ARGV[1]) and '1' or '0'")


class SharedOnce:
    """Uses that the replicas share."""

    def __init__(self, state: SharedState) -> None:
        self._state = state

    async def first(self, name: str, seconds: float) -> bool:
        """Whether nobody has used this name for so many seconds. Raises Unavailable where Redis is away."""
        # An answer that is lost has used it: whoever comes by it needs another.
        return await self._state.run(_FIRST, [key("once", name)], (int(seconds * 1000),)) == [b"1"]
