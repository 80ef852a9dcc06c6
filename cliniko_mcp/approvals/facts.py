"""The facts that a preview states: read from the clinic, kept for its digest, and put into words fit for a sentence.

Names are sanitised and capped; a name that reads like a sentence is set in quotes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, tzinfo
from typing import TYPE_CHECKING, Final, Protocol
from zoneinfo import ZoneInfo

from cliniko_mcp.approvals.shown import clock_words
from cliniko_mcp.cliniko import labels
from cliniko_mcp.cliniko.calls import Call, Operation, ResultT, is_result
from cliniko_mcp.cliniko.filters import After, FilterValue
from cliniko_mcp.cliniko.models import Record, row_id, value_of
from cliniko_mcp.cliniko.operations import RecordT
from cliniko_mcp.cliniko.time_zones import zone_of
from cliniko_mcp.errors import NotAllowed, NotFound, PermissionMissing
from cliniko_mcp.sanitize import label

if TYPE_CHECKING:  # resource modules are imported when a call needs them
    from cliniko_mcp.cliniko.resources.patients import Patient
    from cliniko_mcp.cliniko.resources.users import User

MAX_ROWS: Final = 100
"""How many rows of a list are read."""


class Rows(Protocol):
    """One page of a list."""

    @property
    def items(self) -> Sequence[Record]:
        """The rows of the page, in order."""
        ...

    @property
    def total(self) -> int | None:
        """How many rows the list has on all pages together; None where Cliniko does not tell."""
        ...


class Reader(Protocol):
    """The clinic, as far as it is read here."""

    async def perform(self, call: Call[ResultT], /) -> ResultT:
        """The record that Cliniko answers with.

        Raises NotAllowed where a guard refuses the read, and ClinikoRefused where Cliniko does.
        """
        ...

    async def named(self, call: Call[ResultT], /) -> ResultT:
        """The record for what it is called and where, as `perform` reads it or as it was read up to two minutes ago.

        Staff, sites and types of appointments alone are remembered. Raises what `perform` raises.
        """
        ...

    async def page(self, call: Call[Record], number: int, per_page: int) -> Rows:
        """One page of a list, `number` from 1, with up to `per_page` rows. Raises what `perform` raises."""
        ...

    async def zone(self, business_id: str | None = None) -> ZoneInfo:
        """The time zone of this site; that of the key's user where none is named. Raises what `perform` raises."""
        ...

    async def user(self) -> User | None:
        """The key's user; None where reading them is switched off. Raises what `perform` raises."""
        ...


_UNREADABLE: Final = (NotFound, PermissionMissing, NotAllowed)
"""What keeps a record from being shown: it is gone, this key may not see it, or reading it is switched off here."""


