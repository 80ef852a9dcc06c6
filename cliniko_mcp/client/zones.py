"""Which time zone a call means: that of its site, else that of the key's user (api.md section 3.6)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from cliniko_mcp.client.responses import reader_of, said
from cliniko_mcp.client.single_flight import Flight
from cliniko_mcp.cliniko import registry
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.operations import Call, Operation
from cliniko_mcp.errors import NotFound, PermissionMissing

KEPT: Final = 600.0
"""Seconds for which a zone is remembered: sites do not move."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone, and a sentence for the reader where it had to be guessed."""

    zone: ZoneInfo
    note: str | None = None


class Zones:
    """The zones of one clinic's sites and of its key's user, read when first needed."""

    def __init__(self, perform: Callable[[Call], Awaitable[Record | None]], clock: Callable[[], float]) -> None:
        self._perform = perform
        self._clock = clock
        self._known: dict[str | None, tuple[float, Zone]] = {}
        self._reading: dict[str | None, Flight] = {}

    async def of(self, business_id: str | None) -> Zone:
        """The zone of this site; without one, or where the site tells none, that of the key's user; at last UTC."""
        while (known := self._remembered(business_id)) is None:
            reading = self._reading.get(business_id)
            if reading is None:
                return await self._ask(business_id)
            await reading.ended()
        return known

    async def of_call(self, call: Call) -> Zone:
        """The zone in which this call's local times are meant: of the site it names, else of its record's site."""
        return await self.of(_named_site(call) or await self._site_of_target(call))

    def forget(self) -> None:
        """Read all zones anew, since a site may have changed."""
        self._known = {}

    def _remembered(self, business_id: str | None) -> Zone | None:
        until, zone = self._known.get(business_id, (0.0, None))
        return zone if self._clock() < until else None

    async def _ask(self, business_id: str | None) -> Zone:
        known, reading = self._known, Flight()
        self._reading[business_id] = reading
        try:
            with reading.under_way():
                found = await self._read(business_id)
        finally:
            del self._reading[business_id]
        known[business_id] = (self._clock() + KEPT, found)
        return found

    async def _read(self, business_id: str | None) -> Zone:
        if business_id is None:
            user = await self._perform(_operation("get_authenticated_user").parse({}))
            return _zone(user, "The zone of the key's user") or Zone(
                ZoneInfo("UTC"), "The key's user has no time zone in Cliniko, so times are in UTC."
            )
        read = _operation("get_business")
        site = {"id": business_id} | ({"include_archived": True} if read.hidden_filters else {})
        try:
            found = _zone(await self._perform(read.parse(site)), "The zone of the site")
        except (NotFound, PermissionMissing):
            found = None
        if found is not None:
            return found
        users = await self.of(None)
        return Zone(
            users.zone, users.note or "The site's own time zone is not known; times are in that of the key's user."
        )

    async def _site_of_target(self, call: Call) -> str | None:
        # A change of an appointment seldom repeats its site, yet its times are meant in that site's zone.
        read = reader_of(call.operation)
        if read is None or read.listing or call.target is None or set(read.path_ids) - set(call.ids):
            return None
        ids = {name: call.ids[name] for name in read.path_ids}
        try:
            record = await self._perform(Call(read, ids, include_archived=bool(read.hidden_filters)))
        except NotFound:
            return None
        site = getattr(record, "business_id", None)
        return site if isinstance(site, str) else None


def _operation(name: str) -> Operation:
    found = registry.find(name)
    if found is None:
        raise LookupError(name)
    return found


def _named_site(call: Call) -> str | None:
    named = call.ids.get("business_id") or getattr(call.body, "business_id", None)
    if isinstance(named, str):
        return named
    sites = [each.value for each in call.conditions if each.field == "business_id" and each.operator == "="]
    return sites[0] if len(sites) == 1 and isinstance(sites[0], str) and sites[0].isdigit() else None


def _zone(record: Record | None, whose: str) -> Zone | None:
    name = getattr(record, "time_zone_identifier", None)
    if not isinstance(name, str) or not name:
        return None
    try:
        return Zone(ZoneInfo(name))
    except (LookupError, ValueError, OSError):  # an unknown name, one that is no name, one that is a folder
        return Zone(ZoneInfo("UTC"), f"{whose} is {said(name, 60)}, which is not known here, so times are in UTC.")
