"""The facts that a preview states: read from the clinic, kept for its digest, and put into words fit for a sentence.

Names are sanitised and capped; a name that reads like a sentence is set in quotes.
"""

from collections.abc import Sequence
from datetime import date, datetime, tzinfo
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from cliniko_mcp.cliniko import labels
from cliniko_mcp.cliniko.calls import Call, ResultT
from cliniko_mcp.cliniko.filters import After, FilterValue
from cliniko_mcp.cliniko.models import Record, row_id, value_of
from cliniko_mcp.cliniko.registry import lists, reads
from cliniko_mcp.errors import NotAllowed, NotFound, PermissionMissing
from cliniko_mcp.sanitize import label

MAX_ROWS: Final = 100


class Rows(Protocol):
    """One page of a list."""

    @property
    def items(self) -> Sequence[Record]: ...
    @property
    def total(self) -> int | None: ...


class Reader(Protocol):
    """The clinic, as far as it is read here."""

    async def perform(self, call: Call[ResultT], /) -> ResultT: ...
    async def page(self, call: Call[Record], number: int, per_page: int) -> Rows: ...
    async def zone(self, business_id: str | None = None) -> ZoneInfo: ...


_UNREADABLE: Final = (NotFound, PermissionMissing, NotAllowed)
"""What a person is not shown: it is gone, not for this key to see, or switched off here."""


class Facts:
    """Reads what a preview states beyond the record itself, and keeps everything it found."""

    def __init__(self, clinic: Reader, now: datetime) -> None:
        self._clinic = clinic
        self.now = now
        self.found: list[object] = []

    async def linked(self, module: str, identity: str | None) -> Record | None:
        """Another record, hidden ones too; None where it is not linked, gone, or not for this key to see."""
        if identity is None:
            return None
        read = next(read for read in reads(module) if read.path == f"/{module}/{{id}}")
        try:
            record = await self._clinic.perform(read.call(id=identity, include_archived=True))
        except _UNREADABLE:
            record = None
        self.found.append([module, identity, record.as_sent() if record is not None else None])
        return record

    async def listed(self, module: str, **filters: FilterValue) -> tuple[int, list[Record]] | None:
        """How many rows such a list has, and the first hundred; None where this key may not see them."""
        listing = next(listing for listing in lists(module) if listing.path == f"/{module}")
        try:
            page = await self._clinic.page(listing.where(filters), 1, MAX_ROWS)
        except _UNREADABLE:
            self.found.append([module, None])
            return None
        rows = list(page.items)
        total = page.total if page.total is not None else len(rows)
        self.found.append([module, total, [row_id(row) for row in rows]])
        return total, rows

    async def coming(self, **filters: FilterValue) -> int | None:
        """How many live diary entries with these filters are still to come."""
        listed = await self.listed("bookings", starts_at=After(self.now), **filters)
        return listed[0] if listed is not None else None

    async def zone(self, business_id: str | None) -> ZoneInfo:
        """The time zone of this site, or of the key's user where the site cannot be read."""
        try:
            return await self._clinic.zone(business_id)
        except _UNREADABLE:
            return await self._clinic.zone()

    async def patient(self, identity: str | None) -> str | None:
        """A patient by name and year of birth, `Ana Lima (born 1984)`; by id where the file cannot be read."""
        if identity is None:
            return None
        record = await self.linked("patients", identity)
        return patient_words(record, identity)

    async def named(self, module: str, identity: str | None, noun: str) -> str | None:
        """Another record by its name, or by noun and id where it has none or cannot be read; None where not linked."""
        if identity is None:
            return None
        record = await self.linked(module, identity)
        return name_of(record) or f"{noun} {identity}"


def text(record: Record | None, name: str) -> str | None:
    """A field that holds text; None for anything else, for empty text, and where there is no record."""
    found = value_of(record, name) if record is not None else None
    return found if isinstance(found, str) and found.strip() else None


def moment(record: Record, name: str) -> datetime | None:
    """A field that holds an instant; None for anything else."""
    found = value_of(record, name)
    return found if isinstance(found, datetime) and found.tzinfo is not None else None


def name_of(record: Record | None) -> str | None:
    """The name that people know the record by, fit for a sentence; None where it or its name is missing."""
    shown = labels.name_of(record) if record is not None else ""
    return label(shown) if shown else None


def patient_words(record: Record | None, identity: str) -> str:
    """A patient by name and year of birth, as far as they are known, else by id."""
    if (name := name_of(record)) is None:
        return f"patient {identity}"
    born = value_of(record, "date_of_birth") if record is not None else None
    return f"{name} (born {born.year})" if isinstance(born, date) else name


def when_words(start: datetime, end: datetime | None, zone: tzinfo) -> str:
    """A span in clinic time with weekday and zone: `Tuesday 24 November 2026, 09:30 to 10:00 (Australia/Sydney)`."""
    begins = start.astimezone(zone)
    words = f"{begins:%A} {begins.day} {begins:%B %Y}, {begins:%H:%M}"
    if end is not None:
        ends = end.astimezone(zone)
        words += (
            f" to {ends:%H:%M}" if ends.date() == begins.date() else f" to {ends:%A} {ends.day} {ends:%B}, {ends:%H:%M}"
        )
    return f"{words} ({zone})"


def count_words(number: int, singular: str, plural: str | None = None) -> str:
    """`1 appointment`, `3 appointments`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"
