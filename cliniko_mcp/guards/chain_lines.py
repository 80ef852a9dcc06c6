"""The lines of the audit log, each sealed with the digest of the one before, and what finds a line that is not so."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cliniko_mcp.errors import JsonValue

START: Final = "0" * 64
"""What the first line names as the digest of the one before."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verify` found."""

    lines: int
    """How many lines are whole, up to the first that is not."""
    problem: str | None = None
    """Where and how the chain is broken; None where it is not."""


def compact(entry: Mapping[str, JsonValue]) -> str:
    """The entry as it stands in a line: JSON of plain ASCII without spaces. Raises TypeError for what is not JSON."""
    return json.dumps(entry, separators=(",", ":"), ensure_ascii=True)


def sealed(entry: Mapping[str, JsonValue], count: int, before: str) -> tuple[bytes, str]:
    """The line for this entry, which is number `count` and follows the line with digest `before`; and its own digest.

    Raises TypeError for an entry that is not JSON.
    """
    body = compact({"n": count, **entry, "before": before})
    seal = hashlib.sha256(body.encode()).hexdigest()
    return f'{body[:-1]},"seal":"{seal}"}}\n'.encode(), seal


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the log as it was read, with what chains it to the one before."""

    number: int
    seal: str
    before: JsonValue
    entry: Mapping[str, JsonValue]


def line_of(written: bytes) -> Line | None:
    """The entry on this line, or None where there is none: a number and a seal are what every entry has."""
    try:
        entry: JsonValue = json.loads(written)
    except (ValueError, RecursionError):
        return None
    match entry:
        case {"n": int(number), "seal": str(seal)}:
            return Line(number, seal, entry.get("before"), entry)
        case _:
            return None


def _seal_of(line: bytes) -> str:
    body, _, _ = line.rpartition(b',"seal":')
    return hashlib.sha256(body + b"}").hexdigest()


class Chain:
    """Takes the lines of a log, oldest first, and says of each whether it is whole and in its place."""

    def __init__(self, count: int, digest: str) -> None:
        """`count` and `digest` are of the line that was written last, as it is kept apart from the lines."""
        self._last = count, digest
        self._before = START
        self.line: Line | None = None
        """The line that was taken last."""
        self.seen = 0
        """How many lines were taken."""

    @property
    def count(self) -> int:
        """The number of the line that was taken last; 0 where none was."""
        return self.line.number if self.line is not None else 0

    def problem(self, place: str, written: bytes, *, may_begin: bool) -> str | None:
        """What is wrong with the next line, which is at this place; None where nothing is.

        The first line has to be number 1, unless the log `may_begin` with a later one.
        """
        read = line_of(written)
        if read is None or not written.endswith(b"\n"):
            return f"{place} is not a whole entry"
        if _seal_of(written) != read.seal:
            return f"{place} was changed"
        if not self.seen and read.number != 1:
            if not may_begin:
                return f"entries are missing before {place}"
        elif read.before != self._before or read.number != self.count + 1:
            return f"entries are missing, added or moved before {place}"
        self._before, self.line = read.seal, read
        count, digest = self._last
        if self.count == count and self._before != digest:
            return f"{place} is not the entry that was last written"
        self.seen += 1
        return None
