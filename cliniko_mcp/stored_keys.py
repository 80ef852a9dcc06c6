"""Where the API key and the contact email of this computer's user are kept, for servers that no host gives them to.

The key is in the system's keychain (macOS Keychain, Windows Credential Locker, Secret Service) where there is one, else
in a file that only its owner can read. The file `account.json` says which, and holds the email; where it is missing,
nothing is kept and no keychain is asked.
"""

import json
import os
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeVar

from cliniko_mcp.errors import ConfigurationError, JsonValue
from cliniko_mcp.private_files import write_private
from cliniko_mcp.redaction import SECRETS

SERVICE: Final = "cliniko-mcp"
ENTRY: Final = "api-key"
PATIENCE: Final = 25.0
"""Seconds in which a keychain has to answer: a person may have to unlock it, and hosts give up on a start after 60."""
_AGAIN: Final = "Run `cliniko-mcp login` again, or remove it."

KeyPlace = Literal["keychain", "file"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept: the key with its place, and the email; None for what is not."""

    key: str | None = None
    contact_email: str | None = None
    place: KeyPlace | None = None

    def __repr__(self) -> str:
        return f"Kept(place={self.place!r}, contact_email={self.contact_email!r})"


def account_file() -> Path:
    """The file that says what is kept, in this user's configuration folder."""
    from platformdirs import user_config_path

    return user_config_path("cliniko-mcp", appauthor=False) / "account.json"


def kept(file: Path | None = None) -> Kept:
    """What is kept on this computer. Raises ConfigurationError where it is damaged, open to others, or locked away."""
    file = file or account_file()
    found = _read(file)
    if found is None:
        return Kept()
    email, key = found.get("contact_email"), found.get("api_key")
    if found.get("key_in") == "keychain":
        key = _in_time(_keychain_key)
        if key is None:
            raise ConfigurationError(
                "the API key is no longer in this computer's keychain.", "Run `cliniko-mcp login` to keep it again."
            )
        return Kept(key, email, "keychain")
    return Kept(key, email, "file" if key else None)


def keep(key: str | None, contact_email: str | None, place: KeyPlace | None = None, file: Path | None = None) -> Kept:
    """Keep this key, email or both; what is None stays as it was. What is kept from now on, and where.

    Without a `place`, the keychain is used where there is one. A file that cannot be used is replaced where key and
    email are both given. Raises ConfigurationError where nothing can be kept.
    """
    file = file or account_file()
    try:
        before = _read(file) or {}
    except ConfigurationError:
        if key is None or contact_email is None:
            raise
        before = {"key_in": "keychain"}  # it may be, for all that is known
    after = dict(before)
    if contact_email is not None:
        after["contact_email"] = contact_email
    if key is not None:
        place = place or ("keychain" if keychain() else "file")
        after.pop("api_key", None)
        after["key_in"] = place
        if place == "keychain":
            _in_time(lambda: _into_keychain(key))
        else:
            after["api_key"] = key
            if before.get("key_in") == "keychain":
                # A keychain that cannot be opened is why people change to a file; the old key may then stay in it.
                with suppress(ConfigurationError):
                    _in_time(_out_of_keychain)
    try:
        _write(file, json.dumps(after, indent=2) + "\n")
    except OSError as problem:
        raise ConfigurationError(f"{file} cannot be written: {problem.strerror or problem}") from None
    return kept(file)


def forget(file: Path | None = None) -> bool:
    """Remove the key and the email; whether there was anything. Raises ConfigurationError where that fails."""
    file = file or account_file()
    before = _read(file)
    if before is None:
        return False
    if before.get("key_in") == "keychain":
        _in_time(_out_of_keychain)
    try:
        file.unlink(missing_ok=True)
    except OSError as problem:
        raise ConfigurationError(f"{file} cannot be removed: {problem.strerror or problem}") from None
    return True


def keychain() -> str | None:
    """The name of this computer's keychain; None where there is none that keeps secrets safe."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return None
    try:
        backend = keyring.get_keyring()
        usable = backend.priority >= 1
    except (KeyringError, RuntimeError, OSError):
        return None
    return str(backend.name) if usable else None


def keychain_secret(entry: str, make: Callable[[], str]) -> str:
    """The secret of this name in this computer's keychain, made and kept there where there is none.

    Raises ConfigurationError where there is no keychain, or it does not answer.
    """
    import keyring

    if keychain() is None:
        raise ConfigurationError("this computer has no keychain that a program can use.", "Name a file: file:/path.")

    def found_or_made() -> str:
        found = keyring.get_password(SERVICE, entry)
        if found is None:
            keyring.set_password(SERVICE, entry, make())
            found = keyring.get_password(SERVICE, entry)
        return found or ""

    secret = _in_time(found_or_made)
    SECRETS.learn(secret)
    return secret


def _keychain_key() -> str | None:
    import keyring

    return keyring.get_password(SERVICE, ENTRY)


def _into_keychain(key: str) -> None:
    import keyring

    keyring.set_password(SERVICE, ENTRY, key)


def _out_of_keychain() -> None:
    import keyring
    from keyring.errors import PasswordDeleteError

    try:
        keyring.delete_password(SERVICE, ENTRY)
    except PasswordDeleteError:
        return  # somebody removed it already


def _in_time(ask: Callable[[], T], patience: float = PATIENCE) -> T:
    """What the keychain answers. Raises ConfigurationError where it refuses, fails or does not answer in time."""
    answers: list[T] = []
    problems: list[Exception] = []

    def run() -> None:
        try:
            answers.append(ask())
        except Exception as problem:  # noqa: BLE001 - keychains raise errors of their system; all are reported below
            problems.append(problem)

    # In a thread of its own: a keychain may wait for a person who never comes.
    thread = threading.Thread(target=run, name="keychain", daemon=True)
    thread.start()
    thread.join(patience)
    if answers:
        return answers[0]
    why = f"failed ({type(problems[0]).__name__})" if problems else "did not answer; it may be locked"
    raise ConfigurationError(
        f"this computer's keychain {why}.",
        "Unlock it and try again, or keep the key in a file instead: `cliniko-mcp login --keep file`.",
    )


def _read(file: Path) -> dict[str, str] | None:
    """The file's content; None where there is no file."""
    try:
        mode = file.stat().st_mode
        text = file.read_text("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else "it is not text"
        raise ConfigurationError(f"{file} cannot be read: {why}.", _AGAIN) from None
    # Windows keeps other users out of the profile's folder by its own means.
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise ConfigurationError(f"{file} can be read by others.", f"Close it: chmod 600 '{file}'")
    try:
        found: JsonValue = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ConfigurationError(f"{file} is damaged.", _AGAIN)
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(file, text)
