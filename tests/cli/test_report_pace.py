"""A report that is more requests than a minute holds goes on by itself, to the answer that it has without a limit."""

from datetime import datetime
from typing import Any

import anyio
import pytest

from cliniko_mcp.app import open_app
from cliniko_mcp.cli.report import whole_answer
from cliniko_mcp.errors import RateLimited
from cliniko_mcp.guards.pipeline import Caller
from cliniko_mcp.sandbox.core import Sandbox
from cliniko_mcp.settings import Settings
from tests.client.virtual import run
from tests.reports.demo import NOW

pytestmark = pytest.mark.long

HISTORY = ("activity --when last month", "lapsed", "sources", "no_shows --by new_or_returning",
           "revenue --when this year --by type", "cases")  # fmt: skip
"""Reports that read the whole history of the clinic, or all that is open in it."""


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return Sandbox(now=datetime.fromisoformat(NOW), frozen=True, rate_limit=0)


def arguments_of(command: str) -> dict[str, Any]:
    kind, *more = command.split(" --")
    options = dict(option.split(" ", 1) for option in more)
    return {"kind": kind, **({"by": [options.pop("by")]} if "by" in options else {}), **options}


def told(sandbox: Sandbox, command: str, per_minute: int, most: int | None = 500) -> tuple[Any, float]:
    """The answer of the command at so many requests a minute, and the seconds that it took."""

    async def story() -> tuple[Any, float]:
        settings = {"sandbox": True, "rate_limit": 0, "requests_per_minute": per_minute}
        async with open_app(Settings.load(settings, {})) as app:
            app.use_sandbox(sandbox)
            answer = await whole_answer(app, arguments_of(command), most, Caller(route="terminal"))
            return answer, anyio.current_time()

    return run(story)


@pytest.mark.parametrize("command", HISTORY)
def test_at_forty_requests_a_minute_it_ends_with_the_same_answer(
    sandbox: Sandbox, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = len(sandbox.requests)
    free, _ = told(sandbox, command, 60_000)
    needed = len(sandbox.requests) - before
    paced, seconds = told(sandbox, command, 40)
    assert len(sandbox.requests) - before - needed <= 1.15 * needed  # nothing that was read is read again
    assert {name: paced[name] for name in ("summary", "items", "page", "by") if name in paced} == {
        name: free[name] for name in ("summary", "items", "page", "by") if name in free
    }
    assert seconds <= 60 * (needed / 36 + 2)
    waits = [line for line in capsys.readouterr().err.splitlines() if "It goes on by itself in" in line]
    assert len(set(waits)) == len(waits)
    assert bool(waits) is (needed > 40), (needed, waits)


def test_where_nothing_more_is_read_it_gives_up_after_three_waits(sandbox: Sandbox) -> None:
    class Stuck:
        calls = 0

        async def call(self, *_: object) -> Any:
            self.calls += 1
            raise RateLimited("Cliniko's limit is reached: 2 of 5 pages are read.", "Call again.", retry_after=30)

    stuck: Any = Stuck()

    async def story() -> float:
        with pytest.raises(RateLimited):
            await whole_answer(stuck, {"kind": "lapsed"}, None, Caller(route="terminal"))
        return anyio.current_time()

    assert run(story) == pytest.approx(60, abs=1)
    assert stuck.calls == 3
