"""What a call costs over the bare HTTP request to the same demo clinic, and how cost grows with the number of rows.

    python -m benchmarks.calls [--json] [--rows 1000,10000,100000]

Everything runs in one process: the call goes from a real MCP client through the server to the demo clinic, the bare
request goes from the same HTTP client library to the same clinic. They take turns; medians are compared.
"""

import json
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any

import anyio
import httpx2
from mcp.client.client import Client

from benchmarks.report import Row, report
from cliniko_mcp.app import App, open_app
from cliniko_mcp.cliniko.resources.patients import Patients
from cliniko_mcp.guards.pipeline import Caller
from cliniko_mcp.protocol.server import build_server
from cliniko_mcp.sandbox.faults import Fault
from cliniko_mcp.sandbox.transport import SandboxTransport
from cliniko_mcp.settings import Settings

FLAGS: dict[str, Any] = {
    "sandbox": True,
    "view": "all",
    "sandbox_now": "2026-11-24T09:00:00+11:00",
    "sandbox_clock": "frozen",
    "rate_limit": 0,
    "requests_per_minute": 10_000_000,
}
HEADERS = {
    "Authorization": "Basic " + b64encode(b"demo-au1:").decode(),
    "User-Agent": "benchmark (me@example.org)",
    "Accept": "application/json",
}
Work = Callable[[], Awaitable[object]]


