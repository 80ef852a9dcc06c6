"""What all calls of one clinic and key remember together: which records, for how long, and what drops them.

`KEPT` is the one place that decides it. Patients, bookings, blocked-out times and whatever else changes by the hour are
not in it. What a change depends on, the hours and who offers what, serves answers only: a call that may change
something reads it afresh.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple, TypeVar

from cliniko_mcp.client.kept_pages import FEW_PAGES, KeptPages, PageReading
from cliniko_mcp.client.memory import SingleFlightCache
from cliniko_mcp.client.pagination import MAX_PAGE_ROWS
from cliniko_mcp.cliniko.calls import Call, Risk
from cliniko_mcp.cliniko.filters import Condition, Family
from cliniko_mcp.cliniko.models import Record, row_id, value_of
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.cliniko.time_zones import time_zone
from cliniko_mcp.guards.elsewhere import Elsewhere, Nowhere
from cliniko_mcp.guards.pipeline import Caller, Purpose
from cliniko_mcp.guards.progress import PagesTold
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
    recent: timedelta | None = None
    """How long ago all that is read begins, where that fits one page and rows are picked out of it; else None."""


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
    "/availability_blocks": Kept(
        ("availability_blocks", "practitioners", "businesses"), serves_changes=False, recent=timedelta(days=100)
    ),
    "/unavailable_block_types": Kept(("unavailable_block_types",)),
    "/appointment_type_billable_items": Kept(
        ("appointment_type_billable_items", "appointment_types", "billable_items"), serves_changes=False
    ),
    "/appointment_type_products": Kept(
        ("appointment_type_products", "appointment_types", "products"), serves_changes=False
    ),
    "/settings/public": Kept(("public_settings", "settings")),
}
"""What is kept, by the path of the operation that reads it."""
_OTHERS: Final = {
    "/practitioners": "/practitioners/inactive",
    "/practitioners/inactive": "/practitioners",
}
_DIARY: Final = frozenset(("/bookings", "/individual_appointments", "/group_appointments", "/unavailable_blocks"))
_BOUNDS: Final = frozenset((("starts_at", ">="), ("starts_at", "<")))
ZONES_DROPPED_BY: Final = ("businesses", "users")
_RECORDS: Final = "records"
_ZONES: Final = "zones"


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
    over: bool = False
    """Whether the part of the diary that was read last is over."""
    cut_off: bool = False
    """Whether a list could not be read to its end in time."""
    missing: list[str] = field(default_factory=list[str])
    """A sentence for each part that could not be read; the answer tells them."""
    readings: list[PageReading] = field(default_factory=list[PageReading])
    told: PagesTold = field(default_factory=PagesTold)

    @property
    def as_at(self) -> datetime | None:
        """When the earliest of what came from memory was read, in UTC; None where nothing did."""
        return min(self.recalled.values(), default=None)

    @property
    def swept_at(self) -> datetime | None:
        """The same of long lists alone, which are no part of the clinic's set-up."""
        return min((at for kind, at in self.recalled.items() if kind not in KEPT), default=None)

    def recall(self, kind: str, at: datetime) -> None:
        """Note that something of this kind came from memory, as read at this time."""
        self.recalled[kind] = min(at, self.recalled.get(kind, at))


