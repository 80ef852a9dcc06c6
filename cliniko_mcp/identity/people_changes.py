"""Changes of the people's file: somebody in, somebody out."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path

from cliniko_mcp.entry_file import changed_entries
from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.identity.people_file import PersonEntry, checked, digest_of, read_people

_HEADING = "# Who may use this server, each by a token of their own; `cliniko-mcp people` writes it.\n"


def add_person(path: Path, entry: PersonEntry, *, replace: bool = False) -> None:
    """Put this person into the file, which is made where there is none; with `replace` in place of their old entry.

    Raises ConfigurationError where somebody of this id is there already, and where the file cannot be read or written.
    """
    if path.exists():
        read_people(path)  # which refuses one that others may write
    with changed_entries(path, "person", _HEADING, partial(checked, path), create=True) as file:
        if entry.id in file.ids and not replace:
            raise ConfigurationError(f"{entry.id} is in {path} already.", "With --replace they get a new token.")
        if entry.id in file.ids:
            file.drop(entry.id)
        file.append(entry.model_dump(exclude_defaults=True))


def remove_person(path: Path, id: str) -> None:
    """Take this person out of the file. Raises ConfigurationError where nobody there has this id."""
    read_people(path)
    with changed_entries(path, "person", _HEADING, partial(checked, path), create=False) as file:
        if id not in file.ids:
            raise ConfigurationError(f"nobody in {path} is {id}; `cliniko-mcp people list` says who is")
        file.drop(id)


def put_code(path: Path, id: str, code: str, expires: datetime) -> None:
    """Give this person another code, of which the digest is kept. Raises ConfigurationError as above."""
    read_people(path)
    with changed_entries(path, "person", _HEADING, partial(checked, path), create=False) as file:
        if id not in file.ids:
            raise ConfigurationError(f"nobody in {path} is {id}; `cliniko-mcp people list` says who is")
        file.change(id, {"code": digest_of(code), "code_expires": expires})
