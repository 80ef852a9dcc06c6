"""People's keys of Cliniko's, sealed, each by a key of its own from the operator's ring and bound to its person and
version.

Nothing else of the server keeps a key. The ring lies apart from the store: who has one of the two has no key.
"""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from cliniko_mcp.directory.whose import Proof, Whose, WrongKey
from cliniko_mcp.errors import ClinikoMcpError, ConfigurationError
from cliniko_mcp.private_files import create_file
from cliniko_mcp.redaction import SECRETS
from cliniko_mcp.shared_state.keys import KeyRing, Unsealable, secret_bytes
from cliniko_mcp.shared_state.logins import Logins, PersonRow

PROVEN_SECONDS: Final = 86_400.0
"""How often the key's user is looked at again while they work."""
_RING_FACT: Final = "ring"
_PROGRAMS_FACT: Final = "programs"
_CANARY: Final = b"cliniko-mcp logins"


class Keys:
    """The keys of everybody who has logged in."""

    def __init__(self, logins: Logins, ring: KeyRing, now: Callable[[], float]) -> None:
        self._logins = logins
        self._ring = ring
        self._now = now

    async def check_ring(self) -> None:
        """Seal everything with the newest secret of the ring, so that the others are needed no longer.

        Raises ConfigurationError where the ring does not open what this store holds.
        """
        kept = await self._logins.fact(_RING_FACT)
        if kept is not None:
            try:
                self._ring.unseal(kept, _RING_FACT)
            except Unsealable:
                raise ConfigurationError(
                    "the login key does not open this file of logins: it was sealed with another.",
                    "Give the old key as well, the new one first: --login-key file:NEW,file:OLD.",
                ) from None
        newest = Keys(self._logins, self._ring.newest, self._now)
        for row in await self._logins.people():
            if row.sealed and newest.open(row) is None and (key := self.open(row)) is not None:
                await self._logins.reseal(row.id, row.version, self._sealed(key, row.id, row.version))
        await self.program_key()
        await self._logins.put_fact(_RING_FACT, self._ring.seal(_CANARY, _RING_FACT))

    async def program_key(self) -> bytes:
        """What programs' secrets are derived from: made once, sealed by the ring, and the same under a new secret."""
        kept = await self._logins.fact(_PROGRAMS_FACT)
        if kept is None:
            made = self._ring.seal(self._ring.random(32), _PROGRAMS_FACT)
            await self._logins.put_fact(_PROGRAMS_FACT, made, only_from=b"")
            kept = await self._logins.fact(_PROGRAMS_FACT)
        assert kept is not None
        key = self._ring.unseal(kept, _PROGRAMS_FACT)
        await self._logins.put_fact(_PROGRAMS_FACT, self._ring.seal(key, _PROGRAMS_FACT), only_from=kept)
        return key

    async def keep(self, whose: Whose, key: str, *, manager: bool = False) -> PersonRow:
        """Keep this key as the newest of its person, with what Cliniko says of them now.

        In another role than before they begin anew: all that was given in that one ends.
        """
        person, now = whose.subject, self._now()
        before = await self._logins.person(person)
        if before is not None and self.open(before) == key and Whose.of(before) == replace(whose, demo=False):
            await self._logins.proven(person, now)
            if before.manager or not manager:
                return before
        elif before is not None:
            await self.same_role(before, whose)
        row = PersonRow(
            *(person, whose.name, whose.email, whose.role, whose.clinic),
            version=0,
            sealed=b"",
            proven=now,
            manager=manager,
        )
        return await self._logins.put_person(row, lambda version: self._sealed(key, person, version))

    async def same_role(self, row: PersonRow, whose: Whose) -> bool:
        """Whether this person, of whom Cliniko says this now, has the role of before. Where not, all of theirs ends."""
        if row.role == whose.role:
            return True
        await self._logins.drop_key(row.id, row.version, self._now(), "their role or clinic has changed")
        return False

    def _sealed(self, key: str, person: str, version: int) -> bytes:
        return self._ring.seal(key.encode(), "key", person, bound=_bound(person, version))

    def open(self, row: PersonRow) -> str | None:
        """The key of this person; None where there is none, or its seal does not open."""
        try:
            key = self._ring.unseal(row.sealed, "key", row.id, bound=_bound(row.id, row.version)).decode()
        except Unsealable:
            return None
        SECRETS.learn(key)
        return key

    async def refused(self, person: str, version: int, proof: Proof) -> bool:
        """Whether Cliniko really refuses this key, by asking once more; if so it is forgotten, and what it gave ends.

        A clinic that cannot be reached, or forbids, ends nothing.
        """
        row = await self._logins.person(person)
        key = self.open(row) if row is not None and row.version == version else None
        if row is None or key is None:
            return False
        try:
            await proof.whose(key)
        except WrongKey:
            await self._logins.drop_key(person, version, self._now(), "Cliniko refused the key")
            return True
        except ClinikoMcpError:
            return False
        return False

    async def still_admitted(self, row: PersonRow, proof: Proof, admits: Callable[[Whose], bool]) -> bool:
        """Whether their key opens, and once a day of use whether they are as they were at their login, and may still.

        Where not, all of theirs ends. A clinic that cannot be reached is asked the next time.
        """
        now, key = self._now(), self.open(row)
        if key is None:
            await self._logins.drop_key(row.id, row.version, now, "the seal of the key did not open")
            return False
        if now - row.proven < PROVEN_SECONDS:
            return True
        try:
            whose = await proof.whose(key)
        except WrongKey:
            await self._logins.drop_key(row.id, row.version, now, "Cliniko refused the key")
            return False
        except ClinikoMcpError:
            return True
        if whose.subject != row.id or whose.role != row.role or not admits(whose):
            await self._logins.drop_key(row.id, row.version, now, "their role or clinic has changed")
            return False
        await self._logins.proven(row.id, now)
        return True


def _bound(person: str, version: int) -> bytes:
    return f"{person}\0{version}".encode()


def read_ring(references: Sequence[str], secret_at: Callable[[str], str], random: Callable[[int], bytes]) -> KeyRing:
    """The ring of these references, the newest first. Raises ConfigurationError for one behind which nothing is."""
    return KeyRing([secret_bytes(secret_at(reference)) for reference in references], random)


def made_secret(random: Callable[[int], bytes]) -> str:
    """A new secret of a ring, as text."""
    return base64.b64encode(random(48)).decode()


def made_ring(path: Path, random: Callable[[int], bytes]) -> Path:
    """The file of the ring, made with a new secret where there is none. Raises ConfigurationError."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            create_file(path, f"{made_secret(random)}\n".encode())
        if os.name == "posix" and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ConfigurationError(f"the login key in {path} can be read by others: chmod 600 it")
    except OSError as problem:
        raise ConfigurationError(
            f"the login key cannot be kept in {path}: {problem.strerror}", "Set --login-key."
        ) from None
    return path
