"""CPU time of a read over Streamable HTTP, by the system's own accounting, beside an empty tool and a bare request.

    python -m benchmarks.cpu [--json] [--calls 600] [--rounds 5] [--save]

The demo clinic is a process of its own, so is each server: ours, one whose tool answers at once, and one whose tool
makes the bare request and gives back what it read. Each is asked in turn, one call after another, and what the system
charged the server's process meanwhile is divided by the calls. The least of the rounds counts: other work on the
computer adds to what a call takes and never takes from it. `--save` keeps the figures for the README.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Final

import anyio
import httpx2

from benchmarks.http import EMPTY, KEY, TOKEN, Ask, load, tool_call
from benchmarks.report import Row, report, where

KEY_NAME: Final = "demo-au1"
BUDGET: Final = 1.2
ROW_BUDGET: Final = 0.10
RESULT: Final = "benchmarks/cpu.json"
BARE: Final = (
    EMPTY.replace("import socket", "import json\nimport socket\nimport httpx2")
    .replace(
        '    text = types.TextContent(type="text", text=\'{"said": "patient"}\')\n',
        "    found = (await http.get(PATH % params.arguments['id'])).json()\n"
        '    text = types.TextContent(type="text", text=json.dumps(found))\n',
    )
    .replace('structured_content={"said": "patient"}', "structured_content=found")
    .replace(
        'app = Server("empty"', 'http = httpx2.AsyncClient(headers=HEADERS, trust_env=False)\napp = Server("empty"'
    )
)
"""The empty server with a tool that reads a patient and gives it back as it came, in both channels."""


OURS: Final = """
import runpy
from cliniko_mcp import settings
settings.REQUESTS_PER_MINUTE = 10_000_000
runpy.run_module("cliniko_mcp", run_name="__main__")
"""
"""The server without the limit that it keeps towards a clinic which is not its own."""


@contextmanager
def _process(command: list[str], pattern: str, more: dict[str, str] | None = None) -> Generator[tuple[str, int]]:
    """A process and what it prints that fits the pattern."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ | (more or {})
    ) as process:
        try:
            assert process.stdout is not None
            told = ""
            while (found := re.search(pattern, told)) is None and (line := process.stdout.readline()):
                told += line
            assert found is not None, told
            yield found[1], process.pid
        finally:
            process.terminate()
            process.wait(20)


def seconds_of(process_id: int) -> float:
    """The CPU time that the system has charged a process so far, its own and that spent for it, in seconds."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measured(calls: int, rounds: int) -> tuple[list[Row], dict[str, float]]:
    """Milliseconds of CPU a call of each server; what a read of ours is to the bare request in an empty tool, and the
    milliseconds of a row."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        serve = [sys.executable, "-m", "cliniko_mcp"]
        sandbox = [*serve, "sandbox", "--port", "0", "--rate-limit", "0"]
        clinic, _ = stack.enter_context(_process(sandbox, r"url (\S+)\n"))
        ours = [
            *(sys.executable, "-c", OURS, "serve", "--transport", "http", "--port", "0", "--base-url", clinic),
            *("--requests-per-minute", "10000000", "--audit-file", str(Path(folder) / "audit.jsonl")),
        ]
        own = {
            "CLINIKO_API_KEY": KEY_NAME,
            "CLINIKO_CONTACT_EMAIL": "me@example.org",
            "CLINIKO_MCP_HTTP_TOKEN": TOKEN,
        }
        address, served = stack.enter_context(_process(ours, r"listening on (\S+)", own))
        script = BARE.replace("HEADERS", repr(KEY)).replace("PATH", repr(f"{clinic}/patients/%s"))
        bare_address, bare = stack.enter_context(_process([sys.executable, "-c", script], r"(http\S+/mcp)"))
        idle_address, idle = stack.enter_context(_process([sys.executable, "-c", EMPTY], r"(http\S+/mcp)"))
        people = httpx2.get(f"{clinic}/patients?per_page=100", headers=KEY, trust_env=False, timeout=60).json()[
            "patients"
        ]
        patient: str = people[0]["id"]
        bare_patient: str = next(row["id"] for row in people if not row.get("latest_booking"))
        appointments = {"limit": 100, "detail": "concise"}
        asked: dict[str, tuple[Ask, int, int]] = {
            "a read of ours": (tool_call(address, "get_patient", {"id": patient}, patient), served, calls),
            "a read of ours, no names beside it": (
                tool_call(address, "get_patient", {"id": bare_patient}, bare_patient),
                served,
                calls,
            ),
            "the bare request in an empty tool": (
                tool_call(bare_address, "echo", {"id": patient}, patient),
                bare,
                calls,
            ),
            "an empty tool": (tool_call(idle_address, "echo", {"id": patient}, "patient"), idle, calls),
            "a list of 100 rows of ours": (
                tool_call(address, "list_individual_appointments", appointments, "starts_at"),
                served,
                max(calls // 8, 1),
            ),
        }
        taken: dict[str, list[float]] = {name: [] for name in asked}
        for ask, _, _ in asked.values():
            await load(ask, 1, 20)
        for _ in range(rounds):
            for name, (ask, process_id, times) in asked.items():
                began = seconds_of(process_id)
                _, answered = await load(ask, 1, times)
                taken[name].append((seconds_of(process_id) - began) * 1000 / (len(answered) + 1))
    cost = {name: min(found) for name, found in taken.items()}
    rows: list[Row] = [{"call": name, "CPU ms": cost[name], "median": median(taken[name])} for name in cost]
    read, requested = cost["a read of ours"], cost["the bare request in an empty tool"]
    found = {"read": read / requested, "read without names": cost["a read of ours, no names beside it"] / requested}
    return rows, found | {"row": (cost["a list of 100 rows of ours"] - read) / 100}


def main() -> None:
    """Measure and print."""
    calls = int(sys.argv[sys.argv.index("--calls") + 1]) if "--calls" in sys.argv else 600
    rounds = int(sys.argv[sys.argv.index("--rounds") + 1]) if "--rounds" in sys.argv else 5
    rows, found = anyio.run(measured, calls, rounds)
    facts = {
        "a read, to the bare request in an empty tool": f"{found['read']:.2f} (budget {BUDGET})",
        "the same with no names beside it": f"{found['read without names']:.2f}",
        "a row of a list, ms": f"{found['row']:.3f} (budget {ROW_BUDGET})",
    }
    report("CPU time of a server's process, a call", rows, facts)
    if "--save" in sys.argv:
        saved = {**where(), **found, "calls": {row["call"]: row["CPU ms"] for row in rows}}
        (Path(__file__).resolve().parents[1] / RESULT).write_text(json.dumps(saved, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
