"""Calls a second and their percentiles over Streamable HTTP, beside bare requests to the same demo clinic.

    python -m benchmarks.http [--json] [--calls 400]

A server process works in its demo clinic, which also answers on a port; 1, 10 and 100 clients ask each in turn, one
call after another. Clients and server share the computer.
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
Ask = Callable[[httpx2.AsyncClient], Awaitable[None]]


@contextmanager
def listening() -> Generator[tuple[str, str, int]]:
    """A server: its address, its demo clinic's, and its process id."""
    with tempfile.TemporaryDirectory() as folder:
        audit = ["--audit-file", str(Path(folder) / "audit.jsonl"), "--requests-per-minute", "10000000"]
        command = [sys.executable, "-m", "cliniko_mcp", "serve", "--sandbox", *FLAGS, *audit]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
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


async def measured(calls: int) -> tuple[list[Row], dict[str, object]]:
    """A row for each number of clients, for calls of a tool and for bare requests; and the server's peak memory."""
    rows: list[Row] = []
    with listening() as (address, clinic, process_id):
        patients = httpx2.get(f"{clinic}/patients?per_page=1", headers=KEY, trust_env=False).json()
        patient: str = patients["patients"][0]["id"]
        headers = {
            "accept": "application/json, text/event-stream",
            "mcp-protocol-version": MODERN,
            "mcp-method": "tools/call",
            "mcp-name": "get_patient",
        }
        params: dict[str, Any] = {"name": "get_patient", "arguments": {"id": patient}, "_meta": META}
        frame = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}

        async def call(http: httpx2.AsyncClient) -> None:
            response = await http.post(address, json=frame, headers=headers)
            assert patient in response.text, response.text[:300]

        async def request(http: httpx2.AsyncClient) -> None:
            response = await http.get(f"{clinic}/patients/{patient}", headers=KEY)
            assert json.loads(response.content)["id"] == patient

        await load(call, 2, 20)
        await load(request, 2, 20)
        for clients in CLIENTS:
            took, asked = await load(request, clients, calls)
            bare = len(asked) / took
            seconds, times = await load(call, clients, calls)
            cuts = quantiles(times, n=100)
            rows.append(
                {
                    "clients": clients,
                    "calls a second": len(times) / seconds,
                    "p50 ms": cuts[49],
                    "p95 ms": cuts[94],
                    "p99 ms": cuts[98],
                    "bare requests a second": bare,
                    "bare to call": bare / (len(times) / seconds),
                }
            )
        return rows, {"MB at the server's peak": round(peak_megabytes(process_id))}


def main() -> None:
    """Measure and print."""
    calls = int(sys.argv[sys.argv.index("--calls") + 1]) if "--calls" in sys.argv else 400
    rows, facts = anyio.run(measured, calls)
    report("Reads over Streamable HTTP", rows, facts)


if __name__ == "__main__":
    main()
