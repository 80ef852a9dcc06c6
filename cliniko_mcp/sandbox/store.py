"""The rows of the demo clinic in memory: one table for each resource, in the order in which rows came.

A row is a plain dict in wire form that holds only the fields that are set, links as `x_id`. A row is never changed in
place: `put` replaces it, so that a row that was read before stays as it was, and a failed request can be undone.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, Protocol

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.clock import ClockReading

Row = Mapping[str, JsonValue]
RowChange = tuple[str, str, Row | None]

_NO_ROWS: Final[dict[str, None]] = {}


class PersistenceError(Exception):
    """A change could not be saved where the state outlives the process; it has not happened in memory either."""


class Persistence(Protocol):
    """Where a clinic's state outlives its process: it is loaded at the start and receives every committed change.

    `replace`, `save` and `save_clock` raise PersistenceError where they cannot.
    """

    def load(self) -> Mapping[str, JsonValue] | None:
        """The stored state, as `Sandbox.snapshot` returned it; None where nothing is stored yet."""
        ...

    def replace(self, state: Mapping[str, JsonValue]) -> None:
        """Replace the stored state by this one."""
        ...

    def save(self, changes: Iterable[RowChange], count: int) -> None:
        """Save these rows (None: removed) and the count of the id sequence, all or nothing."""
        ...

    def load_clock(self) -> ClockReading | None:
        """The clock as it was saved last, or None where none is saved yet."""
        ...

    def save_clock(self, reading: ClockReading) -> None:
        """Replace the saved clock by this reading."""
        ...

    def close(self) -> None:
        """Release files and locks."""
        ...


class Table:
    """The rows of one resource with the indexes that were used so far."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.live: dict[str, Row] = {}
        self.version = 0
        self._matches: dict[str, dict[str, dict[str, None]]] = {}
        self._own: dict[str, set[str]] = {}
        """Of an index that other tables share, the values whose ids are this table's own to change."""
        self._orders: dict[str, list[tuple[str, str]]] = {}
        self._origin: tuple[Table, int] | None = None
        """What this is a copy of, and its version then."""
        self._replaced: dict[str, Row | None] = {}
        """What stood there when this was copied, of each row that was changed since; None for a new one."""

    def put(self, row_id: str, row: Row | None) -> Row | None:
        """Set a row, or remove it with None; the row that was there before."""
        old = self.rows.get(row_id)
        self.version += 1
        if self._origin is not None:
            self._replaced.setdefault(row_id, old)
        if row is None:
            self.rows.pop(row_id, None)
            self.live.pop(row_id, None)
        else:
            self.rows[row_id] = row
            if is_hidden(row):
                self.live.pop(row_id, None)
            else:
                self.live[row_id] = row
        for field in self._matches:
            self._match(field, row_id, old, row)
        for field in self._orders:
            self._arrange(field, row_id, old, row)
        return old

    def extend(self, new: Iterable[Row]) -> None:
        """Add rows with new ids, all at once."""
        rows, live = self.rows, self.live
        for row in new:
            row_id = str(row["id"])
            rows[row_id] = row
            if not is_hidden(row):
                live[row_id] = row
        self._forget_indexes()

    def clear(self) -> None:
        """Remove all rows at once."""
        self.rows, self.live = {}, {}
        self._forget_indexes()

    def _forget_indexes(self) -> None:
        self.version += 1
        self._matches.clear()
        self._own.clear()
        self._orders.clear()
        self._origin = None

    def copy(self) -> "Table":
        """A copy with the same rows; an index that it uses is made of this table's."""
        copy = Table()
        copy.rows, copy.live = dict(self.rows), dict(self.live)
        copy._origin = (self, self.version)
        return copy

    def _original(self) -> "Table | None":
        """What this is a copy of, where that is as it was."""
        origin, version = self._origin or (self, -1)
        return origin if origin.version == version else None

    def _match(self, field: str, row_id: str, old: Row | None, new: Row | None) -> None:
        """Bring an index from the old state of a row to the new one."""
        values = self._matches[field]
        own = self._own.get(field)
        for row, listed in ((old, False), (new, True)):
            for value in _values(row, field) if row is not None else ():
                if own is not None and value not in own:
                    own.add(value)
                    values[value] = dict(values.get(value, _NO_ROWS))
                group = values.setdefault(value, {})
                if listed:
                    group[row_id] = None
                else:
                    group.pop(row_id, None)

    def _arrange(self, field: str, row_id: str, old: Row | None, new: Row | None) -> None:
        """Bring an order from the old state of a row to the new one."""
        order = self._orders[field]
        if old is not None:
            del order[bisect_left(order, (str(old.get(field, "")), row_id))]
        if new is not None:
            insort(order, (str(new.get(field, "")), row_id))

    def matching(self, field: str, value: str) -> Mapping[str, None]:
        """The ids of the rows whose id field (or list of ids) holds this id. The first use builds an index."""
        return self._index(field).get(value, _NO_ROWS)

    def _index(self, field: str) -> dict[str, dict[str, None]]:
        values = self._matches.get(field)
        if values is not None:
            return values
        origin = self._original()
        if origin is not None:
            values = self._matches[field] = dict(origin._index(field))
            origin._own[field], self._own[field] = set(), set()
            for row_id, old in self._replaced.items():
                self._match(field, row_id, old, self.rows.get(row_id))
            return values
        values = self._matches[field] = {}
        for row_id, row in self.rows.items():
            for own in _values(row, field):
                values.setdefault(own, {})[row_id] = None
        return values

    def count(self, field: str, low: str, high: str) -> int:
        """How many rows `between` would find."""
        order = self._order(field)
        return bisect_left(order, (high, "")) - bisect_left(order, (low, ""))

    def between(self, field: str, low: str, high: str) -> list[str]:
        """The ids of the rows with low <= field < high as text, in that order. The first use builds an index."""
        order = self._order(field)
        return [row_id for _, row_id in order[bisect_left(order, (low, "")) : bisect_left(order, (high, ""))]]

    def _order(self, field: str) -> list[tuple[str, str]]:
        order = self._orders.get(field)
        if order is not None:
            return order
        origin = self._original()
        if origin is not None:
            order = self._orders[field] = origin._order(field).copy()
            for row_id, old in self._replaced.items():
                self._arrange(field, row_id, old, self.rows.get(row_id))
            return order
        order = self._orders[field] = sorted((str(row.get(field, "")), row_id) for row_id, row in self.rows.items())
        return order


