"""5,000 patients through the sweep, the drain and an export, against the ideal of 4 pages in flight and one at a time.

    python -m benchmarks.sweep [--json] [--rows 5000]

The upstream is a transport that answers each page after 50 ms; everything above it is the real client. Memory is the
most that Python held beyond the start, for the export of the rows and of four times as many: it should hardly differ.
"""

import json
import math
import random
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import anyio
import httpx2

from benchmarks.report import Row, report
from cliniko_mcp.cli.export import list_named
from cliniko_mcp.client.clinic import Clinic
from cliniko_mcp.cliniko.resources.patients import Patients
from cliniko_mcp.export import export, planned
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.guards.memory import Memory
from cliniko_mcp.guards.pipeline import Caller

DELAY = 0.05
IN_FLIGHT = 4
PAGE = 100
SLOW = "one page at a time"


class Upstream(httpx2.AsyncBaseTransport):
    """Answers a page of made-up patients after 50 ms; the pages are ready beforehand, as Cliniko makes its own."""

    def __init__(self, rows: int) -> None:
        self.pages = 0
        self._ready = [_page(number, rows) for number in range(1, math.ceil(rows / PAGE) + 1)]

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The page that was asked for."""
        await anyio.sleep(DELAY)
        self.pages += 1
        assert request.url.params["per_page"] == str(PAGE)
        return httpx2.Response(200, content=self._ready[int(request.url.params["page"]) - 1], request=request)


def _page(number: int, rows: int) -> bytes:
    first = (number - 1) * PAGE
    patients = [_patient(position) for position in range(first, min(first + PAGE, rows))]
    base = "https://api.au1.cliniko.com/v1/patients"
    links = {"self": base} | ({"next": f"{base}?page={number + 1}"} if first + PAGE < rows else {})
    return json.dumps({"patients": patients, "total_entries": rows, "links": links}).encode()


def _patient(number: int) -> dict[str, object]:
    key = str(1_000_000_000_000_000_000 + number)
    return {
        "id": key,
        "first_name": f"Ana {number}",
        "last_name": "Lee",
        "email": f"ana{number}@example.org",
        "date_of_birth": "1984-03-01",
        "created_at": "2026-01-02T03:04:05Z",
        "updated_at": "2026-01-02T03:04:05Z",
        "archived_at": None,
        "patient_phone_numbers": [{"phone_type": "Mobile", "number": "0400 000 000", "normalized_number": None}],
        "links": {"self": f"https://api.au1.cliniko.com/v1/patients/{key}"},
    }


async def timed(upstream: Upstream, work: Callable[[GuardedClinic], Awaitable[int]]) -> tuple[float, int, int]:
    """Seconds, pages asked for and rows that came through, with a client of its own."""
    upstream.pages = 0
    async with Clinic.open(
        base_url="https://api.au1.cliniko.com/v1",
        key="key-au1",
        user_agent="benchmark (me@example.org)",
        now=lambda: datetime.now(UTC),
        transport=upstream,
        per_minute=1_000_000,
        rng=random.Random(1),
    ) as client:
        clinic = GuardedClinic(client, (), Caller(route="terminal"), "export", Memory(time.monotonic, client.now))
        began = time.perf_counter()
        came = await work(clinic)
        return time.perf_counter() - began, upstream.pages, came


async def sweep(clinic: GuardedClinic, rows: int) -> int:
    """The bounded sweep of a list tool."""
    return len((await clinic.rows(Patients.list_patients.call(), limit=rows)).rows)


async def drain(clinic: GuardedClinic) -> int:
    """The whole list, as curated tools read it."""
    return len([record async for record in clinic.all(Patients.list_patients)])


async def one_at_a_time(clinic: GuardedClinic) -> int:
    """The list as a simple loop reads it: the next page is asked for when the one before has come."""
    call, number, came = Patients.list_patients.call(), 0, 0
    while True:
        number += 1
        page = await clinic.page(call, number, PAGE)
        came += len(page.items)
        if not page.more:
            return came


async def to_file(clinic: GuardedClinic, form: str) -> int:
    """The export to a file."""
    plan = planned(list_named("patients"), {}, "csv" if form == "csv" else "jsonl")
    with tempfile.TemporaryDirectory() as folder:
        return (await export(clinic, plan, Path(folder) / "patients")).rows


async def peak_kilobytes(rows: int) -> int:
    """The most memory that Python held during an export of so many rows, beyond what it held before."""
    upstream = Upstream(rows)
    tracemalloc.start()
    await timed(upstream, lambda clinic: to_file(clinic, "csv"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return round(peak / 1024)


async def measured(rows: int) -> tuple[list[Row], dict[str, object]]:
    """The rows of the table, and the memory of exports."""
    ideal = math.ceil(rows / PAGE / IN_FLIGHT) * DELAY
    ways: dict[str, Callable[[GuardedClinic], Awaitable[int]]] = {
        "sweep": lambda clinic: sweep(clinic, rows),
        "drain": drain,
        "export csv": lambda clinic: to_file(clinic, "csv"),
        "export jsonl": lambda clinic: to_file(clinic, "jsonl"),
        SLOW: one_at_a_time,
    }
    upstream = Upstream(rows)
    await timed(Upstream(PAGE), drain)  # imports and schemas are not what is measured
    await timed(Upstream(PAGE), lambda clinic: to_file(clinic, "csv"))
    table: list[Row] = []
    for name, work in ways.items():
        seconds, pages, came = min([await timed(upstream, work) for _ in range(1 if name == SLOW else 3)])
        assert came == rows, name
        table.append(
            {"way": name, "rows": came, "pages": pages, "seconds": seconds, "ideal": ideal, "to ideal": seconds / ideal}
        )
    memory: dict[str, object] = {
        f"kilobytes at the peak, {size:,} rows": await peak_kilobytes(size) for size in (rows, 4 * rows)
    }
    return table, memory


def main() -> None:
    """Measure and print."""
    rows = int(sys.argv[sys.argv.index("--rows") + 1]) if "--rows" in sys.argv else 5_000
    table, memory = anyio.run(measured, rows)
    report(f"{rows:,} rows, {DELAY * 1000:.0f} ms a page upstream", table, memory)


if __name__ == "__main__":
    main()
