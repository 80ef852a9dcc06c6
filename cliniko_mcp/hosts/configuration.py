"""Reads and changes a host's configuration file: a backup is kept beside it, and it is never left half written."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cliniko_mcp.errors import ConfigurationError, JsonValue
from cliniko_mcp.hosts.edit import entry_of, with_entry, without_entry
from cliniko_mcp.hosts.jsonc import InvalidJson, parse
from cliniko_mcp.hosts.table import Host
from cliniko_mcp.private_files import OWNER_ONLY, create_file, write_private


@dataclass(frozen=True, slots=True)
class ConfigurationChange:
    """What was done to a configuration file."""

    path: Path
    written: bool
    """False where the file was already as it should be."""
    backup: Path | None = None


def install_into(
    host: Host, path: Path, name: str, entry: Mapping[str, JsonValue], *, now: datetime
) -> ConfigurationChange:
    """Add or replace the entry in the host's file, which is created where it is missing.

    Raises ConfigurationError, and changes nothing, where the file is not JSON or cannot be written.
    """
    return _change(host, path, now, lambda text: with_entry(text, host.section, name, entry, comments=host.comments))


def remove_from(host: Host, path: Path, name: str, *, now: datetime) -> ConfigurationChange:
    """Remove the entry from the host's file, if it is there. Raises as `install_into` does."""
    return _change(host, path, now, lambda text: without_entry(text, host.section, name, comments=host.comments))


def installed_entry(host: Host, path: Path, name: str) -> JsonValue:
    """The entry in the host's file, or None. Raises ConfigurationError for a file that is not JSON."""
    text = _read(path)
    if text is None:
        return None
    try:
        return entry_of(text, host.section, name, comments=host.comments)
    except InvalidJson as problem:
        raise _refused(host, path, problem) from None


def installed_servers(host: Host, path: Path) -> dict[str, Mapping[str, JsonValue]]:
    """The entries in the host's file that start this server, by name. Raises as `installed_entry` does."""
    text = _read(path)
    if text is None:
        return {}
    try:
        found = parse(text, comments=host.comments).value
    except InvalidJson as problem:
        raise _refused(host, path, problem) from None
    section = found.get(host.section) if isinstance(found, dict) else None
    entries = section.items() if isinstance(section, dict) else ()
    return {name: entry for name, entry in entries if isinstance(entry, dict) and _starts_this(entry)}


def _starts_this(entry: Mapping[str, JsonValue]) -> bool:
    arguments = entry.get("args")
    command_line = [entry.get("command"), *(arguments if isinstance(arguments, list) else ())]
    return any(isinstance(argument, str) and re.search(r"cliniko[-_]mcp", argument) for argument in command_line)


def _change(host: Host, path: Path, now: datetime, edit: Callable[[str], str]) -> ConfigurationChange:
    # The file may be a link, for example into a repository of settings: then its target is changed.
    path = path.resolve() if path.is_symlink() else path
    before = _read(path)
    try:
        after = edit(before or "")
    except InvalidJson as problem:
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


def _refused(host: Host, path: Path, problem: InvalidJson) -> ConfigurationError:
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
