"""The limit of requests a minute before an upstream of a test's own, on a virtual clock."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import httpx2
import pytest

from cliniko_mcp.client.rate_limit import Throttle
from cliniko_mcp.errors import RateLimited

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Upstream(httpx2.AsyncBaseTransport):
    """Answers after `latency` seconds, and remembers when each request reached it."""

    def __init__(self, latency: float = 0.05, answer: Callable[[int], httpx2.Response] | None = None) -> None:
        self.latency = latency
        self.arrivals: list[float] = []
        self.labels: list[str] = []
        self.answer = answer or (lambda _: httpx2.Response(200))

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.arrivals.append(anyio.current_time())
        self.labels.append(request.url.path)
        await anyio.sleep(self.latency)
        return self.answer(len(self.arrivals))


class Gate:
    """The limit before `upstream`, on a clock that begins at noon."""

    def __init__(self, per_minute: int, upstream: httpx2.AsyncBaseTransport) -> None:
        self._throttle = Throttle(upstream, per_minute=per_minute, wall=self.wall)

    def wall(self) -> datetime:
        return NOON + timedelta(seconds=anyio.current_time())

    async def send(self, label: str = "x", **extensions: object) -> httpx2.Response:
        request = httpx2.Request("GET", f"https://api.example/{label}", extensions=extensions)
        return await self._throttle.handle_async_request(request)

    async def seconds_to_wait(self, **extensions: Any) -> object:
        """What the refusal of a request tells; a request that goes out fails the test."""
        with pytest.raises(RateLimited) as limit:
            await self.send(**extensions)
        return limit.value.details["retry_after"]


Limited = Callable[..., tuple[Gate, Upstream]]
