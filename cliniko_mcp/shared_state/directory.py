"""What a directory keeps: the clinics of a server, and the keys of people who work in their own, sealed.

Keys of Cliniko's are known here sealed alone. Times are seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class KeyRow:
    """The key of one person in one clinic."""

    clinic: str
    person: str
    """Their principal: who vouches for them, a bar, who they are to that."""
    account: str
    """By which what is kept for this key is known; it tells nothing of it."""
    version: int
    """Each new key counts up."""
    sealed: bytes
    """The key, sealed; empty where Cliniko refused it."""
    user: str
    """Whose it is in Cliniko: shard, account and user, with colons."""
    name: str
    role: str
    kept: float
    """When it was given."""
    refused: float = 0.0
    """When Cliniko refused it; 0 where it did not."""


class SomebodyElses(Exception):
    """The key's user of Cliniko is the one whose key somebody else gave in this clinic."""


Edit = Callable[[str], str]
"""What a clinic's entry, a text, becomes."""


class Directory(Protocol):
    """The store. Each method is one transaction, and raises Unavailable where the store is away."""

    async def generation(self) -> int:
        """How often the clinics were changed."""
        ...

    async def clinics(self) -> tuple[int, Mapping[str, str]]:
        """The entry of each clinic, a text, by its id; and the generation, which may be older than they are."""
        ...

    async def add_clinic(self, id: str, entry: str) -> bool:
        """Keep a new clinic; False where one of this id is there."""
        ...

    async def change_clinics(self, edit: Edit, id: str = "") -> int:
        """Have the entry of this clinic edited, or all, and nobody else change them meanwhile; how many there are."""
        ...

    async def remove_clinic(self, id: str) -> bool:
        """Erase a clinic, and the keys of its people; False where there is none of this id."""
        ...

    async def key(self, clinic: str, person: str) -> KeyRow | None:
        """The key of this person in this clinic."""
        ...

    async def keys(self, clinic: str = "", person: str = "") -> Sequence[KeyRow]:
        """The keys of a clinic, of a person, or all."""
        ...

    async def put_key(self, row: KeyRow, seal: Callable[[str, int], bytes]) -> KeyRow:
        """Keep this key in place of the one before; `seal` seals it for the account and the version that it gets.

        Raises SomebodyElses, and keeps nothing then.
        """
        ...

    async def reseal_key(self, row: KeyRow, sealed: bytes) -> None:
        """Keep this key sealed anew, where it is still the same."""
        ...

    async def refuse_key(self, row: KeyRow, now: float) -> bool:
        """Erase a key that Cliniko refused, and remember that; False where there is another by now."""
        ...

    async def erase_keys(self, clinic: str = "", person: str = "") -> int:
        """Erase the keys of a clinic, of a person, or of a person in a clinic; how many there were."""
        ...

    async def fact(self, name: str) -> bytes | None:
        """A fact about this store itself."""
        ...

    async def put_fact(self, name: str, value: bytes) -> None:
        """Keep a fact."""
        ...
