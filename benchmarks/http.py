"""Calls a second and their percentiles over Streamable HTTP, beside an empty server and bare requests to the clinic.

    python -m benchmarks.http [--json] [--calls 400]

A server process works in its demo clinic, which also answers on a port; an empty server on the same SDK has one tool
that answers at once. 1, 10 and 100 clients ask each in turn, one call after another. Clients and servers share the
computer.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from threading import Thread
from typing import Any

import anyio
import httpx2

from benchmarks.report import Row, report
from benchmarks.start import peak_megabytes

CLIENTS = (1, 10, 100)
MODERN = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "benchmark", "version": "1"},
}
KEY = {"Authorization": "Basic " + b64encode(b"demo-au1:").decode(), "User-Agent": "benchmark (me@example.org)"}
FLAGS = ["--transport", "http", "--port", "0", "--sandbox-port", "0", "--rate-limit", "0"]
EMPTY = """
import socket
import mcp_types as types
import uvicorn
from mcp.server.lowlevel import Server

async def list_tools(ctx, params):
    return types.ListToolsResult(tools=[types.Tool(name="echo", input_schema={"type": "object"})])

async def call_tool(ctx, params):
    text = types.TextContent(type="text", text='{"said": "patient"}')
    return types.CallToolResult(content=[text], structured_content={"said": "patient"})

app = Server("empty", on_list_tools=list_tools, on_call_tool=call_tool).streamable_http_app()
bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
bound.bind(("127.0.0.1", 0))
bound.listen(128)
print(f"http://127.0.0.1:{bound.getsockname()[1]}/mcp", flush=True)
uvicorn.Server(uvicorn.Config(app, log_config=None, log_level="warning", access_log=False)).run(sockets=[bound])
"""
TOKEN = "correct-horse-battery-staple"
Ask = Callable[[httpx2.AsyncClient], Awaitable[None]]


@contextmanager
def listening() -> Generator[tuple[str, str, int]]:
    """A server: its address, its demo clinic's, and its process id."""
    with tempfile.TemporaryDirectory() as folder:
        audit = ["--audit-file", str(Path(folder) / "audit.jsonl"), "--requests-per-minute", "10000000"]
        command = [sys.executable, "-m", "cliniko_mcp", "serve", "--sandbox", *FLAGS, *audit]
        environ = os.environ | {"CLINIKO_MCP_HTTP_TOKEN": TOKEN}
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environ) as process:
            try:
                assert process.stderr is not None
                text = ""
                while "listening on" not in text and (line := process.stderr.readline()):
                    text += line
                Thread(target=process.stderr.read, daemon=True).start()
                address, clinic = re.search(r"listening on (\S+)", text), re.search(r"url (\S+)", text)
                assert address is not None, text
                assert clinic is not None, text
                yield address[1], clinic[1], process.pid
            finally:
                process.terminate()
                process.wait(20)


@contextmanager
def empty() -> Generator[str]:
    """The address of an empty server on the same SDK, with one tool that answers at once."""
    with subprocess.Popen([sys.executable, "-c", EMPTY], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
            process.wait(20)


async def load(ask: Ask, clients: int, calls: int) -> tuple[float, list[float]]:
    """Seconds for all calls, and the milliseconds of each, with so many clients of one open connection each."""
    times: list[float] = []
    limits = httpx2.Limits(max_connections=clients, max_keepalive_connections=clients)
    async with httpx2.AsyncClient(trust_env=False, timeout=60, limits=limits) as http:

        async def client(share: int) -> None:
            for _ in range(share):
                began = time.perf_counter()
                await ask(http)
                times.append((time.perf_counter() - began) * 1000)

        async def all_at_once(share: int) -> float:
            began = time.perf_counter()
            async with anyio.create_task_group() as group:
                for _ in range(clients):
                    group.start_soon(client, share)
            return time.perf_counter() - began

        await all_at_once(1)
        times.clear()
        return await all_at_once(max(calls // clients, 1)), times


def tool_call(address: str, name: str, arguments: dict[str, Any], expected: str) -> Ask:
    """What calls a tool in the era without sessions, and holds what comes back against a piece that it must contain."""
    headers = {
        "accept": "application/json, text/event-stream",
        "authorization": f"Bearer {TOKEN}",
        "mcp-protocol-version": MODERN,
        "mcp-method": "tools/call",
        "mcp-name": name,
    }
    params: dict[str, Any] = {"name": name, "arguments": arguments, "_meta": META}
    frame = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}

    async def call(http: httpx2.AsyncClient) -> None:
        response = await http.post(address, json=frame, headers=headers)
        assert expected in response.text, response.text[:300]

    return call


async def measured(calls: int) -> tuple[list[Row], dict[str, object]]:
    """A row for each number of clients: calls of a tool, of an empty server's, and bare requests; and peak memory."""
    rows: list[Row] = []
    with listening() as (address, clinic, process_id), empty() as nothing:
        patients = httpx2.get(f"{clinic}/patients?per_page=1", headers=KEY, trust_env=False, timeout=60).json()
        patient: str = patients["patients"][0]["id"]

        async def request(http: httpx2.AsyncClient) -> None:
            response = await http.get(f"{clinic}/patients/{patient}", headers=KEY)
            assert json.loads(response.content)["id"] == patient

        call = tool_call(address, "get_patient", {"id": patient}, patient)
        echo = tool_call(nothing, "echo", {"id": patient}, "patient")
        for ask in (call, request, echo):
            await load(ask, 2, 20)
        for clients in CLIENTS:
            bare, _ = await rate(request, clients, calls)
            idle, _ = await rate(echo, clients, calls)
            ours, times = await rate(call, clients, calls)
            cuts = quantiles(times, n=100)
            rows.append(
                {
                    "clients": clients,
                    "calls a second": ours,
                    "p50 ms": cuts[49],
                    "p95 ms": cuts[94],
                    "p99 ms": cuts[98],
                    "empty server": idle,
                    "empty to call": idle / ours,
                    "bare requests": bare,
                    "bare to call": bare / ours,
                }
            )
        return rows, {"MB at the server's peak": round(peak_megabytes(process_id))}


async def rate(ask: Ask, clients: int, calls: int) -> tuple[float, list[float]]:
    """How many a second, and the milliseconds of each."""
    seconds, times = await load(ask, clients, calls)
    return len(times) / seconds, times


def main() -> None:
    """Measure and print."""
    calls = int(sys.argv[sys.argv.index("--calls") + 1]) if "--calls" in sys.argv else 400
    rows, facts = anyio.run(measured, calls)
    report("Reads over Streamable HTTP", rows, facts)


if __name__ == "__main__":
    main()
