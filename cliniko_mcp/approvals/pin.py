"""The approval PIN: set by a person at a terminal, kept as a scrypt hash, five tries and then a pause."""

import hashlib
import hmac
import json
import os
import secrets  # noqa: TID251 - a salt, which nothing needs to come out the same
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Final, TypedDict

from cliniko_mcp.private_files import locked, open_private, private_folder, read_private, write_private

TRIES: Final = 5
PAUSE: Final = 300.0
"""Seconds for which no PIN is taken after five wrong ones."""
MIN_LENGTH, MAX_LENGTH = 4, 64
_COST: Final = {"n": 2**15, "r": 8, "p": 1}


class Checked(Enum):
    """What came of checking a typed PIN."""

    RIGHT = "right"
    WRONG = "wrong"
    LOCKED = "locked"
    """Too many wrong ones: no PIN is taken for five minutes."""
    BROKEN = "broken"
    """The PIN's file cannot be read or written, so nothing can be approved with it."""


class _Kept(TypedDict):
    salt: str
    hash: str
    failed: int
    locked_until: float


class Pin:
    """The PIN of this user of this computer, shared by all servers that run here."""

    def __init__(self, folder: Path, wall: Callable[[], float]) -> None:
        """`wall` is the computer's own clock in Unix seconds, not that of a demo clinic: a lock outlasts the run."""
        self._folder = folder
        self._path = folder / "pin.json"
        self._wall = wall

    @property
    def is_set(self) -> bool:
        """Whether approvals need a PIN; a file that cannot be read counts as one."""
        return os.path.lexists(self._path)

    def set(self, pin: str) -> None:
        """Keep this PIN from now on. Raises ValueError for one too short or long, OSError where it cannot be kept."""
        if not MIN_LENGTH <= len(pin) <= MAX_LENGTH:
            raise ValueError(f"A PIN has {MIN_LENGTH} to {MAX_LENGTH} characters.")
        private_folder(self._folder)
        salt = secrets.token_bytes(16)
        self._write({"salt": salt.hex(), "hash": _hash(pin, salt), "failed": 0, "locked_until": 0.0})

    def check(self, typed: str) -> Checked:
        """Whether this is the PIN. The try is counted before it is compared, so that none is free."""
        try:
            descriptor = open_private(self._folder / "pin.lock", os.O_RDWR | os.O_CREAT)
        except OSError:
            return Checked.BROKEN
        try:
            with locked(descriptor):
                return self._check(typed)
        except (OSError, ValueError, KeyError, TypeError):
            return Checked.BROKEN
        finally:
            os.close(descriptor)

    def _check(self, typed: str) -> Checked:
        # The file is ours and private; one that is damaged ends in an error that `check` takes for a broken PIN.
        kept: _Kept = json.loads(read_private(self._path))
        if kept["locked_until"] > self._wall():
            return Checked.LOCKED
        failed = kept["failed"] + 1
        locked = self._wall() + PAUSE if failed >= TRIES else 0.0
        self._write({**kept, "failed": 0 if locked else failed, "locked_until": locked})
        if not hmac.compare_digest(_hash(typed[:MAX_LENGTH], bytes.fromhex(kept["salt"])), kept["hash"]):
            return Checked.LOCKED if locked else Checked.WRONG
        self._write({**kept, "failed": 0, "locked_until": 0.0})
        return Checked.RIGHT

    def _write(self, kept: _Kept) -> None:
        write_private(self._path, json.dumps(kept))


def _hash(pin: str, salt: bytes) -> str:
    return hashlib.scrypt(pin.encode("utf-8", "replace"), salt=salt, maxmem=2**27, dklen=32, **_COST).hex()
