"""Over HTTP and SSE: clients that vanish in the middle of a call, and a server told to stop while one is under way."""

import json
import signal
import socket
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import mcp_types as types
import pytest
from mcp.client.client import Client
from mcp.client.context import ClientRequestContext
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

from cliniko_mcp.guards.hash_chain import HashChain

from .process import BEARER, META, PATIENT, STUCK, Stream, listening
from .test_leaving import until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the signals of this test are POSIX")
HEADERS = BEARER | {
    "accept": "application/json, text/event-stream",
    "content-type": "application/json",
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": "tools/call",
}


def frame(name: str, **arguments: Any) -> dict[str, Any]:
    params = {"name": name, "arguments": arguments, "_meta": META}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}


WRITE = frame("create_patient", first_name="Half", last_name="Done")
READ = frame("list_practitioners", limit=1)


class Http:
    """Clients over streamable HTTP."""

    @staticmethod
    @contextmanager
    def writing(address: str) -> Generator[Callable[[], str]]:
        """A connection on which a write was sent, for as long as the block lasts; what is answered to it."""
        host = httpx2.URL(address)
        body = json.dumps(WRITE).encode()
        headers = HEADERS | {"mcp-name": "create_patient", "host": f"{host.host}:{host.port}"}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"POST {host.path} HTTP/1.1\r\n{lines}content-length: {len(body)}\r\n\r\n"
        with socket.create_connection((host.host, host.port or 80), timeout=PATIENT) as connection:
            connection.sendall(head.encode() + body)
            with connection.makefile("rb") as answer:
                yield lambda: answer.read().decode()

    @staticmethod
    def read(address: str) -> str:
        """What the server answers to a read."""
        headers = HEADERS | {"mcp-name": "list_practitioners"}
        return httpx2.post(address, json=READ, headers=headers, trust_env=False, timeout=PATIENT).text


class Sse:
    """Clients over SSE."""

    @staticmethod
    @contextmanager
    def writing(address: str) -> Generator[Callable[[], str]]:
        """A stream on which a write was sent, for as long as the block lasts; what is answered to it."""
        with Stream(address) as stream:
            stream.send(WRITE)
            yield lambda: json.dumps(stream.answer(1))

    @staticmethod
    def read(address: str) -> str:
        """What the server answers to a read."""
        with Stream(address) as stream:
            stream.send(READ)
            return json.dumps(stream.answer(1))


CLIENTS = {"http": Http, "sse": Sse}


def silence(clinic: str, seconds: float = STUCK) -> None:
    """Let the clinic receive writes and not answer them for so long."""
    faults = {"faults": [{"kind": "slow", "seconds": seconds, "method": "POST"}]}
    httpx2.post(f"{clinic}/_sandbox/faults", json=faults, trust_env=False, timeout=PATIENT).raise_for_status()


def posted(clinic: str) -> Callable[[], bool]:
    def holds() -> bool:
        entries = httpx2.get(f"{clinic}/_sandbox/requests", trust_env=False, timeout=PATIENT).json()["requests"]
        return any(entry["method"] == "POST" for entry in entries)

    return holds


def outcomes(audit: Path) -> list[str]:
    """How the writes stand in the audit log's whole lines."""
    lines = audit.read_bytes().split(b"\n")[:-1] if audit.exists() else []
    return [line["outcome"] for line in map(json.loads, lines) if line["operation"] == "create_patient"]


@pytest.mark.long
@pytest.mark.parametrize("transport", CLIENTS)
def test_a_client_that_vanishes_stops_its_call_which_is_written_down_and_others_go_on(
    tmp_path: Path, transport: str
) -> None:
    audit, client = tmp_path / "audit.jsonl", CLIENTS[transport]
    with listening(audit, transport) as (process, address, clinic):
        silence(clinic)
        with client.writing(address):
            until(posted(clinic), process)
        until(lambda: len(outcomes(audit)) == 2, process)
        assert outcomes(audit) == ["begun", "interrupted"]
        assert "Dr Mei Ng" in client.read(address)
        assert HashChain(audit).verify().problem is None


