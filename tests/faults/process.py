"""A server process on the demo clinic, spoken to line by line, whose clinic can be troubled from outside."""

import json
import os
import re
import subprocess
import sys
from base64 import b64encode
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import httpx2

from cliniko_mcp.guardrails.chain import Chain

META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "faults", "version": "1"},
}
SERVE = (sys.executable, "-m", "cliniko_mcp", "serve", "--sandbox")


class Served:
    """One server process over stdio, in the era without a handshake, with its demo clinic on a port as well."""

    def __init__(self, process: subprocess.Popen[bytes], audit: Path) -> None:
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
        return [each["path"] for each in entries if each["method"] == method and each["origin"] == "server"]

    def patients(self, last_name: str) -> int:
        """How many patients of this name the clinic has, seen from outside."""
        key = b64encode(b"demo-au1:").decode()
        headers = {"Authorization": f"Basic {key}", "User-Agent": "faults (t@example.org)"}
        found = httpx2.get(f"{self.url}/patients?q[]=last_name:={last_name}", headers=headers, trust_env=False)
        return int(found.json()["total_entries"])

    def _control(self, method: str, route: str, body: Any = None) -> Any:
        address = self.url.removesuffix("/v1") + f"/_sandbox/{route}"
        answer = httpx2.request(method, address, json=body, trust_env=False).raise_for_status()
        return answer.json() if answer.content else None

    def written(self) -> list[dict[str, Any]]:
        """The audit log's whole lines."""
        lines = self.audit.read_bytes().split(b"\n")[:-1] if self.audit.exists() else []
        return [json.loads(line) for line in lines]

    def chain(self) -> Chain:
        return Chain(self.audit)


@contextmanager
def served(audit: Path, *flags: str, prepare: Any = None) -> Generator[Served]:
    """A server process; killed at the end if it is still there."""
    command = [*SERVE, "--sandbox-port", "0", "--rate-limit", "0", "--audit-file", str(audit), *flags]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, env=dict(os.environ), preexec_fn=prepare
    ) as process:
        found: Served | None = None
        try:
            found = Served(process, audit)
            yield found
        finally:
            process.kill()
            process.wait()
            if found is not None:
                found.reading.join()
