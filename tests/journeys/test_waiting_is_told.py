"""A call that waits for its turn in Cliniko's limit tells the person who waits, in seconds that go down."""

from datetime import datetime

import anyio
import pytest
from mcp.client.client import Client

from cliniko_mcp.app import open_app
from cliniko_mcp.protocol.server import build_server
from cliniko_mcp.settings import Settings
from tests.client.virtual import run

PER_MINUTE = 6
FLAGS = {
    "sandbox": True,
    "sandbox_now": datetime.fromisoformat("2026-11-24T09:00:00+11:00"),
    "sandbox_clock": "frozen",
    "rate_limit": 0,
    "requests_per_minute": PER_MINUTE,
    "view": "all",
}


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
def test_a_wait_for_the_limit_reaches_the_client_as_progress(mode: str) -> None:
    told: list[tuple[float, float, str]] = []

    async def heard(progress: float, total: float | None, message: str | None) -> None:
        told.append((anyio.current_time(), progress, message or ""))

    async def story() -> None:
        async with open_app(Settings.load(FLAGS, {})) as app, Client(build_server(app), mode=mode) as client:
            while len(app.sandbox.requests) < PER_MINUTE:
                await client.call_tool("list_taxes", {"limit": 1})
            began = anyio.current_time()
            await anyio.sleep(48)
            result = await client.call_tool("list_taxes", {"limit": 1}, progress_callback=heard)
            assert not result.is_error
            assert anyio.current_time() - began == pytest.approx(60, abs=1)

    run(story)
    waits = [message for _, _, message in told if "limit" in message]
    assert waits == [f"waiting for Cliniko's limit, {seconds} s" for seconds in (12, 7, 2)]
    steps = [progress for _, progress, _ in told]
    assert steps == sorted(set(steps))
