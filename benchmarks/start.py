"""How soon a server can list its tools, and its memory, beside an empty server on the same SDK.

    python -m benchmarks.start [--json] [--runs 7]

The runs take turns, so that whatever else the computer does hits all of them alike; medians are compared.
"""

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.report import Row, report

EMPTY = """
import anyio
import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

async def list_tools(ctx, params):
    return types.ListToolsResult(tools=[])

async def main():
    server = Server("empty", on_list_tools=list_tools)
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())

anyio.run(main)
"""
SERVE = [sys.executable, "-m", "cliniko_mcp", "serve", "--sandbox"]
COMMANDS = {
    "empty server": [sys.executable, "-c", EMPTY],
    "core": SERVE,
    "all": [*SERVE, "--view", "all"],
}
HELLO = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "benchmark", "version": "1"},
}


def once(command: list[str]) -> tuple[float, float, list[dict[str, Any]]]:
    """Seconds to the first tools/list, megabytes at the peak (0 where not told), the tools."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdin is not None
    assert process.stdout is not None

    def send(message: dict[str, Any]) -> None:
        assert process.stdin is not None
        process.stdin.write((json.dumps({"jsonrpc": "2.0", **message}) + "\n").encode())
        process.stdin.flush()

    send({"id": 1, "method": "initialize", "params": HELLO})
    process.stdout.readline()
    send({"method": "notifications/initialized"})
    send({"id": 2, "method": "tools/list", "params": {}})
    listed = json.loads(process.stdout.readline())
    seconds = time.perf_counter() - began
    megabytes = peak_megabytes(process.pid)
    process.stdin.close()
    process.wait(10)
    return seconds, megabytes, listed["result"]["tools"]


def peak_megabytes(process_id: int) -> float:
    """The most memory the process has held, on Linux; 0 elsewhere."""
    status = Path(f"/proc/{process_id}/status")
    if not status.exists():
        return 0.0
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def measured(commands: Mapping[str, list[str]], runs: int) -> list[Row]:
    """A row for each command, the first of which is the one that the others are compared with."""
    for command in commands.values():  # the first start of each reads the disk
        once(command)
    found: dict[str, list[tuple[float, float, int]]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            seconds, megabytes, tools = once(command)
            found[name].append((seconds, megabytes, len(tools)))
    first = next(iter(found.values()))
    rows: list[Row] = []
    for name, all_runs in found.items():
        # Each run against the empty server of its own round, so that a busy moment hits both.
        ratio = median(run[0] / empty[0] for run, empty in zip(all_runs, first, strict=True))
        megabytes = median(run[1] for run in all_runs)
        memory = median(run[1] for run in first)
        rows.append(
            {
                "server": name,
                "tools": all_runs[0][2],
                "seconds": median(run[0] for run in all_runs),
                "to empty": ratio,
                "MB": megabytes,
                "MB to empty": megabytes / memory if memory else 0.0,
            }
        )
    return rows


def main() -> None:
    """Measure and print."""
    runs = int(sys.argv[sys.argv.index("--runs") + 1]) if "--runs" in sys.argv else 7
    report("Start to the first tools/list", measured(COMMANDS, runs), {"runs": runs})


if __name__ == "__main__":
    main()
