"""Pages of long lists as they came, kept for a while: a sweep that was cut off goes on where it stopped.

They are held compressed, a tenth of their size, 32 MB in all; what was not read for longest goes first. A reading takes
each page from here once: a page that is asked for again, because the list moved meanwhile, is read anew.
"""

import zlib
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

SECONDS_CUT_OFF: Final = 600.0
"""Seconds for which the pages of a sweep that was cut off are kept after the last of them came."""
SECONDS_WHOLE: Final = 120.0
"""Seconds for which those of a sweep that came to its end are kept."""
MAX_BYTES: Final = 32 * 1024 * 1024
MAX_SWEEPS: Final = 1_000
FEW_PAGES: Final = 3
"""A list of so many pages is read anew by each call, unless that was cut off while it needed it."""


@dataclass(slots=True)
class _Sweep:
    """The pages of one list that are kept, compressed, by number; `at` is when the first came, in UTC."""

    at: datetime
    until: float
    pages: dict[int, bytes] = field(default_factory=dict[int, bytes])
    whole: bool = False
    few: bool = False
    """Whether it came to its end and is so short that it is kept only until the call that reads it is answered."""
    owed: set[str] = field(default_factory=set[str])
    """The calls that were cut off while they needed it."""
    read_for: set[str] = field(default_factory=set[str])
    """The calls that read it: a repetition of one of them may be told it again."""


class KeptPages:
    """The pages of all sweeps of one clinic and key, each under its own key."""

    def __init__(self, clock: Callable[[], float], now: Callable[[], datetime], max_bytes: int = MAX_BYTES) -> None:
        """`clock` is monotonic, in seconds; `now` tells when something was read."""
        self._clock = clock
        self._now = now
        self._max_bytes = max_bytes
        self._sweeps: dict[Hashable, _Sweep] = {}
        self._bytes = 0

    @property
    def held(self) -> int:
        """Bytes that all of them take, compressed."""
        return self._bytes

    def reading(self, key: Hashable, call: str, *, again: bool, few: int = FEW_PAGES) -> "PageReading":
        """One reading of the list with this key, for this call; one of no more than `few` pages is not kept for others.

        What was read before is used where a call that needs it was cut off, and where it came to its end, is of more
        pages and was read for the same call, or `again` says that any call may be told it again; else it is dropped.
        """
        kept = self._sweeps.get(key)
        if kept is not None:
            serves = bool(kept.owed) or (kept.whole and not kept.few and (again or call in kept.read_for))
            if not serves or self._clock() >= kept.until:
                self._drop(key)
        return PageReading(self, key, call, few)

    def cut_off(self, call: str, keys: Iterable[Hashable]) -> None:
        """Keep what this call has read for as long as it may go on."""
        for key in keys:
            if (kept := self._sweeps.get(key)) is not None:
                kept.owed.add(call)
                kept.until = self._clock() + SECONDS_CUT_OFF

    def answered(self, call: str) -> None:
        """Owe this call nothing more: it was answered."""
        for key, kept in [*self._sweeps.items()]:
            if call in kept.owed:
                kept.owed.discard(call)
                kept.until = min(kept.until, self._clock() + SECONDS_WHOLE)
            if kept.few and not kept.owed and call in kept.read_for:
                self._drop(key)

    def forget_whole(self) -> None:
        """Drop what came to its end: something was changed."""
        for key in [key for key, kept in self._sweeps.items() if kept.whole and not kept.owed]:
            self._drop(key)

    def forget(self, key: Hashable) -> None:
        """Drop the pages of one list."""
        if key in self._sweeps:
            self._drop(key)

    def forget_all(self) -> None:
        """Drop everything."""
        self._sweeps.clear()
        self._bytes = 0

    def _drop(self, key: Hashable) -> None:
        self._bytes -= sum(map(len, self._sweeps.pop(key).pages.values()))

    def find(self, key: Hashable, number: int) -> tuple[bytes, datetime] | None:
        """The content of a page that is kept, and when the first of its list was read; else None."""
        kept = self._sweeps.get(key)
        page = kept.pages.get(number) if kept is not None else None
        return (zlib.decompress(page), kept.at) if kept is not None and page is not None else None

    def keep(self, key: Hashable, number: int, content: bytes, call: str) -> None:
        """Keep the content of a page, and drop what is too old or too much."""
        kept = self._sweeps.pop(key, None) or _Sweep(self._now(), 0.0)
        self._sweeps[key] = kept  # what was read last stands last
        kept.whole, kept.few, kept.until = False, False, self._clock() + SECONDS_CUT_OFF
        kept.read_for.add(call)
        self._bytes -= len(kept.pages.pop(number, b""))
        kept.pages[number] = packed = zlib.compress(content, 1)
        self._bytes += len(packed)
        for other in [other for other, sweep in self._sweeps.items() if sweep.until <= self._clock()]:
            self._drop(other)
        while self._bytes > self._max_bytes or len(self._sweeps) > MAX_SWEEPS:
            self._drop(next(iter(self._sweeps)))

    def end(self, key: Hashable, few: int = FEW_PAGES) -> None:
        """A list was read to its end: one of no more than `few` pages is kept until its call is answered."""
        kept = self._sweeps.get(key)
        if kept is None or kept.whole:  # what came from here is not kept for longer
            return
        kept.whole, kept.few = True, len(kept.pages) <= few
        kept.until = self._clock() + (SECONDS_CUT_OFF if kept.owed or kept.few else SECONDS_WHOLE)


class PageReading:
    """One reading of a list, page by page, from memory as far as that goes."""

    def __init__(self, kept: KeptPages, key: Hashable, call: str, few: int = FEW_PAGES) -> None:
        self.key = key
        self.recalled: datetime | None = None
        """When the first of the pages that came from memory was read, in UTC; None where none did."""
        self.pages = 0
        """How many pages were read or recalled."""
        self.ended = False
        """Whether the list was read to its end."""
        self._kept = kept
        self._call = call
        self._few = few
        self._taken: set[int] = set()

    def recall(self, number: int) -> bytes | None:
        """The content of a page, where it is kept and was not taken in this reading."""
        self.pages += 1
        if number in self._taken:
            return None
        self._taken.add(number)
        if (found := self._kept.find(self.key, number)) is None:
            return None
        self.recalled = found[1]
        return found[0]

    def keep(self, number: int, content: bytes) -> None:
        """Keep the content of a page that was read."""
        self._taken.add(number)
        self._kept.keep(self.key, number, content, self._call)

    def end(self) -> None:
        """The list was read to its end."""
        self.ended = True
        self._kept.end(self.key, self._few)
