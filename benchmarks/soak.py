"""Many callers for a long while, in trouble of every kind: nothing lost, doubled or hanging, and no growing memory.

    python -m benchmarks.soak [--minutes 20] [--callers 20] [--out benchmarks/soak.json]

Run by hand; the suite holds a short one. Every minute it tells what came of the calls, and how much memory is held.
Nothing is written where something was lost, doubled or wrong: then it ends with what was.
"""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import anyio

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from benchmarks.report import Row, report, where
from cliniko_mcp.guards.hash_chain import HashChain
from tests.faults.crowd import Soak, forget, held, in_process

RESULT = "benchmarks/soak.json"
PAUSE = 0.2
"""Seconds a caller rests between two calls, as an assistant does; without it only the computer is measured."""


def held_megabytes() -> float:
    """The memory this process holds now, or at its peak where the system does not tell."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def soak(minutes: int, callers: int) -> list[Row]:
    """A row for each minute. Raises AssertionError where something was lost, doubled or wrong."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        audit = Path(folder) / "audit.jsonl"
        async with in_process(view="all", audit_file=str(audit)) as assistant:
            for minute in range(1, minutes + 1):
                one = Soak(seconds=60, callers=callers, pause=PAUSE, mark=f"M{minute}")
                began = time.monotonic()
                await one.run(assistant, seed=minute)
                await held(assistant, one)
                told = {
                    "minute": minute,
                    "calls": one.calls,
                    "a second": one.calls / (time.monotonic() - began),
                    "ok": one.outcomes["ok"],
                    "told as failed": one.calls - one.outcomes["ok"],
                    "slowest, s": one.slowest,
                    "MB": held_megabytes(),
                }
                rows.append(told)
                print(told, flush=True)
                forget(assistant)
            checked = HashChain(audit).verify()
            assert checked.problem is None, checked
    return rows


def level(megabytes: list[float]) -> int:
    """For how many of the last minutes the memory held was within a hundredth of what it is at the end."""
    apart = (abs(figure - megabytes[-1]) > megabytes[-1] / 100 for figure in reversed(megabytes))
    return next((minutes for minutes, far in enumerate(apart) if far), len(megabytes))


def main() -> None:
    """Soak, print, and write the result down."""

    def option(flag: str, usual: str) -> str:
        return sys.argv[sys.argv.index(flag) + 1] if flag in sys.argv else usual

    minutes, callers, out = int(option("--minutes", "20")), int(option("--callers", "20")), option("--out", RESULT)
    machine = where()
    rows = anyio.run(soak, minutes, callers)
    facts: dict[str, str | int | float] = {
        "minutes": minutes,
        "callers": callers,
        "calls": sum(int(row["calls"]) for row in rows),
        "told as failed": sum(int(row["told as failed"]) for row in rows),
        "slowest, s": round(max(float(row["slowest, s"]) for row in rows), 2),
        "MB": round(float(rows[-1]["MB"])),
        "MB level for, minutes": level([float(row["MB"]) for row in rows]),
    }
    report("Soak", rows, facts)
    Path(out).write_text(json.dumps({**machine, **facts, "rows": rows}, indent=1) + "\n", "utf-8")
    print(f"written to {out}")


if __name__ == "__main__":
    main()
