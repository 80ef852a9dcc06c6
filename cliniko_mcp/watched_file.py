"""A file that its operator may change while the server runs: looked at again within seconds."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final, Generic, TypeVar

from cliniko_mcp.errors import ConfigurationError

LOOK_SECONDS: Final = 2.0
"""How often a file is looked at, at most."""
FAULTY_SECONDS: Final = 60.0
"""How long what stood there before may hold while the file cannot be read."""
_LOG = logging.getLogger(__name__)

T = TypeVar("T")


class WatchedFile(Generic[T]):
    """What a file says, as it is at present."""

    def __init__(self, path: Path, read: Callable[[Path], T], nothing: T, monotonic: Callable[[], float]) -> None:
        """`nothing` is what holds once the file has been faulty for a minute.

        Raises ConfigurationError for a file that cannot be used.
        """
        self._path = path
        self._read = read
        self._nothing = nothing
        self._monotonic = monotonic
        self._stamp = _stamp(path)
        self._found = read(path)
        self._looked_at = self._good_at = monotonic()

    @property
    def found(self) -> T:
        """What the file says; looked at again where that was two seconds ago or more."""
        now = self._monotonic()
        if now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            self._look(now)
        return self._found

    def _look(self, now: float) -> None:
        stamp = _stamp(self._path)
        if stamp is not None and stamp == self._stamp:
            self._good_at = now
            return
        try:
            self._found = self._read(self._path)
        except ConfigurationError as problem:
            # Half a file is what an editor leaves for a moment; a file that stays so lets nobody in.
            if now - self._good_at >= FAULTY_SECONDS and self._found is not self._nothing:
                self._found = self._nothing
                _LOG.error("nobody is let in until this is mended: %s", problem.message)
            else:
                _LOG.warning("%s", problem.message)
            return
        self._stamp, self._good_at = stamp, now


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """What differs after a change of the file; None where it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
