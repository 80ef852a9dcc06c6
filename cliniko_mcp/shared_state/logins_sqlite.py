"""The built-in login's store in one SQLite file: written ahead, flushed at each commit, for its owner alone."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

import anyio
import anyio.to_thread

from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.private_files import open_private, private_folder
from cliniko_mcp.shared_state.logins import (
    GRACE_SECONDS,
    MAX_SIBLINGS,
    ClientRow,
    CodeRow,
    GrantRow,
    NewTokens,
    Outcome,
    PersonRow,
    RequestRow,
    TokenRow,
)
from cliniko_mcp.shared_state.logins_rows import SCHEMA, client_row, grant_row, person_row, request_row

T = TypeVar("T")
_WAIT_SECONDS: Final = 10.0
"""For another process that writes."""
_SHOWN_SECONDS: Final = 7 * 86400.0
"""How long a grant that ended is still listed."""
_USED_EVERY: Final = 60.0
"""Seconds between two notes of when a grant was last used: not every call writes."""
_GRANT: Final = "g.id, g.person, g.client, g.program, g.scopes, g.created, g.expires, g.used, g.begun, g.ended, g.why"


class SqliteLogins:
    """See `Logins`. One connection, used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Make or open the file. Raises ConfigurationError where it cannot be used, or can be read by others."""
        try:
            private_folder(path.parent) if not path.parent.exists() else None
            if path.exists() and os.name == "posix" and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise ConfigurationError(f"{path}, which holds the logins, can be read by others: chmod 600 it")
            os.close(open_private(path, os.O_RDWR | os.O_CREAT))
            self._db = sqlite3.connect(path, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False)
            for line in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
                self._db.execute(f"PRAGMA {line}")
            self._db.executescript(SCHEMA)
        except (OSError, sqlite3.Error) as problem:
            raise ConfigurationError(f"the file of the logins, {path}, cannot be used: {problem}") from None
        self._turn = anyio.CapacityLimiter(1)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    async def _run(self, work: Callable[[], T]) -> T:
        return await anyio.to_thread.run_sync(work, limiter=self._turn)

    async def _change(self, work: Callable[[], T]) -> T:
        """What the work gives, in one transaction, which has the file for itself from its beginning."""

        def whole() -> T:
            with self._transaction():
                return work()

        return await self._run(whole)

    @contextmanager
    def _transaction(self) -> Generator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _one(self, text: str, *values: object) -> Sequence[object] | None:
        found: Sequence[object] | None = self._db.execute(text, values).fetchone()
        return found

    # Programs

    async def add_client(self, row: ClientRow, *, recent: float, unused: float, most: int) -> ClientRow | None:
        """See `Logins.add_client`."""
        idle = "NOT EXISTS (SELECT 1 FROM grants g WHERE g.client = client.id)"

        def work() -> ClientRow | None:
            found = self._one(
                "SELECT id, metadata, fingerprint, created FROM client WHERE fingerprint = ? AND created >= ?",
                row.fingerprint,
                recent,
            )
            if found is not None:
                return client_row(found)
            self._db.execute(f"DELETE FROM client WHERE created < ? AND {idle}", (unused,))
            count = self._one(f"SELECT count(*) FROM client WHERE {idle}") or (0,)
            if int(str(count[0])) >= most:
                return None
            values = (row.id, row.metadata, row.fingerprint, row.created)
            self._db.execute("INSERT INTO client VALUES (?, ?, ?, ?)", values)
            return row

        return await self._change(work)

    async def client(self, id: str) -> ClientRow | None:
        """See `Logins.client`."""
        text = "SELECT id, metadata, fingerprint, created FROM client WHERE id = ?"
        found = await self._run(lambda: self._one(text, id))
        return client_row(found) if found else None

    # Logins under way

    async def put_request(self, row: RequestRow) -> None:
        """See `Logins.put_request`."""
        values = (*(row.id, row.details, row.expires, row.cookie, row.tried, row.proven, row.handed, row.handed_at),)
        text = (
            "INSERT INTO request VALUES (?,?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE "
            "SET cookie = excluded.cookie, proven = excluded.proven WHERE handed_at = 0"
        )
        await self._change(lambda: self._db.execute(text, values))

    async def request(self, id: str, now: float) -> RequestRow | None:
        """See `Logins.request`."""
        found = await self._run(lambda: self._one("SELECT * FROM request WHERE id = ? AND expires > ?", id, now))
        return request_row(found) if found else None

    async def wrong_key(self, id: str) -> int:
        """See `Logins.wrong_key`."""

        def work() -> int:
            self._db.execute("UPDATE request SET tried = tried + 1 WHERE id = ?", (id,))
            found = self._one("SELECT tried FROM request WHERE id = ?", id)
            return int(str(found[0])) if found else 0

        return await self._change(work)

    async def decide(self, request: RequestRow, code: CodeRow | None, grant: GrantRow | None) -> bool:
        """See `Logins.decide`."""

        def work() -> bool:
            changed = self._db.execute(
                "UPDATE request SET handed = ?, handed_at = ?, proven = x'' WHERE id = ? AND handed_at = 0",
                (request.handed, request.handed_at, request.id),
            )
            if changed.rowcount != 1:
                return False
            if grant is not None:
                self._put_grant(grant)
            if code is not None:
                values = (code.digest, code.grant, code.details, code.expires, code.used)
                self._db.execute("INSERT INTO code VALUES (?, ?, ?, ?, ?)", values)
            self._tidy(request.handed_at)
            return True

        return await self._change(work)

    def _put_grant(self, row: GrantRow) -> None:
        values = (row.id, row.person, row.client, row.program, row.scopes, row.created, row.expires, row.used)
        rest = (row.begun, row.ended, row.why)
        self._db.execute("INSERT INTO grants VALUES (?,?,?,?,?,?,?,?,?,?,?)", (*values, *rest))

    def _tidy(self, now: float) -> None:
        """Drop what nobody can use any more. A code that was used stays as long as its grant: it may be shown again."""
        self._db.execute("DELETE FROM request WHERE expires < ?", (now,))
        self._db.execute("DELETE FROM session WHERE expires < ?", (now,))
        old = now - _SHOWN_SECONDS
        self._db.execute("DELETE FROM grants WHERE max(ended, min(expires, ?)) < ? AND created < ?", (now, old, old))
        for table in ("token", "code"):
            self._db.execute(f"DELETE FROM {table} WHERE grant_id NOT IN (SELECT id FROM grants)")

    # Codes and tokens

    async def code(self, digest: str) -> CodeRow | None:
        """See `Logins.code`."""
        found = await self._run(lambda: self._one("SELECT * FROM code WHERE digest = ?", digest))
        if found is None:
            return None
        return CodeRow(str(found[0]), str(found[1]), str(found[2]), float(str(found[3])), bool(found[4]))

    async def take_code(self, digest: str, tokens: NewTokens, now: float) -> GrantRow | Outcome:
        """See `Logins.take_code`."""

        def work() -> GrantRow | Outcome:
            found = self._one("SELECT grant_id, expires FROM code WHERE digest = ?", digest)
            if found is None:
                return "unknown"
            id = str(found[0])
            if self._db.execute("UPDATE code SET used = 1 WHERE digest = ? AND used = 0", (digest,)).rowcount != 1:
                self._end(now, "its code was used twice", grant=id)
                return "again"
            if float(str(found[1])) <= now:
                return "expired"
            grant = self._grant(id)
            if grant is None or not self._good(grant, now):
                return "ended"
            self._db.execute("UPDATE grants SET begun = 1, used = ? WHERE id = ?", (now, id))
            self._keep(id, tokens)
            return grant

        return await self._change(work)

    def _keep(self, grant: str, tokens: NewTokens) -> None:
        text = "INSERT INTO token VALUES (?, ?, ?, ?, ?, 0, 0)"
        self._db.execute(text, (tokens.access, grant, 0, tokens.scopes, tokens.access_expires))
        if tokens.refresh:
            self._db.execute(text, (tokens.refresh, grant, 1, tokens.scopes, tokens.refresh_expires))

    def _grant(self, id: str) -> GrantRow | None:
        found = self._one(f"SELECT {_GRANT} FROM grants g WHERE g.id = ?", id)
        return grant_row(found) if found else None

    def _good(self, grant: GrantRow, now: float) -> bool:
        if grant.ended or grant.expires <= now:
            return False
        return self._one("SELECT 1 FROM person WHERE id = ? AND sealed <> x''", grant.person) is not None

    async def token(self, digest: str, now: float) -> TokenRow | None:
        """See `Logins.token`."""
        text = f"SELECT {_GRANT}, t.scopes, t.expires FROM token t JOIN grants g ON g.id = t.grant_id"

        def work() -> TokenRow | None:
            found = self._one(f"{text} WHERE t.digest = ? AND t.refresh = 0 AND t.expires > ?", digest, now)
            if found is None:
                return None
            grant = grant_row(found)
            if not self._good(grant, now):
                return None
            if now - grant.used >= _USED_EVERY:
                self._db.execute("UPDATE grants SET used = ? WHERE id = ? AND used < ?", (now, grant.id, now))
            return TokenRow(grant, str(found[11]), float(str(found[12])), refresh=False)

        return await self._run(work)

    async def refresh_token(self, digest: str) -> TokenRow | None:
        """See `Logins.refresh_token`."""
        text = f"SELECT {_GRANT}, t.scopes, t.expires FROM token t JOIN grants g ON g.id = t.grant_id"
        found = await self._run(lambda: self._one(f"{text} WHERE t.digest = ? AND t.refresh = 1", digest))
        return TokenRow(grant_row(found), str(found[11]), float(str(found[12])), refresh=True) if found else None

    async def rotate(self, digest: str, tokens: NewTokens, now: float) -> GrantRow | Outcome:
        """See `Logins.rotate`."""

        def work() -> GrantRow | Outcome:
            text = "SELECT grant_id, expires, used, siblings FROM token WHERE digest = ? AND refresh = 1"
            found = self._one(text, digest)
            if found is None:
                return "unknown"
            id, expires, used, siblings = str(found[0]), *(float(str(value)) for value in found[1:])
            grant = self._grant(id)
            if grant is None or not self._good(grant, now):
                return "ended"
            if expires <= now:
                return "expired"
            if used and (now - used > GRACE_SECONDS or siblings >= MAX_SIBLINGS):
                self._end(now, "a refresh token was used again", grant=id)
                return "again"
            change = "siblings = siblings + 1" if used else "used = :now"
            self._db.execute(f"UPDATE token SET {change} WHERE digest = :digest", {"now": now, "digest": digest})
            self._db.execute("UPDATE grants SET used = ? WHERE id = ?", (now, id))
            self._keep(id, tokens)
            return grant

        return await self._change(work)

    # Grants

    async def end(self, now: float, why: str, *, grant: str = "", person: str = "", client: str = "") -> int:
        """See `Logins.end`."""
        return await self._change(lambda: self._end(now, why, grant=grant, person=person, client=client))

    def _end(self, now: float, why: str, *, grant: str = "", person: str = "", client: str = "") -> int:
        named = {"id": grant, "person": person, "client": client}
        chosen = {name: value for name, value in named.items() if value}
        where = " AND ".join(("ended = 0", *(f"{name} = ?" for name in chosen)))
        values = (now, why, *chosen.values())
        return self._db.execute(f"UPDATE grants SET ended = ?, why = ? WHERE {where}", values).rowcount

    async def grants(self, now: float, person: str = "") -> Sequence[GrantRow]:
        """See `Logins.grants`."""
        text = f"SELECT {_GRANT} FROM grants g WHERE (ended = 0 OR ended > :since) AND expires > :since AND begun = 1"
        values = {"since": now - _SHOWN_SECONDS, "person": person}
        if person:
            text += " AND person = :person"
        rows = await self._run(lambda: self._db.execute(f"{text} ORDER BY created DESC", values).fetchall())
        return [grant_row(row) for row in rows]

    # People

    async def put_person(self, row: PersonRow) -> PersonRow:
        """See `Logins.put_person`."""

        def work() -> PersonRow:
            found = self._one("SELECT version, manager FROM person WHERE id = ?", row.id)
            version = int(str(found[0])) + 1 if found else 1
            kept = replace(row, version=version, manager=row.manager or bool(found and found[1]))
            values = (kept.id, kept.name, kept.email, kept.role, kept.clinic, version, kept.sealed, kept.proven)
            self._db.execute("INSERT OR REPLACE INTO person VALUES (?,?,?,?,?,?,?,?,?)", (*values, kept.manager))
            return kept

        return await self._change(work)

    async def person(self, id: str) -> PersonRow | None:
        """See `Logins.person`."""
        found = await self._run(lambda: self._one("SELECT * FROM person WHERE id = ?", id))
        return person_row(found) if found else None

    async def people(self) -> Sequence[PersonRow]:
        """See `Logins.people`."""
        rows = await self._run(lambda: self._db.execute("SELECT * FROM person ORDER BY name").fetchall())
        return [person_row(row) for row in rows]

    async def proven(self, id: str, now: float) -> None:
        """See `Logins.proven`."""
        await self._change(lambda: self._db.execute("UPDATE person SET proven = ? WHERE id = ?", (now, id)))

    async def drop_key(self, id: str, version: int, now: float, why: str) -> bool:
        """See `Logins.drop_key`."""

        def work() -> bool:
            text = "UPDATE person SET sealed = x'' WHERE id = ? AND version = ? AND sealed <> x''"
            if self._db.execute(text, (id, version)).rowcount != 1:
                return False
            self._end(now, why, person=id)
            self._db.execute("DELETE FROM session WHERE person = ?", (id,))
            return True

        return await self._change(work)

    # Sessions, facts, admission

    async def put_session(self, digest: str, person: str, expires: float) -> None:
        """See `Logins.put_session`."""
        text = "INSERT OR REPLACE INTO session VALUES (?, ?, ?)"
        await self._change(lambda: self._db.execute(text, (digest, person, expires)))

    async def session(self, digest: str, now: float) -> str | None:
        """See `Logins.session`."""
        text = "SELECT person FROM session WHERE digest = ? AND expires > ?"
        found = await self._run(lambda: self._one(text, digest, now))
        return str(found[0]) if found else None

    async def drop_sessions(self, digest: str = "", person: str = "") -> None:
        """See `Logins.drop_sessions`."""
        text = "DELETE FROM session WHERE digest = ? OR person = ?"
        await self._change(lambda: self._db.execute(text, (digest, person)))

    async def fact(self, name: str) -> bytes | None:
        """See `Logins.fact`."""
        found = await self._run(lambda: self._one("SELECT value FROM fact WHERE name = ?", name))
        return found[0] if found and isinstance(found[0], bytes) else None

    async def put_fact(self, name: str, value: bytes | None, *, only_from: bytes | None = None) -> bool:
        """See `Logins.put_fact`."""

        def work() -> bool:
            found = self._one("SELECT value FROM fact WHERE name = ?", name)
            if only_from is not None and (found is None or found[0] != only_from):
                return False
            self._db.execute("DELETE FROM fact WHERE name = ?", (name,))
            if value is not None:
                self._db.execute("INSERT INTO fact VALUES (?, ?)", (name, value))
            return True

        return await self._change(work)

    async def admitted(self) -> Sequence[tuple[str, str]]:
        """See `Logins.admitted`."""
        rows = await self._run(lambda: self._db.execute("SELECT kind, value FROM admitted ORDER BY 1, 2").fetchall())
        return [(str(kind), str(value)) for kind, value in rows]

    async def admit(self, kind: str, value: str, *, drop: bool = False) -> bool:
        """See `Logins.admit`."""
        text = (
            "DELETE FROM admitted WHERE kind = ? AND value = ?"
            if drop
            else "INSERT OR IGNORE INTO admitted VALUES (?, ?)"
        )
        return await self._change(lambda: self._db.execute(text, (kind, value)).rowcount > 0)
