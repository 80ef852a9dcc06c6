"""A report over the whole history at forty requests a minute: the tool, called again as it says, ends with the answer
that it has without a limit."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import anyio
import pytest
from mcp.client.client import Client

from cliniko_mcp.app import open_app
from cliniko_mcp.frontdesk.reports.kinds import KINDS
from cliniko_mcp.protocol.server import build_server
from cliniko_mcp.sandbox.core import Sandbox
from cliniko_mcp.settings import Settings
from tests.client.virtual import run

from .demo import NOW

pytestmark = pytest.mark.long
PER_MINUTE = 40
QUESTIONS: dict[str, dict[str, Any]] = {
    **{kind: {} for kind in KINDS if kind != "changes"},  # which asks Cliniko for nothing: it reads our own audit log
    "activity": {"when": "last month"},
    "no_shows": {"by": ["new_or_returning"], "when": "this year"},
    "revenue": {"when": "this year", "by": ["type"]},
    "find_in_notes": {"words": "ankle"},
}
SAME = ("kind", "summary", "items", "by", "definition")
"""What of an answer does not depend on when it was read and in how many calls."""


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return Sandbox(now=datetime.fromisoformat(NOW), frozen=True, rate_limit=0)


@asynccontextmanager
async def desk(sandbox: Sandbox, per_minute: int) -> AsyncGenerator[Client]:
    settings = {"sandbox": True, "rate_limit": 0, "requests_per_minute": per_minute, "view": "all"}
    async with open_app(Settings.load(settings, {})) as app:
        app.use_sandbox(sandbox)
        async with Client(build_server(app)) as client:
            yield client


async def until_answered(client: Client, arguments: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The answer, and each refusal on the way to it, which says how long to wait and how far it is."""
    refusals: list[dict[str, Any]] = []
    while True:
        result = await client.call_tool("report", arguments)
        body: dict[str, Any] = result.structured_content or {}
        if not result.is_error:
            return body, refusals
        assert body["code"] == "rate_limited", body
        assert len(refusals) < 40, refusals
        refusals.append(body)
        await anyio.sleep(body["retry_after"])


@pytest.mark.parametrize("kind", QUESTIONS)
def test_called_again_as_it_says_a_report_ends_with_the_answer_it_has_without_a_limit(
    sandbox: Sandbox, kind: str
) -> None:
    arguments = {"kind": kind, **QUESTIONS[kind]}

    async def story(per_minute: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        async with desk(sandbox, per_minute) as client:
            return await until_answered(client, arguments)

    sandbox.requests.clear()
    free, refused = run(lambda: story(60_000))
    needed = len(sandbox.requests)
    assert refused == []
    sandbox.requests.clear()
    paced, refused = run(lambda: story(PER_MINUTE))
    assert {name: paced.get(name) for name in SAME} == {name: free.get(name) for name in SAME}
    assert len(sandbox.requests) <= 1.15 * needed  # nothing that was read is read again
    assert bool(refused) is (needed > PER_MINUTE)
    for body in refused:
        assert f"{body['pages_read']:,} of {body['pages']:,} pages" in body["message"]
        assert "same arguments" in body["fix"]
