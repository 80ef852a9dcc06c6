"""A file of entries, `[[person]]` or `[[clinic]]`, read as its model, and changed so that its operator's comments and
layout are kept."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.private_files import OWNER_ONLY, locked, open_private, write_private

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import AoT

ModelT = TypeVar("ModelT", bound=BaseModel)


def read_entries(path: Path, model: type[ModelT], called: str) -> ModelT:
    """What a file that lets people in says; `called` is what messages call the file.

    Raises ConfigurationError where it cannot be read or understood, and where others may write it.
    """
    try:
        if os.name == "posix" and path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise ConfigurationError(f"{path} can be written by others, who could let themselves in: chmod 600 it")
        return checked_entries(path, path.read_text("utf-8"), model, called)
    except (OSError, UnicodeDecodeError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else "not UTF-8"
        raise ConfigurationError(f"{called} {path} cannot be read ({why})") from None


def checked_entries(path: Path, text: str, model: type[ModelT], called: str) -> ModelT:
    """What this text of the file says. Raises ConfigurationError where it cannot be understood."""
    try:
        return model.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as problem:
        raise ConfigurationError(f"{called} {path} is not TOML: {problem}") from None
    except ValidationError as refused:
        first = refused.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"{called} {path}: {where}: {first['msg']}") from None


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
        """Set these values in the entry of this id; None is taken out."""
        table = self._entries.body[self.ids.index(id)]
        for name, value in values.items():
            if value is not None:
                table[name] = _written(value)
            elif name in table:
                table.remove(name)

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
