"""The audit log as a file: JSON lines, each with the digest of the one before, written by several processes at once.

Beside the log lies its head: number and digest of the last line and the log's size. Whoever appends holds the head's
lock, so the chain stays whole across processes, and a log cut off at its end is noticed. The log is rotated at a size:
`audit.jsonl` becomes `audit.jsonl.1`, and the oldest segment is deleted. The chain runs on through the segments.
"""

import logging
import os
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from cliniko_mcp.approvals.paths import audit_file
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.guards.chain_lines import START, Chain, Verification, line_of, sealed
from cliniko_mcp.private_files import locked, open_private, private_folder, read_private, safe_folder

_LOG = logging.getLogger(__name__)
_TAIL_BYTES: Final = 8_192


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain, as it is kept beside the log."""

    count: int = 0
    """How many lines have been written since the log began, those in deleted segments included."""
    digest: str = START
    """The digest of the last line, in hexadecimal digits."""
    size: int = 0
    """The size of the current segment in bytes."""

    def text(self) -> bytes:
        """The head as it stands in its file: count, digest and size on one line, always 107 bytes long."""
        return f"{self.count:020d} {self.digest} {self.size:020d}\n".encode()

    @classmethod
    def read(cls, text: bytes) -> "Head | None":
        """The head that this text stands for, or None where it stands for none."""
        words = text.decode("ascii", "replace").split()
        if len(words) != 3 or len(words[1]) != 64 or not (words[0].isdigit() and words[2].isdigit()):
            return None
        return cls(int(words[0]), words[1], int(words[2]))


class HashChain:
    """An append-only, hash-chained file of JSON lines, shared with other processes."""

    def __init__(
        self,
        path: Path | None = None,
        *,
        segment_bytes: int = 10_000_000,
        max_segments: int = 10,
        copy: Callable[[bytes], None] | None = None,
    ) -> None:
        """`path` None means the usual file; it is rotated at `segment_bytes`, and at most `max_segments` are kept.

        `copy` is given each line once it is written; what it raises as OSError is warned of and stops nothing.
        """
        self._copy = copy
        self._copying = True
        self._path = path
        self._segment_bytes = segment_bytes
        self._max_segments = max_segments

    @cached_property
    def path(self) -> Path:
        """The file of the current segment, to which lines are added; it need not exist yet."""
        return self._path or audit_file()

    @cached_property
    def _in_the_usual_folder(self) -> bool:
        return self.path.parent == audit_file().parent

    @property
    def begun(self) -> bool:
        """Whether anything was ever written here, as far as what is left shows: a segment, or the head alone."""
        return bool(self.files()) or self._head_path.exists()

    def append(self, entry: Mapping[str, JsonValue]) -> int:
        """Add one line; its number, from 1. Raises OSError, having added nothing, where it cannot be written."""
        self._prepare()
        with self._locked() as head_file:
            return self._append(head_file, entry)

    def append_at_once(self, entry: Mapping[str, JsonValue]) -> int | None:
        """As `append`, where nothing can keep it waiting; None, having added nothing, where another process is writing
        or lines are copied to another place."""
        if self._copy is not None:
            return None
        self._prepare()
        try:
            with self._locked(patience=0) as head_file:
                return self._append(head_file, entry)
        except TimeoutError:
            return None

    @contextmanager
    def _locked(self, **how: float) -> Generator[int]:
        """The open head, locked so that no other process writes meanwhile."""
        head_file = open_private(self._head_path, os.O_RDWR | os.O_CREAT)
        try:
            with locked(head_file, **how):
                yield head_file
        finally:
            os.close(head_file)

    def _copied(self, line: bytes) -> None:
        if self._copy is None:
            return
        try:
            self._copy(line)
        except OSError as problem:
            if self._copying:
                _LOG.warning("the audit log could not be copied (%s)", problem.strerror or problem)
            self._copying = False
        else:
            self._copying = True

    def _prepare(self) -> None:
        make_safe = private_folder if self._in_the_usual_folder else safe_folder
        make_safe(self.path.parent)

    def _append(self, head_file: int, entry: Mapping[str, JsonValue]) -> int:
        head, size = self._end(Head.read(os.read(head_file, 256)))
        if size >= self._segment_bytes:
            self._rotate()
            size = 0
        line, seal = sealed(entry, head.count + 1, head.digest)
        after = Head(head.count + 1, seal, size + len(line))
        with self._opened() as log:
            _write(log, line, size)
            try:
                os.lseek(head_file, 0, os.SEEK_SET)
                os.write(head_file, after.text())
            except OSError:
                os.ftruncate(log, size)
                raise
        self._copied(line)
        return after.count

    @contextmanager
    def _opened(self) -> Generator[int]:
        log = open_private(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
        try:
            yield log
        finally:
            os.close(log)

    def _end(self, head: Head | None) -> tuple[Head, int]:
        """The end of the chain, and the log's size without a torn last line.

        Where head and log disagree, the process that wrote the last line may have ended before it wrote the head; then
        the last line counts. In every other case the head counts, so that what was cut off or put in shows as a break.
        """
        with self._opened() as log:
            size = os.fstat(log).st_size
            if head is not None and head.size == size:
                return head, size
            tail = _tail(log, size)
            torn = len(tail) - (tail.rfind(b"\n") + 1)
            if torn:
                size -= torn
                os.ftruncate(log, size)
                tail = tail[:-torn]
        last = line_of(tail.rstrip(b"\n").rpartition(b"\n")[2])
        if last is None:
            return head or Head(), size
        if head is None or (last.number == head.count + 1 and last.before == head.digest):
            return Head(last.number, last.seal), size
        return head, size

    @cached_property
    def _head_path(self) -> Path:
        return self.path.with_name(f"{self.path.name}.head")

    def _segment(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")

    @property
    def _oldest_segment(self) -> Path:
        """The segment that is deleted next; while it does not exist, none has been deleted."""
        return self._segment(self._max_segments - 1) if self._max_segments > 1 else self.path

    def _rotate(self) -> None:
        for number in range(self._max_segments - 2, 0, -1):
            if self._segment(number).exists():
                self._segment(number).replace(self._segment(number + 1))
        if self._max_segments > 1:
            self.path.replace(self._segment(1))
        else:
            self.path.unlink()

    def files(self) -> list[Path]:
        """The files of the segments that exist, oldest first."""
        kept = [self._segment(number) for number in range(self._max_segments - 1, 0, -1)]
        return [path for path in (*kept, self.path) if path.exists()]

    def lines(self) -> Iterator[tuple[Path, int, bytes]]:
        """Yield every kept line with its file and its number there, from 1, oldest first.

        Raises OSError where a file cannot be read.
        """
        for path in self.files():
            with path.open("rb") as file:
                for number, line in enumerate(file, 1):
                    yield path, number, line

    def entries(self) -> Iterator[Mapping[str, JsonValue]]:
        """Yield every entry that can be read, oldest first; other lines are passed over.

        Raises OSError where a file cannot be read.
        """
        for _, _, line in self.lines():
            if (read := line_of(line)) is not None:
                yield read.entry

    def verify(self) -> Verification:
        """Whether every kept line is whole, in its place, and the last one is the last that was written.

        The oldest kept line has to be the first of all, unless segments have been deleted; then the oldest segment is
        where the log begins. Raises OSError where a file cannot be read, TimeoutError where another process holds the
        lock for too long.
        """
        found = self._checked()
        if found.problem is None or not self._head_path.exists():
            return found
        # A line or a head that is just being written looks broken, so it is looked at again while nobody writes.
        try:
            with self._locked():
                return self._checked()
        except TimeoutError:
            raise
        except OSError:  # a copy that nobody may write
            return found

    def _checked(self) -> Verification:
        # Read before the lines, so that what other processes append meanwhile only makes the log longer.
        head = self._head()
        last = head or Head()
        chain = Chain(last.count, last.digest)
        for path, number, line in self.lines():
            place = f"{path.name} line {number}"
            if problem := chain.problem(place, line, may_begin=path == self._oldest_segment):
                return Verification(chain.seen, problem)
        if head is None and chain.seen:
            return Verification(chain.seen, "the record of the last entry is missing")
        if last.count and not self.files():
            return Verification(0, f"the log is missing, of which the last entry is number {last.count:,}")
        whole = chain.count >= last.count
        return Verification(chain.seen) if whole else Verification(chain.seen, "entries are missing at the end")

    def _head(self) -> Head | None:
        try:
            return Head.read(read_private(self._head_path).encode())
        except FileNotFoundError:
            return None


def _write(log: int, line: bytes, size: int) -> None:
    if os.write(log, line) != len(line):
        os.ftruncate(log, size)
        raise OSError("the disk is full")


def _tail(log: int, size: int) -> bytes:
    length = min(size, _TAIL_BYTES)
    os.lseek(log, size - length, os.SEEK_SET)
    return os.read(log, length)
