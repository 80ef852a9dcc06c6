"""Changes of the file of clinics: one in, one out, a new key, everything under the newest secret of the ring."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from cliniko_mcp.directory.clinics import ClinicEntry, checked_clinics, opened_key, read_clinics, sealed_key
from cliniko_mcp.entry_file import changed_entries
from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.shared_state.keys import KeyRing

_HEADING = "# The clinics of this server, each key sealed; `cliniko-mcp clinics` writes it.\n"


def add_clinic(path: Path, entry: ClinicEntry, ring: KeyRing, key: str) -> None:
    """Put this clinic into the file, which is made where there is none, with this key.

    Raises ConfigurationError where one of this id is there already, and where the file cannot be read or written.
    """
    if path.exists():
        read_clinics(path)  # which refuses one that others may write
    with changed_entries(path, "clinic", _HEADING, partial(checked_clinics, path), create=True) as file:
        if entry.id in file.ids:
            raise ConfigurationError(
                f"{entry.id} is in {path} already.", f"`cliniko-mcp clinics rotate {entry.id}` gives it another key."
            )
        sealed = entry.model_copy(update={"key": sealed_key(ring, entry, key)})
        file.append(sealed.model_dump(exclude_defaults=True, mode="json") | {"version": entry.version})


def change_key(path: Path, id: str, ring: KeyRing, key: str) -> None:
    """Give this clinic another key; what was sealed for the one before opens nothing any more. Raises as above."""
    entry = clinic_in_file(path, id)
    newer = entry.model_copy(update={"version": entry.version + 1})
    with changed_entries(path, "clinic", _HEADING, partial(checked_clinics, path), create=False) as file:
        file.change(id, {"version": newer.version, "key": sealed_key(ring, newer, key)})


def reseal(path: Path, ring: KeyRing) -> int:
    """Seal every key with the newest secret of the ring; how many there are. Raises as above, all or nothing."""
    entries = read_clinics(path).clinic
    with changed_entries(path, "clinic", _HEADING, partial(checked_clinics, path), create=False) as file:
        for entry in entries:
            file.change(entry.id, {"key": sealed_key(ring, entry, opened_key(ring, entry))})
    return len(entries)


def remove_clinic(path: Path, id: str) -> None:
    """Take this clinic and its key out of the file. Raises ConfigurationError where there is none of this id."""
    clinic_in_file(path, id)
    with changed_entries(path, "clinic", _HEADING, partial(checked_clinics, path), create=False) as file:
        file.drop(id)


def clinic_in_file(path: Path, id: str) -> ClinicEntry:
    """The clinic of this id. Raises ConfigurationError where there is none."""
    found = next((entry for entry in read_clinics(path).clinic if entry.id == id), None)
    if found is None:
        raise ConfigurationError(f"no clinic in {path} is {id}; `cliniko-mcp clinics list` says which there are")
    return found
