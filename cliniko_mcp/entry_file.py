"""Changes of a file of entries, `[[person]]` or `[[clinic]]`: its operator's comments and layout are kept."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.private_files import OWNER_ONLY, locked, open_private, write_private

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import AoT


class EntryFile:
    """A file's document, to change."""

    def __init__(self, document: TOMLDocument, kind: str) -> None:
        """`kind` is what the entries are called, `person`."""
        self._document = document
        self._kind = kind

    @property
    def ids(self) -> list[str]:
        """The ids of the entries, in their order."""
        return [str(table["id"]) for table in self._entries.body]

    def append(self, values: Mapping[str, object]) -> None:
        """Add an entry with these values."""
        import tomlkit

        table = tomlkit.table()
        for name, value in values.items():
            table.add(name, _written(value))
        entries = self._entries
        entries.insert(len(entries), table)

    def change(self, id: str, values: Mapping[str, object]) -> None:
        """Set these values in the entry of this id."""
        table = self._entries.body[self.ids.index(id)]
        for name, value in values.items():
            table[name] = _written(value)

    def drop(self, id: str) -> None:
        """Take the entry of this id out."""
        entries = self._entries
        del entries[self.ids.index(id)]

    @property
    def _entries(self) -> AoT:
        import tomlkit
        from tomlkit.items import AoT

        if self._kind in self._document:
            found: object = self._document[self._kind]
            if isinstance(found, AoT):
                return found
            del self._document[self._kind]  # the empty list that is left when the last one was taken out
        entries = tomlkit.aot()
        self._document.add(self._kind, entries)
        return entries


def _written(value: object) -> object:
    return value.astimezone(UTC).replace(microsecond=0) if isinstance(value, datetime) else value


@contextmanager
def changed_entries(
    path: Path, kind: str, heading: str, check: Callable[[str], object], *, create: bool
) -> Generator[EntryFile]:
    """The entries of a file, to change; written back whole, unless the change raised.

    With `create` a file that is not there is made, and begins with `heading`. `check` raises ConfigurationError for a
    text that is no such file. Raises ConfigurationError where the file cannot be read or written.
    """
    import tomlkit

    try:
        lock = open_private(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT)
        try:
            with locked(lock):
                new = create and not path.exists()
                text = heading if new else path.read_text("utf-8")
                check(text)
                mode = OWNER_ONLY if new else stat.S_IMODE(path.stat().st_mode)
                document = tomlkit.parse(text)
                yield EntryFile(document, kind)
                written = tomlkit.dumps(document)
                check(written)
                write_private(path, written, mode)
        finally:
            os.close(lock)
    except (OSError, TimeoutError) as problem:
        raise ConfigurationError(f"{path} cannot be written ({problem.strerror or problem})") from None
