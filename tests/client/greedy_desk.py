"""A desk of ten people with one key, one of whom asks for fifty things at once and never stops."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle

import anyio
import httpx2

from cliniko_mcp.client.rate_limit import Throttle, one_call
from cliniko_mcp.errors import RateLimited

LIMIT = 200
AT_ONCE = 50
OTHERS = 9
LATENCY = 0.1
EVERY_SECONDS = 7.0
"""How often each of the others asks."""


class Away(httpx2.AsyncBaseTransport):
    """The clinic, a tenth of a second away."""

    def __init__(self, clinic: httpx2.AsyncBaseTransport) -> None:
        self._clinic = clinic

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await anyio.sleep(LATENCY)
        return await self._clinic.handle_async_request(request)


@dataclass
class Day:
    """What became of it: how long the others waited, and how each request ended."""

    waits: list[float] = field(default_factory=list[float])
    statuses: list[int] = field(default_factory=list[int])
    greedy: int = 0

    def p95(self) -> float:
        return sorted(self.waits)[int(len(self.waits) * 0.95)]


def request(base_url: str, key: str) -> httpx2.Request:
    auth = httpx2.BasicAuth(key, "")
    told = httpx2.Request("GET", f"{base_url}/taxes", headers={"user-agent": "desk (t@example.org)"})
    return next(auth.auth_flow(told))


async def worked(replicas: Sequence[Throttle], base_url: str, key: str, seconds: float, people: int = OTHERS) -> Day:
    """So many seconds at the desk; each request goes through the next of the replicas."""
    day, turns, end = Day(), cycle(replicas), anyio.current_time() + seconds

    async def ask(person: str) -> float:
        begun = anyio.current_time()
        with one_call(person):
            answer = await next(turns).handle_async_request(request(base_url, key))
        day.statuses.append(answer.status_code)
        return anyio.current_time() - begun - LATENCY

    async def greedy() -> None:
        while anyio.current_time() < end:
            try:
                await ask("greedy")
                day.greedy += 1
            except RateLimited:
                await anyio.sleep(1)

    async def other(number: int) -> None:
        await anyio.sleep(number * EVERY_SECONDS / OTHERS)
        while anyio.current_time() < end:
            try:
                day.waits.append(await ask(f"person {number}"))
            except RateLimited as refused:
                day.waits.append(float(str(refused.details["retry_after"])))
            await anyio.sleep(EVERY_SECONDS)

    async with anyio.create_task_group() as group:
        for _ in range(AT_ONCE):
            group.start_soon(greedy)
        for number in range(people):
            group.start_soon(other, number)
    return day


def wall() -> datetime:
    return datetime(2026, 11, 24, 12, tzinfo=UTC) + timedelta(seconds=anyio.current_time())