class Memory:
    """What is remembered: set-up by list, records by list and id, zones by site, and how many changes there were."""

    def __init__(
        self, clock: Callable[[], float], now: Callable[[], datetime], elsewhere: Elsewhere | None = None
    ) -> None:
        """`clock` is monotonic, in seconds; `now` tells when something was read; `elsewhere` is what others know."""
        self.records: SingleFlightCache[tuple[str, str], Record] = SingleFlightCache(RECORD_SECONDS_KEPT, clock)
        self.zones: SingleFlightCache[str, Zone] = SingleFlightCache(SECONDS_KEPT, clock)
        self.pages = KeptPages(clock, now)
        self.changes = 0
        self._now = now
        self._elsewhere: Elsewhere = elsewhere or Nowhere()
        self._generations: Mapping[str, int] = {}
        self._clock = clock
        self._long: dict[str, float] = {}
        """Until when a kind is known to have more than a page of what is recent."""
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
        self,
        call: Call[AnyT],
        read: Callable[[Call[AnyT], int | None], Awaitable[Sequence[Record]]],
        course: Course,
    ) -> tuple[Sequence[Record], datetime | None]:
        """The rows of a call that is kept, and when they were read where they came from memory, else None.

        `read` gives every row, or of a number those of one page of so many. Who asks for what another is reading waits
        for it. Raises what `read` raises.
        """
        kind = call.operation.path
        wanted, picked = self._wanted(call)
        recent = KEPT[kind].recent is not None and bool(picked)
        fresh: list[Record] | None = None

        async def fetch(keys: Sequence[str]) -> Mapping[str, Reading]:
            nonlocal fresh
            at = self._now()
            rows = await read(wanted, MAX_PAGE_ROWS if recent else None)
            if recent and len(rows) == MAX_PAGE_ROWS:
                self._long[kind] = self._clock() + SECONDS_KEPT
                return {}
            fresh = [*rows]
            return dict.fromkeys(keys, Reading(tuple(fresh), at)) if len(fresh) <= MAX_ROWS else {}

        key = repr((sorted(wanted.ids.items()), wanted.request()))
        found = (await self._kept[kind].get_many([key], fetch)).get(key)
        if fresh is not None:
            return _with(fresh, picked), None
        if found is None:  # a list that is too long to be kept is read by each
            return [*await read(call, None)], None
        course.recall(kind, found.at)
        return _with(found.rows, picked), found.at

    def _wanted(self, call: Call[AnyT]) -> tuple[Call[AnyT], tuple[Condition, ...]]:
        """The call to read and keep, and the conditions by which the rows of `call` are picked out of it."""
        kept = KEPT[call.operation.path]
        if kept.whole and all(_picks_ids(call, condition) for condition in call.conditions):
            return Call(call.operation, call.ids, sort=call.sort), call.conditions
        if kept.recent is None or self._long.get(call.operation.path, 0.0) > self._clock():
            return call, ()
        since = (self._now() - kept.recent).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        starts = [
            condition.value
            for condition in call.conditions
            if (condition.field, condition.operator) == ("starts_at", ">=") and isinstance(condition.value, datetime)
        ]
        fits = all(
            _picks_ids(call, condition) or (condition.field, condition.operator) in _BOUNDS
            for condition in call.conditions
        )
        if not fits or not starts or min(starts) < since:
            return call, ()
        wide = Call(call.operation, call.ids, (Condition("starts_at", ">=", since),), sort=call.sort)
        return wide, call.conditions

    def reading(self, call: Call, caller: Caller, tool: str, purpose: Purpose, course: Course) -> PageReading | None:
        """The reading of a long list whose pages are kept for this principal; None where nothing is kept of it.

        That is so where a change may depend on it, and of a list that a caller asks for by its own name, which goes on
        by its cursor.
        """
        if course.risk is not Risk.READ or purpose != "call" or tool == call.operation.name or not caller.call:
            return None
        key = (caller.principal, call.operation.name, repr((sorted(call.ids.items()), call.conditions, call.sort)))
        if call.operation.path in _DIARY and not any(condition.field == "id" for condition in call.conditions):
            course.over = _is_over(call, self._now())
        places = course.over and call.operation.path == "/attendees"  # of classes that are over
        again = places or _is_over(call, self._now())
        found = self.pages.reading(key, caller.call, again=again, few=0 if places else FEW_PAGES)
        course.readings.append(found)
        return found

    def look_again(self, course: Course) -> bool:
        """Drop what this tool call took from memory; whether it took anything, and may be made once more.

        False after a change.
        """
        if not course.recalled or course.changed:
            return False
        self.forget([kind for kind in course.recalled if kind in KEPT])
        for reading in course.readings:
            self.pages.forget(reading.key)
        course.recalled.clear()
        return True

    def answered(self, call: str, course: Course) -> None:
        """Keep for a repetition of this call what it has read, where it was cut off, else owe it nothing more."""
        if course.cut_off:
            self.pages.cut_off(call, [reading.key for reading in course.readings])
        else:
            self.pages.answered(call)

    def record(self, call: Call, course: Course) -> Reading | None:
        """The one record that this call reads, where it stands in a list that is kept for changes too; else None."""
        kind = call.operation.path.removesuffix("/{id}")
        for listed in (kind, _OTHERS.get(kind, "")) if call.operation.shape == "get" else ():
            kept = KEPT.get(listed)
            for reading in self._kept[listed].values() if kept is not None and kept.serves_changes else ():
                for row in reading.rows:
                    if row_id(row) == call.target:
                        course.recall(listed, reading.at)
                        return Reading((row,), reading.at)
        return None

    def is_elsewhere(self, listing: Operation, record_id: str) -> bool:
        """Whether a record that is not in a list that is kept is in the other one of its kind."""
        other = _OTHERS.get(listing.path)
        known = self._kept[other].values() if other is not None else ()
        return any(row_id(row) == record_id for reading in known for row in reading.rows)

    async def zone(self, site: str, read: Callable[[str], Awaitable[Zone]], *, with_user: bool) -> Zone:
        """The zone of a site, or of the key's user: from memory, from elsewhere, or as `read` gives it.

        What comes from elsewhere holds no user, so `with_user` it is read here. Raises what `read` raises.
        """

        async def fetch(sites: Sequence[str]) -> Mapping[str, Zone]:
            return {one: (None if with_user else await self._told(one)) or await self._read(one, read) for one in sites}

        while True:
            found = (await self.zones.get_many([site], fetch))[site]
            if not (with_user and found.shared):
                return found
            self.zones.forget()

    async def _told(self, site: str) -> Zone | None:
        told = await self._elsewhere.get(f"zone:{site}")
        zone = time_zone(told.decode()) if told else None
        return Zone(zone, shared=True) if zone is not None else None

    async def _read(self, site: str, read: Callable[[str], Awaitable[Zone]]) -> Zone:
        found = await read(site)
        if found.note is None:  # it was not guessed
            await self._elsewhere.put(f"zone:{site}", found.zone.key.encode(), SECONDS_KEPT)
        return found

    async def catch_up(self) -> None:
        """Drop what other processes have changed since this was asked last."""
        now = await self._elsewhere.generations()
        stale = [kind for kind, count in now.items() if count != self._generations.get(kind, 0)]
        self._generations = now
        if stale:
            self._drop(stale)

    async def forget_what_changed(self, operation: Operation) -> None:
        """Drop what a change may have made another, here and elsewhere, also after a failure: its outcome may be
        unknown."""
        if operation.method == "GET":
            return
        self.changes += 1
        stale = [_RECORDS, *(kind for kind, kept in KEPT.items() if operation.resource in kept.dropped_by)]
        if operation.resource in ZONES_DROPPED_BY:
            stale.append(_ZONES)
        self._drop(stale)
        await self._elsewhere.changed(stale)

    def _drop(self, kinds: Sequence[str]) -> None:
        if _RECORDS in kinds:
            self.records.forget()
            self.pages.forget_whole()
        if _ZONES in kinds:
            self.zones.forget()
        self.forget([kind for kind in kinds if kind in KEPT])

    def forget(self, kinds: Sequence[str]) -> None:
        """Drop what is kept of these kinds."""
        for kind in kinds:
            self._kept[kind].forget()

    def forget_all(self) -> None:
        """Drop everything."""
        self.forget([*KEPT])
        self.pages.forget_all()
        self._long.clear()
        self.records.forget()
        self.zones.forget()


def _is_over(call: Call, now: datetime) -> bool:
    """Whether this is a part of the diary that is over, which seldom changes."""
    return call.operation.path in _DIARY and any(
        condition.field == "starts_at"
        and condition.operator in ("<", "<=")
        and isinstance(condition.value, datetime)
        and condition.value.tzinfo is not None
        and condition.value <= now
        for condition in call.conditions
    )


def _picks_ids(call: Call, condition: Condition) -> bool:
    """Whether a condition picks rows by ids."""
    return condition.operator == "=" and call.operation.filters.get(condition.field) is Family.NUMBER


def _with(rows: Sequence[Record], conditions: Sequence[Condition]) -> Sequence[Record]:
    """The rows that fit these conditions, which pick ids or bound the start."""
    for condition in conditions:
        rows = [row for row in rows if _fits(value_of(row, condition.field), condition)]
    return rows


def _fits(value: object, condition: Condition) -> bool:
    bound = condition.value
    if not isinstance(bound, datetime):
        return value in bound.split(",")
    if not isinstance(value, datetime):
        return False
    return value >= bound if condition.operator == ">=" else value < bound