@asynccontextmanager
async def at_work() -> AsyncGenerator[tuple[App, Client, httpx2.AsyncClient]]:
    """An app, an MCP client connected to its server, and a bare HTTP client of the same clinic."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.load(FLAGS | {"audit_file": str(Path(folder) / "audit.jsonl")}, {})
        async with AsyncExitStack() as stack:
            app = await stack.enter_async_context(open_app(settings))
            client = await stack.enter_async_context(Client(build_server(app)))
            transport = SandboxTransport(app.sandbox)
            bare = httpx2.AsyncClient(transport=transport, base_url=app.sandbox.base_url, headers=HEADERS)
            yield app, client, await stack.enter_async_context(bare)


async def overhead(runs: int = 60) -> list[Row]:
    """A row for a read, a list of 100 rows and a write: milliseconds of the call, of the bare request, and between."""
    async with at_work() as (app, client, bare):
        patient = (await app.call("list_patients", {"limit": 1}, Caller()))["items"][0]["id"]  # pyright: ignore
        number = 0

        async def called(tool: str, **arguments: Any) -> None:
            assert not (await client.call_tool(tool, arguments)).is_error

        async def send(method: str, path: str, body: object = None) -> None:
            response = await bare.request(method, path, json=body)
            response.raise_for_status()
            json.loads(response.content)

        def fresh() -> str:
            nonlocal number
            number += 1
            return f"Type {number}"

        pairs: dict[str, tuple[Work, Work]] = {
            "read a patient": (
                lambda: called("get_patient", id=patient),
                lambda: send("GET", f"/patients/{patient}"),
            ),
            "list 100 appointments": (
                lambda: called("list_individual_appointments", limit=100),
                lambda: send("GET", "/individual_appointments?per_page=100"),
            ),
            "add a discount group": (
                lambda: called("create_concession_type", name=fresh()),
                lambda: send("POST", "/concession_types", {"name": fresh()}),
            ),
        }
        rows: list[Row] = []
        for name, (call, request) in pairs.items():
            await call()
            await request()
            times = [(await took(call), await took(request)) for _ in range(runs)]
            ours, theirs = median(call_ms for call_ms, _ in times), median(request_ms for _, request_ms in times)
            between = median(call_ms - request_ms for call_ms, request_ms in times)
            rows.append(
                {"work": name, "call ms": ours, "request ms": theirs, "overhead ms": between, "ratio": ours / theirs}
            )
        return rows


async def took(work: Work) -> float:
    """Milliseconds of one run."""
    began = time.perf_counter()
    await work()
    return (time.perf_counter() - began) * 1000


async def frontdesk(runs: int = 7) -> list[Row]:
    """A row for each of the large curated tools: requests to Cliniko, the first time and after, and milliseconds."""
    tools: dict[str, tuple[str, dict[str, Any]]] = {
        "show_diary, a day": ("show_diary", {"when": "today"}),
        "show_diary, a week": ("show_diary", {"when": "this week"}),
        "find_times, a week": ("find_times", {"type": "Standard consult", "when": "this week"}),
        "find_times, a month": ("find_times", {"type": "Standard consult", "when": "in the next 30 days"}),
    }
    rows: list[Row] = []
    for name, (tool, arguments) in tools.items():
        async with at_work() as (app, _, _):
            kinds = await app.call("list_appointment_types", {"limit": 1, "fields": "name"}, Caller())
            filled = arguments | ({"type": kinds["items"][0]["name"]} if "type" in arguments else {})  # pyright: ignore
            seen = app.sandbox.requests

            async def run(tool: str = tool, filled: dict[str, Any] = filled, app: App = app) -> None:
                await app.call(tool, filled, Caller())

            before = len(seen)
            await run()
            first, before = len(seen) - before, len(seen)
            times = [await took(run) for _ in range(runs)]
            rows.append(
                {"tool": name, "requests, first": first, "later": (len(seen) - before) // runs, "ms": median(times)}
            )
    return rows


async def distant(runs: int = 5) -> list[Row]:
    """A row: seconds of find_times over everyone and four weeks, of 1.5 allowed, where each answer takes 50 ms."""
    async with at_work() as (app, _, _):
        await app.call("list_businesses", {"limit": 1}, Caller())
        app.sandbox.faults.set(Fault("slow", seconds=0.05))
        filled = {"type": "Standard consult", "when": "next 4 weeks"}
        times = [await took(lambda: app.call("find_times", filled, Caller())) for _ in range(runs + 1)]
        row: Row = {"tool": "find_times, 4 weeks, 50 ms upstream", "first s": times[0] / 1000}
        return [row | {"later s": median(times[1:]) / 1000}]


async def growth(sizes: list[int]) -> list[Row]:
    """A row for each size of the clinic's list of patients: what its parts cost, and the whole to a 1,000 rows."""
    rows: list[Row] = []
    for size in sizes:
        async with at_work() as (app, _, _):
            await app.call("list_patients", {"limit": 1}, Caller())
            crowd(app, size)
            clinic = await app.guarded_clinic("benchmark", Caller())
            call = Patients.list_patients.call()
            began = time.perf_counter()
            count = len([1 async for _ in clinic.all(Patients.list_patients)])
            whole = time.perf_counter() - began
            assert count == size
            page = median([await took(lambda: clinic.rows(call, limit=100)) for _ in range(5)])  # noqa: B023
            last = median([await took(lambda: clinic.rows(call, limit=100, start=size - 100)) for _ in range(5)])  # noqa: B023
            rows.append(
                {
                    "rows": size,
                    "whole list, s": whole,
                    "ms a 1,000 rows": whole / size * 1_000_000,
                    "first page, ms": page,
                    "last page, ms": last,
                }
            )
    return rows


def crowd(app: App, size: int) -> None:
    """Fill the clinic with copies of one patient until it has so many."""
    state = app.sandbox.snapshot()
    tables: Any = state["tables"]
    patients: list[dict[str, Any]] = [row for row in tables["patients"] if not row.get("archived_at")][:1]
    pattern = patients[0]
    tables["patients"] = [{**pattern, "id": str(1_500_000_000_000_000_000 + number)} for number in range(size)]
    app.sandbox.restore(state)


def main() -> None:
    """Measure and print."""
    sizes = sys.argv[sys.argv.index("--rows") + 1] if "--rows" in sys.argv else "1000,10000,100000"
    report("One call over the bare request", anyio.run(overhead))
    report("Curated tools", anyio.run(frontdesk))
    report("Curated tools, far from Cliniko", anyio.run(distant))
    report("Cost by the number of rows", anyio.run(growth, [int(size) for size in sizes.split(",")]))


if __name__ == "__main__":
    main()
