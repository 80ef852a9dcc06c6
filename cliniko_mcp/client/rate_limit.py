"""Keeps all calls of one key inside Cliniko's limit of requests a minute (cliniko-api.md#rate-limit).

A bucket of `per_minute` tokens, which `tokens` counts. A tenth is kept from sweeps (`extensions={"sweep": True}`), so
that reading a long list never locks out a single call. Where several wait, who has had a third of a minute's tokens, or
has eight calls under way, goes after other people, and a call that has had a third after other calls.
"""

from collections import Counter, deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import count
from typing import Final

import anyio
import httpx2

from cliniko_mcp.client.request_count import RequestCount
from cliniko_mcp.client.responses import rate_limited, seconds_asked
from cliniko_mcp.client.tokens import PERIOD as PERIOD
from cliniko_mcp.client.tokens import LocalTokens, Tokens
from cliniko_mcp.limit_share import NOBODYS, Share, third_of

PATIENCE: Final = 20.0
"""Seconds that a request, and all requests of one tool call together, wait for their turns at most."""

_PAUSE_WITHOUT_HEADER: Final = 5.0
_NAP: Final = 1.0
_TOLD_EVERY: Final = 5.0
"""Seconds between two words on a wait."""

Told = Callable[[float], Awaitable[None]]
"""Tells whoever waits for a call that it has to wait so many seconds."""


@dataclass(slots=True, eq=False)
class _Waiter:
    """A request that waits for its turn: whether it is part of a sweep, of which call and of whose."""

    sweep: bool
    share: Share
    over: bool = False
    """Whether its person has had so much that others go first."""


_NUMBERS: Final = count(1)


class _Patience:
    """What is left of the seconds that the requests of one tool call may wait; waits at the same time count once."""

    def __init__(self, principal: str, told: Told | None) -> None:
        self.share = Share(principal, next(_NUMBERS))
        self._told = told
        self._told_at: float | None = None
        self._left = PATIENCE
        self._waiting = 0
        self._since = 0.0

    async def tell(self, wait: float, now: float) -> None:
        """Tell that the call waits, unless that was told just now or the wait is nothing to speak of."""
        due = self._told_at is None or now - self._told_at >= _TOLD_EVERY
        if self._told is not None and wait >= _NAP and due:
            self._told_at = now
            await self._told(wait)

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


class Reservation:
    """A request of the rate limit that was reserved ahead: good for one request, which then waits for nothing."""

    def __init__(self, waiter: _Waiter, token: str) -> None:
        self.waiter = waiter
        self.token = token
        self.used = False


_of_call: ContextVar[_Patience | None] = ContextVar("_of_call", default=None)


