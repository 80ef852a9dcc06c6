"""A server process on the demo clinic, spoken to line by line, whose clinic can be troubled from outside."""

import json
import os
import re
import socket
import subprocess
import sys
from base64 import b64encode
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any, Self

import httpx2

from cliniko_mcp.guards.hash_chain import HashChain
from tests import warm
from tests.warm import DEMO
from tests.warm.started import Started

META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "faults", "version": "1"},
}
PATIENT = 300.0
"""Seconds that a test waits for an answer or an end: a busy machine takes a while to sow a clinic."""
STUCK = 3_000.0
"""Seconds for which an upstream is silent where a test ends a call, far more than it waits for the end."""
TOKEN = "correct-horse-battery-staple"
BEARER = {"authorization": f"Bearer {TOKEN}"}
"""What a client over HTTP sends to a server of `listening`."""
Process = subprocess.Popen[bytes] | Started


class Served:
    """One server process over stdio, in the era without a handshake, with its demo clinic on a port as well."""

    def __init__(self, process: Process, audit: Path) -> None:
        self.process = process
        self.audit = audit
        self.url = ""
        self._next = 0
        self._seen: list[str] = []
        assert process.stderr is not None
        for raw in process.stderr:
            line = raw.decode()
            self._seen.append(line)
            if found := re.match(r"url (\S+)", line):
                self.url = found[1]
            if line.startswith("curl"):
                break
        # What comes later is read along, or a full pipe would stop the server.
        self.reading = Thread(target=self._read_along, daemon=True)
        self.reading.start()

    def _read_along(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._seen.append(line.decode())

    @property
    def said(self) -> str:
        return "".join(self._seen)

    def send(self, name: str, **arguments: Any) -> int:
        self._next += 1
        params = {"name": name, "arguments": arguments, "_meta": META}
        message = {"jsonrpc": "2.0", "id": self._next, "method": "tools/call", "params": params}
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()
        return self._next

    def answer(self, number: int) -> dict[str, Any]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            message = json.loads(line)
            if message.get("id") == number:
                return json.loads(message["result"]["content"][0]["text"])
        raise AssertionError(f"the server ended:\n{self.said}")

    def call(self, name: str, **arguments: Any) -> dict[str, Any]:
        return self.answer(self.send(name, **arguments))

    def trouble(self, **fault: Any) -> None:
        self._control("POST", "faults", {"faults": [fault]})

    def peace(self) -> None:
        self._control("DELETE", "faults")

    def asked(self, method: str) -> list[str]:
        """The paths that the server asked the clinic for with this method."""
        entries = self._control("GET", "requests")["requests"]
        return [entry["path"] for entry in entries if entry["method"] == method and entry["origin"] == "server"]

    def patients(self, last_name: str) -> int:
        """How many patients of this name the clinic has, seen from outside."""
        key = b64encode(b"demo-au1:").decode()
        headers = {"Authorization": f"Basic {key}", "User-Agent": "faults (t@example.org)"}
        found = httpx2.get(
            f"{self.url}/patients?q[]=last_name:={last_name}", headers=headers, trust_env=False, timeout=PATIENT
        )
        return int(found.json()["total_entries"])

    def _control(self, method: str, route: str, body: Any = None) -> Any:
        address = self.url.removesuffix("/v1") + f"/_sandbox/{route}"
        answer = httpx2.request(method, address, json=body, trust_env=False, timeout=PATIENT).raise_for_status()
        return answer.json() if answer.content else None

    def written(self) -> list[dict[str, Any]]:
        """The audit log's whole lines."""
        lines = self.audit.read_bytes().split(b"\n")[:-1] if self.audit.exists() else []
        return [json.loads(line) for line in lines]

    def chain(self) -> HashChain:
        return HashChain(self.audit)


def started(*flags: str, prepare: Any = None, **environ: str) -> Process:
    """A server in the demo clinic with these flags and pipes; `prepare` is called in the new process first."""
    command = ("serve", *DEMO, *flags)
    if warm.POSSIBLE and prepare is None:
        return Started(*command, env=os.environ | environ)
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-m", "cliniko_mcp", *command],
        stdin=pipe, stdout=pipe, stderr=pipe, env=os.environ | environ, preexec_fn=prepare,
    )  # fmt: skip


@contextmanager
def served(audit: Path, *flags: str, prepare: Any = None) -> Generator[Served]:
    """A server process; killed at the end if it is still there."""
    ports = ["--sandbox-port", "0", "--rate-limit", "0"]
    with started(*ports, "--audit-file", str(audit), *flags, prepare=prepare) as process:
        found: Served | None = None
        try:
            found = Served(process, audit)
            yield found
        finally:
            process.kill()
            process.wait()
            if found is not None:
                found.reading.join()


@contextmanager
def listening(audit: Path, transport: str = "http") -> Generator[tuple[Process, str, str]]:
    """A server process on a port: the process, its address, and its demo clinic's."""
    ports = ["--transport", transport, "--port", "0", "--sandbox-port", "0", "--rate-limit", "0"]
    with started(*ports, "--audit-file", str(audit), CLINIKO_MCP_HTTP_TOKEN=TOKEN) as process:
        reading: Thread | None = None
        try:
            assert process.stderr is not None
            text = ""
            while "listening on" not in text:
                line = process.stderr.readline().decode()
                assert line, text
                text += line
            address, clinic = re.search(r"listening on (\S+)", text), re.search(r"url (\S+)", text)
            assert address is not None
            assert clinic is not None
            # What comes later is read along, or a full pipe would stop the server.
            reading = Thread(target=process.stderr.read, daemon=True)
            reading.start()
            yield process, address[1], clinic[1].removesuffix("/v1")
        finally:
            process.kill()
            if reading is not None:
                reading.join()


class Stream:
    """A client over SSE with no SDK: what it posts, and the messages that come down its stream."""

    def __init__(self, address: str) -> None:
        self._http = httpx2.Client(trust_env=False, timeout=PATIENT, headers=BEARER)
        self._came: Queue[str | None] = Queue()
        # Sent by hand, because a stream that another thread reads can only be broken off below.
        request = self._http.build_request("GET", address)
        self._response = self._http.send(request, stream=True)
        self._reading = Thread(target=self._read, daemon=True)
        self._reading.start()
        path = self._came.get(timeout=PATIENT)
        assert path is not None
        self._post_to = str(request.url.join(path))

    def _read(self) -> None:
        try:
            rest = b""
            for part in self._response.iter_bytes():
                # By hand, because the client's lines also end where a text of ours holds U+0085 or U+2028.
                *lines, rest = (rest + part).split(b"\n")
                for line in lines:
                    if line.startswith(b"data:"):
                        self._came.put(line.removeprefix(b"data:").decode().strip())
        except (httpx2.TransportError, httpx2.StreamError, OSError):
            pass
        self._came.put(None)

    def post(self, body: bytes, **headers: str) -> httpx2.Response:
        return self._http.post(self._post_to, content=body, headers={"content-type": "application/json", **headers})

    def send(self, message: dict[str, Any]) -> None:
        assert self.post(json.dumps(message).encode()).status_code == 202

    def answer(self, number: int | str) -> dict[str, Any]:
        """The answer to this request; all that comes before it has to be JSON-RPC."""
        while (text := self._came.get(timeout=PATIENT)) is not None:
            message = json.loads(text)
            assert message["jsonrpc"] == "2.0"
            if message.get("id") == number:
                return message
        raise AssertionError("the stream ended")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        connection: socket.socket = self._response.extensions["network_stream"].get_extra_info("socket")
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        self._reading.join()
        self._response.close()
        self._http.close()
