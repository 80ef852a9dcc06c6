"""Tries again where that is safe: reads after a passing fault, writes only if Cliniko provably did not perform them."""

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import datetime
from itertools import count
from random import Random
from typing import Final

import anyio
import httpx2

from cliniko_mcp.client.attempts import Attempts
from cliniko_mcp.client.responses import seconds_asked

MAX_ANSWER_BYTES: Final = 20_000_000
RETRY_WINDOW: Final = 20.0
"""Seconds after the first attempt, from which on no further one begins."""

_RETRIES: Final = 3
_PASSING: Final = frozenset({429, 502, 503, 504})
_BODY_SECONDS: Final = 30.0
_NEVER_SENT: Final = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
)
# The body is passed on whole and decoded; cookies would tie calls together that have nothing to do with each other.
_DROPPED: Final = frozenset({"content-encoding", "content-length", "transfer-encoding", "set-cookie"})


class AnswerTooLarge(httpx2.DecodingError):
    """An answer grew over the limit, counted in decoded bytes, and was cut off."""


def never_sent(problem: httpx2.RequestError) -> bool:
    """Whether the request provably did not leave this computer."""
    return isinstance(problem, _NEVER_SENT)


def retries_allowed(method: str, outcome: httpx2.Response | httpx2.TransportError) -> int:
    """How many further attempts this outcome may have in all; 0 for a good answer and for every doubtful write.

    A 429 refuses a request before it is performed, so that a write may wait once and try again
    (cliniko-api.md#rate-limit).
    """
    if isinstance(outcome, httpx2.Response):
        if outcome.status_code not in _PASSING:
            return 0
        return _RETRIES if method == "GET" else int(outcome.status_code == 429)
    if isinstance(outcome, httpx2.UnsupportedProtocol | httpx2.LocalProtocolError):
        return 0
    return _RETRIES if method == "GET" or never_sent(outcome) else 0


def backoff(attempt: int, rng: Random) -> float:
    """Seconds before the attempt after number `attempt` (0 is the first): 0.5, 1, 2 ... up to 8, less up to half."""
    return min(8.0, 0.5 * 2**attempt) * rng.uniform(0.5, 1.0)


class Retry(httpx2.AsyncBaseTransport):
    """A transport around the throttle whose answers are read whole, so that a broken body counts as a failed attempt.

    At most three retries, none of which begins later than 20 s after the first attempt; the last failure is passed on.
    A request with a `Reservation` (`extensions["reservation"]`) is the act of an approved call: it is sent once.
    """

    def __init__(
        self,
        inner: httpx2.AsyncBaseTransport,
        *,
        rng: Random,
        wall: Callable[[], datetime],
        clock: Callable[[], float] = anyio.current_time,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
        attempts: Attempts | None = None,
    ) -> None:
        """`attempts` hears of each; a request says its operation in `extensions["operation"]`."""
        self._inner = inner
        self._rng = rng
        self._wall = wall
        self._clock = clock
        self._sleep = sleep
        self._max_answer_bytes = max_answer_bytes
        self._attempts = attempts

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer, read whole. Raises the last httpx2.TransportError, AnswerTooLarge or RateLimited."""
        give_up_at = self._clock() + RETRY_WINDOW
        once = request.extensions.get("reservation") is not None
        for attempt in count():
            remaining = max(0.0, give_up_at - self._clock())
            request.extensions = {**request.extensions, "throttle_wait": remaining}
            try:
                outcome = await self._watched(request, attempt + 1)
            except httpx2.TransportError as problem:
                outcome = problem
            if isinstance(outcome, httpx2.Response) and outcome.is_success:
                return outcome
            delay = self._delay(attempt, outcome)
            allowed = 0 if once else retries_allowed(request.method, outcome)
            if attempt < allowed and self._clock() + delay < give_up_at:
                await self._sleep(delay)
            elif isinstance(outcome, httpx2.Response):
                return outcome
            else:
                raise outcome
        raise AssertionError("count() does not end")

    async def aclose(self) -> None:
        """Close the transport below."""
        await self._inner.aclose()

    def _delay(self, attempt: int, outcome: httpx2.Response | httpx2.TransportError) -> float:
        delay = backoff(attempt, self._rng)
        # After a 429 the throttle does the waiting, for all calls at once.
        if isinstance(outcome, httpx2.Response) and outcome.status_code != 429:
            return max(delay, seconds_asked(outcome.headers, self._wall()) or 0.0)
        return delay

    async def _watched(self, request: httpx2.Request, number: int) -> httpx2.Response:
        if self._attempts is None:
            return await self._attempt(request)
        with self._attempts.attempt(str(request.extensions.get("operation", "")), number) as attempt:
            request.extensions["admitted"] = attempt.admitted
            response = await self._attempt(request)
            attempt.answered(response.status_code)
            return response

    async def _attempt(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._inner.handle_async_request(request)
        try:
            body = await self._whole(response)
        finally:
            await response.aclose()
        headers = [pair for pair in response.headers.multi_items() if pair[0].lower() not in _DROPPED]
        return httpx2.Response(response.status_code, headers=headers, content=body, extensions=response.extensions)

    async def _whole(self, response: httpx2.Response) -> bytes:
        chunks: list[bytes] = []
        size = 0
        # The client's read timeout starts again with every byte, so an answer that drips needs a limit of its own.
        with anyio.move_on_after(_BODY_SECONDS):
            async with aclosing(response.aiter_bytes()) as stream:
                async for chunk in stream:
                    size += len(chunk)
                    if size > self._max_answer_bytes:
                        raise AnswerTooLarge(f"more than {self._max_answer_bytes // 1_000_000} MB")
                    chunks.append(chunk)
            return b"".join(chunks)
        raise httpx2.ReadTimeout("the answer came too slowly")