class Facts:
    """Reads what a preview states beyond the record itself, and keeps everything it found."""

    def __init__(self, clinic: Reader, now: datetime) -> None:
        """`now` is aware; what starts after it is still to come."""
        self._clinic = clinic
        self.now = now
        self.found: list[object] = []
        """What was read so far, in order, in a form that a digest can be made of."""
        self._linked: dict[tuple[str, str], Record | None] = {}
        """The linked records among it, by operation and id: one reading of a clinic reads each once."""

    async def linked(self, read: Operation[RecordT], identity: str | None) -> RecordT | None:
        """The record with this id as `read` gives it, archived ones too.

        None where there is no id, the record is gone, or this key may not see it.
        """
        if not identity:
            return None
        call = read.of({"id": identity}, include_archived=True)
        if (read.name, identity) in self._linked:
            known = self._linked[read.name, identity]
            return known if is_result(known, call) else None
        try:
            record = await self._clinic.named(call)
        except _UNREADABLE:
            record = None
        self._linked[read.name, identity] = record
        self.found.append([read.resource, identity, record.as_sent() if record is not None else None])
        return record

    async def listed(self, listing: Call[Record]) -> tuple[int, list[Record]] | None:
        """How many rows this list has in all, and the first hundred of them; None where this key may not see them."""
        resource = listing.operation.resource
        try:
            page = await self._clinic.page(listing, 1, MAX_ROWS)
        except _UNREADABLE:
            self.found.append([resource, None])
            return None
        rows = list(page.items)
        total = page.total if page.total is not None else len(rows)
        self.found.append([resource, total, [row_id(row) for row in rows]])
        return total, rows

    async def coming(self, **filters: FilterValue) -> int | None:
        """How many diary entries with these filters start after now, those cancelled or archived left out.

        None where this key may not see them.
        """
        from cliniko_mcp.cliniko.resources.bookings import Bookings

        listed = await self.listed(Bookings.list_bookings.where({"starts_at": After(self.now), **filters}))
        return listed[0] if listed is not None else None

    async def zone(self, business_id: str | None) -> ZoneInfo:
        """The time zone of this site, from its record where that is among what was read; that of the key's user where
        there is no id or the site cannot be read."""
        from cliniko_mcp.cliniko.resources.businesses import Business, Businesses

        site = self._linked.get((Businesses.get_business.name, business_id)) if business_id else None
        if isinstance(site, Business) and (known := zone_of(site)) is not None:
            return known
        try:
            return await self._clinic.zone(business_id or None)
        except _UNREADABLE:
            return await self._clinic.zone()

    async def patient(self, identity: str | None) -> str | None:
        """A patient by name and year of birth, `Ana Lima, born 1984`; by number where the file cannot be read.

        None where there is no id.
        """
        from cliniko_mcp.cliniko.resources.patients import Patients

        if not identity:
            return None
        return patient_words(await self.linked(Patients.get_patient, identity), identity)

    async def named(self, read: Operation[Record], identity: str | None, noun: str) -> str | None:
        """The name of the record with this id, or noun and id where it has none or cannot be read: `product 3`.

        None where there is no id.
        """
        if not identity:
            return None
        return name_of(await self.linked(read, identity)) or f"{noun} {identity}"


def text(record: Record | None, name: str) -> str | None:
    """The text in the field of this name, where the name is data.

    None for anything that is not text, for blank text, and where there is no record.
    """
    found = value_of(record, name) if record is not None else None
    return found if isinstance(found, str) and found.strip() else None


def name_of(record: Record | None) -> str | None:
    """The name that people know the record by, fit for a sentence; None where it or its name is missing."""
    shown = labels.name_of(record) if record is not None else ""
    return label(shown) if shown else None


def patient_words(record: Patient | None, identity: str) -> str:
    """A patient so that no two are alike: `Ana Lima, born 1984`, else `Ana Lima, file ending 4211`, else `file 12`."""
    if (name := name_of(record)) is None:
        return f"file {identity}"
    born = record.date_of_birth if record is not None else None
    return f"{name}, born {born.year}" if born is not None else f"{name}, file ending {identity[-4:]}"


def when_words(start: datetime, end: datetime | None, zone: tzinfo, now: datetime) -> tuple[str, str]:
    """A span in the local time of `zone` as people write it, and how far off its day is.

    `("Wed 2 Dec, 8:00 to 8:30 am", "in 4 days")`. All times are aware; the year stands there where it is not this one,
    the end has its own day where it is on another one, and is left out where it is None.
    """
    begins, today = start.astimezone(zone), now.astimezone(zone).date()
    words = f"{day_words(begins.date(), today)}, "
    if end is None:
        words += clock_words(begins)
    else:
        ends = end.astimezone(zone)
        if ends.date() != begins.date():
            words += f"{clock_words(begins)} to {day_words(ends.date(), today)}, {clock_words(ends)}"
        elif (begins.hour < 12) == (ends.hour < 12):
            words += f"{clock_words(begins).rpartition(' ')[0]} to {clock_words(ends)}"
        else:
            words += f"{clock_words(begins)} to {clock_words(ends)}"
    return words, _distance((begins.date() - today).days)


def day_words(day: date, today: date) -> str:
    """A day with its weekday, `Wed 2 Dec`; with its year where that is not this one."""
    return f"{day:%a} {day.day} {day:%b}" + (f" {day.year}" if day.year != today.year else "")


def _distance(days: int) -> str:
    near = {0: "today", 1: "tomorrow", -1: "yesterday"}.get(days)
    return near or (f"in {days:,} days" if days > 0 else f"{-days:,} days ago")
