"""People's own keys in the clinics of a server for many, sealed: each opens for its clinic, its person and its version.

What seals a key is derived for it alone (`shared_state/keys.py`), so that with its row everything is erased that could
open it, but for the backups of the store: those and the ring belong in different places.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from cliniko_mcp.directory.clinics import ClinicEntry
from cliniko_mcp.directory.whose import Proof, Whose, WrongKey
from cliniko_mcp.errors import ClinikoMcpError, ConfigurationError
from cliniko_mcp.redaction import SECRETS
from cliniko_mcp.shared_state.directory import Directory, KeyRow
from cliniko_mcp.shared_state.keys import KeyRing, Unsealable

_PURPOSE: Final = "person key"
_FACT: Final = "ring"
_CANARY: Final = b"cliniko-mcp people's keys"

Proofs = Callable[[ClinicEntry], Proof]
"""What asks Cliniko whose a key is, for a clinic."""


class PersonKeys:
    """The keys of people who work in their own."""

    def __init__(self, directory: Directory, ring: KeyRing, now: Callable[[], float]) -> None:
        """`now` is the time of day in Unix seconds."""
        self._directory = directory
        self._ring = ring
        self._now = now

    async def check_ring(self) -> None:
        """Raise ConfigurationError where the ring does not open what was sealed here."""
        kept = await self._directory.fact(_FACT)
        if kept is None:
            await self._directory.put_fact(_FACT, self._ring.seal(_CANARY, _FACT))
            return
        try:
            self._ring.unseal(kept, _FACT)
        except Unsealable:
            raise ConfigurationError(
                "people's keys were sealed with another key ring.",
                "Name the ring's former secret too, as the last of keys, or run `cliniko-mcp clinics rotate --ring`.",
            ) from None

    async def row(self, entry: ClinicEntry, person: str) -> KeyRow | None:
        """The key of this person in this clinic, sealed; None where they gave none."""
        return await self._directory.key(entry.id, person)

    def open(self, entry: ClinicEntry, row: KeyRow) -> str | None:
        """The key; None where Cliniko refused it, or it was sealed for another clinic or person."""
        try:
            key = self._ring.unseal(row.sealed, _PURPOSE, row.account, bound=_bound(entry, row)).decode()
        except Unsealable:
            return None
        SECRETS.learn(key)
        return key

    async def keep(self, entry: ClinicEntry, person: str, whose: Whose, key: str) -> KeyRow:
        """Keep this key in place of the one before. Raises SomebodyElses."""
        row = KeyRow(
            entry.id, person, "", 0, b"", user=whose.subject, name=whose.name, role=whose.role, kept=self._now()
        )
        return await self._directory.put_key(
            row, lambda account, version: self._sealed(entry, person, account, version, key)
        )

    async def refused(self, entry: ClinicEntry, row: KeyRow, proof: Proof) -> bool:
        """Whether Cliniko really refuses this key, by asking once more; if so it is erased.

        A clinic that cannot be reached, or forbids, ends nothing.
        """
        key = self.open(entry, row)
        if key is None:
            return False
        try:
            await proof.whose(key)
        except WrongKey:
            await self._directory.refuse_key(row, self._now())
            return True
        except ClinikoMcpError:
            return False
        return False

    async def erase(self, clinic: str = "", person: str = "") -> int:
        """Erase the keys of a clinic, of a person, or of a person in a clinic; how many there were."""
        return await self._directory.erase_keys(clinic, person)

    async def reseal(self, clinics: Mapping[str, ClinicEntry]) -> int:
        """Seal every key with the newest secret of the ring; how many there are.

        Raises ConfigurationError where the ring does not open what was sealed here.
        """
        await self.check_ring()
        count = 0
        for row in await self._directory.keys():
            entry = clinics.get(row.clinic)
            key = self.open(entry, row) if entry is not None else None
            if entry is not None and key is not None:
                sealed = self._sealed(entry, row.person, row.account, row.version, key)
                await self._directory.reseal_key(row, sealed)
                count += 1
        await self._directory.put_fact(_FACT, self._ring.seal(_CANARY, _FACT))
        return count

    def _sealed(self, entry: ClinicEntry, person: str, account: str, version: int, key: str) -> bytes:
        bound = _bound_to(entry, person, account, version)
        return self._ring.seal(key.encode(), _PURPOSE, account, bound=bound)


def _bound(entry: ClinicEntry, row: KeyRow) -> bytes:
    return _bound_to(entry, row.person, row.account, row.version)


def _bound_to(entry: ClinicEntry, person: str, account: str, version: int) -> bytes:
    # With the clinic's account: a clinic that is added again under the same id is another one. With its address, so
    # that whoever can write the clinics still cannot have the key sent somewhere else.
    return "\0".join((entry.id, entry.account, person, account, str(version), entry.base_url or "")).encode()
