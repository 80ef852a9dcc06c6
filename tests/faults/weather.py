"""What can stand between the server and its demo clinic: every kind of trouble that a network knows."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import anyio
import httpx2
import pytest
from conftest import NOW, Answer, Assistant, in_process

import cliniko_mcp.sandbox.transport
from cliniko_mcp import app
from cliniko_mcp.sandbox.core import Sandbox
from cliniko_mcp.sandbox.transport import SandboxTransport
from cliniko_mcp.settings import Settings

Forward = Callable[[httpx2.Request], Awaitable[httpx2.Response]]
Trouble = Callable[[httpx2.Request, Forward], Awaitable[httpx2.Response]]


async def fair(request: httpx2.Request, forward: Forward) -> httpx2.Response:
    """No trouble at all."""
    return await forward(request)


@dataclass
class Weather(httpx2.AsyncBaseTransport):
    """The way to the demo clinic, with the trouble that is on it now and every attempt as `METHOD path` and second."""

    trouble: Trouble = fair
    attempts: list[str] = field(default_factory=list[str])
    times: list[float] = field(default_factory=list[float])
    _inner: SandboxTransport | None = None

    def over(self, sandbox: Sandbox) -> "Weather":
        self._inner = SandboxTransport(sandbox)
        return self

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        assert self._inner is not None
        self.attempts.append(f"{request.method} {request.url.path.removeprefix('/v1')}")
        self.times.append(anyio.current_time())
        return await self.trouble(request, self._inner.handle_async_request)

    def writes(self) -> list[str]:
        return [attempt for attempt in self.attempts if not attempt.startswith("GET ")]


def answering(status: int = 200, body: bytes = b"", **headers: str) -> Trouble:
    """Every request gets this answer; header names are given with underscores for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def trouble(request: httpx2.Request, forward: Forward) -> httpx2.Response:
        return httpx2.Response(status, headers=named, content=body)

    return trouble


def breaking(problem: Exception, *, done: bool = False) -> Trouble:
    """Every request ends in this exception, after the clinic has done it where `done`."""

    async def trouble(request: httpx2.Request, forward: Forward) -> httpx2.Response:
        if done:
            await forward(request)
        raise problem

    return trouble


def until(seconds: float, first: Trouble, then: Trouble = fair) -> Trouble:
    """`first` for so many seconds of the loop's clock from the first request on, `then` afterwards."""
    began: list[float] = []

    async def trouble(request: httpx2.Request, forward: Forward) -> httpx2.Response:
        began.append(anyio.current_time())
        return await (first if anyio.current_time() - began[0] < seconds else then)(request, forward)

    return trouble


def some(first: int, trouble: Trouble, *, method: str | None = None, after: int = 0) -> Trouble:
    """`trouble` for the first so many requests (of a method, past the first `after` of them), then fair weather."""
    seen = 0

    async def counted(request: httpx2.Request, forward: Forward) -> httpx2.Response:
        nonlocal seen
        if method in (None, request.method):
            seen += 1
            if after < seen <= after + first:
                return await trouble(request, forward)
        return await forward(request)

    return counted


@asynccontextmanager
async def under(
    trouble: Trouble = fair, *, answer: Answer | None = None, sandbox: Sandbox | None = None, **settings: Any
) -> AsyncGenerator[tuple[Assistant, Weather]]:
    """An assistant whose server reaches the demo clinic through this weather; the clinic's clock is the loop's.

    `sandbox` is a clinic that another server worked in before.
    """
    weather = Weather(trouble)

    def clinic(settings: Settings) -> Sandbox:
        if sandbox is not None:
            return sandbox
        start = settings.sandbox_now or datetime.fromisoformat(NOW)
        return Sandbox(now=start, rate_limit=settings.rate_limit, monotonic=anyio.current_time)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cliniko_mcp.sandbox.transport, "SandboxTransport", weather.over)
        patch.setattr(app, "demo_clinic", clinic)
        async with in_process(answer=answer, **settings) as assistant:
            assert assistant.app is not None
            assert assistant.app.sandbox.context
            yield assistant, weather


def reset_in(seconds: float) -> Callable[[], dict[str, str]]:
    """The header of a 429 that opens again so many seconds from now by the clinic's clock."""
    start = datetime.fromisoformat(NOW)
    return lambda: {
        "X-RateLimit-Reset": str(int((start + timedelta(seconds=anyio.current_time() + seconds)).timestamp()))
    }


def refusing(headers: Callable[[], dict[str, str]] = dict) -> Trouble:
    """Every request is one too many."""

    async def trouble(request: httpx2.Request, forward: Forward) -> httpx2.Response:
        return httpx2.Response(429, headers=headers(), json={"message": "Rate limit exceeded"})

    return trouble


async def followed(assistant: Assistant, name: str, first: dict[str, Any]) -> list[str]:
    """The ids of a list from its first answer to its end, by its cursors."""
    ids = [row["id"] for row in first["items"]]
    while not first["page"]["complete"]:
        first = await assistant.call(name, cursor=first["page"]["next_cursor"], limit=1000)
        ids += [row["id"] for row in first["items"]]
    return ids
