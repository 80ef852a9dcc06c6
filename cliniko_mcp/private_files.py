"""Files and folders that only their owner can read: made, narrowed where they were wider, read and replaced whole."""

import os
import stat
from pathlib import Path
from typing import Final

OWNER_ONLY: Final = 0o600
# A link is not followed, and a pipe does not keep its opener waiting until somebody writes to it.
_SAFELY: Final = sum(int(getattr(os, name, 0)) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))


def private_folder(path: Path) -> Path:
    """This folder, made with mode 0700 where it was missing, and closed to others where it was open.

    Raises OSError where that is not possible, and where somebody else owns it.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.name == "posix":
        found = path.stat()
        if found.st_uid != os.getuid():
            raise PermissionError(f"{path.name} belongs to another user")
        if stat.S_IMODE(found.st_mode) & 0o077:
            path.chmod(0o700)
    return path


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


def write_private(path: Path, text: str) -> None:
    """Put this text in place of the file's content, all of it or nothing. Raises OSError."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    draft.unlink(missing_ok=True)
    descriptor = open_private(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        draft.replace(path)
    except OSError:
        draft.unlink()
        raise


def read_private(path: Path, most: int = 65_536) -> str:
    """The file's text. Raises OSError where it is missing, a link, another user's, or open for others to write."""
    descriptor = os.open(path, os.O_RDONLY | _SAFELY)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(f"{path.name} is not a regular file")
        if os.name == "posix" and (found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077):
            raise PermissionError(f"{path.name} is not private to its owner")
        return file.read(most).decode("utf-8", "replace")
