"""How quick and how large the demo clinic is: the seed, filtered and sorted pages, a year of availability, memory.

    python -m benchmarks.clinic [--json] [--runs 5]

Each run is a process of its own that does as `cliniko-mcp sandbox` does: build the seed, then take the rows out of the
garbage collector's view. No page is asked for twice, so nothing that the clinic remembers helps; nothing goes over a
socket. Times are processor time, so that other work on the computer matters less.
"""

import gc
import json
import os
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import product
from statistics import median

from benchmarks.report import Row, report
from benchmarks.start import peak_megabytes

NOW = datetime(2026, 11, 23, 22, tzinfo=UTC)
HEADERS = {"authorization": "Basic " + b64encode(b"demo-au1:").decode(), "user-agent": "benchmark (me@example.org)"}
BUDGETS = {
    "the seed, to the first answer": (2_000, "ms"),
    "a filtered, sorted page, median": (5, "ms"),
    "a filtered, sorted page, worst": (20, "ms"),
    "a year of availability": (200, "ms"),
    "memory at its peak": (150, "MB"),
}
ONCE = "--once"
Pairs = tuple[tuple[str, str], ...]


def pages() -> Iterator[tuple[str, Pairs]]:
    """600 lists with conditions and an order, each another one."""
    months = [f"{2025 + number // 12}-{number % 12 + 1:02}-01T00:00:00Z" for number in range(6, 26)]
    spans = [(f"starts_at:>={low}", f"starts_at:<{high}") for low, high in product(months, months) if low < high]
    for number, span in enumerate(spans):
        yield "bookings", _query(*span, sort="starts_at:desc" if number % 2 else "ends_at,starts_at:desc")
        yield "individual_appointments", _query(*span, "did_not_arrive:=false", sort="starts_at", per_page="100")
    for letter, column in product("abcdefghijklmnopqrst", ("last_name", "first_name", "email", "date_of_birth:desc")):
        yield "patients", _query(f"{column.split(':')[0]}:?", f"last_name:~{letter}", sort=column)
    for status, month, order in product((10, 20, 30, 40), months[:9], ("total_amount:desc", "number")):
        yield "invoices", _query(f"status:={status}", f"created_at:>{month}", sort=order, per_page="100")
    for month, order in product(months[:17], ("updated_at:desc", "created_at", "id", "title")):
        yield "treatment_notes", _query("draft:=false", f"created_at:>{month}", sort=order)


def _query(*conditions: str, **more: str) -> Pairs:
    return (*(("q[]", condition) for condition in conditions), *more.items())


def once() -> dict[str, float]:
    """The figures of this process, which must have done nothing else before."""
    from cliniko_mcp.sandbox.core import Sandbox
    from cliniko_mcp.sandbox.wire import SandboxRequest

    def timed(path: str, query: Pairs = ()) -> float:
        began = time.process_time()
        response = clinic.respond(SandboxRequest("GET", f"/v1/{path}", query, HEADERS))
        took = (time.process_time() - began) * 1_000
        assert response.status == 200, response.body
        return took

    clinic = Sandbox(now=NOW, frozen=True, rate_limit=0)
    seed = timed("user")
    gc.collect()
    gc.freeze()
    took = [timed(table, query) for table, query in pages()]
    year = min(_year(clinic) for _ in range(3))
    figures = (seed, median(took), max(took), year, peak_megabytes(os.getpid()))
    return dict(zip(BUDGETS, figures, strict=True))


def _year(clinic: object) -> float:
    from cliniko_mcp.sandbox.core import Sandbox
    from cliniko_mcp.sandbox.rules.available_times import BookableService, available

    assert isinstance(clinic, Sandbox)
    store = clinic.context.store
    names = (("businesses", "Northside"), ("practitioners", "Dr Mei Ng"), ("appointment_types", "Standard consult"))
    rows = [
        next(row for row in store.table(table).live.values() if name in (row.get("label"), row.get("name")))
        for table, name in names
    ]
    today: date = NOW.date()
    began = time.process_time()
    assert len(available(clinic.context, BookableService(*rows, rules={}), today, today + timedelta(days=364))) > 2_000
    return (time.process_time() - began) * 1_000


def measured(runs: int = 5) -> list[Row]:
    """A row for each figure: its median and its least over these runs, and the budget."""
    found: list[dict[str, float]] = []
    for _ in range(runs):
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.clinic", ONCE], capture_output=True, text=True, check=True
        )
        found.append(json.loads(done.stdout))
    return [
        {
            "figure": name,
            "median": median(run[name] for run in found),
            "least": min(run[name] for run in found),
            "budget": budget,
            "unit": unit,
        }
        for name, (budget, unit) in BUDGETS.items()
    ]


def main() -> None:
    """Measure and print."""
    if ONCE in sys.argv:
        print(json.dumps(once()))
        return
    runs = int(sys.argv[sys.argv.index("--runs") + 1]) if "--runs" in sys.argv else 5
    report("The demo clinic", measured(runs), {"runs": runs})


if __name__ == "__main__":
    main()
