"""Adds rows to an empty clinic, with random numbers, days counted from today, and names by which rows are found."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Final

from cliniko_mcp.cliniko.time_zones import zone_or_utc
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.store import Row

SYDNEY: Final = "Australia/Sydney"
ADELAIDE: Final = "Australia/Adelaide"
FIRST_DAY: Final = -548
"""The day on which the diary begins, counted from today: eighteen months ago."""


class SeedBuilder:
    """Adds rows to a context. `today` is the local day of `now` at the busiest site.

    Instants are naive datetimes in UTC throughout the seed: thousands of them are created and compared, and only their
    timestamps leave the seed.
    """

    def __init__(self, context: RequestContext) -> None:
        self.context = context
        now = context.clock.now()
        self.now = now.astimezone(UTC).replace(tzinfo=None, microsecond=0)
        self.today: date = now.astimezone(zone_or_utc(SYDNEY)).date()
        self._named: dict[tuple[str, str], str] = {}
        self._midnights: dict[tuple[date, str], datetime] = {}

    def rng(self, purpose: str) -> Random:
        """A random generator for one part of the seed, so that a change in that part leaves the others as they are."""
        return Random(f"{self.context.ids.seed} {purpose}")

    def add(
        self,
        table: str,
        values: Mapping[str, JsonValue],
        *,
        days_ago: float = 600,
        made: datetime | None = None,
        known_as: str = "",
    ) -> str:
        """Store a row that was created so many days ago, or at `made`; its id. An `id` or a stamp in the values stays.

        `id` and `row` find it under `known_as`.
        """
        when = stamp(made) if made is not None else self.ago(days_ago)
        row_id = str(values.get("id") or self.context.ids.next())
        self.context.store.put(table, {"created_at": when, "updated_at": when, **values, "id": row_id})
        if known_as:
            self._named[table, known_as] = row_id
        return row_id

    def extend(self, table: str, rows: Iterable[Row]) -> None:
        """Store many complete new rows, each with its id and both stamps and without None."""
        self.context.store.extend(table, rows)

    def archive(self, table: str, row_id: str, days_ago: float, **more: JsonValue) -> None:
        """Archive a row so many days ago, with both stamps where the record has both.

        Source: cliniko-api.md#archive-delete-cancel.
        """
        when = self.ago(days_ago)
        stamps: dict[str, JsonValue] = {"archived_at": when, "updated_at": when}
        if table in _DELETED_TOO:
            stamps["deleted_at"] = when
        self.context.set_derived(table, row_id, **stamps, **more)

    def ago(self, days: float) -> str:
        """The timestamp of so many days before now."""
        return stamp(self.now - timedelta(days=days))

    def id(self, table: str, name: str) -> str:
        """The id of the row that was added as `known_as` this name."""
        return self._named[table, name]

    def row(self, table: str, name: str) -> Row:
        """The row that was added as `known_as` this name."""
        return self.context.store.table(table).rows[self.id(table, name)]

    def day(self, days: int) -> date:
        """The day so many days from today."""
        return self.today + timedelta(days=days)

    def utc(self, day: date, minutes: int, zone: str) -> datetime:
        """The instant of so many minutes after local midnight, for times of day at which no clock changes."""
        midnight = self._midnights.get((day, zone))
        if midnight is None:
            # Clocks change before dawn, so the offset of eight o'clock holds for the whole working day.
            morning = datetime.combine(day, time(8), zone_or_utc(zone))
            midnight = morning.astimezone(UTC).replace(tzinfo=None) - timedelta(hours=8)
            self._midnights[day, zone] = midnight
        return midnight + timedelta(minutes=minutes)

    def clock_changes(self, zone: str) -> list[date]:
        """The days between the diary's beginning and today on which the clocks of a zone change."""
        changes: list[date] = []
        for days in range(FIRST_DAY + 7, 0):
            noons = (datetime.combine(self.day(day), time(12), zone_or_utc(zone)) for day in (days - 1, days))
            before, after = (noon.utcoffset() for noon in noons)
            if before != after:
                changes.append(self.day(days))
        return changes


_DELETED_TOO: Final = frozenset(
    {
        "businesses",
        "contacts",
        "group_appointments",
        "individual_appointments",
        "attendees",
        "invoices",
        "invoice_items",
        "medical_alerts",
        "patients",
        "treatment_notes",
        "treatment_note_templates",
        "unavailable_blocks",
    }
)


def stamp(moment: datetime) -> str:
    """A naive UTC instant of whole seconds in wire form."""
    return f"{moment.isoformat(timespec='seconds')}Z"


def minutes(clock: str) -> int:
    """The minutes after midnight of a local `HH:MM`."""
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)
