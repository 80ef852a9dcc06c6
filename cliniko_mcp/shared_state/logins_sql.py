"""The store of the built-in login in SQL that SQLite and Postgres both speak, each transaction written once.

What plays them is a database: one file (`sqlite_file`) or one over a network (`postgres`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import astuple, replace
from typing import Final, Literal

from cliniko_mcp.shared_state.logins import (
    GRACE_SECONDS,
    MAX_SIBLINGS,
    ClientRow,
    CodeRow,
    GrantRow,
    LoginEvent,
    NewTokens,
    Outcome,
    PersonRow,
    RequestRow,
    TokenRow,
    Told,
    nobody_told,
)
from cliniko_mcp.shared_state.logins_ends import SHOWN_SECONDS, end_grants, end_unfetched, tidy
from cliniko_mcp.shared_state.logins_rows import (
    GRANT_COLUMNS,
    client_row,
    code_row,
    grant_row,
    number,
    person_row,
    request_row,
)
from cliniko_mcp.shared_state.statements import HOLD, Database, Work, all_rows, changed, first_row

_USED_EVERY: Final = 60.0
"""Seconds between two notes of when a grant was last used: not every call writes."""
_GRANT: Final = ", ".join(f"g.{name}" for name in GRANT_COLUMNS)
_TOKEN: Final = f"SELECT {_GRANT}, t.scopes, t.expires FROM token t JOIN grants g ON g.id = t.grant_id"
_NONE: Final = b""


class SqlLogins:
    """See `Logins`."""

    def __init__(self, database: Database, told: Told = nobody_told) -> None:
        self.database: Final = database
        self._told = told

    # Programs

    async def add_client(self, row: ClientRow, *, recent: float, unused: float, most: int) -> ClientRow | None:
        """See `Logins.add_client`."""
        idle = "NOT EXISTS (SELECT 1 FROM grants g WHERE g.client = client.id)"

        def work() -> Work[ClientRow | None]:
            text = "SELECT id, metadata, fingerprint, created FROM client WHERE fingerprint = ? AND created >= ?"
            found = yield from first_row(text, row.fingerprint, recent)
            if found is not None:
                return client_row(found)
            yield from changed(f"DELETE FROM client WHERE created < ? AND {idle}", unused)
            count = yield from first_row(f"SELECT count(*) FROM client WHERE {idle}")
            if count is None or number(count[0]) >= most:
                return None
            values = (row.id, row.metadata, row.fingerprint, row.created)
            yield from changed("INSERT INTO client VALUES (?, ?, ?, ?)", *values)
            return row

        return await self.database.write(work, alone_with="client")

    async def client(self, id: str) -> ClientRow | None:
        """See `Logins.client`."""
        text = "SELECT id, metadata, fingerprint, created FROM client WHERE id = ?"
        found = await self.database.read(lambda: first_row(text, id))
        return client_row(found) if found else None

    # Logins under way

    async def begin_request(self, row: RequestRow, now: float, most: int) -> bool:
        """See `Logins.begin_request`."""
        ended: list[GrantRow] = []

        def work() -> Work[bool]:
            ended[:] = yield from end_unfetched(now)
            yield from changed("DELETE FROM request WHERE expires <= ?", now)
            count = yield from first_row("SELECT count(*) FROM request")
            if count is None or number(count[0]) >= most:
                return False
            yield from changed("INSERT INTO request VALUES (?,?,?,?,?,?,?,?)", *astuple(row))
            return True

        begun = await self.database.write(work, alone_with="request")
        await self._tell("ended", ended)
        return begun

    async def put_request(self, row: RequestRow) -> None:
        """See `Logins.put_request`."""
        text = (
            "INSERT INTO request VALUES (?,?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE "
            "SET cookie = excluded.cookie, proven = excluded.proven WHERE request.handed_at = 0"
        )
        await self.database.write(lambda: changed(text, *astuple(row)))

    async def request(self, id: str, now: float) -> RequestRow | None:
        """See `Logins.request`."""
        found = await self.database.read(
            lambda: first_row("SELECT * FROM request WHERE id = ? AND expires > ?", id, now)
        )
        return request_row(found) if found else None

    async def wrong_key(self, id: str) -> int:
        """See `Logins.wrong_key`."""
        text = "UPDATE request SET tried = tried + 1 WHERE id = ? RETURNING tried"
        found = await self.database.write(lambda: first_row(text, id))
        return int(number(found[0])) if found else 0

    async def decide(self, request: RequestRow, code: CodeRow | None, grant: GrantRow | None) -> bool:
        """See `Logins.decide`."""

        def work() -> Work[bool]:
            text = "UPDATE request SET handed = ?, handed_at = ?, proven = ? WHERE id = ? AND handed_at = 0"
            if (yield from changed(text, request.handed, request.handed_at, _NONE, request.id)) != 1:
                return False
            if grant is not None:
                row = (grant.id, grant.person, grant.client, grant.program, grant.scopes, grant.created, grant.expires)
                rest = (grant.used, int(grant.begun), grant.ended, grant.why)
                yield from changed("INSERT INTO grants VALUES (?,?,?,?,?,?,?,?,?,?,?)", *row, *rest)
            if code is not None:
                values = (code.digest, code.grant, code.details, code.expires, int(code.used))
                yield from changed("INSERT INTO code VALUES (?, ?, ?, ?, ?)", *values)
            yield from tidy(request.handed_at)
            return True

        decided = await self.database.write(work)
        if decided and grant is not None:
            await self._told(LoginEvent("granted", grant.person, grant.program, grant.id, grant.scopes))
        elif decided:
            await self._told(LoginEvent("declined"))
        return decided

    # Codes and tokens

    async def code(self, digest: str) -> CodeRow | None:
        """See `Logins.code`."""
        found = await self.database.read(lambda: first_row("SELECT * FROM code WHERE digest = ?", digest))
        return code_row(found) if found else None

    async def take_code(self, digest: str, tokens: NewTokens, now: float) -> GrantRow | Outcome:
        """See `Logins.take_code`."""

        ended: list[GrantRow] = []

        def work() -> Work[GrantRow | Outcome]:
            ended.clear()
            found = yield from first_row("SELECT grant_id, expires FROM code WHERE digest = ?", digest)
            if found is None:
                return "unknown"
            id = str(found[0])
            # Who ends a grant, and who uses its code or its tokens, come one after the other.
            grant = yield from _held(id)
            if (yield from changed("UPDATE code SET used = 1 WHERE digest = ? AND used = 0", digest)) != 1:
                ended.extend((yield from end_grants(now, "its code was used twice", grant=id)))
                return "again"
            if number(found[1]) <= now:
                return "expired"
            if grant is None or not (yield from _good(grant, now)):
                return "ended"
            yield from changed("UPDATE grants SET begun = 1, used = ? WHERE id = ?", now, id)
            yield from _keep(id, tokens)
            return grant

        outcome = await self.database.write(work)
        await self._tell("used_again", ended)
        return outcome

    async def token(self, digest: str, now: float) -> TokenRow | None:
        """See `Logins.token`."""
        good = "JOIN person p ON p.id = g.person AND p.sealed <> ?"
        lives = "t.refresh = 0 AND t.expires > ? AND g.ended = 0 AND g.expires > ?"
        text = f"{_TOKEN} {good} WHERE t.digest = ? AND {lives}"

        def work() -> Work[TokenRow | None]:
            found = yield from first_row(text, _NONE, digest, now, now)
            if found is None:
                return None
            grant = grant_row(found)
            if now - grant.used >= _USED_EVERY:
                yield from changed("UPDATE grants SET used = ? WHERE id = ? AND used < ?", now, grant.id, now)
            return TokenRow(grant, str(found[11]), number(found[12]), refresh=False)

        return await self.database.read(work)

    async def refresh_token(self, digest: str) -> TokenRow | None:
        """See `Logins.refresh_token`."""
        found = await self.database.read(lambda: first_row(f"{_TOKEN} WHERE t.digest = ? AND t.refresh = 1", digest))
        return TokenRow(grant_row(found), str(found[11]), number(found[12]), refresh=True) if found else None

    async def rotate(self, digest: str, tokens: NewTokens, now: float) -> GrantRow | Outcome:
        """See `Logins.rotate`."""

        ended: list[GrantRow] = []

        def work() -> Work[GrantRow | Outcome]:
            ended.clear()
            named = yield from first_row("SELECT grant_id FROM token WHERE digest = ? AND refresh = 1", digest)
            if named is None:
                return "unknown"
            id = str(named[0])
            grant = yield from _held(id)
            found = yield from first_row("SELECT expires, used, siblings FROM token WHERE digest = ?", digest)
            if found is None or grant is None or not (yield from _good(grant, now)):
                return "ended"
            expires, used, siblings = map(number, found)
            if expires <= now:
                return "expired"
            if used and (now - used > GRACE_SECONDS or siblings >= MAX_SIBLINGS):
                ended.extend((yield from end_grants(now, "a refresh token was used again", grant=id)))
                return "again"
            if used:
                yield from changed("UPDATE token SET siblings = siblings + 1 WHERE digest = ?", digest)
            else:
                yield from changed("UPDATE token SET used = ? WHERE digest = ?", now, digest)
            yield from changed("UPDATE grants SET used = ? WHERE id = ?", now, id)
            yield from _keep(id, tokens)
            return grant

        outcome = await self.database.write(work)
        await self._tell("used_again", ended)
        return outcome

    # Grants

    async def end(self, now: float, why: str, *, grant: str = "", person: str = "", client: str = "") -> int:
        """See `Logins.end`."""
        ended = await self.database.write(lambda: end_grants(now, why, grant=grant, person=person, client=client))
        await self._tell("ended", ended)
        return len(ended)

    async def _tell(self, outcome: Literal["used_again", "ended"], ended: Sequence[GrantRow]) -> None:
        for grant in ended:
            await self._told(LoginEvent(outcome, grant.person, grant.program, grant.id, grant.why))

    async def grants(self, now: float, person: str = "") -> Sequence[GrantRow]:
        """See `Logins.grants`."""
        since = now - SHOWN_SECONDS
        text = f"SELECT {_GRANT} FROM grants g WHERE (ended = 0 OR ended > ?) AND expires > ? AND begun = 1"
        mine, named = (" AND person = ?", (person,)) if person else ("", ())
        rows = await self.database.read(lambda: all_rows(f"{text}{mine} ORDER BY created DESC", since, since, *named))
        return [grant_row(row) for row in rows]

    # People

    async def put_person(self, row: PersonRow, seal: Callable[[int], bytes]) -> PersonRow:
        """See `Logins.put_person`."""
        values = (row.id, row.name, row.email, row.role, row.clinic, 1, _NONE, row.proven, int(row.manager))
        text = (
            "INSERT INTO person VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET name = excluded.name, "
            "email = excluded.email, role = excluded.role, clinic = excluded.clinic, version = person.version + 1, "
            "sealed = excluded.sealed, proven = excluded.proven, "
            "manager = CASE WHEN excluded.manager = 1 THEN 1 ELSE person.manager END RETURNING version, manager"
        )

        def work() -> Work[PersonRow]:
            found = yield from first_row(text, *values)
            assert found is not None
            version, manager = int(number(found[0])), bool(found[1])
            sealed = seal(version)
            yield from changed("UPDATE person SET sealed = ? WHERE id = ?", sealed, row.id)
            return replace(row, version=version, manager=manager, sealed=sealed)

        return await self.database.write(work)

    async def reseal(self, id: str, version: int, sealed: bytes) -> None:
        """See `Logins.reseal`."""
        text = "UPDATE person SET sealed = ? WHERE id = ? AND version = ? AND sealed <> ?"
        await self.database.write(lambda: changed(text, sealed, id, version, _NONE))

    async def person(self, id: str) -> PersonRow | None:
        """See `Logins.person`."""
        found = await self.database.read(lambda: first_row("SELECT * FROM person WHERE id = ?", id))
        return person_row(found) if found else None

    async def people(self) -> Sequence[PersonRow]:
        """See `Logins.people`."""
        return [
            person_row(row)
            for row in await self.database.read(lambda: all_rows("SELECT * FROM person ORDER BY name, id"))
        ]

    async def proven(self, id: str, now: float) -> None:
        """See `Logins.proven`."""
        await self.database.write(lambda: changed("UPDATE person SET proven = ? WHERE id = ?", now, id))

    async def drop_key(self, id: str, version: int, now: float, why: str) -> bool:
        """See `Logins.drop_key`."""

        def work() -> Work[Sequence[GrantRow] | None]:
            text = "UPDATE person SET sealed = ? WHERE id = ? AND version = ? AND sealed <> ?"
            if (yield from changed(text, _NONE, id, version, _NONE)) != 1:
                return None
            yield from changed("DELETE FROM session WHERE person = ?", id)
            return (yield from end_grants(now, why, person=id))

        ended = await self.database.write(work)
        await self._tell("ended", ended or ())
        return ended is not None

    # Sessions, facts, admission

    async def put_session(self, digest: str, person: str, expires: float) -> None:
        """See `Logins.put_session`."""
        await self.database.write(lambda: changed("INSERT INTO session VALUES (?, ?, ?)", digest, person, expires))

    async def session(self, digest: str, now: float) -> str | None:
        """See `Logins.session`."""
        text = "SELECT person FROM session WHERE digest = ? AND expires > ?"
        found = await self.database.read(lambda: first_row(text, digest, now))
        return str(found[0]) if found else None

    async def drop_sessions(self, digest: str = "", person: str = "") -> None:
        """See `Logins.drop_sessions`."""
        text = "DELETE FROM session WHERE digest = ? OR person = ?"
        await self.database.write(lambda: changed(text, digest, person))

    async def fact(self, name: str) -> bytes | None:
        """See `Logins.fact`."""
        found = await self.database.read(lambda: first_row("SELECT value FROM fact WHERE name = ?", name))
        return found[0] if found and isinstance(found[0], bytes) else None

    async def put_fact(self, name: str, value: bytes | None, *, only_from: bytes | None = None) -> bool:
        """See `Logins.put_fact`."""

        def work() -> Work[bool]:
            found = yield from first_row("SELECT value FROM fact WHERE name = ?", name)
            if only_from is not None and (_NONE if found is None else found[0]) != only_from:
                return False
            yield from changed("DELETE FROM fact WHERE name = ?", name)
            if value is not None:
                yield from changed("INSERT INTO fact VALUES (?, ?)", name, value)
            return True

        return await self.database.write(work, alone_with="fact")

    async def admitted(self) -> Sequence[tuple[str, str]]:
        """See `Logins.admitted`."""
        rows = await self.database.read(lambda: all_rows("SELECT kind, value FROM admitted ORDER BY 1, 2"))
        return [(str(kind), str(value)) for kind, value in rows]

    async def admit(self, kind: str, value: str, *, drop: bool = False) -> bool:
        """See `Logins.admit`."""
        text = (
            "DELETE FROM admitted WHERE kind = ? AND value = ?"
            if drop
            else "INSERT INTO admitted VALUES (?, ?) ON CONFLICT DO NOTHING"
        )
        done = await self.database.write(lambda: changed(text, kind, value)) > 0
        if done:
            await self._told(LoginEvent("rule_removed" if drop else "rule_added", why=f"{kind}:{value}"))
        return done


def _held(id: str) -> Work[GrantRow | None]:
    """The grant, which nobody else uses or ends until the transaction ends."""
    found = yield from first_row(f"SELECT {_GRANT} FROM grants g WHERE g.id = ?{HOLD}", id)
    return grant_row(found) if found else None


def _good(grant: GrantRow, now: float) -> Work[bool]:
    if grant.ended or grant.expires <= now:
        return False
    return (yield from first_row("SELECT 1 FROM person WHERE id = ? AND sealed <> ?", grant.person, _NONE)) is not None


def _keep(grant: str, tokens: NewTokens) -> Work[None]:
    text = "INSERT INTO token VALUES (?, ?, ?, ?, ?, 0, 0)"
    yield from changed(text, tokens.access, grant, 0, tokens.scopes, tokens.access_expires)
    if tokens.refresh:
        yield from changed(text, tokens.refresh, grant, 1, tokens.scopes, tokens.refresh_expires)
