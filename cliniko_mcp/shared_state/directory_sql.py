"""The directory in SQL that SQLite and Postgres both speak, each transaction written once."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from cliniko_mcp.shared_state.directory import Edit, KeyRow, SomebodyElses
from cliniko_mcp.shared_state.statements import HOLD, Database, Row, Work, all_rows, changed, first_row

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS clinic (id TEXT PRIMARY KEY, entry TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS person_key (
  clinic TEXT NOT NULL, person TEXT NOT NULL, account TEXT NOT NULL UNIQUE, version INTEGER NOT NULL,
  sealed BLOB NOT NULL, cliniko_user TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL, kept REAL NOT NULL,
  refused REAL NOT NULL, PRIMARY KEY (clinic, person)) STRICT;
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS generation (one INTEGER PRIMARY KEY, number INTEGER NOT NULL) STRICT;
"""
_KEY: Final = "clinic, person, account, version, sealed, cliniko_user, name, role, kept, refused"
_NONE: Final = b""


class SqlDirectory:
    """See `Directory`."""

    def __init__(self, database: Database, account: Callable[[], str]) -> None:
        """`account` gives a new name for what is kept for a key, 32 hexadecimal digits that nobody can guess."""
        self._database = database
        self._account = account

    # Clinics

    async def generation(self) -> int:
        """See `Directory.generation`."""
        return await self._database.read(_generation)

    async def clinics(self) -> tuple[int, Mapping[str, str]]:
        """See `Directory.clinics`."""

        def work() -> Work[tuple[int, Mapping[str, str]]]:
            before = yield from _generation()
            rows = yield from all_rows("SELECT id, entry FROM clinic ORDER BY id")
            return before, {str(id): str(entry) for id, entry in rows}

        return await self._database.read(work)

    async def add_clinic(self, id: str, entry: str) -> bool:
        """See `Directory.add_clinic`."""

        def work() -> Work[bool]:
            text = "INSERT INTO clinic VALUES (?, ?) ON CONFLICT DO NOTHING"
            if not (yield from changed(text, id, entry)):
                return False
            yield from _count()
            return True

        return await self._database.write(work)

    async def change_clinics(self, edit: Edit, id: str = "") -> int:
        """See `Directory.change_clinics`."""
        chosen, named = (" WHERE id = ?", (id,)) if id else ("", ())

        def work() -> Work[int]:
            rows = yield from all_rows(f"SELECT id, entry FROM clinic{chosen} ORDER BY id{HOLD}", *named)
            for clinic, entry in rows:
                yield from changed("UPDATE clinic SET entry = ? WHERE id = ?", edit(str(entry)), str(clinic))
            if rows:
                yield from _count()
            return len(rows)

        return await self._database.write(work)

    async def remove_clinic(self, id: str) -> bool:
        """See `Directory.remove_clinic`."""

        def work() -> Work[bool]:
            yield from changed("DELETE FROM person_key WHERE clinic = ?", id)
            if not (yield from changed("DELETE FROM clinic WHERE id = ?", id)):
                return False
            yield from _count()
            return True

        return await self._database.write(work)

    # People's keys

    async def key(self, clinic: str, person: str) -> KeyRow | None:
        """See `Directory.key`."""
        found = await self._database.read(lambda: _key_of(clinic, person))
        return _key_row(found) if found else None

    async def keys(self, clinic: str = "", person: str = "") -> Sequence[KeyRow]:
        """See `Directory.keys`."""
        where, values = _where(clinic, person)
        text = f"SELECT {_KEY} FROM person_key{where} ORDER BY clinic, person"
        return [_key_row(row) for row in await self._database.read(lambda: all_rows(text, *values))]

    async def put_key(self, row: KeyRow, seal: Callable[[str, int], bytes]) -> KeyRow:
        """See `Directory.put_key`."""

        def work() -> Work[KeyRow]:
            text = "SELECT 1 FROM person_key WHERE clinic = ? AND cliniko_user = ? AND person <> ? AND sealed <> ?"
            if (yield from first_row(text, row.clinic, row.user, row.person, _NONE)) is not None:
                raise SomebodyElses
            found = yield from _key_of(row.clinic, row.person)
            before = _key_row(found) if found is not None else None
            account, version = (before.account, before.version + 1) if before is not None else (self._account(), 1)
            if before is not None and before.user != row.user:
                account = self._account()  # nothing that was kept for another user of Cliniko's is found again
            made = replace(row, account=account, version=version, sealed=seal(account, version), refused=0.0)
            yield from changed("DELETE FROM person_key WHERE clinic = ? AND person = ?", row.clinic, row.person)
            values = (made.clinic, made.person, account, version, made.sealed, made.user, made.name, made.role)
            yield from changed("INSERT INTO person_key VALUES (?,?,?,?,?,?,?,?,?,?)", *values, made.kept, 0.0)
            return made

        return await self._database.write(work, alone_with="person_key")

    async def reseal_key(self, row: KeyRow, sealed: bytes) -> None:
        """See `Directory.reseal_key`."""
        text = "UPDATE person_key SET sealed = ? WHERE account = ? AND version = ? AND sealed = ?"
        await self._database.write(lambda: changed(text, sealed, row.account, row.version, row.sealed))

    async def refuse_key(self, row: KeyRow, now: float) -> bool:
        """See `Directory.refuse_key`."""
        text = "UPDATE person_key SET sealed = ?, refused = ? WHERE account = ? AND version = ? AND sealed <> ?"
        values = (_NONE, now, row.account, row.version, _NONE)
        return await self._database.write(lambda: changed(text, *values)) == 1

    async def erase_keys(self, clinic: str = "", person: str = "") -> int:
        """See `Directory.erase_keys`."""
        where, values = _where(clinic, person)
        assert where
        return await self._database.write(lambda: changed(f"DELETE FROM person_key{where}", *values))

    # Facts

    async def fact(self, name: str) -> bytes | None:
        """See `Directory.fact`."""
        found = await self._database.read(lambda: first_row("SELECT value FROM fact WHERE name = ?", name))
        return found[0] if found and isinstance(found[0], bytes) else None

    async def put_fact(self, name: str, value: bytes) -> None:
        """See `Directory.put_fact`."""
        text = "INSERT INTO fact VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        await self._database.write(lambda: changed(text, name, value))


