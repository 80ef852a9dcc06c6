"""Files to attach to a patient: from the folder that the operator allowed, or from base64; with a name and a type."""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from dataclasses import dataclass
from mimetypes import MimeTypes
from pathlib import Path
from typing import Final
from unicodedata import normalize

from cliniko_mcp.errors import InvalidArguments, NotAllowed
from cliniko_mcp.sanitize import clean

MAX_FILE_BYTES: Final = 20_000_000
"""Bytes of the largest file from the folder."""
MAX_BASE64_BYTES: Final = 5_000_000
"""Bytes of the largest file given as base64."""

_TYPES: Final = MimeTypes()  # the table built into Python: the same on every computer
_DATA_URI: Final = re.compile(r"data:[^,]{0,200};base64,")
_NAME_LENGTH: Final = 120


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

    Raises NotAllowed where no folder is allowed or the path leads out of it, InvalidArguments where there is no file.
    """
    if not folder:
        raise NotAllowed(
            "Files of the computer this server runs on may not be attached: no folder is allowed.",
            "Give the file as base64 in content, or ask whoever runs this server to start it with --upload-folder.",
        )
    home = Path(folder).expanduser().resolve()
    try:
        found = (home / path).expanduser().resolve()
        inside = found.is_relative_to(home) and not any(part.startswith(".") for part in found.relative_to(home).parts)
        size = found.stat().st_size if inside and found.is_file() else None
    except (OSError, ValueError, RuntimeError):
        inside, size, found = True, None, home
    if not inside:
        raise NotAllowed(
            "That path is outside the folder whose files may be attached.",
            "Give a path inside that folder, such as referral.pdf; hidden files do not count.",
        )
    if size is None:
        raise InvalidArguments(
            "There is no such file in the folder whose files may be attached.", "Check the path.", field="path"
        )
    _fits(size, MAX_FILE_BYTES)
    try:
        with found.open("rb") as opened:
            data = opened.read(MAX_FILE_BYTES + 1)
    except OSError as problem:
        why = problem.strerror or "it failed"
        raise InvalidArguments(f"That file cannot be read: {why}.", "Check the file's permissions.") from None
    return _upload(filename or found.name, data, MAX_FILE_BYTES)


def _upload(filename: str, data: bytes, limit: int) -> Upload:
    if not data:
        raise InvalidArguments("The file is empty.", "Check that it is the right one.")
    _fits(len(data), limit)
    name = clean(re.sub(r"[/\\]+", "-", filename), _NAME_LENGTH)
    return Upload(name or "file", _TYPES.guess_type(name)[0] or "application/octet-stream", data)


def _fits(size: int, limit: int) -> None:
    if size > limit:
        raise InvalidArguments(
            f"The file has {size / 1_000_000:.1f} MB; at most {limit // 1_000_000} MB can be attached in this way.",
            "Make it smaller, or attach it in Cliniko itself.",
        )
