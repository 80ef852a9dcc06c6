"""The wire itself, with no SDK on the client's side: every byte on standard output is JSON-RPC."""

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import IO, Any

import pytest

META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "bytes", "version": "1"},
}


class Wire:
    """Writes lines to a server process and reads lines back."""

    def __init__(self, process: subprocess.Popen[bytes], modern: bool) -> None:
        self._process = process
        self._modern = modern
        self._next = 0

    def _pipe(self, pipe: IO[bytes] | None) -> IO[bytes]:
        assert pipe is not None
        return pipe

    def send(self, message: dict[str, Any]) -> None:
        pipe = self._pipe(self._process.stdin)
        pipe.write((json.dumps({"jsonrpc": "2.0", **message}) + "\n").encode())
        pipe.flush()

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        self._next += 1
        meta = {"_meta": META} if self._modern else {}
        self.send({"id": self._next, "method": method, "params": params | meta})
        while True:
            message = json.loads(self._pipe(self._process.stdout).readline())
            assert message["jsonrpc"] == "2.0"
            if message.get("id") == self._next:
                return message

    def tool(self, name: str, **arguments: Any) -> dict[str, Any]:
        answer = self.ask("tools/call", name=name, arguments=arguments)
        return json.loads(answer["result"]["content"][0]["text"])


PRELUDE = "import warnings, sys; warnings.simplefilter('always')\n"
NOISY = PRELUDE + (
    "import cliniko_mcp.tools.tool as t, warnings\n"
    "import os, subprocess\n"
    "old = t._performed\n"
    "async def noisy(*a):\n"
    "    print('a library prints'); warnings.warn('a warning fires')\n"
    "    os.write(1, b'raw bytes'); subprocess.run([sys.executable, '-c', 'print(1)'])\n"
    "    return await old(*a)\n"
    "t._performed = noisy\n"
    "from cliniko_mcp.cli import main\n"
    "sys.argv = ['cliniko-mcp', 'serve', '--sandbox', '--view', 'all']\n"
    "main()\n"
)
QUIET = PRELUDE + "from cliniko_mcp.cli import main\nsys.argv = ['cliniko-mcp', '--sandbox']\nmain()\n"


@contextmanager
def server(modern: bool, code: str) -> Generator[Wire]:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, stderr=pipe) as process:
        wire = Wire(process, modern)
        if not modern:
            client = {"name": "bytes", "version": "1"}
            wire.ask("initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo=client)
            wire.send({"method": "notifications/initialized"})
        try:
            yield wire
            assert process.stdin is not None
            process.stdin.close()
            assert process.stdout is not None
            for line in process.stdout:
                json.loads(line)
            assert process.wait(300) == 0
        finally:
            process.kill()


@pytest.mark.long
@pytest.mark.parametrize("modern", [False, True], ids=["2025-11-25", "2026-07-28"])
def test_the_main_job_works_without_an_sdk_and_nothing_else_is_on_standard_output(modern: bool) -> None:
    with server(modern, NOISY) as wire:
        listed = wire.ask("tools/list")["result"]
        assert "nextCursor" not in listed
        assert len(listed["tools"]) > 180
        patient = wire.tool("list_patients", limit=1)["items"][0]
        assert wire.tool("get_patient", id=patient["id"])["item"]["id"] == patient["id"]
        made = wire.tool("create_patient", first_name="Bo", last_name="Example")["item"]
        assert wire.tool("update_patient", id=made["id"], city="Sampleton")["item"]["city"] == "Sampleton"
        assert wire.tool("get_patient", id="no")["code"] == "invalid_arguments"
        unknown = wire.ask("tools/call", name="no_such_tool", arguments={})
        assert unknown["error"]["code"] == -32602


UNREADABLE = {
    "cut off": (b'{"jsonrpc": "2.0", "id": 77', -32700),
    "garbage": (b"\xff\xfe not json", -32700),
    "half a character": (rb'{"jsonrpc": "2.0", "id": "\ud800", "method": "ping"}', -32700),
    "deep": (b"[" * 100_000, -32700),
    "a batch": (b"[]", -32600),
    "another version": (b'{"jsonrpc": "1.0", "id": 78, "method": "ping"}', -32600),
}


@pytest.mark.long
@pytest.mark.parametrize("modern", [False, True], ids=["2025-11-25", "2026-07-28"])
def test_lines_that_cannot_be_read_are_answered_with_their_error_and_end_nothing(modern: bool) -> None:
    with server(modern, QUIET) as wire:
        pipe = wire._pipe(wire._process.stdin)
        for name, (line, code) in UNREADABLE.items():
            pipe.write(line + b"\n\n  \r\n")
            pipe.flush()
            answer = json.loads(wire._pipe(wire._process.stdout).readline())
            assert (answer["jsonrpc"], answer["id"], answer["error"]["code"]) == ("2.0", None, code), name
            # Empty lines are no messages, and what could not be read is not repeated.
            assert set(answer["error"]) == {"code", "message"}
            wire.send({"id": name, "method": "ping", "params": {"_meta": META}})
            assert json.loads(wire._pipe(wire._process.stdout).readline())["id"] == name
        assert wire.ask("tools/list")["result"]["tools"]
