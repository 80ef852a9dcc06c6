"""Every benchmark, one after another, and a table at the end.

    python -m benchmarks [--openapi FILE] [--out results.json] [--quick]

Every figure is a ratio of things measured in one run, so that it means the same on a slow computer. FastMCP's
`from_openapi` is compared with where a description is at hand (--openapi or CLINIKO_OPENAPI): it is installed into an
environment of its own in a temporary folder, or taken from the one that --rival-python names.
"""

import argparse
import json
import os
from pathlib import Path
from typing import Any

import anyio

from benchmarks import calls, http, size, start, sweep
from benchmarks.report import Row, report, where
from benchmarks.rival import Missing, rival

Tables = dict[str, dict[str, Any]]


def main() -> None:
    """Measure everything, print the tables as they come and the summary at the end, and write the JSON beside."""
    options = _options()
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
    told("sweep", *anyio.run(sweep.measured, 1_000 if options.quick else 5_000))
    told("growth", anyio.run(calls.growth, [1_000, 10_000] if options.quick else [1_000, 10_000, 100_000]))
    told("http", *anyio.run(http.measured, 200 if options.quick else 1_000))
    machine = where()
    report("Budgets (DESIGN 11)", _summary(tables), machine)
    Path(options.out).write_text(json.dumps({**machine, **tables}, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(f"written to {options.out}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--openapi", default=os.environ.get("CLINIKO_OPENAPI"), metavar="FILE")
    parser.add_argument("--rival-python", metavar="PYTHON", help="an interpreter that has fastmcp already")
    parser.add_argument("--out", default="benchmarks/results.json", metavar="FILE")
    parser.add_argument("--quick", action="store_true", help="fewer runs and rows")
    return parser.parse_args()


def _listed(tools: list[dict[str, Any]], count: Any) -> Row:
    told = [json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in tools]
    costs = [count(text) for text in told]
    return {
        "view": "from_openapi",
        "tools": len(told),
        "bytes": sum(len(text.encode()) for text in told),
        "tokens": sum(costs),
        "a tool": round(sum(costs) / len(costs)),
        "largest": max(costs),
    }


def _row(table: dict[str, Any], **where: object) -> Any:
    return next((row for row in table["rows"] if all(row[key] == value for key, value in where.items())), None)


def _summary(tables: Tables) -> list[Row]:
    """What was promised, and what was measured."""
    rows: list[Row] = []

    def told(what: str, found: float, budget: float | None, unit: str, digits: int = 2) -> None:
        met = "" if budget is None else "yes" if found <= budget else "NO"
        limit = "" if budget is None else f"{budget:,g} {unit}"
        rows.append({"figure": what, "measured": f"{found:,.{digits}f} {unit}", "budget": limit, "met": met})

    core, whole = _row(tables["lists"], view="core"), _row(tables["lists"], view="all")
    told("list, core", core["tokens"], 4_000, "tokens", 0)
    told("list, all", whole["tokens"], 32_000, "tokens", 0)
    served, theirs = _row(tables["start"], server="core"), _row(tables["start"], server="from_openapi")
    told("start to tools/list, core", served["to empty"], 1.25, "x an empty server")
    told("memory after tools/list, core", served["MB to empty"], 1.3, "x an empty server")
    if theirs:
        tokens = _row(tables["lists"], view="from_openapi")["tokens"]
        told("start, from_openapi to core", theirs["seconds"] / served["seconds"], None, "x ours", 1)
        told("list, from_openapi to all", tokens / whole["tokens"], None, "x ours", 1)
        told("list, from_openapi to core", tokens / core["tokens"], None, "x ours", 1)
        told("memory, from_openapi to core", theirs["MB"] / served["MB"], None, "x ours", 1)
    for row in tables["one call"]["rows"]:
        told(f"overhead: {row['work']}", row["overhead ms"], 5 if row["work"] == "read a patient" else None, "ms")
    slow = _row(tables["sweep"], way=sweep.SLOW)
    for row in tables["sweep"]["rows"]:
        if row is not slow:
            told(f"whole list, {row['way']}", row["to ideal"], 1.3, "x 4 pages in flight")
    swept = _row(tables["sweep"], way="sweep")
    told("one page at a time, to the sweep", slow["seconds"] / swept["seconds"], None, "x slower", 1)
    grown = tables["growth"]["rows"]
    told(
        f"cost a row, {grown[-1]['rows']:,} rows to {grown[0]['rows']:,}",
        grown[-1]["ms a 1,000 rows"] / grown[0]["ms a 1,000 rows"],
        None,
        "x",
    )
    for row in tables["http"]["rows"]:
        told(f"Streamable HTTP, {row['clients']} clients", row["calls a second"], None, "calls a second", 0)
    return rows


if __name__ == "__main__":
    main()
