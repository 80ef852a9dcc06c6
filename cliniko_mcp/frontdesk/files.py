"""Files to attach to a patient: from the folder that the operator allowed, or from base64; with a name and a type."""

import errno
import os
import re
import stat
import sys
from base64 import b64decode
from binascii import Error as NotBase64
from dataclasses import dataclass
from mimetypes import MimeTypes
from pathlib import Path, PurePath
from typing import Final
from unicodedata import normalize

from cliniko_mcp.errors import InvalidArguments, NotAllowed
from cliniko_mcp.sanitize import clean

MAX_FILE_BYTES: Final = 20_000_000
"""Bytes of the largest file from the folder."""
MAX_BASE64_BYTES: Final = 5_000_000
"""Bytes of the largest file given as base64."""
NAME_LENGTH: Final = 120
"""Characters of a file's name that are kept and shown."""

_TYPES: Final = MimeTypes()  # the table built into Python: the same on every computer
_DATA_URI: Final = re.compile(r"data:[^,]{0,200};base64,")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file ready to be sent: its name as people see it, its content type and its bytes."""

    name: str
    kind: str
    data: bytes

    @property
    def plain_name(self) -> str:
        """The name in letters that every storage takes, with its ending."""
        stem, dot, ending = self.name.rpartition(".")
        stem, ending = (stem, ending) if dot else (self.name, "")
        bare = _ascii(stem).strip("-.") or "file"
        return f"{bare[:80]}.{_ascii(ending)[:12]}" if ending else bare[:80]


def _ascii(text: str) -> str:
    letters = normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9._-]+", "-", letters)


def from_base64(content: str, filename: str | None) -> Upload:
    """The file that base64 text holds. Raises InvalidArguments for anything else, nothing, too much, or no name."""
    if not filename:
        raise InvalidArguments("filename is needed with content.", "Give it with its ending, such as referral.pdf.")
    try:
        data = b64decode("".join(_DATA_URI.sub("", content, count=1).split()), validate=True)
    except (NotBase64, ValueError):
        raise InvalidArguments(
            "content must be base64.", "Encode the file's bytes as base64.", field="content"
        ) from None
    return _upload(filename, data, MAX_BASE64_BYTES)


def from_folder(folder: str | None, path: str, filename: str | None) -> Upload:
    """The file at this path inside the folder that the operator allowed.

    Raises NotAllowed where no folder is allowed, the path leads out of it, or the file is a link or has another name;
    InvalidArguments where there is no file.
    """
    if not folder:
        raise NotAllowed(
            "Files of the computer this server runs on may not be attached: no folder is allowed.",
            "Give the file as base64 in content, or ask whoever runs this server to start it with --upload-folder.",
        )
    home = Path(folder).expanduser().resolve()
    parts = _parts_below(home, Path(folder).expanduser(), path)
    try:
        descriptor = _open_below(home, parts)
    except (OSError, ValueError) as problem:
        raise _unopened(problem) from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise _no_such_file()
        if found.st_nlink != 1:
            raise NotAllowed(
                "That file has another name as well, perhaps outside the folder, so it is not attached.",
                "Put a copy of it into the folder and give the copy's path.",
            )
        _fits(found.st_size, MAX_FILE_BYTES)
        with os.fdopen(descriptor, "rb", closefd=False) as opened:
            data = opened.read(MAX_FILE_BYTES + 1)
    except OSError as problem:
        raise _unopened(problem) from None
    finally:
        os.close(descriptor)
    return _upload(filename or parts[-1], data, MAX_FILE_BYTES)


def _parts_below(home: Path, named: Path, path: str) -> tuple[str, ...]:
    """The names that lead from the folder to the file, at least one.

    Raises NotAllowed where they lead out of it, step back or are hidden.
    """
    wanted = PurePath(path)
    if wanted.is_absolute():
        base = next((base for base in (home, named) if wanted.is_relative_to(base)), None)
        wanted = wanted.relative_to(base) if base else wanted
    # Without a drive either, which on Windows a path can have and not be absolute.
    if wanted.anchor or any(part.startswith(".") for part in wanted.parts):
        raise NotAllowed(
            "That path is outside the folder whose files may be attached.",
            "Give a path inside that folder, such as referral.pdf; hidden files do not count.",
        )
    if not wanted.parts:
        raise _no_such_file()
    return wanted.parts


# A name is looked up once: whoever changes what it stands for meanwhile changes nothing of what was opened. A pipe does
# not keep its opener waiting.
if sys.platform == "win32":

    def _open_below(home: Path, parts: tuple[str, ...]) -> int:
        """A descriptor of the file, or OSError. Windows opens nothing by its folder's descriptor, so links are looked
        for before and after."""
        steps = [home.joinpath(*parts[:number]) for number in range(1, len(parts) + 1)]
        _refuse_links(steps)
        descriptor = os.open(steps[-1], os.O_RDONLY | os.O_BINARY)
        try:
            _refuse_links(steps)
            if not os.path.samestat(os.fstat(descriptor), os.lstat(steps[-1])):
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        except OSError:
            os.close(descriptor)
            raise
        return descriptor

    def _refuse_links(steps: list[Path]) -> None:
        if any(os.lstat(step).st_file_attributes & stat.FILE_ATTRIBUTE_REPARSE_POINT for step in steps):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))

else:

    def _open_below(home: Path, parts: tuple[str, ...]) -> int:
        """A descriptor of the file, each folder on the way opened by the one before. Raises OSError, also for links."""
        *folders, name = parts
        folder = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for step in folders:
                inner = os.open(step, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
                os.close(folder)
                folder = inner
            return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        finally:
            os.close(folder)


def _unopened(problem: OSError | ValueError) -> NotAllowed | InvalidArguments:
    """Why a file could not be opened or read, in words for a caller."""
    match problem:
        case OSError(errno=errno.ELOOP):
            return NotAllowed(
                "That is a link, and links are not followed, because they can lead out of the folder.",
                "Put the file itself into the folder whose files may be attached.",
            )
        case OSError(errno=errno.EACCES | errno.EPERM | errno.EIO):
            return InvalidArguments(f"That file cannot be read: {problem.strerror}.", "Check the file's permissions.")
        case _:
            return _no_such_file()


def _no_such_file() -> InvalidArguments:
    return InvalidArguments(
        "There is no such file in the folder whose files may be attached; links are not followed.",
        "Check the path.",
        field="path",
    )


def _upload(filename: str, data: bytes, limit: int) -> Upload:
    if not data:
        raise InvalidArguments("The file is empty.", "Check that it is the right one.")
    _fits(len(data), limit)
    name = clean(re.sub(r"[/\\]+", "-", filename), NAME_LENGTH)
    return Upload(name or "file", _TYPES.guess_type(name)[0] or "application/octet-stream", data)


def _fits(size: int, limit: int) -> None:
    if size > limit:
        raise InvalidArguments(
            f"The file has {size / 1_000_000:.1f} MB; at most {limit // 1_000_000} MB can be attached in this way.",
            "Make it smaller, or attach it in Cliniko itself.",
        )
