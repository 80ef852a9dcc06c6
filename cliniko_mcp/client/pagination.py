"""Reading lists of many pages: a bounded sweep that can be continued, and a drain that yields every row.

Cliniko's pages are numbered windows over a list that may change while it is read. So rows are deduplicated by id, and
when the list has become shorter between two pages, the earlier one is read again, for the rows that moved into it.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final, Generic, TypeVar

import anyio

from cliniko_mcp.cliniko.models import Record, row_id
from cliniko_mcp.errors import ClinikoRefused, RateLimited, Unavailable

MAX_PAGE_ROWS: Final = 100  # cliniko-api.md#pagination

T = TypeVar("T")
RowT = TypeVar("RowT", bound=Record)


@dataclass(frozen=True, slots=True)
class Page(Generic[RowT]):
    """One page of a list: its rows, the number of rows in the whole list where it is told, and whether more follow."""

    items: tuple[RowT, ...]
    total: int | None
    number: int
    more: bool


FetchPage = Callable[[int, int], Coroutine[Any, Any, Page[RowT]]]
"""Page number (from 1) and rows a page -> the page."""
OnPage = Callable[[int, int, int, int | None], Awaitable[None]]
"""Told after each page: pages read, pages expected, rows so far, rows in the whole list where known."""


@dataclass(frozen=True, slots=True)
class Sweep(Generic[RowT]):
    """The rows of one bounded reading, and where to go on.

    `complete` says that no row follows; otherwise `next_position` is the place in the whole list to start from.
    `moved` says that the list changed while it was read. `stopped` is the error that ended it early, if one did.
    """

    rows: tuple[RowT, ...]
    total: int | None
    complete: bool
    next_position: int | None
    pages: int
    positions: tuple[int, ...]
    moved: bool = False
    stopped: ClinikoRefused | None = None

    def position_after(self, count: int) -> int:
        """Where to start again when only the first `count` rows (at least one) are handed on."""
        return self.positions[count - 1] + 1


async def in_order(
    fetch: Callable[[int], Coroutine[Any, Any, T]], numbers: Iterable[int], in_flight: int
) -> AsyncGenerator[T]:
    """Yield what `fetch` makes of each number, in their order, with at most `in_flight` under way or not yet taken.

    Wrap it in `aclosing`: leaving early cancels what is under way.
    """
    # Plain tasks: these outlive one step of the iterator, and a task group must not stay open across a yield.
    ahead: deque[asyncio.Task[T]] = deque()
    waiting = iter(numbers)

    def fill() -> None:
        while len(ahead) < in_flight and (number := next(waiting, None)) is not None:
            ahead.append(asyncio.create_task(fetch(number)))

    try:
        fill()
        while ahead:
            found = await ahead[0]
            ahead.popleft()
            fill()
            yield found
    finally:
        for task in ahead:
            task.cancel()
        with anyio.CancelScope(shield=True):
            await asyncio.gather(*ahead, return_exceptions=True)


async def sweep(
    fetch_page: FetchPage[RowT],
    *,
    limit: int,
    start: int = 0,
    per_page: int = MAX_PAGE_ROWS,
    in_flight: int = 4,
    soft: float = 25.0,
    hard: float = 45.0,
    on_page: OnPage | None = None,
    clock: Callable[[], float] = anyio.current_time,
) -> Sweep[RowT]:
    """At most `limit` rows from position `start` on, in the list's order, each id once.

    Fetches only the pages that the limit can use. After `soft` seconds no further page is begun, at `hard` seconds
    those under way are abandoned; then, and when a later page fails, the rows so far are returned with
    `complete` false. Raises what the first page raises, and Unavailable if not even that came in time.
    """
    if limit < 1 or start < 0:
        raise ValueError("a sweep needs a limit of at least 1 and a position of at least 0")
    found = _Found[RowT](start, limit, page_size(start, limit, per_page))
    stop_at = clock() + soft

    def time_left() -> bool:
        return clock() < stop_at

    try:
        with anyio.move_on_after(hard):
            async with aclosing(
                _pages(fetch_page, found.first, found.size, start + limit, in_flight, time_left)
            ) as pages:
                async for page in pages:
                    found.add(page)
                    if on_page is not None:
                        await on_page(found.pages, found.expected, len(found.rows), page.total)
                    if found.full:
                        break
    except ClinikoRefused as problem:
        if not found.pages:
            raise
        return found.as_sweep(problem)
    if not found.pages:
        raise Unavailable(f"Cliniko did not answer within {hard:.0f} seconds.", "Try again in a minute.")
    return found.as_sweep(None)


def page_size(start: int, limit: int, largest: int = MAX_PAGE_ROWS) -> int:
    """Rows a page: the fewest with which one page covers the rows asked for, else `largest`."""
    last = start + limit - 1
    return next((size for size in range(limit, largest + 1) if start // size == last // size), largest)


class _Found(Generic[RowT]):
    """What a sweep has gathered so far."""

    def __init__(self, start: int, limit: int, size: int) -> None:
        self.start, self.limit, self.size = start, limit, size
        self.first = start // size + 1
        self.rows: list[RowT] = []
        self.pages = 0
        self.full = False
        self._positions: list[int] = []
        self._ids: set[str] = set()
        self._end = start
        self._complete = False
        self._moved = False
        self._last: Page[RowT] | None = None

    @property
    def expected(self) -> int:
        """Pages that the sweep reads in all, as far as known."""
        total = self._last.total if self._last else None
        if total is None:
            return self.pages + int(self._last is not None and self._last.more and not self.full)
        last_row = min(total, self.start + self.limit)
        return max(self.pages, -(-last_row // self.size) - self.first + 1)

    def add(self, page: Page[RowT]) -> None:
        """Take the rows of the next page, or of an earlier one read again."""
        self.pages += 1
        again = self._last is not None and page.number <= self._last.number
        self._moved = self._moved or (self._last is not None and page.total != self._last.total)
        new = self._take(page)
        # A page of nothing but rows already seen means that the list does not move on, and asking would never end.
        repeated = bool(page.items) and not new and not again and self._last is not None
        self._last = page
        self.full = self.full or repeated
        if not self.full:
            self._complete = not page.more and not again

    def _take(self, page: Page[RowT]) -> int:
        offset, before = (page.number - 1) * self.size, len(self.rows)
        for position, row in enumerate(page.items, offset):
            if position < self.start or not _is_new(row, self._ids):
                continue
            self.rows.append(row)
            self._positions.append(position)
            if len(self.rows) == self.limit:
                self.full = True
                self._end = position + 1
                self._complete = position + 1 == offset + len(page.items) and not page.more
                return len(self.rows) - before
        self._end = max(self._end, offset + len(page.items))
        return len(self.rows) - before

    def as_sweep(self, stopped: ClinikoRefused | None) -> Sweep[RowT]:
        """The result; after an error the list was not read to its end."""
        complete = self._complete and stopped is None
        return Sweep(
            rows=tuple(self.rows),
            total=self._last.total if self._last else None,
            complete=complete,
            next_position=None if complete else self._end,
            pages=self.pages,
            positions=tuple(self._positions),
            moved=self._moved,
            stopped=stopped,
        )


def _is_new(row: Record, seen: set[str]) -> bool:
    name = row_id(row)
    if not name:  # available times and services have no id (cliniko-api.md#resources)
        return True
    if name in seen:
        return False
    seen.add(name)
    return True


async def _pages(
    fetch_page: FetchPage[RowT], first: int, size: int, until: int | None, in_flight: int, go_on: Callable[[], bool]
) -> AsyncGenerator[Page[RowT]]:
    """Yield pages in order, the first one alone: only it tells how many there are. `until` is where the rows end.

    Once `go_on` says no, no further page is begun.
    """

    def fetch(number: int) -> Coroutine[Any, Any, Page[RowT]]:
        return fetch_page(number, size)

    page = await fetch(first)
    yield page
    while page.more and go_on():
        rows = 0 if page.total is None else page.total if until is None else min(page.total, until)
        numbers = range(page.number + 1, max(-(-rows // size), page.number + 1) + 1)
        async with aclosing(in_order(fetch, takewhile(lambda _: go_on(), numbers), in_flight)) as following:
            async for after in following:
                if page.total is not None and after.total is not None and after.total < page.total:
                    yield await fetch(page.number)
                page = after
                yield page
                if not page.more:
                    return


async def drain(
    fetch_page: FetchPage[RowT],
    *,
    per_page: int = MAX_PAGE_ROWS,
    in_flight: int = 4,
    remembered: int = 5_000,
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    on_total: Callable[[int], None] | None = None,
    on_page: OnPage | None = None,
    sit_out: bool = True,
) -> AsyncGenerator[RowT]:
    """Yield every row of a list in its order, with a few pages in memory at a time; `sit_out` waits out the rate limit.

    Repeated rows are recognised among the last `remembered` ids. `on_total` is told, before the rows of each page, how
    many rows Cliniko says the whole list has, `on_page` how far it is. Wrap it in `aclosing` where you may leave early.
    Raises what a page raises, the limit of requests aside where it is waited out.
    """
    recent: deque[str] = deque()
    ids: set[str] = set()
    furthest = done = rows = 0

    async def patiently(number: int, size: int) -> Page[RowT]:
        for _ in range(10):
            try:
                return await fetch_page(number, size)
            except RateLimited as full:
                await sleep(_seconds(full))
        return await fetch_page(number, size)

    fetch = patiently if sit_out else fetch_page
    async with aclosing(_pages(fetch, 1, per_page, None, in_flight, lambda: True)) as pages:
        async for page in pages:
            new = 0
            done, rows = done + 1, rows + len(page.items)
            if on_total is not None and page.total is not None:
                on_total(page.total)
            if on_page is not None:
                expected = done + int(page.more) if page.total is None else max(done, -(-page.total // per_page))
                await on_page(done, expected, rows, page.total)
            for row in page.items:
                if not _is_new(row, ids):
                    continue
                new += 1
                if name := row_id(row):
                    recent.append(name)
                if len(recent) > remembered:
                    ids.discard(recent.popleft())
                yield row
            if page.items and not new and page.number > furthest:
                raise Unavailable("Cliniko sent the same page of the list twice.", "Try again in a minute.")
            furthest = max(furthest, page.number)


def _seconds(full: RateLimited) -> float:
    wait = full.details.get("retry_after")
    return max(1.0, float(wait)) if isinstance(wait, int | float) else 10.0
