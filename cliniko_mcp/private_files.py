"""Files and folders that only their owner can read: made, narrowed, read, locked, and replaced whole."""

import os
import stat
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

OWNER_ONLY: Final = 0o600
# A link is not followed, and a pipe does not keep its opener waiting until somebody writes to it.
_SAFELY: Final = sum(int(getattr(os, name, 0)) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))

_PATIENCE = 2.0
_PAUSE = 0.002


def private_folder(path: Path) -> Path:
    """This folder, made with mode 0700 where it was missing, and closed to others where it was open.

    Raises OSError where that is not possible, where somebody else owns it, and where its name is a link.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.is_symlink():
        raise PermissionError(f"the folder {path.name} is a link")
    if os.name == "posix":
        found = path.stat()
        if found.st_uid != os.getuid():
            raise PermissionError(f"the folder {path.name} belongs to another user")
        if stat.S_IMODE(found.st_mode) & 0o077:
            path.chmod(0o700)
    return path


def safe_folder(path: Path) -> None:
    """Make this folder that a person named, with mode 0700, where it is missing; else it keeps the mode that it has.

    Raises OSError where that is not possible, and where other users could replace what lies in it: where one of them
    owns it, or may write into it (the sticky bit, as /tmp has it, keeps them from replacing).
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.name == "posix":
        found = path.stat()
        if found.st_uid not in (os.getuid(), 0):
            raise PermissionError(f"the folder {path.name} belongs to another user")
        if found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX:
            raise PermissionError(f"other users may write into the folder {path.name}")


def open_private(path: Path, flags: int) -> int:
    """A descriptor of this regular file, created with mode 0600, narrowed to it where it was wider.

    Raises OSError for links, devices and other people's files, and where the file cannot be opened.
    """
    descriptor = os.open(path, flags | _SAFELY, OWNER_ONLY)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(f"{path.name} is not a regular file")
        if os.name == "posix":
            if found.st_uid != os.getuid():
                raise PermissionError(f"{path.name} belongs to another user")
            if stat.S_IMODE(found.st_mode) & 0o077:
                os.fchmod(descriptor, OWNER_ONLY)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def write_private(path: Path, text: str, mode: int = OWNER_ONLY) -> None:
    """Put this text in place of the file's content, all of it or nothing; the file has this mode then.

    Another mode than the owner's alone is for files of other programs, which keep theirs. Raises OSError.
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    draft.unlink(missing_ok=True)
    try:
        create_file(draft, text.encode("utf-8"), mode)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def create_file(path: Path, content: bytes, mode: int = OWNER_ONLY) -> None:
    """Make a new file with this content: its owner's alone while it is written, of this mode when it is whole.

    Raises FileExistsError where there is one, and OSError.
    """
    with os.fdopen(open_private(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
        file.write(content)
    if os.name == "posix" and stat.S_IMODE(mode) != OWNER_ONLY:
        path.chmod(stat.S_IMODE(mode))


def read_private(path: Path, max_bytes: int = 65_536) -> str:
    """The file's text. Raises OSError where it is missing, a link, another user's, or open for others to write."""
    descriptor = os.open(path, os.O_RDONLY | _SAFELY)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(f"{path.name} is not a regular file")
        if os.name == "posix" and (found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077):
            raise PermissionError(f"{path.name} is not private to its owner")
        return file.read(max_bytes).decode("utf-8", "replace")


# The system's own module is imported where it is used: this file can be imported where neither of them exists.
if sys.platform == "win32":
    # Far beyond the content, because this lock forbids others to read the bytes it covers.
    _LOCK_OFFSET = 1 << 30

    def _take(descriptor: int) -> None:
        import msvcrt

        os.lseek(descriptor, _LOCK_OFFSET, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _release(descriptor: int) -> None:
        import msvcrt

        os.lseek(descriptor, _LOCK_OFFSET, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:

    def _take(descriptor: int) -> None:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _release(descriptor: int) -> None:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_UN)


@contextmanager
def locked(descriptor: int, patience: float = _PATIENCE) -> Generator[None]:
    """Hold the lock of this open file meanwhile. Raises TimeoutError when another process keeps it for so many seconds,
    at once where they are 0."""
    give_up = time.monotonic() + patience
    while True:
        try:
            _take(descriptor)
            break
        except OSError:
            if time.monotonic() >= give_up:
                raise TimeoutError("another process holds the file") from None
            time.sleep(_PAUSE)
    try:
        yield
    finally:
        _release(descriptor)
