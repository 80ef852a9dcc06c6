"""A key that is wrong, of another clinic, of somebody not let in or not in use: the same answer after the same time."""

import base64
import json
import re
from collections.abc import AsyncGenerator
from pathlib import Path

import anyio
import httpx2
import pytest

from cliniko_mcp.app import demo_clinic
from cliniko_mcp.pages.site import LEAST_SECONDS
from cliniko_mcp.sandbox.transport import SandboxTransport
from cliniko_mcp.settings import Settings
from tests.identity.asking import DESK, KEY
from tests.identity.login_stage import Stage, staged

pytestmark = pytest.mark.anyio
WRONG = {"wrong-au1": 0.04, "elsewhere-au1": 0.12, "retired-au1": 0.11, DESK: 0.09}
"""Keys that are not taken, and the seconds that each of Cliniko's answers takes."""


class Clinics(httpx2.AsyncBaseTransport):
    """The demo clinic, which knows two keys more: one of another clinic, and one of a user who is not in use."""

    def __init__(self) -> None:
        self.sandbox = demo_clinic(Settings(sandbox=True, rate_limit=0))
        self.within = SandboxTransport(self.sandbox)
        self.clock: list[float] = [0.0]

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        key = base64.b64decode(request.headers["authorization"].partition(" ")[2]).decode().rstrip(":")
        self.clock[0] += WRONG.get(key, 0.0)
        other = key in ("elsewhere-au1", "retired-au1")
        headers = dict(request.headers) | {"authorization": f"Basic {base64.b64encode(f'{KEY}:'.encode()).decode()}"}
        asked = httpx2.Request(request.method, request.url, headers=headers) if other else request
        answer = await self.within.handle_async_request(asked)
        if not other:
            return answer
        body = json.loads(await answer.aread())
        if key == "elsewhere-au1" and "account" in body:
            body["account"]["id"] = "9999"
        if key == "retired-au1" and "active" in body:
            body["active"] = False
        return httpx2.Response(200, json=body, headers={"x-cliniko-sandbox": "demo"})


@pytest.fixture
async def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Stage]:
    clinics = Clinics()

    async def wait(seconds: float) -> None:
        clinics.clock[0] += seconds

    monkeypatch.setattr(anyio, "sleep", wait)
    admit = ("account:4711", "role:administrator")
    async with staged(tmp_path, clinics.sandbox, admit, transport=clinics) as stage:
        clinics.clock = stage.clock
        yield stage


@pytest.mark.long
async def test_every_key_that_is_not_taken_is_answered_alike_and_after_the_same_time(stage: Stage) -> None:
    client = await stage.program()
    answers: set[str] = set()
    times: list[float] = []
    for key in WRONG:
        page = await stage.page(client["client_id"])
        began = stage.clock[0]
        answer = await stage.send(page, step="key", key=key)
        times.append(stage.clock[0] - began)
        assert answer.status_code == 422
        assert key not in answer.text
        answers.add(re.sub(r'nonce="[^"]+"|name="csrf" value="[^"]+"', "", answer.text))
        answer.headers.pop("content-security-policy")
        assert "set-cookie" not in answer.headers
    assert len(answers) == 1
    assert times == pytest.approx([LEAST_SECONDS] * 4)
    page = await stage.page(client["client_id"])
    assert (await stage.send(page, step="key", key=KEY)).status_code == 200


async def test_what_cannot_be_a_key_is_never_sent_and_answered_as_the_others(stage: Stage) -> None:
    client = await stage.program()
    page = await stage.page(client["client_id"])
    began = stage.clock[0]
    assert (await stage.send(page, step="key", key="not a key")).status_code == 422
    assert stage.clock[0] - began == pytest.approx(LEAST_SECONDS)
