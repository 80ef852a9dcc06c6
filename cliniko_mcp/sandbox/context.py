"""The state of the demo clinic and what handlers and rules may do with it: rows, clock, ids and the rulebook."""

from collections.abc import Iterator, Mapping
from datetime import tzinfo

from cliniko_mcp.cliniko.time_zones import zone_or_utc
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.clock import SandboxClock
from cliniko_mcp.sandbox.ids import IdSequence
from cliniko_mcp.sandbox.links import VIEWS
from cliniko_mcp.sandbox.query import Finder
from cliniko_mcp.sandbox.rulebook import Change, Rulebook
from cliniko_mcp.sandbox.serialise import serialise
from cliniko_mcp.sandbox.store import Row, Store, is_hidden
from cliniko_mcp.sandbox.wire import Json, not_found


class RequestContext:
    """What a rule may use: it reads and writes rows, with timestamps, ids and the rules that follow from a change."""

    def __init__(
        self, clock: SandboxClock, ids: IdSequence, rulebook: Rulebook["RequestContext"], base_url: str
    ) -> None:
        self.clock = clock
        self.ids = ids
        self.rulebook = rulebook
        self.base_url = base_url
        self.store = Store()
        self.finder = Finder(self.store)

    def get(self, resource: str, row_id: JsonValue) -> Row | None:
        """The row with this id, hidden or not; `bookings` and `appointments` look in all their tables."""
        if not isinstance(row_id, str):
            return None
        for table in VIEWS.get(resource, (resource,)):
            if (row := self.store.get(table, row_id)) is not None:
                return row
        return None

    def live(self, resource: str, row_id: JsonValue) -> Row | None:
        """The row with this id unless it is hidden."""
        row = self.get(resource, row_id)
        return None if row is None or is_hidden(row) else row

    def table_of(self, view: str, row_id: str) -> str | None:
        """The concrete table that holds this id of a view."""
        return next((name for name in VIEWS.get(view, (view,)) if self.store.get(name, row_id) is not None), None)

    def where(self, resource: str, column: str, value: str) -> Iterator[Row]:
        """The live rows whose id column (or list of ids) holds this id."""
        for name in VIEWS.get(resource, (resource,)):
            table = self.store.table(name)
            for row_id in tuple(table.matching(column, value)):
                if (row := table.live.get(row_id)) is not None:
                    yield row

    def children(self, resource: str, column: str, parent: str, parent_id: str) -> list[Row]:
        """All rows, hidden ones too, whose column holds this parent's id. Raises the 404 for an unknown parent."""
        if self.get(parent, parent_id) is None:
            raise not_found()
        tables = [self.store.table(name) for name in VIEWS.get(resource, (resource,))]
        return [table.rows[row_id] for table in tables for row_id in table.matching(column, parent_id)]

    def insert(self, resource: str, values: Mapping[str, JsonValue], user_id: str | None = None) -> Row:
        """Store a new row that a rule made, with id and timestamps, and run the rules for `created`; the row."""
        now = self.clock.stamp()
        row = self.store.put(resource, {"id": self.ids.next(), "created_at": now, "updated_at": now, **values})
        self.rulebook.run("created", self, Change(resource, None, dict(row), user_id=user_id))
        return self.store.get(resource, str(row["id"])) or row

    def amend(self, resource: str, row_id: str, **values: JsonValue) -> None:
        """Set these fields of a row because another row changed; `updated_at` moves if any of them differs."""
        row = self.store.get(resource, row_id)
        if row is None or all(row.get(name) == value for name, value in values.items()):
            return
        self.store.put(resource, {**row, **values, "updated_at": self.clock.stamp()})

    def set_derived(self, resource: str, row_id: str, **values: JsonValue) -> None:
        """Set derived fields of a row; `updated_at` stays."""
        row = self.store.get(resource, row_id)
        if row is not None and any(row.get(name) != value for name, value in values.items()):
            self.store.put(resource, {**row, **values})

    def serialise(self, resource: str, row: Row) -> Json:
        """The row as JSON, completed by the rules that serialise this resource."""
        shown = serialise(resource, row, self.base_url)
        for complete in self.rulebook.serialisers.get(resource, ()):
            complete(self, row, shown)
        return shown

    def settings(self) -> Mapping[str, JsonValue]:
        """The account's settings, as `GET /settings` shows them."""
        row = self.store.get("settings", "settings")
        shown = row.get("shown") if row else None
        return shown if isinstance(shown, dict) else {}

    def account_zone(self) -> tzinfo:
        """The zone in which the account counts its days: that of its owner (choices 41)."""
        row = self.store.get("settings", "settings")
        return zone_or_utc(row.get("time_zone_identifier") if row else None)

    def zone_of(self, business_id: JsonValue) -> tzinfo:
        """The zone of a site; the account's where the site names none."""
        business = self.get("businesses", business_id)
        name = business.get("time_zone_identifier") if business else None
        return zone_or_utc(name) if name else self.account_zone()
