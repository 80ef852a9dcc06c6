"""Changes of the clinics of a server: one in, one out, a new key, everything under the newest secret of the ring."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from pydantic import ValidationError

from cliniko_mcp.directory.clinics import ClinicEntry, checked_clinics, opened_key, read_clinics, sealed_key
from cliniko_mcp.directory.clinics_table import entry_of, text_of
from cliniko_mcp.entry_file import changed_entries
from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.shared_state.directory import Directory
from cliniko_mcp.shared_state.keys import KeyRing

_HEADING = "# The clinics of this server, each key sealed; `cliniko-mcp clinics` writes it.\n"

Edit = Callable[[ClinicEntry], ClinicEntry]


class ClinicStore(Protocol):
    """Where the clinics are kept, to be changed. Every method raises ConfigurationError where that cannot be done."""

    @property
    def place(self) -> str:
        """What messages call it."""
        ...

    async def all(self) -> Sequence[ClinicEntry]:
        """Every clinic."""
        ...

    async def add(self, entry: ClinicEntry) -> bool:
        """Keep a new one; False where one of this id is there."""
        ...

    async def change(self, edit: Edit, id: str = "") -> int:
        """Have this clinic edited, or all, and nobody else change them meanwhile; how many there are."""
        ...

    async def remove(self, id: str) -> bool:
        """Erase this clinic; False where there is none of this id."""
        ...


class ClinicsOfFile:
    """A file, whose operator's comments and layout are kept."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.place: Final = str(path)
        self._changed = partial(changed_entries, path, "clinic", _HEADING, partial(checked_clinics, path))

    async def all(self) -> Sequence[ClinicEntry]:
        """See `ClinicStore.all`."""
        return read_clinics(self._path).clinic

    async def add(self, entry: ClinicEntry) -> bool:
        """See `ClinicStore.add`; a file is made where there is none."""
        if self._path.exists():
            read_clinics(self._path)  # which refuses one that others may write
        with self._changed(create=True) as file:
            if entry.id in file.ids:
                return False
            file.append(_values(entry) | {"version": entry.version})
        return True

    async def change(self, edit: Edit, id: str = "") -> int:
        """See `ClinicStore.change`."""
        read_clinics(self._path)
        with self._changed(create=False) as file:
            entries = [entry for entry in read_clinics(self._path).clinic if id in ("", entry.id)]
            for entry in entries:
                before, after = _values(entry), _values(edit(entry))
                names = [name for name in before | after if before.get(name) != after.get(name)]
                file.change(entry.id, {name: after.get(name) for name in names})
        return len(entries)

    async def remove(self, id: str) -> bool:
        """See `ClinicStore.remove`."""
        read_clinics(self._path)
        with self._changed(create=False) as file:
            if id not in file.ids:
                return False
            file.drop(id)
        return True


class ClinicsOfTable:
    """A table that replicas share."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self.place: Final = "the table of clinics"

    async def all(self) -> Sequence[ClinicEntry]:
        """See `ClinicStore.all`."""
        return [entry_of(text) for text in (await self._directory.clinics())[1].values()]

    async def add(self, entry: ClinicEntry) -> bool:
        """See `ClinicStore.add`."""
        return await self._directory.add_clinic(entry.id, text_of(entry))

    async def change(self, edit: Edit, id: str = "") -> int:
        """See `ClinicStore.change`."""
        return await self._directory.change_clinics(lambda text: text_of(edit(entry_of(text))), id)

    async def remove(self, id: str) -> bool:
        """See `ClinicStore.remove`."""
        return await self._directory.remove_clinic(id)


async def add_clinic(store: ClinicStore, entry: ClinicEntry, ring: KeyRing, key: str) -> None:
    """Keep this clinic, with this key. Raises ConfigurationError where one of this id is there already."""
    if not await store.add(entry.model_copy(update={"key": sealed_key(ring, entry, key)})):
        raise ConfigurationError(
            f"{entry.id} is in {store.place} already.", f"`cliniko-mcp clinics rotate {entry.id}` gives it another key."
        )


async def change_key(store: ClinicStore, id: str, ring: KeyRing, key: str) -> None:
    """Give this clinic another key; what was sealed for the one before opens nothing any more.

    Raises ConfigurationError where there is none of this id.
    """

    def edit(entry: ClinicEntry) -> ClinicEntry:
        newer = entry.model_copy(update={"version": entry.version + 1})
        return newer.model_copy(update={"key": sealed_key(ring, newer, key)})

    if not await store.change(edit, id):
        raise _none(store, id)


async def change_clinic(store: ClinicStore, id: str, values: Mapping[str, object]) -> None:
    """Set these values of a clinic; None is as in the settings of the server. Raises as above, and for wrong ones."""

    def edit(entry: ClinicEntry) -> ClinicEntry:
        told: dict[str, object] = {**entry.model_dump(), **values}
        kept = {name: value for name, value in told.items() if value is not None}
        try:
            return ClinicEntry.model_validate(kept)
        except ValidationError as refused:
            first = refused.errors(include_url=False, include_input=False)[0]
            raise ConfigurationError(f"{first['loc'][0]}: {first['msg']}") from None

    if not await store.change(edit, id):
        raise _none(store, id)


async def reseal(store: ClinicStore, ring: KeyRing) -> int:
    """Seal every clinic's key with the newest secret of the ring; how many there are. All or nothing.

    Raises ConfigurationError for one that the ring does not open.
    """

    def edit(entry: ClinicEntry) -> ClinicEntry:
        return entry.model_copy(update={"key": sealed_key(ring, entry, opened_key(ring, entry))})

    return await store.change(edit)


async def remove_clinic(store: ClinicStore, id: str) -> None:
    """Erase this clinic and its key. Raises ConfigurationError where there is none of this id."""
    if not await store.remove(id):
        raise _none(store, id)


async def clinic_in(store: ClinicStore, id: str) -> ClinicEntry:
    """The clinic of this id. Raises ConfigurationError where there is none."""
    found = next((entry for entry in await store.all() if entry.id == id), None)
    if found is None:
        raise _none(store, id)
    return found


def _none(store: ClinicStore, id: str) -> ConfigurationError:
    return ConfigurationError(f"no clinic in {store.place} is {id}; `cliniko-mcp clinics list` says which there are")


def _values(entry: ClinicEntry) -> dict[str, object]:
    values: dict[str, object] = entry.model_dump(exclude_defaults=True, mode="json")
    return values
