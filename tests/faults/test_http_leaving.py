"""Over HTTP and SSE: clients that vanish in the middle of a call, and a server told to stop while one is under way."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from cliniko_mcp.guardrails.chain import Chain

from .process import META, PATIENT, Stream, listening
from .test_leaving import until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the signals of this test are POSIX")
HEADERS = {
    "accept": "application/json, text/event-stream",
    "content-type": "application/json",
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": "tools/call",
}


def frame(name: str, **arguments: Any) -> dict[str, Any]:
    params = {"name": name, "arguments": arguments, "_meta": META}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}


def call(address: str, name: str, **arguments: Any) -> dict[str, Any]:
    with httpx2.Client(trust_env=False, timeout=PATIENT) as http:
        response = http.post(address, json=frame(name, **arguments), headers=HEADERS | {"mcp-name": name})
    text = response.text
    data = next((line[5:] for line in text.splitlines() if line.startswith("data:") and '"result"' in line), text)
    return json.loads(json.loads(data)["result"]["content"][0]["text"])


def vanish(address: str, clinic: str, process: subprocess.Popen[bytes]) -> None:
    """Send a write, and close the connection once it has reached the clinic."""
    host = httpx2.URL(address)
    body = json.dumps(frame("create_patient", first_name="Half", last_name="Done")).encode()
    lines = "".join(f"{name}: {value}\r\n" for name, value in (HEADERS | {"mcp-name": "create_patient"}).items())
    head = f"POST {host.path} HTTP/1.1\r\nhost: {host.host}:{host.port}\r\n{lines}content-length: {len(body)}\r\n\r\n"
    import socket

    with socket.create_connection((host.host, host.port or 80), timeout=20) as connection:
        connection.sendall(head.encode() + body)
        until(posted(clinic), process)


def posted(clinic: str) -> Callable[[], bool]:
    def holds() -> bool:
        entries = httpx2.get(f"{clinic}/_sandbox/requests", trust_env=False, timeout=PATIENT).json()["requests"]
        return any(each["method"] == "POST" for each in entries)

    return holds


def outcomes(audit: Path) -> list[str]:
    lines = [json.loads(line) for line in audit.read_text().splitlines()] if audit.exists() else []
    return [each["outcome"] for each in lines if each["operation"] == "create_patient"]


def test_a_client_that_vanishes_stops_its_call_which_is_written_down_and_others_go_on(tmp_path: Path) -> None:
    audit = tmp_path / "audit.jsonl"
    with listening(audit) as (process, address, clinic):
        slow = {"faults": [{"kind": "slow", "seconds": 600, "method": "POST"}]}
        httpx2.post(f"{clinic}/_sandbox/faults", json=slow, trust_env=False, timeout=PATIENT)
        vanish(address, clinic, process)
        until(lambda: len(outcomes(audit)) == 2, process)
        assert outcomes(audit) == ["begun", "interrupted"]
        assert call(address, "list_practitioners", limit=1)["items"]
        assert Chain(audit).verify().problem is None


def test_a_server_told_to_stop_over_http_ends_in_seconds_and_writes_down_how_the_call_ended(tmp_path: Path) -> None:
    audit = tmp_path / "audit.jsonl"
    with listening(audit) as (process, address, clinic):
        slow = {"faults": [{"kind": "slow", "seconds": 600, "method": "POST"}]}
        httpx2.post(f"{clinic}/_sandbox/faults", json=slow, trust_env=False, timeout=PATIENT)
        body = json.dumps(frame("create_patient", first_name="Half", last_name="Done"))
        command = (
            "import httpx2, sys, json\n"
            "given = {'content': sys.argv[2], 'headers': json.loads(sys.argv[3])}\n"
            "httpx2.post(sys.argv[1], **given, timeout=60, trust_env=False)\n"
        )
        headers = json.dumps(HEADERS | {"mcp-name": "create_patient"})
        with subprocess.Popen(
            [sys.executable, "-c", command, address, body, headers], stderr=subprocess.DEVNULL
        ) as client:
            until(posted(clinic), process)
            process.send_signal(signal.SIGTERM)
            process.wait(15)
            client.kill()
        assert outcomes(audit) == ["begun", "interrupted"]
        assert Chain(audit).verify().problem is None


def test_a_client_that_vanishes_over_sse_stops_its_call_which_is_written_down_and_others_go_on(tmp_path: Path) -> None:
    audit = tmp_path / "audit.jsonl"
    with listening(audit, "sse") as (process, address, clinic):
        slow = {"faults": [{"kind": "slow", "seconds": 600, "method": "POST"}]}
        httpx2.post(f"{clinic}/_sandbox/faults", json=slow, trust_env=False, timeout=PATIENT)
        with Stream(address) as leaving:
            leaving.send(frame("create_patient", first_name="Half", last_name="Done"))
            until(posted(clinic), process)
        until(lambda: len(outcomes(audit)) == 2, process)
        assert outcomes(audit) == ["begun", "interrupted"]
        with Stream(address) as staying:
            staying.send(frame("list_practitioners", limit=1))
            assert "result" in staying.answer(1)
        assert Chain(audit).verify().problem is None


def test_a_server_told_to_stop_over_sse_ends_in_seconds_and_writes_down_how_the_call_ended(tmp_path: Path) -> None:
    audit = tmp_path / "audit.jsonl"
    with listening(audit, "sse") as (process, address, clinic):
        slow = {"faults": [{"kind": "slow", "seconds": 600, "method": "POST"}]}
        httpx2.post(f"{clinic}/_sandbox/faults", json=slow, trust_env=False, timeout=PATIENT)
        with Stream(address) as stream:
            stream.send(frame("create_patient", first_name="Half", last_name="Done"))
            until(posted(clinic), process)
            process.send_signal(signal.SIGTERM)
            process.wait(15)
        assert outcomes(audit) == ["begun", "interrupted"]
        assert Chain(audit).verify().problem is None