@pytest.mark.long
@pytest.mark.parametrize("transport", CLIENTS)
def test_a_server_told_to_stop_lets_the_call_under_way_end_and_answers_it(tmp_path: Path, transport: str) -> None:
    audit = tmp_path / "audit.jsonl"
    with listening(audit, transport) as (process, address, clinic):
        silence(clinic, 3.0)
        with CLIENTS[transport].writing(address) as answer:
            until(posted(clinic), process)
            process.send_signal(signal.SIGTERM)
            assert "Half" in answer()
            process.wait(PATIENT)
        assert outcomes(audit) == ["begun", "ok"]
        assert HashChain(audit).verify().problem is None


def turned_away(address: str) -> bool:
    """Whether a new call is told that the server is stopping."""
    answer = httpx2.post(address, json=READ, headers=HEADERS | {"mcp-name": "x"}, trust_env=False, timeout=PATIENT)
    return answer.status_code == 503 and answer.headers["retry-after"] == "30"


@pytest.mark.long
@pytest.mark.parametrize("transport", CLIENTS)
def test_while_it_stops_new_calls_are_turned_away_and_a_second_signal_ends_the_rest_honestly(
    tmp_path: Path, transport: str
) -> None:
    audit = tmp_path / "audit.jsonl"
    with listening(audit, transport) as (process, address, clinic):
        silence(clinic)
        with CLIENTS[transport].writing(address) as answer:
            until(posted(clinic), process)
            process.send_signal(signal.SIGTERM)
            until(lambda: turned_away(address), process)
            health = httpx2.URL(address).copy_with(path="/healthz")
            assert httpx2.get(health, trust_env=False, timeout=PATIENT).status_code == 200
            assert process.poll() is None
            process.send_signal(signal.SIGTERM)
            told = answer()
            assert "outcome_unknown" in told and "whether it took effect is not known" in told
            process.wait(PATIENT)
        assert outcomes(audit) == ["begun", "interrupted"]
        assert HashChain(audit).verify().problem is None


@pytest.mark.long
@pytest.mark.anyio
@pytest.mark.parametrize("transport", CLIENTS)
async def test_a_form_that_nobody_answers_does_not_hold_up_a_stop_and_nothing_is_done(
    tmp_path: Path, transport: str
) -> None:
    shown = anyio.Event()

    async def nobody(context: ClientRequestContext, params: types.ElicitRequestParams) -> types.ElicitResult:
        shown.set()
        await anyio.sleep_forever()
        raise AssertionError

    audit, told = tmp_path / "audit.jsonl", dict[str, Any]()

    async def archive(client: Client) -> None:
        listed = await client.call_tool("list_patients", {"limit": 1})
        assert listed.structured_content is not None
        identity = listed.structured_content["items"][0]["id"]
        answer = await client.call_tool("archive_patient", {"id": identity})
        told.update(answer.structured_content or {})

    with listening(audit, transport) as (process, address, _):
        async with (
            httpx2.AsyncClient(headers=BEARER, timeout=PATIENT) as http,
            Client(
                sse_client(address, headers=BEARER)
                if transport == "sse"
                else streamable_http_client(address, http_client=http),
                mode="legacy",
                elicitation_callback=nobody,
            ) as client,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(archive, client)
            await shown.wait()
            process.send_signal(signal.SIGTERM)
        # The calls under way would have had 55 seconds, and this one 50 for its person.
        await anyio.to_thread.run_sync(process.wait, PATIENT)
    assert told["code"] == "approval_needed"
    assert "Nothing was changed" in told["message"] and "Call again" in told["fix"]
    lines = [json.loads(line) for line in audit.read_text().splitlines()]
    outcomes_ = [line["outcome"] for line in lines if line["operation"] == "archive_patient"]
    assert outcomes_ == ["begun", "approval_needed"]
