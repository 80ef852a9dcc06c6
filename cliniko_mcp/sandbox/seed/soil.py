"""What planting needs: dice, days counted from the clinic's today, and rows by the names that the seed gives them."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.desk import Desk
from cliniko_mcp.sandbox.moments import stamp
from cliniko_mcp.sandbox.store import Row

SYDNEY: Final = "Australia/Sydney"
PERTH: Final = "Australia/Perth"


class Soil:
    """A desk to plant in. `today` is the day on which the seed stands, in the zone of the busiest site."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.dice = Random(desk.ids.seed)
        self.today: date = desk.clock.now().astimezone(ZoneInfo(SYDNEY)).date()
        self._named: dict[tuple[str, str], str] = {}

    def plant(self, table: str, values: Mapping[str, JsonValue], *, days_ago: float = 400, known_as: str = "") -> str:
        """Keep a row made so many days ago; its id. `known_as` lets others find it; an `id` among the values stays."""
        made = self.ago(days_ago)
        row_id = values.get("id") or self.desk.ids.next()
        self.desk.store.put(table, {"created_at": made, "updated_at": made, **values, "id": row_id})
        if known_as:
            self._named[table, known_as] = str(row_id)
        return str(row_id)

    def ago(self, days: float) -> str:
        """The stamp of so many days before now."""
        return stamp(self.desk.clock.now() - timedelta(days=days))

    def id(self, table: str, name: str) -> str:
        """The id of the row that was planted under this name."""
        return self._named[table, name]

    def row(self, table: str, name: str) -> Row:
        """The row that was planted under this name."""
        return self.desk.store.table(table).rows[self.id(table, name)]

    def at(self, day: date, clock: str, zone: str) -> datetime:
        """The instant of a local time `HH:MM` on a day."""
        return datetime.combine(day, time.fromisoformat(clock), ZoneInfo(zone))

    def day(self, days: int) -> date:
        """The day so many days from today."""
        return self.today + timedelta(days=days)
