"""The clinics of a server for many: each with its key of Cliniko's, sealed, in a file or in Postgres.

```toml
[[clinic]]
id = "north"                    # its address is https://mcp.example.org/mcp/north
name = "Northside Physio"
people = ["ana"]                # who may work in it, besides those whose token names it
keys = "clinic"                 # whose key people work with: the clinic's, or "person", each their own
account = "5f0c…"               # by which what it keeps is known; `clinics add` makes it
version = 1                     # of its key
key = "…"                       # sealed for this clinic, account and version
```

Both are looked at again within seconds of a change: a clinic that is taken out is closed from then on.
"""

from __future__ import annotations

import base64
import binascii
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, field_validator

from cliniko_mcp.entry_file import checked_entries, read_entries
from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.identity.people_file import ISSUER
from cliniko_mcp.identity.person import Person
from cliniko_mcp.redaction import SECRETS
from cliniko_mcp.settings import Settings
from cliniko_mcp.shared_state.keys import KeyRing, Unsealable
from cliniko_mcp.watched_file import WatchedFile

_PURPOSE = "clinic"
_CALLED = "the file of clinics"

ClinicId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


class ClinicEntry(BaseModel):
    """One clinic as it is kept. What is left out is as in the settings of the server."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: ClinicId
    name: str = Field(default="", max_length=100)
    people: tuple[str, ...] = ()
    """Who may work in it: ids of the people's file, or `issuer|subject`."""
    keys: Literal["clinic", "person"] = "clinic"
    """Whose key people work with here: the clinic's, or each their own, which they give at /connect."""
    view: Literal["core", "all"] | None = None
    read_only: bool | None = None
    confirm: Literal["auto", "strict", "block"] | None = None
    approve_by: Literal["self", "second"] = "self"
    """Who may say yes to what is asked about: who asked, or only somebody else of the clinic who may approve."""
    exclude_tools: tuple[str, ...] | None = None
    allow_destroy: tuple[str, ...] | None = None
    base_url: str | None = None
    account: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    version: int = Field(default=1, ge=1)
    key: str

    def lets_in(self, person: Person) -> bool:
        """Whether this person may work here: their token is for this clinic, or the clinic names them."""
        if person.clinic is not None:
            return person.clinic == self.id
        return self.names(person.principal)

    def names(self, principal: str) -> bool:
        """Whether this person is among those who work here."""
        return principal in self.people or principal.removeprefix(f"{ISSUER}|") in self.people

    def served_like(self, other: ClinicEntry) -> bool:
        """Whether an app that was opened for that is good for this, whoever may work in it."""
        apart: dict[str, object] = {"people": (), "name": "", "key": ""}
        return self.model_copy(update=apart) == other.model_copy(update=apart)

    def profile(self, settings: Settings) -> Settings:
        """The settings that say what is listed here and how people are asked; without the clinic's key."""
        named = ("view", "read_only", "confirm", "exclude_tools")
        found = settings.model_copy(update=self.model_dump(include=set(named), exclude_none=True))
        return asked_on_the_page(found) if self.approve_by == "second" else found

    def strict(self, settings: Settings) -> bool:
        """Whether a yes needs a fresh login."""
        return (self.confirm or settings.confirm) == "strict"

    def settings(self, settings: Settings, key: str) -> Settings:
        """The settings of the clinic's app, in its key."""
        more = self.model_dump(include={"allow_destroy", "base_url"}, exclude_none=True)
        unused = {"api_key": SecretStr(key), "hosted": None, "upload_folder": None}
        return self.profile(settings).model_copy(update=more | unused)


def asked_on_the_page(settings: Settings) -> Settings:
    """The settings with which nobody is asked by a form: where who asked cannot say yes, there is nothing to ask."""
    return settings.model_copy(update={"confirm": "strict"}) if settings.confirm == "auto" else settings


class ClinicFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    clinic: tuple[ClinicEntry, ...] = ()

    @field_validator("clinic")
    @classmethod
    def _apart(cls, clinics: tuple[ClinicEntry, ...]) -> tuple[ClinicEntry, ...]:
        for values in ([one.id for one in clinics], [one.account for one in clinics]):
            if len(set(values)) < len(values):
                raise ValueError("two clinics have the same id or account")
        return clinics


def checked_clinics(path: Path, text: str) -> ClinicFile:
    """The clinics of this text of a file. Raises ConfigurationError where it cannot be understood."""
    return checked_entries(path, text, ClinicFile, _CALLED)


def read_clinics(path: Path) -> ClinicFile:
    """The clinics of a file. Raises what `read_entries` raises."""
    return read_entries(path, ClinicFile, _CALLED)


def sealed_key(ring: KeyRing, entry: ClinicEntry, key: str) -> str:
    """The key as the file holds it: only this ring opens it, and only in this entry."""
    return base64.b64encode(ring.seal(key.encode(), _PURPOSE, entry.account, bound=_bound(entry))).decode()


def opened_key(ring: KeyRing, entry: ClinicEntry) -> str:
    """The clinic's key of Cliniko's. Raises ConfigurationError where the ring does not open it."""
    try:
        sealed = base64.b64decode(entry.key, validate=True)
        key = ring.unseal(sealed, _PURPOSE, entry.account, bound=_bound(entry)).decode()
    except (binascii.Error, ValueError, Unsealable):
        raise ConfigurationError(
            f"the key of the clinic {entry.id} was sealed with another key ring, or for another entry.",
            f"Name the ring's former secret too, as the last of keys, or run `cliniko-mcp clinics rotate {entry.id}`.",
        ) from None
    SECRETS.learn(key)
    return key


def _bound(entry: ClinicEntry) -> bytes:
    # With its address, so that whoever can write the file still cannot have the key sent somewhere else.
    return "\0".join((entry.id, entry.account, str(entry.version), entry.base_url or "")).encode()


class Clinics(ABC):
    """The clinics of a server, as they are at present."""

    @property
    @abstractmethod
    def known(self) -> Mapping[str, ClinicEntry]:
        """Every clinic by its id; another object once something has changed."""

    @property
    def away(self) -> bool:
        """Whether nobody knows which clinics there are just now."""
        return False

    @asynccontextmanager
    async def watched(self) -> AsyncGenerator[None]:
        """While inside, changes are seen."""
        yield

    def of(self, person: Person, clinic: str | None) -> ClinicEntry | None:
        """The clinic that a request of this person is for: the one named in its path, else the only one of theirs.

        None for one that there is not, or in which they may not work.
        """
        known = self.known
        named = clinic or person.clinic
        if named is not None:
            entry = known.get(named)
            return entry if entry is not None and entry.lets_in(person) else None
        theirs = self.theirs(person)
        return theirs[0] if len(theirs) == 1 else None

    def theirs(self, person: Person) -> list[ClinicEntry]:
        """The clinics in which this person may work."""
        return [entry for entry in self.known.values() if entry.lets_in(person)]

    def get(self, clinic: str | None) -> ClinicEntry | None:
        """The clinic of this id."""
        return self.known.get(clinic or "")


class ClinicsInFile(Clinics):
    """The clinics of a file."""

    def __init__(self, path: Path, monotonic: Callable[[], float]) -> None:
        """Raises ConfigurationError for a file that cannot be used."""
        self._file = WatchedFile(path, _by_id, {}, monotonic)

    @property
    def known(self) -> Mapping[str, ClinicEntry]:
        """See `Clinics.known`."""
        return self._file.found


def _by_id(path: Path) -> Mapping[str, ClinicEntry]:
    return {entry.id: entry for entry in read_clinics(path).clinic}