def _generation() -> Work[int]:
    found = yield from first_row("SELECT number FROM generation WHERE one = 1")
    return int(str(found[0])) if found else 0


def _count() -> Work[int]:
    text = "INSERT INTO generation VALUES (1, 1) ON CONFLICT (one) DO UPDATE SET number = generation.number + 1"
    return (yield from changed(text))


def _key_of(clinic: str, person: str) -> Work[Row | None]:
    return (yield from first_row(f"SELECT {_KEY} FROM person_key WHERE clinic = ? AND person = ?", clinic, person))


def _where(clinic: str, person: str) -> tuple[str, tuple[str, ...]]:
    chosen = {name: value for name, value in (("clinic", clinic), ("person", person)) if value}
    where = " AND ".join(f"{name} = ?" for name in chosen)
    return (f" WHERE {where}" if where else ""), tuple(chosen.values())


def _key_row(row: Row) -> KeyRow:
    clinic, person, account = map(str, row[:3])
    sealed = row[4]
    assert isinstance(sealed, bytes)
    user, name, role = map(str, row[5:8])
    kept, refused = float(str(row[8])), float(str(row[9]))
    return KeyRow(clinic, person, account, int(str(row[3])), sealed, user, name, role, kept, refused)


@asynccontextmanager
async def directory_in_postgres(url: str, account: Callable[[], str]) -> AsyncGenerator[SqlDirectory]:
    """The directory for the length of a run, its tables made where there are none. `url` is `postgresql://`.

    Raises ConfigurationError for an address that is none or lets nobody in, Unavailable where nothing answers.
    """
    from cliniko_mcp.shared_state.postgres import Tables, open_database

    away = "This server cannot reach where its clinics and people's keys are kept, so nothing was sent or changed."
    async with open_database(url, Tables("clinic_directory", SCHEMA, "its clinics", away)) as database:
        yield SqlDirectory(database, account)


@asynccontextmanager
async def directory_in_file(path: Path, account: Callable[[], str]) -> AsyncGenerator[SqlDirectory]:
    """The same in a file of this computer's, which is made when it is first needed."""
    from cliniko_mcp.shared_state.sqlite_file import SqliteWhenNeeded

    file = SqliteWhenNeeded(path, SCHEMA, "people's keys")
    try:
        yield SqlDirectory(file, account)
    finally:
        file.close()
