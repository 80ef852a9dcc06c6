"""5,000 patients through the sweep, the drain and an export, against the ideal of 4 pages in flight.

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
from cliniko_mcp.api.clinic import Clinic
from cliniko_mcp.export import export, list_named, planned
from cliniko_mcp.guardrails.call import Caller
from cliniko_mcp.guardrails.desk import Desk

DELAY = 0.05
IN_FLIGHT = 4
PAGE = 100


class Upstream(httpx2.AsyncBaseTransport):
    """Answers a page of made-up patients after 50 ms."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.pages = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The page that was asked for."""
        await anyio.sleep(DELAY)
        self.pages += 1
        page, per_page = int(request.url.params["page"]), int(request.url.params["per_page"])
        first = (page - 1) * per_page
        patients = [_patient(number) for number in range(first, min(first + per_page, self.rows))]
        base = "https://api.au1.cliniko.com/v1/patients"
        links = {"self": base} | ({"next": f"{base}?page={page + 1}"} if first + per_page < self.rows else {})
        body = {"patients": patients, "total_entries": self.rows, "links": links}
        return httpx2.Response(200, content=json.dumps(body).encode(), request=request)


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


async def timed(rows: int, work: Callable[[Desk], Awaitable[int]]) -> tuple[float, int, int]:
    """Seconds, pages asked for and rows that came through, with a client of its own."""
    upstream = Upstream(rows)
    async with Clinic.open(
        base_url="https://api.au1.cliniko.com/v1",
        key="key-au1",
        user_agent="benchmark (me@example.org)",
        now=lambda: datetime.now(UTC),
        transport=upstream,
        per_minute=1_000_000,
        rng=random.Random(1),
    ) as clinic:
        desk = Desk(clinic, (), Caller(route="terminal"), "export")
        began = time.perf_counter()
        came = await work(desk)
        return time.perf_counter() - began, upstream.pages, came


async def sweep(desk: Desk, rows: int) -> int:
    """The bounded sweep of a list tool."""
    return len((await desk.rows(desk.call("list_patients"), limit=rows)).rows)


async def drain(desk: Desk) -> int:
    """The whole list, as curated tools read it."""
    return len([record async for record in desk.all("list_patients")])


async def to_file(desk: Desk, form: str) -> int:
    """The export to a file."""
    plan = planned(list_named("patients"), {}, "csv" if form == "csv" else "jsonl")
    with tempfile.TemporaryDirectory() as folder:
        return (await export(desk, plan, Path(folder) / "patients")).rows


async def peak_kilobytes(rows: int) -> int:
    """The most memory that Python held during an export of so many rows, beyond what it held before."""
    tracemalloc.start()
    await timed(rows, lambda desk: to_file(desk, "csv"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return round(peak / 1024)


async def measured(rows: int) -> tuple[list[Row], dict[str, object]]:
    """The rows of the table, and the memory of exports."""
    ideal = math.ceil(rows / PAGE / IN_FLIGHT) * DELAY
    ways: dict[str, Callable[[Desk], Awaitable[int]]] = {
        "sweep": lambda desk: sweep(desk, rows),
        "drain": drain,
        "export csv": lambda desk: to_file(desk, "csv"),
        "export jsonl": lambda desk: to_file(desk, "jsonl"),
    }
    await timed(PAGE, drain)  # imports and schemas are not what is measured
    await timed(PAGE, lambda desk: to_file(desk, "csv"))
    table: list[Row] = []
    for name, work in ways.items():
        seconds, pages, came = min([await timed(rows, work) for _ in range(3)])
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
