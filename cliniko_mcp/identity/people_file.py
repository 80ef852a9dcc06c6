"""People's own tokens, for a group without an authorization server: a file that names each by the token's digest.

```toml
[[person]]
id = "ana"
name = "Ana Lima"
token = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
scopes = ["cliniko:read", "cliniko:write"]
clinic = "north"
expires = 2027-06-30T00:00:00Z
```

A token has 256 bits of chance, so that its plain digest tells nobody anything. The file is looked at again within
seconds of a change: who is taken out of it is refused from then on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC
from pathlib import Path
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, field_validator

from cliniko_mcp.entry_file import checked_entries, read_entries
from cliniko_mcp.identity.person import Clock, Person, TokenRefused
from cliniko_mcp.identity.scopes import APPROVE, SCOPES
from cliniko_mcp.watched_file import WatchedFile

ISSUER: Final = "people"
"""Who vouches for them: whoever keeps the file."""
_CALLED: Final = "the people's file"
TOKEN_PREFIX: Final = "cmp_"
"""Every token begins so, by which scanners for secrets find it."""

Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]


class PersonEntry(BaseModel):
    """One person as the file holds them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._@+-]{0,99}$")]
    name: str = Field(default="", max_length=100)
    token: Digest
    scopes: tuple[str, ...] = SCOPES[:1]
    approver: bool = False
    """Whether they may approve what others ask for, where a clinic wants a second person."""
    clinic: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")] | None = None
    expires: AwareDatetime | None = None
    code: Digest | None = None
    """Of the code that opens the pages once."""
    code_expires: AwareDatetime | None = None

    @field_validator("scopes")
    @classmethod
    def _known(cls, scopes: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := sorted(set(scopes) - set(SCOPES)):
            raise ValueError(f"there is no scope {', '.join(unknown)}; there are {', '.join(SCOPES)}")
        return scopes

    @property
    def person(self) -> Person:
        """Who this is to the rest of the server."""
        expires = self.expires.astimezone(UTC) if self.expires else None
        scopes = frozenset(self.scopes) | ({APPROVE} if self.approver else set[str]())
        return Person(ISSUER, self.id, self.name or self.id, scopes, self.clinic, expires)


class PeopleFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    person: tuple[PersonEntry, ...] = ()

    @field_validator("person")
    @classmethod
    def _apart(cls, people: tuple[PersonEntry, ...]) -> tuple[PersonEntry, ...]:
        for what in ("id", "token"):
            values = [person.id if what == "id" else person.token for person in people]
            if len(set(values)) < len(values):
                raise ValueError(f"two people have the same {what}")
        return people


def digest_of(secret: str) -> str:
    """What the file holds of a token or a code."""
    return f"sha256:{hashlib.sha256(secret.encode()).hexdigest()}"


def read_people(path: Path) -> PeopleFile:
    """The people of a file. Raises what `read_entries` raises."""
    return read_entries(path, PeopleFile, _CALLED)


def checked(path: Path, text: str) -> PeopleFile:
    """The people of this text of a file. Raises ConfigurationError where it does not say clearly who may do what."""
    return checked_entries(path, text, PeopleFile, _CALLED)


class People:
    """The people of a file, as it is at present."""

    def __init__(self, path: Path, clock: Clock, monotonic: Callable[[], float]) -> None:
        """Raises ConfigurationError for a file that cannot be used."""
        self._clock = clock
        self._file = WatchedFile(path, _by_token, {}, monotonic)

    async def person_of(self, token: str) -> Person:
        """Whose token this is. Raises TokenRefused for a token that is not in the file, or has expired."""
        entry = self._file.found.get(digest_of(token))
        if entry is None:
            raise TokenRefused("ended" if token.startswith(TOKEN_PREFIX) else "unknown")
        if entry.expires is not None and self._clock() >= entry.expires:
            raise TokenRefused("expired")
        return entry.person

    def entries(self) -> list[PersonEntry]:
        """Everybody in the file, as it is at present."""
        return list(self._file.found.values())


def _by_token(path: Path) -> Mapping[str, PersonEntry]:
    return {person.token: person for person in read_people(path).person}
