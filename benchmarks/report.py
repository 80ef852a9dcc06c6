"""How every benchmark reports: a table for people, or JSON for programs with --json."""

import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

Row = Mapping[str, str | int | float]


def report(title: str, rows: Sequence[Row], facts: Mapping[str, object] | None = None) -> None:
    """Print the rows under their title, as a table or, where the command line has --json, as one JSON object."""
    if "--json" in sys.argv:
        print(json.dumps({"title": title, "rows": [dict(row) for row in rows], **(facts or {})}))
        return
    heads = list(rows[0])
    cells = [[_shown(row[head]) for head in heads] for row in rows]
    widths = [max(len(head), *(len(line[at]) for line in cells)) for at, head in enumerate(heads)]
    print(f"\n{title}")
    print("  ".join(head.ljust(width) for head, width in zip(heads, widths, strict=True)))
    for line in cells:
        print("  ".join(_aligned(cell, width) for cell, width in zip(line, widths, strict=True)))
    for name, fact in (facts or {}).items():
        print(f"{name}: {fact}")


def where() -> dict[str, str]:
    """When and on what computer a measurement is made: figures say nothing without."""
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return {
        "measured": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores{load}",
        "python": platform.python_version(),
    }


def _shown(value: str | int | float) -> str:
    return f"{value:,.3f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else value


def _aligned(cell: str, width: int) -> str:
    return cell.rjust(width) if cell[:1].isdigit() else cell.ljust(width)