@contextmanager
def one_call(principal: str = "", told: Told | None = None) -> Generator[None]:
    """Whatever is sent within belongs to one tool call, whose requests wait 20 s together at most: a host gives a
    call up after a minute or less. `told` hears of a wait."""
    before = _of_call.set(_Patience(principal, told))
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
    waiting is on `clock`. `tokens` counts what may be sent; by default this process counts alone.
    """

    def __init__(
        self,
        inner: httpx2.AsyncBaseTransport,
        *,
        per_minute: int,
        wall: Callable[[], datetime],
        clock: Callable[[], float] = anyio.current_time,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        tokens: Tokens | None = None,
    ) -> None:
        self._inner = inner
        self._tokens = tokens or LocalTokens(per_minute, clock)
        self._per_minute = per_minute
        self._wall = wall
        self._clock = clock
        self._sleep = sleep
        self._line: list[_Waiter] = []
        self._returns: deque[tuple[float, _Waiter]] = deque()
        self._spent: Counter[int] = Counter()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer of `inner`, after this request's turn came, or at once with `extensions["reservation"]`.

        Raises RateLimited, having sent nothing, where the turn would take too long, or where a 429 has come since it
        was reserved.
        """
        reserved = request.extensions.get("reservation")
        if isinstance(reserved, Reservation) and not reserved.used:
            if (closed := await self._tokens.closed()) > 0:
                raise rate_limited(closed)
            reserved.used = True
            waiter, token = reserved.waiter, reserved.token
        else:
            sweep = request.extensions.get("sweep") is True
            patience = min(PATIENCE, float(request.extensions.get("throttle_wait", PATIENCE)))
            waiter, token = await self._admitted(sweep, patience)
        if isinstance(counted := request.extensions.get("count"), RequestCount):
            counted.sent += 1
        if callable(admitted := request.extensions.get("admitted")):
            admitted()
        pause = 0.0
        try:
            response = await self._inner.handle_async_request(request)
            if response.status_code == 429:
                wait = seconds_asked(response.headers, self._wall())
                # Clocks differ by a second or so: without a floor a reset just passed would be tried again at once.
                pause = _PAUSE_WITHOUT_HEADER if wait is None else max(wait, 1.0)
        finally:
            self._returns.append((self._clock() + PERIOD, waiter))
            await self._tokens.answered(token, pause=pause)
        return response

    @asynccontextmanager
    async def reserve(self) -> AsyncGenerator[Reservation]:
        """One request reserved now, so that it waits for nothing when it is sent; given back where unused.

        Raises RateLimited where it would take too long.
        """
        reserved = Reservation(*await self._admitted(False, PATIENCE))
        try:
            yield reserved
        finally:
            if not reserved.used:
                self._give_back(reserved.waiter)
                await self._tokens.give_back(reserved.token)

    async def aclose(self) -> None:
        """Close the transport below."""
        await self._inner.aclose()

    async def _admitted(self, sweep: bool, patience: float) -> tuple[_Waiter, str]:
        """Wait for a turn: who waited, and the token that was taken for them."""
        shared = _of_call.get()
        waiter = _Waiter(sweep, shared.share if shared is not None else NOBODYS)
        if shared is None:
            token = await self._turn(waiter, patience, None)
        else:
            patience = min(patience, shared.left(self._clock()))
            with shared.waiting(self._clock):
                token = await self._turn(waiter, patience, shared)
        self._spent[waiter.share.call] += 1
        return waiter, token

    async def _turn(self, waiter: _Waiter, patience: float, shared: _Patience | None) -> str:
        give_up_at = self._clock() + patience
        self._line.append(waiter)
        try:
            while True:
                ahead = partial(self._ahead_of, waiter)
                wait, token, waiter.over = await self._tokens.take(sweep=waiter.sweep, ahead=ahead, share=waiter.share)
                if wait <= 0:
                    return token
                if self._clock() + wait > give_up_at:
                    raise rate_limited(wait)
                if shared is not None:
                    await shared.tell(wait, self._clock())
                # Short naps: someone ahead may leave the line, or a 429 may close the gate, while this one sleeps.
                await self._sleep(min(max(wait, 0.001), _NAP))
        finally:
            self._line.remove(waiter)

    def _give_back(self, waiter: _Waiter) -> None:
        call = waiter.share.call
        self._spent[call] -= 1
        if not self._spent[call]:  # calls come and go
            del self._spent[call]

    def _ahead_of(self, waiter: _Waiter) -> int:
        """How many in the line go before this one: by what was had already, singles before sweeps, as they came."""
        now = self._clock()
        while self._returns and self._returns[0][0] <= now:
            self._give_back(self._returns.popleft()[1])
        people = any(other.share.person != waiter.share.person for other in self._line)
        place, rank = self._line.index(waiter), self._rank(waiter, people)
        ranks = [self._rank(other, people) for other in self._line]
        return sum(other < rank or (other == rank and at < place) for at, other in enumerate(ranks))

    def _rank(self, waiter: _Waiter, people: bool) -> tuple[bool, bool, bool]:
        """False before True: whether its person has had enough, if several wait, whether its call has; sweeps last."""
        call = waiter.share.call
        third = bool(call) and self._spent[call] >= third_of(self._per_minute)
        return people and waiter.over, third, waiter.sweep
