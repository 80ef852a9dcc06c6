"""Streamable HTTP and SSE: the same tools, Host and Origin checked on both, a token where others can connect."""

import os
import re
import signal
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from conftest import YES, Assistant, callback_for
from mcp.client.client import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

from tests import warm
from tests.faults.process import BEARER, TOKEN, started
from tests.warm import DEMO

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}
PLAIN = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
JSON = PLAIN | BEARER
PATIENT = 300.0
"""Seconds that a test waits for an answer: a busy machine takes a while."""


@contextmanager
def listening(*flags: str, said: list[str] | None = None, **environ: str) -> Generator[str]:
    """A server process on a free port; its address. All that it wrote to standard error is added to `said`, the second
    line at once."""
    with started("--port", "0", *flags, **{"CLINIKO_MCP_HTTP_TOKEN": TOKEN} | environ) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline().decode()
            found = re.search(r"listening on (\S+)", line)
            assert found, line + process.stderr.read().decode()
            if said is not None:
                said += [line, process.stderr.readline().decode()]
            yield found.group(1)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENT)
            if said is not None and process.stderr is not None:
                said += [process.stderr.read().decode()]


@asynccontextmanager
async def over_http(address: str) -> AsyncGenerator[Any]:
    """The SDK's transport to a server of `listening`."""
    async with (
        httpx2.AsyncClient(headers=BEARER, timeout=PATIENT) as client,
        streamable_http_client(address, http_client=client) as streams,
    ):
        yield streams


@pytest.fixture(scope="module")
def http() -> Iterator[str]:
    with listening("--transport", "http") as address:
        yield address


@pytest.fixture(scope="module")
def sse() -> Iterator[str]:
    with listening("--transport", "sse") as address:
        yield address


async def worked(client: Client, assistant: Assistant) -> None:
    listed = await client.list_tools()
    assert 15 <= len(listed.tools) <= 32
    row = await assistant.first("list_patients", limit=1)
    assert (await assistant.call("archive_patient", id=row["id"]))["done"]
    assert (await assistant.call("get_patient", id=row["id"]))["code"] == "not_found"


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_the_main_job_works_over_streamable_http_and_asks_its_person(http: str, mode: str) -> None:
    asked: list[str] = []
    async with Client(over_http(http), mode=mode, elicitation_callback=callback_for(YES, asked)) as client:
        await worked(client, Assistant(client, asked))
    assert len(asked) == 1


@pytest.mark.anyio
async def test_the_main_job_works_over_sse_and_asks_its_person(sse: str) -> None:
    asked: list[str] = []
    async with Client(
        sse_client(sse, headers=BEARER), mode="legacy", elicitation_callback=callback_for(YES, asked)
    ) as client:
        await worked(client, Assistant(client, asked))
    assert len(asked) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "127.0.0.1.evil.example:80"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ],
    ids=str,
)
def test_a_foreign_host_or_origin_is_refused_on_both_transports(http: str, sse: str, headers: dict[str, str]) -> None:
    refused = httpx2.post(http, json=INITIALIZE, headers=JSON | headers, timeout=PATIENT)
    assert refused.status_code in (403, 421)
    with httpx2.stream("GET", sse, headers=BEARER | headers, timeout=PATIENT) as stream:
        assert stream.status_code in (403, 421)
    messages = sse.replace("/sse", "/messages/?session_id=" + "0" * 32)
    posted = httpx2.post(messages, json=INITIALIZE, headers=JSON | headers, timeout=PATIENT)
    assert posted.status_code in (403, 421)


@pytest.mark.long
def test_a_refused_stream_leaves_no_traceback_in_the_log() -> None:
    with started("--port", "0", "--transport", "sse", CLINIKO_MCP_HTTP_TOKEN=TOKEN) as process:
        try:
            assert process.stderr is not None
            address = process.stderr.readline().decode().split()[-1]
            with httpx2.stream("GET", address, headers=BEARER | {"host": "evil.example"}, timeout=PATIENT) as stream:
                assert stream.status_code == 421
        finally:
            process.send_signal(signal.SIGTERM)
        log = process.stderr.read().decode()
    assert "evil.example" in log
    assert "Traceback" not in log


def test_without_a_foreign_header_the_same_request_is_answered(http: str) -> None:
    assert httpx2.post(http, json=INITIALIZE, headers=JSON, timeout=PATIENT).status_code == 200


@pytest.mark.long
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_where_no_token_is_set_one_is_made_and_kept_and_nothing_is_answered_without_it(
    tmp_path: Path, host: str
) -> None:
    state = {"CLINIKO_MCP_HTTP_TOKEN": "", "XDG_STATE_HOME": str(tmp_path / "state")}
    tokens: set[str] = set()
    for _ in range(2):
        with listening("--transport", "http", "--host", host, said=(said := []), **state) as address:
            path = Path(said[1].partition("the bearer token that is in ")[2].strip())
            tokens.add(token := path.read_text().strip())
            assert len(token) >= 32 and path.stat().st_mode & 0o777 == 0o600
            assert httpx2.post(address, json=INITIALIZE, headers=PLAIN, timeout=PATIENT).status_code == 401
            right = PLAIN | {"authorization": f"Bearer {token}"}
            assert httpx2.post(address, json=INITIALIZE, headers=right, timeout=PATIENT).status_code == 200
        assert token not in "".join(said)
    assert len(tokens) == 1


@pytest.mark.long_but_one
@pytest.mark.parametrize("path", ["http", "sse"])
def test_health_is_told_to_everyone_and_nothing_else_is(path: str, request: pytest.FixtureRequest) -> None:
    address: str = request.getfixturevalue(path)
    root = address.removesuffix("/mcp").removesuffix("/sse")
    for headers in ({}, {"host": "10.0.0.7:8000"}):
        told = httpx2.get(f"{root}/healthz", headers=headers, timeout=PATIENT)
        assert (told.status_code, told.content) == (200, b"")
        assert told.headers.keys() <= {"date", "content-length", "server"}
    for method, other in (("POST", "healthz"), ("GET", "healthz/x"), ("GET", "healthz/"), ("GET", "")):
        assert httpx2.request(method, f"{root}/{other}", timeout=PATIENT).status_code == 401


@pytest.mark.parametrize("transport", ["http", "sse"])
def test_with_a_token_nothing_is_answered_without_it(transport: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    file.chmod(0o600)
    with listening("--transport", transport, "--http-token-file", str(file)) as address:
        method = "POST" if transport == "http" else "GET"
        body = INITIALIZE if transport == "http" else None
        for headers in ({}, {"authorization": "Bearer wrong-wrong-wrong-wrong"}, {"authorization": f"Basic {TOKEN}"}):
            refused = httpx2.request(method, address, json=body, headers=PLAIN | headers, timeout=PATIENT)
            assert refused.status_code == 401
            assert refused.headers["www-authenticate"].startswith("Bearer")
        right = JSON | {"authorization": f"Bearer {TOKEN}"}
        with httpx2.stream(method, address, json=body, headers=right, timeout=PATIENT) as good:
            assert good.status_code == 200


@pytest.mark.long
def test_a_token_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    file.chmod(0o644)
    done = warm.run(*DEMO, "--transport", "http", "--http-token-file", str(file), env=os.environ)
    assert done.returncode == 1
    assert "chmod 600" in done.stderr
    assert TOKEN not in done.stderr
