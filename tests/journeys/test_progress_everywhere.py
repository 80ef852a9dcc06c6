"""Whoever waits is told how far it is, in the clinic's words: over every transport, in both eras, always upwards."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from conftest import over_stdio
from mcp.client.client import Client
from mcp.client.sse import sse_client

from .test_http import BEARER, listening, over_http

pytestmark = pytest.mark.anyio
CALLS: dict[str, dict[str, Any]] = {
    "clinic_overview": {},
    "show_diary": {"when": "tomorrow"},
    "report": {"kind": "no_shows", "when": "last 7 days"},
}


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, str]]:
    with listening("--transport", "http") as http, listening("--transport", "sse") as sse:
        yield {"http": http, "sse": sse}


@asynccontextmanager
async def connected(servers: dict[str, str], transport: str, mode: str) -> AsyncGenerator[Client]:
    if transport == "stdio":
        async with over_stdio(mode=mode) as assistant:
            yield assistant.client
        return
    streams = over_http(servers["http"]) if transport == "http" else sse_client(servers["sse"], headers=BEARER)
    async with Client(streams, mode=mode) as client:
        yield client


@pytest.mark.long
@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
@pytest.mark.parametrize("transport", ["stdio", "http", "sse"])
async def test_progress_of_curated_tools_grows_and_speaks_of_the_clinic(
    servers: dict[str, str], transport: str, mode: str
) -> None:
    async with connected(servers, transport, mode) as client:
        for tool, arguments in CALLS.items():
            told: list[tuple[float, float | None, str]] = []

            async def on_progress(progress: float, total: float | None, message: str | None, told: Any = told) -> None:
                told.append((progress, total, message or ""))

            result = await client.call_tool(tool, arguments, progress_callback=on_progress)
            assert not result.is_error, result
            steps = [done for done, _, _ in told]
            assert steps == sorted(set(steps)), (tool, told)
            assert steps or (tool == "clinic_overview" and transport != "stdio"), "nothing was told"  # all from memory
            assert all(total is None or done <= total for done, total, _ in told), (tool, told)
            words = " ".join(message for _, _, message in told)
            assert all(": " in message for _, _, message in told), (tool, told)
            assert tool == "clinic_overview" or "the diary: " in words, (tool, told)
            assert "bookings:" not in words and "_" not in words, (tool, told)
