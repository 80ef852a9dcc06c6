"""A server that stands while it is fuzzed: one loop, one app, thousands of calls.

The run in the suite is bounded and always the same. `python -m benchmarks.fuzz` makes a long one and writes its counts
down: it sets FUZZ_EXAMPLES, the number of examples that each test draws at random, and reads the run's last line.
"""

import asyncio
import atexit
import json
import os
import sys
from collections import Counter
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx2
import pytest
from conftest import NOW
from hypothesis import HealthCheck, settings

import cliniko_mcp.sandbox.transport
from cliniko_mcp.app import App, open_app
from cliniko_mcp.approvals.questions import AskFirst
from cliniko_mcp.errors import ClinikoMcpError
from cliniko_mcp.guards.pipeline import Caller
from cliniko_mcp.results.envelope import compact, error_body
from cliniko_mcp.settings import Settings
from tests.faults.weather import Trouble, fair

T = TypeVar("T")
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
FUZZ = settings(
    max_examples=EXAMPLES or 100,
    deadline=None,
    derandomize=not EXAMPLES,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    print_blob=True,
)
COUNTS: Counter[str] = Counter()


def told(what: str, times: int = 1) -> int:
    """Count what was fuzzed; how many there are by now."""
    COUNTS[what] += times
    return COUNTS[what]


def _at_the_end() -> None:
    sys.stderr.write(f"\nfuzzed: {json.dumps(COUNTS)}\n")


if EXAMPLES:
    atexit.register(_at_the_end)

GIVEN = {
    "sandbox": True,
    "sandbox_now": NOW,
    "sandbox_clock": "frozen",
    "rate_limit": 0,
    "requests_per_minute": 1_000_000,
    "approval_wait": 0,
}


class Standing(httpx2.AsyncBaseTransport):
    """An app that answers call after call, over a transport to its clinic that can be troubled."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.trouble: Trouble = fair
        self.known = ""
        self.app: App
        self._inner: Any = None

    def over(self, sandbox: Any) -> "Standing":
        self._inner = _transport(sandbox)
        return self

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return await self.trouble(request, self._inner.handle_async_request)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def call(self, name: str, arguments: Any) -> dict[str, Any]:
        """The answer, or the error as its body; any other exception is a fault of ours and rises."""
        told("tool calls")
        try:
            body: dict[str, Any] = self.run(self.app.call(name, arguments, Caller()))
        except AskFirst:
            return {"code": "asked"}
        except ClinikoMcpError as problem:
            body = dict(error_body(problem))
            assert body["message"]
        text = compact(body)
        text.encode()  # no lone surrogates: they could not be sent
        json.loads(text, parse_constant=_never)
        assert len(text.encode()) <= 8_200 * 4, "an answer over the limit"
        return body


def _never(constant: str) -> object:
    raise AssertionError(f"{constant} is no JSON")


_transport = cliniko_mcp.sandbox.transport.SandboxTransport


@contextmanager
def standing(**flags: Any) -> Generator[Standing]:
    """An app with its loop, for as long as the block lasts."""
    loop = asyncio.new_event_loop()
    found = Standing(loop)
    opened: asyncio.Future[App] = loop.create_future()
    done = asyncio.Event()

    async def hold() -> None:
        # Opened and closed by one task, as the app's own tasks need it.
        async with open_app(Settings.load(GIVEN | flags, {})) as app:
            opened.set_result(app)
            await done.wait()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cliniko_mcp.sandbox.transport, "SandboxTransport", found.over)
        running = loop.create_task(hold())
        try:
            loop.run_until_complete(asyncio.wait((running, opened), return_when=asyncio.FIRST_COMPLETED))
            found.app = opened.result()
            found.known = found.call("list_patients", {"limit": 1})["items"][0]["id"]
            yield found
        finally:
            done.set()
            loop.run_until_complete(asyncio.wait_for(running, 60))
            loop.close()
