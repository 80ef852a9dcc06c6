"""Every benchmark, one after another, and a table at the end.

    python -m benchmarks [--openapi FILE] [--out benchmarks/results.json] [--quick]
    python -m benchmarks --readme

Every figure is a ratio of things measured in one run, so that it means the same on a slow computer. FastMCP's
`from_openapi` is compared with where a description is at hand (--openapi or CLINIKO_OPENAPI): it is installed into an
environment of its own in a temporary folder, or taken from the one that --rival-python names. `--readme` measures
nothing: it puts the table of the last run, and of the last soak and fuzzing, into the README.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import anyio

from benchmarks import calls, clinic, http, readme, size, start, sweep
from benchmarks.report import Row, report, where
from benchmarks.rival import Missing, rival
from benchmarks.summary import summary

Tables = dict[str, dict[str, Any]]


def main() -> None:
    """Measure everything, print the tables as they come and the summary at the end, and write the JSON beside."""
    options = _options()
    if options.readme:
        try:
            readme.write(Path(__file__).resolve().parents[1])
        except readme.Unexplained as miss:
            sys.exit(str(miss))
        return
    tables: Tables = {}

    def told(name: str, rows: list[Row], facts: dict[str, Any] | None = None) -> None:
        tables[name] = {"rows": rows, **(facts or {})}
        report(name, rows, facts)

    runs = 3 if options.quick else 7
    kind, count = size.counter()
    commands = {name: list(command) for name, command in start.COMMANDS.items()}
    listed = size.views(count)
    try:
        with rival(options.openapi, options.rival_python) as command:
            told("start", start.measured({**commands, "from_openapi": command}, runs), {"runs": runs})
            listed.append(_listed(start.once(command)[2], count))
    except Missing as reason:
        told("start", start.measured(commands, runs), {"runs": runs, "from_openapi left out": str(reason)})
    told("lists", listed, {"tokens by": kind})
    told("results", anyio.run(size.results, count))
    told("one call", anyio.run(calls.overhead, 20 if options.quick else 100))
    told("curated tools", anyio.run(calls.frontdesk))
    told("far away", anyio.run(calls.distant))
    told("sweep", *anyio.run(sweep.measured, 1_000 if options.quick else 5_000))
    told("growth", anyio.run(calls.growth, [1_000, 10_000] if options.quick else [1_000, 10_000, 100_000]))
    told("http", *anyio.run(http.measured, 200 if options.quick else 1_000))
    told("demo clinic", clinic.measured(3 if options.quick else 5))
    machine = where()
    report("Budgets (DESIGN 11)", summary(tables), machine)
    Path(options.out).write_text(json.dumps({**machine, **tables}, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(f"written to {options.out}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--openapi", default=os.environ.get("CLINIKO_OPENAPI"), metavar="FILE")
    parser.add_argument("--rival-python", metavar="PYTHON", help="an interpreter that has fastmcp already")
    parser.add_argument("--out", default=readme.RESULTS, metavar="FILE")
    parser.add_argument("--quick", action="store_true", help="fewer runs and rows")
    parser.add_argument("--readme", action="store_true", help="only rewrite the README from the last run's JSON")
    return parser.parse_args()


def _listed(tools: list[dict[str, Any]], count: Any) -> Row:
    told = [json.dumps(tool, ensure_ascii=False, separators=(",", ":")) for tool in tools]
    costs = [count(text) for text in told]
    return {
        "view": "from_openapi",
        "tools": len(told),
        "bytes": sum(len(text.encode()) for text in told),
        "tokens": sum(costs),
        "a tool": round(sum(costs) / len(costs)),
        "largest": max(costs),
    }


if __name__ == "__main__":
    main()
