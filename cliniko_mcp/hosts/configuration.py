"""Reads and changes a host's configuration file: a backup is kept beside it, and it is never left half written."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cliniko_mcp.errors import ConfigurationError, JsonValue
from cliniko_mcp.hosts.host import Host
from cliniko_mcp.hosts.invalid import InvalidText
from cliniko_mcp.hosts.syntaxes import editor_of
from cliniko_mcp.private_files import OWNER_ONLY, create_file, write_private

_BACKUP: Final = re.compile(r"\.(?P<stamp>\d{8}-\d{6})(?:-(?P<number>\d+))?\.bak")
"""What `_backup` adds to the name of a file."""
_KEY: Final = re.compile(rb"""CLINIKO_API_KEY["']?\s*[:=]\s*["']?[^"'$\s]""")
"""A key in JSON, TOML or YAML; a reference to a variable is none."""


@dataclass(frozen=True, slots=True)
class ConfigurationChange:
    """What was done to a configuration file."""

    path: Path
    written: bool
    """False where the file was already as it should be."""
    backup: Path | None = None


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy of a configuration file as it was before a change."""

    path: Path
    holds_key: bool
    """Whether there is an API key in it, or it cannot be read to know."""


def install_into(
    host: Host, path: Path, name: str, entry: Mapping[str, JsonValue], *, now: datetime
) -> ConfigurationChange:
    """Add or replace the entry in the host's file, which is created where it is missing.

    Raises ConfigurationError, and changes nothing, where the file is not what its host reads or cannot be written.
    """
    return _change(host, path, now, lambda text: editor_of(host).with_entry(text, host.section, name, entry))


def remove_from(host: Host, path: Path, name: str, *, now: datetime) -> ConfigurationChange:
    """Remove the entry from the host's file, if it is there. Raises as `install_into` does."""
    return _change(host, path, now, lambda text: editor_of(host).without_entry(text, host.section, name))


def installed_entry(host: Host, path: Path, name: str) -> JsonValue:
    """The entry in the host's file under the usual names, or None.

    Raises ConfigurationError for a file that cannot be read as its host does.
    """
    return _entries(host, path).get(name)


def installed_servers(host: Host, path: Path) -> dict[str, Mapping[str, JsonValue]]:
    """The entries in the host's file that start this server, by name. Raises as `installed_entry` does."""
    entries = _entries(host, path).items()
    return {name: entry for name, entry in entries if isinstance(entry, dict) and _starts_this(entry)}


def _entries(host: Host, path: Path) -> dict[str, JsonValue]:
    text = _read(path)
    if text is None:
        return {}
    try:
        entries = editor_of(host).entries(text, host.section)
    except InvalidText as problem:
        raise _refused(host, path, problem) from None
    return {name: host.standard(entry) for name, entry in entries.items()}


def backups(path: Path) -> list[Backup]:
    """The copies that were left beside this configuration file, oldest first."""
    path = _target(path)
    found: list[tuple[str, int, Path]] = []
    for file in path.parent.glob("*.bak"):
        match = _BACKUP.fullmatch(file.name.removeprefix(path.name))
        if match and file.name.startswith(path.name) and file.is_file():
            found.append((match["stamp"], int(match["number"] or 0), file))
    return [Backup(file, _holds_key(file)) for _, _, file in sorted(found)]


def delete_backups(files: Sequence[Path]) -> None:
    """Delete these copies. Raises ConfigurationError for the first that cannot be deleted."""
    for file in files:
        try:
            file.unlink(missing_ok=True)
        except OSError as problem:
            raise ConfigurationError(f"{file} cannot be deleted: {problem.strerror or problem}.") from None


def _holds_key(file: Path) -> bool:
    try:
        return bool(_KEY.search(file.read_bytes()))
    except OSError:
        return True


def _target(path: Path) -> Path:
    # The file may be a link, for example into a repository of settings: then its target is changed.
    return path.resolve() if path.is_symlink() else path


def _starts_this(entry: Mapping[str, JsonValue]) -> bool:
    arguments = entry.get("args")
    command_line = [entry.get("command"), *(arguments if isinstance(arguments, list) else ())]
    return any(isinstance(argument, str) and re.search(r"cliniko[-_]mcp", argument) for argument in command_line)


def _change(host: Host, path: Path, now: datetime, edit: Callable[[str], str]) -> ConfigurationChange:
    path = _target(path)
    before = _read(path)
    try:
        after = edit(before or "")
    except InvalidText as problem:
        raise _refused(host, path, problem) from None
    if after == (before or ""):
        return ConfigurationChange(path, written=False)
    try:
        backup = _backup(path, now) if before is not None else None
        _write(path, after)
    except OSError as problem:
        raise ConfigurationError(
            f"{path} cannot be written: {problem.strerror or problem}.",
            "Make it and its folder yours and writable; then run install again.",
        ) from None
    return ConfigurationChange(path, written=True, backup=backup)


def _refused(host: Host, path: Path, problem: InvalidText) -> ConfigurationError:
    return ConfigurationError(
        f"{path} was left as it is, because {host.title} could not read it ({problem}).",
        "Correct it there, or move the file away to start afresh; then run install again.",
    )


def _read(path: Path) -> str | None:
    try:
        # As bytes, so that line endings stay as they are.
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise ConfigurationError(
            f"{path} was left as it is, because it is not text in UTF-8.",
            "Save it as UTF-8, or move the file away to start afresh; then run install again.",
        ) from None
    except OSError as problem:
        raise ConfigurationError(
            f"{path} cannot be read: {problem.strerror or problem}.",
            "Make it a file that you may read and write; then run install again.",
        ) from None


def _backup(path: Path, now: datetime) -> Path:
    stamp = now.strftime("%Y%m%d-%H%M%S")
    for number in range(100):
        backup = path.with_name(f"{path.name}.{stamp}{f'-{number}' if number else ''}.bak")
        try:
            create_file(backup, path.read_bytes(), path.stat().st_mode)
        except FileExistsError:
            continue
        return backup
    raise OSError("there are too many backups of this second")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_private(path, text, path.stat().st_mode if path.exists() else OWNER_ONLY)
