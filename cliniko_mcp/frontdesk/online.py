"""The starts that patients could book online, over any span: Cliniko's own answer, in windows of 7 days
(cliniko-api.md#available-times).

A request for each practitioner and site that offer the type, and each 7 days: first the first window of all of them,
then, where online booking is open, the others, eight at a time and at most 60 in all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

import anyio

from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.cliniko.resources.appointment_types import AppointmentType
from cliniko_mcp.cliniko.resources.available_times import AvailableTimes
from cliniko_mcp.cliniko.resources.available_times import Window as DayRange
from cliniko_mcp.cliniko.resources.public_settings import PublicSettingsOfAccount
from cliniko_mcp.cliniko.resources.services import Services
from cliniko_mcp.errors import NotFound, Rejected
from cliniko_mcp.frontdesk.availability import Slot, in_order
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.roster import Known, Roster
from cliniko_mcp.frontdesk.spans import Span
from cliniko_mcp.frontdesk.working_hours import Workplace
from cliniko_mcp.guards.guarded_clinic import GuardedClinic

NEEDS: Final[tuple[Operation, ...]] = (
    AvailableTimes.list_available_times,
    Services.list_services,
    PublicSettingsOfAccount.get_public_settings,
)

_WINDOW: Final = timedelta(days=7)
_DAY: Final = timedelta(days=1)
_MAX_REQUESTS: Final = 60
_AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True)
class Online:
    """Starts that can be booked online, the places where it is off, and the day up to which was looked at."""

    slots: list[Slot]
    closed: frozenset[Workplace]
    until: date | None = None


async def places_of(clinic: GuardedClinic, kind: Known[AppointmentType]) -> list[Workplace]:
    """Who offers a type where, as (practitioner, site): one request for each hundred services of the clinic."""
    return [
        (giver, service.business_id)
        for service in await clinic.collect(Services.list_services)
        if service.appointment_type_id == kind.id and service.business_id
        for giver in service.practitioners or ()
    ]


async def online_slots(
    clinic: GuardedClinic,
    roster: Roster,
    span: Span,
    kind: Known[AppointmentType],
    places: Sequence[Workplace],
    length: timedelta,
) -> Online:
    """What patients could book in the span at these places. `until` is set where not all of the span was looked at."""
    first, last = _days(span, clinic.now, roster.home)
    if first > last or not places:
        return Online([], frozenset())
    windows = [first + step * _WINDOW for step in range((last - first) // _WINDOW + 1)]
    gate = anyio.CapacityLimiter(_AT_ONCE)
    read = partial(_starts, clinic, kind, last, gate)
    begun = await run_concurrently(*(partial(read, place, windows[0], today=True) for place in places))
    closed = frozenset(place for place, found in zip(places, begun, strict=True) if found is None)
    open_ = [place for place in places if place not in closed]
    # The requests are bounded, and all places see the same days.
    reach = max((_MAX_REQUESTS - len(places)) // max(len(open_), 1), 0)
    later = [(place, window) for window in windows[1 : 1 + reach] for place in open_]
    more = await run_concurrently(*(partial(read, place, window) for place, window in later))
    pairs = [*zip(places, begun, strict=True), *zip((place for place, _ in later), more, strict=True)]
    found = {
        Slot(at, at + length, *place)
        for place, starts in pairs
        for at in starts or ()
        if any(low <= at < high for low, high in span.windows(place[1]))
    }
    cut = open_ and len(windows) > 1 + reach
    return Online(in_order(found), closed, windows[1 + reach] - _DAY if cut else None)


def _days(span: Span, now: datetime, zone: ZoneInfo) -> tuple[date, date]:
    # The account counts its days in its owner's zone, which the API does not tell; the key's user's is the best guess.
    starts, ends = span.bounds
    return max(starts, now).astimezone(zone).date(), (ends - timedelta(seconds=1)).astimezone(zone).date()


async def _starts(
    clinic: GuardedClinic,
    kind: Known[AppointmentType],
    last: date,
    gate: anyio.CapacityLimiter,
    place: Workplace,
    first: date,
    *,
    today: bool = False,
) -> list[datetime] | None:
    """The starts of one window at one place; None where online booking is off there."""
    for day in (first, first + _DAY) if today else (first,):
        days = DayRange(**{"from": day, "to": min(first + _WINDOW - _DAY, max(last, day))})
        ids = {"practitioner_id": place[0], "business_id": place[1], "appointment_type_id": kind.id}
        call = AvailableTimes.list_available_times.where(ids, query=days)
        try:
            async with gate:
                rows = [row async for row in clinic.all_of(call)]
        except NotFound:
            return None
        except Rejected:
            # It is still yesterday where the account counts its days, or tomorrow already: try from the next day.
            if not today or day != first:
                raise
            continue
        return [row.appointment_start.astimezone(UTC) for row in rows if row.appointment_start is not None]
    return []


async def why_closed(clinic: GuardedClinic, roster: Roster, kind: Known[AppointmentType], place: Workplace) -> str:
    """Why nothing can be booked online at a place, as a sentence; reads the account's public settings."""
    person, site = roster.practitioners.get(place[0]), roster.businesses.get(place[1])
    settings = await clinic.perform(PublicSettingsOfAccount.get_public_settings)
    if settings.online_bookings is not None and settings.online_bookings.enabled is False:
        return "Online booking is off for the whole clinic."
    for known in (kind, person, site):
        if known is not None and known.record.show_in_online_bookings is not True:
            return f"Online booking is off for {known.name}."
    who = f"{person.name if person else 'this practitioner'} at {site.name if site else 'this site'}"
    return f"Online booking is not open for {kind.name} with {who}."
