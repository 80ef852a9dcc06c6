"""Changes of the people's file: somebody in, somebody out, the operator's comments and layout kept."""

from __future__ import annotations

import os
import stat
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.identity.people_file import PersonEntry, checked, read_people
from cliniko_mcp.private_files import OWNER_ONLY, locked, open_private, write_private

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import AoT

_HEADING = "# Who may use this server, each by a token of their own; `cliniko-mcp people` writes it.\n"


def add_person(path: Path, entry: PersonEntry, *, replace: bool = False) -> None:
    """Put this person into the file, which is made where there is none; with `replace` in place of their old entry.

    Raises ConfigurationError where somebody of this id is there already, and where the file cannot be read or written.
    """
    with _changed(path, create=True) as (document, known):
        before = [person for person in known if person.id == entry.id]
        if before and not replace:
            raise ConfigurationError(f"{entry.id} is in {path} already.", "With --replace they get a new token.")
        for _ in before:
            _drop(document, entry.id)
        _append(document, entry)


def remove_person(path: Path, id: str) -> None:
    """Take this person out of the file. Raises ConfigurationError where nobody there has this id."""
    with _changed(path, create=False) as (document, known):
        if id not in {person.id for person in known}:
            raise ConfigurationError(f"nobody in {path} is {id}; `cliniko-mcp people list` says who is")
        _drop(document, id)


@contextmanager
def _changed(path: Path, *, create: bool) -> Generator[tuple[TOMLDocument, Iterable[PersonEntry]]]:
    """The file's document, to change, and who is in it; written back whole, unless the change raised."""
    import tomlkit

    try:
        lock = open_private(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT)
        try:
            with locked(lock):
                new = create and not path.exists()
                text = _HEADING if new else ""
                known = () if new else read_people(path).person
                mode = OWNER_ONLY if new else stat.S_IMODE(path.stat().st_mode)
                document = tomlkit.parse(text or path.read_text("utf-8"))
                yield document, known
                written = tomlkit.dumps(document)
                checked(path, written)
                write_private(path, written, mode)
        finally:
            os.close(lock)
    except (OSError, TimeoutError) as problem:
        raise ConfigurationError(f"{path} cannot be written ({problem.strerror or problem})") from None


def _append(document: TOMLDocument, entry: PersonEntry) -> None:
    import tomlkit

    table = tomlkit.table()
    for name, value in entry.model_dump(exclude_defaults=True).items():
        table.add(name, value.astimezone(UTC).replace(microsecond=0) if isinstance(value, datetime) else value)
    if "person" not in document:
        document.add("person", tomlkit.aot())
    _people(document).insert(len(_people(document)), table)


def _drop(document: TOMLDocument, id: str) -> None:
    people = _people(document)
    ids: list[object] = [table["id"] for table in people.body]
    del people[ids.index(id)]


def _people(document: TOMLDocument) -> AoT:
    from tomlkit.items import AoT

    people = document["person"]
    assert isinstance(people, AoT)  # whoever reads the file has checked it
    return people
