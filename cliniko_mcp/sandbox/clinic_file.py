"""A clinic in a SQLite file: a change is in it before the response, even where the process is killed right after."""

import json
import sqlite3
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from cliniko_mcp.errors import ConfigurationError, JsonValue
from cliniko_mcp.sandbox.clock import ClockReading
from cliniko_mcp.sandbox.store import PersistenceError, RowChange

_FORMAT: Final = 1
_SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS rows (
        place INTEGER PRIMARY KEY, resource TEXT NOT NULL, id TEXT NOT NULL, row TEXT NOT NULL, UNIQUE (resource, id)
    );
"""
_PUT: Final = (
    "INSERT INTO rows (resource, id, row) VALUES (?, ?, ?) ON CONFLICT (resource, id) DO UPDATE SET row = excluded.row"
)


class ClinicFile:
    """A `Persistence` for one process at a time. The column `place` numbers rows in the order in which they came.

    Raises ConfigurationError for a file that cannot be used, is another program's, or is in use.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            self._file = sqlite3.connect(path, timeout=1, isolation_level=None, check_same_thread=False)
            # A write-ahead log makes a commit one append: a kill leaves it whole or leaves it out. One process owns it.
            self._file.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute("PRAGMA synchronous = NORMAL")
            if not self._is_ours():
                raise ConfigurationError(f"{path} is not a demo clinic's file; name another one with --sandbox-file")
            self._file.executescript(_SCHEMA)
            self._file.execute("INSERT OR IGNORE INTO facts VALUES ('format', ?)", (str(_FORMAT),))
        except sqlite3.Error as problem:
            why = "another program has it open" if "locked" in str(problem) else str(problem)
            raise ConfigurationError(f"the demo clinic's file {path} cannot be used: {why}") from None

    def _is_ours(self) -> bool:
        tables = {name for (name,) in self._file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables:
            return True
        if not {"facts", "rows"} <= tables:
            return False
        stored = self._file.execute("SELECT value FROM facts WHERE name = 'format'").fetchone()
        return stored is None or stored[0] == str(_FORMAT)

    def load(self) -> Mapping[str, JsonValue] | None:
        """The stored state, or None for a new file."""
        facts = dict(self._file.execute("SELECT name, value FROM facts").fetchall())
        if "ids" not in facts:
            return None
        tables: dict[str, JsonValue] = {}
        for resource, row in self._file.execute("SELECT resource, row FROM rows ORDER BY place"):
            rows = tables.setdefault(resource, [])
            assert isinstance(rows, list), "a table is a list"
            rows.append(json.loads(row))
        return {"now": facts["now"], "seed": int(facts["seed"]), "ids": int(facts["ids"]), "tables": tables}

    def replace(self, state: Mapping[str, JsonValue]) -> None:
        """Replace the stored state by this one, in one transaction."""
        tables = state.get("tables")
        with self._transaction() as file:
            file.execute("DELETE FROM rows")
            if isinstance(tables, dict):
                for resource, rows in tables.items():
                    if isinstance(rows, list):
                        file.executemany(_PUT, ((resource, _id(row), _text(row)) for row in rows))
            for name in ("now", "seed", "ids"):
                file.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, str(state.get(name))))

    def save(self, changes: Iterable[RowChange], count: int) -> None:
        """Save these rows, in one transaction. Raises PersistenceError where it cannot, and has saved nothing then."""
        with self._transaction() as file:
            for resource, row_id, row in changes:
                if row is None:
                    file.execute("DELETE FROM rows WHERE resource = ? AND id = ?", (resource, row_id))
                else:
                    file.execute(_PUT, (resource, row_id, _text(dict(row))))
            file.execute("INSERT OR REPLACE INTO facts VALUES ('ids', ?)", (str(count),))

    def load_clock(self) -> ClockReading | None:
        """The clock as it was saved last; None for a new file, and for one from before clocks were saved."""
        stored = self._file.execute("SELECT value FROM facts WHERE name = 'clock'").fetchone()
        if stored is None:
            return None
        shown, at, frozen = json.loads(stored[0])
        return ClockReading(datetime.fromisoformat(shown), datetime.fromisoformat(at), frozen)

    def save_clock(self, reading: ClockReading) -> None:
        """Replace the saved clock by this reading."""
        text = json.dumps([reading.shown.isoformat(), reading.at.isoformat(), reading.frozen])
        with self._transaction() as file:
            file.execute("INSERT OR REPLACE INTO facts VALUES ('clock', ?)", (text,))

    def close(self) -> None:
        """Close the file, so that another process can use it."""
        self._file.close()

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection]:
        try:
            self._file.execute("BEGIN IMMEDIATE")
            try:
                yield self._file
            except BaseException:
                self._file.execute("ROLLBACK")
                raise
            self._file.execute("COMMIT")
        except sqlite3.Error as problem:
            if self._file.in_transaction:
                self._file.execute("ROLLBACK")
            raise PersistenceError(f"the demo clinic's file {self._path} cannot be written: {problem}") from None


def _id(row: JsonValue) -> str:
    return str(row["id"]) if isinstance(row, dict) else ""


def _text(row: JsonValue) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))
