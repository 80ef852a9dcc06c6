"""Streamable HTTP and SSE: the same tools, Host and Origin checked on both, a token where others can connect."""

import os
import re
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from conftest import YES, Assistant, callback_for
from mcp.client.client import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}
JSON = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
TOKEN = "correct-horse-battery-staple"
PATIENT = 300.0
"""Seconds that a test waits for an answer: a busy machine takes a while."""


@contextmanager
def listening(*flags: str, **environ: str) -> Generator[str]:
    """A server process on a free port; its address."""
    command = [sys.executable, "-m", "cliniko_mcp", "serve", "--sandbox", "--port", "0", *flags]
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=os.environ | environ, text=True) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            found = re.search(r"listening on (\S+)", line)
            assert found, line + process.stderr.read()
            yield found.group(1)
        finally:
            process.terminate()
            process.wait(PATIENT)


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
    async with Client(streamable_http_client(http), mode=mode, elicitation_callback=callback_for(YES, asked)) as client:
        await worked(client, Assistant(client, asked))
    assert len(asked) == 1


@pytest.mark.anyio
async def test_the_main_job_works_over_sse_and_asks_its_person(sse: str) -> None:
    asked: list[str] = []
    async with Client(sse_client(sse), mode="legacy", elicitation_callback=callback_for(YES, asked)) as client:
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
    with httpx2.stream("GET", sse, headers=headers, timeout=PATIENT) as stream:
        assert stream.status_code in (403, 421)
    messages = sse.replace("/sse", "/messages/?session_id=" + "0" * 32)
    posted = httpx2.post(messages, json=INITIALIZE, headers=JSON | headers, timeout=PATIENT)
    assert posted.status_code in (403, 421)


def test_a_refused_stream_leaves_no_traceback_in_the_log() -> None:
    command = [sys.executable, "-m", "cliniko_mcp", "serve", "--sandbox", "--port", "0", "--transport", "sse"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            address = process.stderr.readline().split()[-1]
            with httpx2.stream("GET", address, headers={"host": "evil.example"}, timeout=PATIENT) as stream:
                assert stream.status_code == 421
        finally:
            process.terminate()
        log = process.stderr.read()
    assert "evil.example" in log
    assert "Traceback" not in log


def test_without_a_foreign_header_the_same_request_is_answered(http: str) -> None:
    assert httpx2.post(http, json=INITIALIZE, headers=JSON, timeout=PATIENT).status_code == 200


def test_an_address_that_others_can_reach_needs_a_token() -> None:
    command = [sys.executable, "-m", "cliniko_mcp", "serve", "--sandbox", "--transport", "http", "--host", "0.0.0.0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENT)
    assert done.returncode == 1
    assert "bearer token" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("transport", ["http", "sse"])
def test_with_a_token_nothing_is_answered_without_it(transport: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    file.chmod(0o600)
    with listening("--transport", transport, "--http-token-file", str(file)) as address:
        method = "POST" if transport == "http" else "GET"
        body = INITIALIZE if transport == "http" else None
        for headers in ({}, {"authorization": "Bearer wrong-wrong-wrong-wrong"}, {"authorization": f"Basic {TOKEN}"}):
            refused = httpx2.request(method, address, json=body, headers=JSON | headers, timeout=PATIENT)
            assert refused.status_code == 401
            assert refused.headers["www-authenticate"].startswith("Bearer")
        right = JSON | {"authorization": f"Bearer {TOKEN}"}
        with httpx2.stream(method, address, json=body, headers=right, timeout=PATIENT) as good:
            assert good.status_code == 200


def test_a_token_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    file.chmod(0o644)
    command = [sys.executable, "-m", "cliniko_mcp", "--sandbox", "--transport", "http", "--http-token-file", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENT)
    assert done.returncode == 1
    assert "chmod 600" in done.stderr
    assert TOKEN not in done.stderr
