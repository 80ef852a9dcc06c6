"""A lock that several processes share, on every system: one byte range of an open file."""

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager

_PATIENCE = 2.0
_PAUSE = 0.002

# The system's own module is imported where it is used: this file can be imported where neither of them exists.
if sys.platform == "win32":
    # Far beyond the content, because this lock forbids others to read the bytes it covers.
    _PLACE = 1 << 30

    def _take(descriptor: int) -> None:
        import msvcrt
        import os

        os.lseek(descriptor, _PLACE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _release(descriptor: int) -> None:
        import msvcrt
        import os

        os.lseek(descriptor, _PLACE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:

    def _take(descriptor: int) -> None:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _release(descriptor: int) -> None:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_UN)


@contextmanager
def held(descriptor: int) -> Generator[None]:
    """Hold the lock of this open file meanwhile. Raises TimeoutError when another process keeps it for two seconds."""
    give_up = time.monotonic() + _PATIENCE
    while True:
        try:
            _take(descriptor)
            break
        except OSError:
            if time.monotonic() > give_up:
                raise TimeoutError("another process holds the file") from None
            time.sleep(_PAUSE)
    try:
        yield
    finally:
        _release(descriptor)
