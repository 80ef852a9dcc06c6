"""What all calls of one clinic and key remember together: which records, for how long, and what drops them.

`KEPT` is the one place that decides it. Patients, bookings, blocked-out times and whatever else changes by the hour are
not in it. What a change depends on, the hours and who offers what, serves answers only: a call that may change
something reads it afresh.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple, TypeVar

from cliniko_mcp.client.memory import SingleFlightCache
from cliniko_mcp.cliniko.calls import Call, Risk
from cliniko_mcp.cliniko.filters import Condition, Family
from cliniko_mcp.cliniko.models import Record, value_of
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.guards.pipeline import Purpose
from cliniko_mcp.guards.zones import Zone

SECONDS_KEPT: Final = 120.0
"""Seconds for which the lists of a clinic's set-up are remembered: a change made elsewhere shows so much later."""
RECORD_SECONDS_KEPT: Final = 60.0
"""Seconds for which a record read for its name is remembered."""
MAX_ROWS: Final = 2_000
"""Rows of a list that is kept; a longer one is read each time."""
MAX_LISTS: Final = 100
"""Lists of one kind that are kept."""


AnyT = TypeVar("AnyT", bound=Record | None)


@dataclass(frozen=True, slots=True)
class Kept:
    """One kind of record that is kept, with the resources whose changes from here drop it."""

    dropped_by: tuple[str, ...]
    serves_changes: bool = True
    """Whether a call that may change something goes by it too."""
    whole: bool = False
    """Whether the list is read whole, and ids are picked out of it here."""


KEPT: Final[Mapping[str, Kept]] = {
    "/practitioners": Kept(("practitioners", "users")),
    "/practitioners/inactive": Kept(("practitioners", "users")),
    "/businesses": Kept(("businesses", "appointment_types")),
    "/appointment_types": Kept(("appointment_types",)),
    "/appointment_types/{appointment_type_id}/practitioners": Kept(
        ("appointment_types", "practitioners"), serves_changes=False
    ),
    "/daily_availabilities": Kept(
        ("daily_availabilities", "practitioners", "businesses"), serves_changes=False, whole=True
    ),
    "/unavailable_block_types": Kept(("unavailable_block_types",)),
    "/settings/public": Kept(("public_settings", "settings")),
}
"""What is kept, by the path of the operation that reads it."""
ZONES_DROPPED_BY: Final = ("businesses", "users")


class Reading(NamedTuple):
    """Rows as they were read, and when, in UTC."""

    rows: tuple[Record, ...]
    at: datetime


@dataclass(slots=True)
class Course:
    """One tool call on its way: what it may do at most, and what it has taken from memory or changed so far."""

    risk: Risk = Risk.WRITE
    recalled: dict[str, datetime] = field(default_factory=dict[str, datetime])
    """When what was taken from memory was read, by kind; the earliest of each."""
    changed: bool = False

    def recall(self, kind: str, at: datetime) -> None:
        """Note that something of this kind came from memory, as read at this time."""
        self.recalled[kind] = min(at, self.recalled.get(kind, at))


class Memory:
    """What is remembered: set-up by list, records by list and id, zones by site, and how many changes there were."""

    def __init__(self, clock: Callable[[], float], now: Callable[[], datetime]) -> None:
        """`clock` is monotonic, in seconds; `now` tells when something was read."""
        self.records: SingleFlightCache[tuple[str, str], Record] = SingleFlightCache(RECORD_SECONDS_KEPT, clock)
        self.zones: SingleFlightCache[str, Zone] = SingleFlightCache(SECONDS_KEPT, clock)
        self.changes = 0
        self._now = now
        self._kept: Mapping[str, SingleFlightCache[str, Reading]] = {
            kind: SingleFlightCache(SECONDS_KEPT, clock, MAX_LISTS) for kind in KEPT
        }

    def keeps(self, call: Call, tool: str, purpose: Purpose, course: Course) -> bool:
        """Whether this call may be answered from memory. What a caller asks for by its own name is read afresh."""
        kept = KEPT.get(call.operation.path) if call.operation.method == "GET" else None
        if kept is None or (purpose == "call" and tool == call.operation.name) or call.needs_zone:
            return False
        return kept.serves_changes or course.risk is Risk.READ

    async def rows(
        self, call: Call[AnyT], read: Callable[[Call[AnyT]], Awaitable[Sequence[Record]]], course: Course
    ) -> tuple[Sequence[Record], datetime | None]:
        """The rows of a call that is kept, and when they were read where they came from memory, else None.

        Who asks for what another is reading waits for it. Raises what `read` raises.
        """
        kind = call.operation.path
        wanted, picked = _picked(call) if KEPT[kind].whole else (call, ())
        fresh: list[Record] | None = None

        async def fetch(keys: Sequence[str]) -> Mapping[str, Reading]:
            nonlocal fresh
            at = self._now()
            fresh = [*await read(wanted)]
            return dict.fromkeys(keys, Reading(tuple(fresh), at)) if len(fresh) <= MAX_ROWS else {}

        key = repr((sorted(wanted.ids.items()), wanted.request()))
        found = (await self._kept[kind].get_many([key], fetch)).get(key)
        if fresh is not None or found is None:  # a list that is too long to be kept is read by each
            rows: Sequence[Record] = fresh if fresh is not None else [*await read(wanted)]
            return _with(rows, picked), None
        course.recall(kind, found.at)
        return _with(found.rows, picked), found.at

    def forget_what_changed(self, operation: Operation) -> None:
        """Drop what a change may have made another, also after a failure: its outcome may be unknown."""
        if operation.method == "GET":
            return
        self.changes += 1
        self.records.forget()
        self.forget([kind for kind, kept in KEPT.items() if operation.resource in kept.dropped_by])
        if operation.resource in ZONES_DROPPED_BY:
            self.zones.forget()

    def forget(self, kinds: Sequence[str]) -> None:
        """Drop what is kept of these kinds."""
        for kind in kinds:
            self._kept[kind].forget()

    def forget_all(self) -> None:
        """Drop everything."""
        self.forget([*KEPT])
        self.records.forget()
        self.zones.forget()


def _picked(call: Call[AnyT]) -> tuple[Call[AnyT], tuple[Condition, ...]]:
    """The call without conditions, and those, where all of them pick rows by ids; else the call as it is."""
    ids = all(
        condition.operator == "="
        and isinstance(condition.value, str)
        and call.operation.filters.get(condition.field) is Family.NUMBER
        for condition in call.conditions
    )
    return (Call(call.operation, call.ids, sort=call.sort), call.conditions) if ids else (call, ())


def _with(rows: Sequence[Record], conditions: Sequence[Condition]) -> Sequence[Record]:
    """The rows whose ids these conditions name."""
    for condition in conditions:
        ids = set(str(condition.value).split(","))
        rows = [row for row in rows if value_of(row, condition.field) in ids]
    return rows