def _values(row: Row, field: str) -> Iterator[str]:
    value = row.get(field)
    if isinstance(value, list):
        yield from (str(item) for item in value)
    elif value is not None:
        yield str(value)


def is_hidden(row: Row) -> bool:
    """Whether a row is archived, deleted or cancelled, so that it is not listed by default.

    Source: cliniko-api.md#archive-delete-cancel.
    """
    return "archived_at" in row or "deleted_at" in row or "cancelled_at" in row


class Store:
    """All tables. Changes inside `transaction` are undone together if it ends with an exception."""

    def __init__(self) -> None:
        self._tables: dict[str, Table] = {}
        self._undo: list[RowChange] | None = None
        self.committed: list[RowChange] = []

    def table(self, name: str) -> Table:
        """The table of this resource; an unknown one is empty."""
        if name not in self._tables:
            self._tables[name] = Table()
        return self._tables[name]

    def get(self, table: str, row_id: str | None) -> Row | None:
        """The row with this id, hidden or not, or None."""
        return None if row_id is None else self.table(table).rows.get(row_id)

    def put(self, table: str, row: Row) -> Row:
        """Set a row by its id, without fields that are None; the row as it is stored."""
        stored = {name: value for name, value in row.items() if value is not None}
        self._set(table, str(row["id"]), stored)
        return stored

    def extend(self, table: str, rows: Iterable[Row]) -> None:
        """Add many new rows that hold no None, quicker than `put`; not within a transaction."""
        self.table(table).extend(rows)

    def clear(self, table: str) -> None:
        """Remove all rows of a table, quicker than `remove`; not within a transaction."""
        self.table(table).clear()

    def remove(self, table: str, row_id: str) -> None:
        """Remove a row for good."""
        self._set(table, row_id, None)

    def _set(self, table: str, row_id: str, row: Row | None) -> None:
        old = self.table(table).put(row_id, row)
        if self._undo is not None:
            self._undo.append((table, row_id, old))

    @contextmanager
    def transaction(self, save: Callable[[list[RowChange]], None] | None = None) -> Generator[None]:
        """Undo every change of this block if it raises, or if `save` does, which receives the net changes.

        They are left in `committed`.
        """
        self._undo = []
        try:
            yield
            touched = {(table, row_id): None for table, row_id, _ in self._undo}
            self.committed = [(table, row_id, self.get(table, row_id)) for table, row_id in touched]
            if save is not None and self.committed:
                save(self.committed)
        except BaseException:
            for table, row_id, old in reversed(self._undo):
                self.table(table).put(row_id, old)
            self.committed = []
            raise
        finally:
            self._undo = None

    def tables(self) -> Mapping[str, Table]:
        """Every table by name."""
        return self._tables

    def take(self, tables: Mapping[str, Table]) -> None:
        """Replace everything by the rows of these tables, which stay as they are."""
        self._replace({name: table.copy() for name, table in tables.items()})

    def dump(self) -> dict[str, JsonValue]:
        """Every table as a list of rows, in order: plain JSON."""
        tables = sorted((name, table) for name, table in self._tables.items() if table.rows)
        return {name: [dict(row) for row in table.rows.values()] for name, table in tables}

    def load(self, tables: Mapping[str, JsonValue]) -> None:
        """Replace everything by what `dump` returned. Raises ValueError for anything else."""
        fresh: dict[str, Table] = {}
        for name, rows in tables.items():
            if not isinstance(rows, list):
                raise ValueError(f"{name} is not a list of rows")
            known: dict[str, Row] = {}
            for row in rows:
                if not isinstance(row, dict) or not isinstance(row_id := row.get("id"), str):
                    raise ValueError(f"{name} holds something that is not a row")
                known[row_id] = row
            fresh[name] = Table()
            fresh[name].extend(known.values())
        self._replace(fresh)

    def adopt(self, other: "Store") -> None:
        """Replace everything by the rows of another store, which is not used any further."""
        self._replace(other._tables)

    def _replace(self, fresh: dict[str, Table]) -> None:
        # Versions keep rising, so that no cached result for the old rows passes for one of the new.
        version = 1 + sum(table.version for table in self._tables.values())
        for table in fresh.values():
            table.version += version
        self._tables = fresh
