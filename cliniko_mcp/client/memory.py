"""Records by id, many in one request, kept briefly: for the names that stand beside ids (api.md section 1.5)."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final

from cliniko_mcp.client.single_flight import Flight
from cliniko_mcp.cliniko.models import Record

KEPT: Final = 60.0
"""Seconds for which a record is remembered."""
MOST_KEPT: Final = 2_000
"""Records in memory from which on those that are past their time are dropped."""
BATCH: Final = 95
"""Ids a request: with 20 digits each they stay under the 2,000 characters that a filter may have."""

Find = Callable[[str, Sequence[str]], Awaitable[Mapping[str, Record]]]
"""Name of a list operation and ids -> those records that exist."""


class Lookups:
    """A short memory in front of `find`; lookups at the same moment share their requests."""

    def __init__(self, find: Find, clock: Callable[[], float]) -> None:
        self._find = find
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[float, Record | None]] = {}
        self._asked: dict[tuple[str, str], Flight] = {}

    async def by_id(self, operation_name: str, ids: Iterable[str]) -> dict[str, Record]:
        """The records with these ids, in the order of the ids; those that do not exist are absent."""
        wanted = tuple(dict.fromkeys(ids))
        found: dict[str, Record | None] = {}
        while True:
            for each in wanted:
                if each not in found and (known := self._remembered((operation_name, each))) is not None:
                    found[each] = known[0]
            missing = [each for each in wanted if each not in found]
            if not missing:
                return {each: record for each in wanted if (record := found[each]) is not None}
            mine = [each for each in missing if (operation_name, each) not in self._asked]
            if mine:
                found.update(await self._ask(operation_name, mine))
            else:
                # Should the one who asked be cancelled, the next round asks itself.
                await self._asked[operation_name, missing[0]].ended()

    def forget(self) -> None:
        """Drop everything: a write may have changed a name. Requests under way do not come back into the memory."""
        self._known = {}

    def _remembered(self, place: tuple[str, str]) -> tuple[Record | None] | None:
        until, record = self._known.get(place, (0.0, None))
        return (record,) if self._clock() < until else None

    async def _ask(self, operation_name: str, ids: Sequence[str]) -> dict[str, Record | None]:
        places = [(operation_name, each) for each in ids]
        known, asking = self._known, Flight()
        self._asked.update(dict.fromkeys(places, asking))
        try:
            with asking.under_way():
                records = await self._find(operation_name, ids)
        finally:
            for place in places:
                del self._asked[place]
        now = self._clock()
        if len(known) > MOST_KEPT:
            for place in [place for place, (until, _) in known.items() if until <= now]:
                del known[place]
        until = now + KEPT
        known.update({(operation_name, each): (until, records.get(each)) for each in ids})
        return {each: records.get(each) for each in ids}
