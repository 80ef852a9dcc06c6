"""One list on its way to whoever reads it: how far it is, what is kept of it, and what is said where it is cut off."""

from collections.abc import Generator
from contextlib import contextmanager
from math import ceil
from typing import Final

from cliniko_mcp.client.kept_pages import PageReading
from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.filters import MAX_IDS
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.errors import RateLimited, Unavailable
from cliniko_mcp.guards.memory import Course, Memory
from cliniko_mcp.guards.pipeline import Caller, Outcome, Progress
from cliniko_mcp.guards.progress import noun_of

A_MINUTE: Final = 180
"""Pages of a sweep that Cliniko's limit lets through in a minute."""
KEPT_ABOVE: Final = 1_000
"""Rows of a bounded reading above which its pages are kept, so that it can go on where it was cut off."""


def _cost(done: int, of: int) -> str:
    """How long a list takes within Cliniko's limit, said after its first page where that is more than a minute."""
    return f"; about {ceil(of / A_MINUTE)} minutes within Cliniko's limit" if done == 1 and of > A_MINUTE else ""


class Sweep:
    """The reading of one list by one tool call."""

    def __init__(
        self, call: Call, progress: Progress, course: Course, pages: PageReading | None, *, by_name: bool
    ) -> None:
        """`pages` keeps what is read, where it may be kept; `by_name` says that this list is all that was asked for."""
        self.pages = pages
        self._call = call
        self._progress = progress
        self._course = course
        self._by_name = by_name
        self._done = self._of = 0

    async def on_page(self, done: int, of: int, rows: int, total: int | None) -> None:
        """Take note of a page, and tell whoever waits."""
        self._done, self._of = done, of
        known = f"{rows:,} of {total:,}" if total is not None else f"{rows:,}"
        if not self._by_name:
            await self._course.told.page(
                self._progress, id(self), self._call, done, of, f"{known} rows{_cost(done, of)}"
            )
        elif of > 1:
            noun = self._call.operation.resource.replace("_", " ")
            await self._progress(done, of, f"{done} of {of} pages, {known} {noun}")

    @contextmanager
    def under_way(self, outcome: Outcome) -> Generator[None]:
        """Around the reading: where it is cut off, what was read is kept, and the error says how far it came."""
        try:
            yield
        except (RateLimited, Unavailable) as stop:
            self._course.cut_off = True
            raise self._told(stop) if isinstance(stop, RateLimited) else stop from None
        finally:
            if self.pages is not None and self.pages.recalled is not None:
                outcome.read_at = self.pages.recalled
                self._course.recall(self._call.operation.path, self.pages.recalled)

    def ended(self, whole: bool = True) -> None:
        """The reading came to its end, of the whole list or where its time was over."""
        if not whole:
            self._course.cut_off = True
        elif self.pages is not None:
            self.pages.end()

    def _told(self, full: RateLimited) -> RateLimited:
        """The refusal with how far the reading came, where what was read is kept."""
        if self.pages is None:
            return full
        return _kept_of(full, self._done, self._of, noun_of(self._call))


class Batches:
    """The reading of records by their ids by one tool call: a request for each so many of them."""

    def __init__(self, listing: Operation, ids: int, memory: Memory, caller: Caller, tool: str, course: Course) -> None:
        self._listing = listing
        self._of = ceil(ids / MAX_IDS)
        self._memory = memory
        self._caller = caller
        self._tool = tool
        self._readings: list[PageReading] = []
        self._course = course

    def reading(self, call: Call) -> PageReading | None:
        """What keeps the rows of this request until the tool call is answered; None where nothing may be kept."""
        found = self._memory.reading(call, self._caller, self._tool, "call", self._course)
        self._readings += [found] if found is not None else []
        return found

    @contextmanager
    def under_way(self) -> Generator[None]:
        """Around the reading: where it is cut off, the error says how far it came."""
        try:
            yield
        except RateLimited as stop:
            self._course.cut_off = True
            done = sum(reading.ended for reading in self._readings)
            raise _kept_of(stop, done, self._of, noun_of(Call(self._listing))) from None


def _kept_of(full: RateLimited, done: int, of: int, noun: str) -> RateLimited:
    """The refusal with how far the reading came, where what was read is kept."""
    if not done:
        return full
    calls = max(ceil((of - done) / done), 1)
    more = "once more" if calls == 1 else f"again and again, about {calls} times,"
    return RateLimited(
        f"{full.message} {done:,} of {of:,} pages of {noun} have been read.",
        f"{full.fix} What was read is kept for ten minutes: call {more} with the same arguments to go on.",
        **{**full.details, "pages_read": done, "pages": of},
    )
