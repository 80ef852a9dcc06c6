"""A cache in front of requests whose answers seldom change: names by id, and the zones of sites."""

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Final, Generic, TypeVar

from cliniko_mcp.client.single_flight import Flight

MAX_VALUES: Final = 5_000
"""Values in memory at most: above it the oldest are dropped."""

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class SingleFlightCache(Generic[K, V]):
    """Values by key, each kept for `seconds`; callers who ask for a key at the same moment share one request.

    What does not exist is remembered as well, as None.
    """

    def __init__(self, seconds: float, clock: Callable[[], float], most: int = MAX_VALUES) -> None:
        """`clock` is monotonic, in seconds; `most` is how many values are kept."""
        self._seconds = seconds
        self._clock = clock
        self._most = most
        self._known: dict[K, tuple[float, V | None]] = {}
        self._flights: dict[K, Flight] = {}

    async def get_many(self, keys: Sequence[K], fetch: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]) -> dict[K, V]:
        """The values of these keys, in their order; those that do not exist are absent. `fetch` reads what is unknown.

        Raises what `fetch` raises; where that is a ClinikoRefused, everybody who waits for it gets it too.
        """
        wanted = tuple(dict.fromkeys(keys))
        found: dict[K, V | None] = {}
        while True:
            for key in wanted:
                if key not in found and (known := self._remembered(key)) is not None:
                    found[key] = known[0]
            missing = [key for key in wanted if key not in found]
            if not missing:
                return {key: value for key in wanted if (value := found[key]) is not None}
            mine = [key for key in missing if key not in self._flights]
            if mine:
                found.update(await self._fetch(mine, fetch))
            else:
                # Should the caller who fetches be cancelled, the next round fetches itself.
                await self._flights[missing[0]].ended()

    def values(self) -> list[V]:
        """Everything that is known now; nothing is asked for."""
        now = self._clock()
        return [value for until, value in self._known.values() if now < until and value is not None]

    def forget(self) -> None:
        """Drop everything. What is being fetched now does not come back into the memory."""
        self._known = {}

    def _remembered(self, key: K) -> tuple[V | None] | None:
        until, value = self._known.get(key, (0.0, None))
        return (value,) if self._clock() < until else None

    async def _fetch(
        self, keys: Sequence[K], fetch: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]
    ) -> dict[K, V | None]:
        known, flight = self._known, Flight()
        self._flights.update(dict.fromkeys(keys, flight))
        try:
            with flight.under_way():
                values = await fetch(keys)
        finally:
            for key in keys:
                del self._flights[key]
        now = self._clock()
        fetched = {key: values.get(key) for key in keys}
        for key, value in fetched.items():
            known.pop(key, None)  # what was read last stands last
            known[key] = (now + self._seconds, value)
        while len(known) > self._most or next(iter(known.values()))[0] <= now:
            del known[next(iter(known))]
        return fetched
