"""Completions: names of practitioners, sites and appointment types while a person types them into a prompt.

The names are read in whole lists through the guards, and kept for a minute, so that typing costs no request a letter.
"""

from collections.abc import Awaitable, Callable
from typing import Final

import anyio
import mcp_types as types

from cliniko_mcp.errors import ClinikoMcpError
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.names import NAMED

KEPT: Final = 60.0
MOST: Final = 100
"""Values in one completion, by the protocol."""
MOST_READ: Final = 1_000
_KINDS: Final = {
    "practitioner": "practitioner_id",
    "practitioners": "practitioner_id",
    "business": "business_id",
    "businesses": "business_id",
    "appointment_type": "appointment_type_id",
    "appointment_types": "appointment_type_id",
}
DAYS: Final = tuple(
    "today tomorrow yesterday monday tuesday wednesday thursday friday saturday sunday".split()  # noqa: SIM905
)

Named = tuple[str, str]
"""A record's name and its id."""


class Completions:
    """What may stand for an argument; one for a run, so that its short memory is shared."""

    def __init__(self, clock: Callable[[], float] = anyio.current_time) -> None:
        self._clock = clock
        self._known: dict[str, tuple[float, list[Named]]] = {}
        self._reading = anyio.Lock()

    async def answer(
        self, params: types.CompleteRequestParams, clinic: Callable[[str], Awaitable[GuardedClinic]]
    ) -> types.CompleteResult:
        """The values that fit what was typed so far, at most 100; none where the names may not or cannot be read.

        `desk` gives the desk of a tool by its name.
        """
        typed = params.argument.value.strip().casefold()
        if isinstance(params.ref, types.ResourceTemplateReference):
            noun = params.ref.uri.removeprefix("cliniko://").partition("/")[0]
            named = await self._names(noun, clinic) if params.argument.name == "id" else []
            found = [key for name, key in named if key.startswith(typed) or _fits(name, typed)]
        elif params.argument.name == "day":
            found = [day for day in DAYS if day.startswith(typed)]
        else:
            found = [name for name, _ in await self._names(params.argument.name, clinic) if _fits(name, typed)]
        values = list(dict.fromkeys(found))
        return types.CompleteResult(
            completion=types.Completion(values=values[:MOST], total=len(values), has_more=len(values) > MOST)
        )

    async def _names(self, kind: str, clinic: Callable[[str], Awaitable[GuardedClinic]]) -> list[Named]:
        field = _KINDS.get(kind)
        if field is None:
            return []
        async with self._reading:
            until, known = self._known.get(field, (0.0, []))
            if self._clock() < until:
                return known
            try:
                read = await _read(field, await clinic(NAMED[field].list))
            except ClinikoMcpError:  # a person who types is not helped by an error: they see no suggestions
                return []
            self._known[field] = (self._clock() + KEPT, read)
            return read


async def _read(field: str, clinic: GuardedClinic) -> list[Named]:
    named = NAMED[field]
    sweep = await clinic.rows(clinic.call(named.list), limit=MOST_READ)
    found = [(named.label(record), str(getattr(record, "id", ""))) for record in sweep.rows]
    return sorted((pair for pair in found if all(pair)), key=lambda pair: pair[0].casefold())


def _fits(name: str, typed: str) -> bool:
    """Whether what was typed begins the name or one of its words."""
    folded = name.casefold()
    return folded.startswith(typed) or f" {typed}" in folded
