"""Keeps all calls of one key inside Cliniko's limit of requests a minute (cliniko-api.md#rate-limit).

A bucket of `per_minute` tokens. A token comes back sixty seconds after the answer to its request arrived: Cliniko
counted the request no later than that, so no window of a minute, wherever it begins, sees more than `per_minute`.
A tenth is kept from sweeps (`extensions={"sweep": True}`), so that reading a long list never locks out a single call.
"""

from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import anyio
import httpx2

from cliniko_mcp.client.request_count import RequestCount
from cliniko_mcp.client.responses import rate_limited, seconds_asked

PERIOD: Final = 60.0
PATIENCE: Final = 20.0
"""Seconds that a request, and all requests of one tool call together, wait for their turns at most."""

_PAUSE_WITHOUT_HEADER: Final = 5.0
_NAP: Final = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class _Waiter:
    """A request that waits for its turn."""

    sweep: bool


class _Patience:
    """What is left of the seconds that the requests of one tool call may wait; waits at the same time count once."""

    def __init__(self) -> None:
        self._left = PATIENCE
        self._waiting = 0
        self._since = 0.0

    def left(self, now: float) -> float:
        return self._left - (now - self._since if self._waiting else 0.0)

    @contextmanager
    def waiting(self, clock: Callable[[], float]) -> Generator[None]:
        if not self._waiting:
            self._since = clock()
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._left -= clock() - self._since


class Place:
    """A place in the rate limit that was taken before its request is sent: good for one request."""

    def __init__(self) -> None:
        self.used = False


_of_call: ContextVar[_Patience | None] = ContextVar("_of_call", default=None)


@contextmanager
def one_call() -> Generator[None]:
    """Whatever is sent within belongs to one tool call, whose requests wait 20 s together at most: a host gives a
    call up after a minute or less."""
    before = _of_call.set(_Patience())
    try:
        yield
    finally:
        _of_call.reset(before)


def in_one_call() -> bool:
    """Whether what is sent now belongs to a tool call, which somebody waits for."""
    return _of_call.get() is not None


class Throttle(httpx2.AsyncBaseTransport):
    """A transport that lets requests through to `inner` as the limit allows, first come first served, sweeps last.

    A request that would wait longer than 20 s, than what others of its tool call (`one_call`) left of them, or than
    `extensions["throttle_wait"]` seconds, ends at once as RateLimited with the seconds to wait. After a 429 nothing is
    sent until the limit opens again. `wall` tells the time of day and serves only to read X-RateLimit-Reset; all
    waiting is on `clock`.
    """

    def __init__(
        self,
        inner: httpx2.AsyncBaseTransport,
        *,
        per_minute: int,
        wall: Callable[[], datetime],
        clock: Callable[[], float] = anyio.current_time,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        if per_minute < 1:
            raise ValueError("at least one request a minute is needed")
        self._inner = inner
        self._per_minute = per_minute
        self._reserve = per_minute // 10
        self._wall = wall
        self._clock = clock
        self._sleep = sleep
        self._line: list[_Waiter] = []
        self._under_way = 0
        self._returns: deque[float] = deque()
        self._closed_until = 0.0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer of `inner`, after this request's turn came, or at once with `extensions["place"]`.

        Raises RateLimited, having sent nothing, where the turn would take too long, or where a 429 has come since the
        place was taken.
        """
        place = request.extensions.get("place")
        if isinstance(place, Place) and not place.used:
            if (closed := self._closed_until - self._clock()) > 0:
                raise rate_limited(closed)
            place.used = True
        else:
            sweep = request.extensions.get("sweep") is True
            await self._admitted(sweep, min(PATIENCE, float(request.extensions.get("throttle_wait", PATIENCE))))
        if isinstance(count := request.extensions.get("count"), RequestCount):
            count.sent += 1
        try:
            response = await self._inner.handle_async_request(request)
        finally:
            self._under_way -= 1
            self._returns.append(self._clock() + PERIOD)
        if response.status_code == 429:
            wait = seconds_asked(response.headers, self._wall())
            # Clocks differ by a second or so: without a floor a reset that just passed would be tried again at once.
            pause = _PAUSE_WITHOUT_HEADER if wait is None else max(wait, 1.0)
            self._closed_until = max(self._closed_until, self._clock() + pause)
        return response

    @asynccontextmanager
    async def place(self) -> AsyncGenerator[Place]:
        """A place for one request, taken now, so that the request itself waits for nothing; given back where unused.

        Raises RateLimited where it would take too long.
        """
        await self._admitted(False, PATIENCE)
        place = Place()
        try:
            yield place
        finally:
            if not place.used:
                self._under_way -= 1

    async def aclose(self) -> None:
        """Close the transport below."""
        await self._inner.aclose()

    async def _admitted(self, sweep: bool, patience: float) -> None:
        """Wait for a turn, and count the request as under way."""
        waiter = _Waiter(sweep)
        if (shared := _of_call.get()) is None:
            await self._turn(waiter, patience)
        else:
            patience = min(patience, shared.left(self._clock()))
            with shared.waiting(self._clock):
                await self._turn(waiter, patience)
        self._under_way += 1

    async def _turn(self, waiter: _Waiter, patience: float) -> None:
        give_up_at = self._clock() + patience
        self._line.append(waiter)
        try:
            while (wait := self._wait(waiter)) > 0:
                if self._clock() + wait > give_up_at:
                    raise rate_limited(wait)
                # Short naps: someone ahead may leave the line, or a 429 may close the gate, while this one sleeps.
                await self._sleep(min(max(wait, 0.001), _NAP))
        finally:
            self._line.remove(waiter)

    def _wait(self, waiter: _Waiter) -> float:
        """Seconds until it is this request's turn, at the earliest."""
        now = self._clock()
        while self._returns and self._returns[0] <= now:
            self._returns.popleft()
        allowed = self._per_minute - (self._reserve if waiter.sweep else 0)
        short = self._ahead_of(waiter) + 1 + self._under_way + len(self._returns) - allowed
        if short <= 0:
            ready = now
        elif short <= len(self._returns):
            ready = self._returns[short - 1]
        else:
            ready = now + PERIOD  # only tokens still under way can help, and none of those is back sooner
        return max(ready, self._closed_until) - now

    def _ahead_of(self, waiter: _Waiter) -> int:
        before = self._line[: self._line.index(waiter)]
        if not waiter.sweep:
            return sum(not other.sweep for other in before)
        return len(before) + sum(not other.sweep for other in self._line[len(before) :])
