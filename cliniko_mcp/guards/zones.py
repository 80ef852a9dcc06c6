"""Which time zone a call means: that of its site, else that of the key's user.

Source: cliniko-api.md#communications-phones-zones.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from cliniko_mcp.approvals.facts import Reader
from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.cliniko.registry import reader_of
from cliniko_mcp.cliniko.time_zones import Zoned, zone_of
from cliniko_mcp.errors import NotAllowed, NotFound, PermissionMissing
from cliniko_mcp.sanitize import quoted

if TYPE_CHECKING:  # resource modules are imported when a call needs them
    from cliniko_mcp.cliniko.resources.users import User

HOME: Final = ""
"""The key of the zone of the key's user, where a site has its id."""
_UTC: Final = ZoneInfo("UTC")
_SITE_UNKNOWN: Final = "The site's own time zone is not known; times are in that of the key's user."


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone, and a sentence for the reader where it had to be guessed."""

    zone: ZoneInfo
    note: str | None = None
    certain: bool = True
    """Whether a local time may be written in it."""
    user: User | None = None
    """With the zone of the key's user: the user, where they may be read."""
    shared: bool = False
    """Whether another process read it, which tells nothing of the user."""


async def zone_for(clinic: Reader, business_id: str, home: Callable[[], Awaitable[Zone]]) -> Zone:
    """The zone of a site, or for HOME that of the key's user: one request, and `home` where the site tells none."""
    if business_id == HOME:
        return await home_zone(clinic)
    exists = True
    try:
        found = await site_zone(clinic, business_id)
    except NotFound:  # whatever is written for a site that is not there, Cliniko refuses
        found, exists = None, False
    if found is not None:
        return found
    user = await home()
    return Zone(user.zone, user.note or _SITE_UNKNOWN, certain=user.certain and not exists)


async def home_zone(clinic: Reader) -> Zone:
    """The zone of the key's user: one request. UTC, with a note, where it is not known.

    Raises ClinikoRefused where the key or the connection fails.
    """
    from cliniko_mcp.cliniko.resources.users import Users

    try:
        user = await clinic.perform(Users.get_authenticated_user.call())
    except NotAllowed:
        return _utc("Reading the key's user is switched off here")
    return replace(zone_of_user(user), user=user)


def zone_of_user(user: Zoned) -> Zone:
    """The zone of the key's user; UTC, with a note, where it is not known."""
    return _zone(user, "The zone of the key's user") or _utc("The key's user has no time zone in Cliniko")


async def site_zone(clinic: Reader, business_id: str) -> Zone | None:
    """The zone of a site: one request. UTC, with a note, where its zone is not known here.

    None where the site may not be read or has no zone. Raises NotFound where there is no such site.
    """
    from cliniko_mcp.cliniko.resources.businesses import Businesses

    try:
        site = await clinic.perform(Businesses.get_business.call(id=business_id, include_archived=True))
    except (PermissionMissing, NotAllowed):
        return None
    return _zone(site, "The zone of the site")


async def site_of_target(clinic: Reader, call: Call) -> str | None:
    """The id of the site of the record that a call changes: one request, or none where the operation names no record.

    A change of an appointment seldom repeats its site, yet its times are meant in that site's zone. None where the
    record belongs to no site, or is not there. Raises NotAllowed where reading it is switched off.
    """
    from cliniko_mcp.cliniko.shapes.bookings import BookingStamps

    read: Operation | None = reader_of(call.operation)
    if call.operation.method == "GET" or read is None or read.listing or set(read.path_ids) - set(call.ids):
        return None
    ids = {name: call.ids[name] for name in read.path_ids}
    try:
        record = await clinic.perform(Call(read, ids, include_archived=bool(read.hidden_filters)))
    except NotFound:
        return None
    # Of what can be changed, only entries of the diary take local times.
    return record.business_id if isinstance(record, BookingStamps) else None


def _zone(record: Zoned, whose: str) -> Zone | None:
    zone = zone_of(record)
    if zone is not None:
        return Zone(zone)
    name = record.time_zone_identifier or record.time_zone
    if not name:
        return None
    return _utc(f"{whose} is {quoted(name, 60)}, which is not known here")


def _utc(why: str) -> Zone:
    return Zone(_UTC, f"{why}, so times are in UTC.", certain=False)
