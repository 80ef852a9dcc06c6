"""How often plain words find the right tool, and how long that takes.

    python -m benchmarks.lookup [--json]

The requests are those of `tests/lookup`: the halves that judge, the halves that were tuned on, and every example of the
tables, looked up while the index is made without it (about a minute).
"""

import time
from collections.abc import Callable

from benchmarks.report import Row, report
from cliniko_mcp.tools.index import entries
from cliniko_mcp.tools.lookup import Lookup
from cliniko_mcp.tools.requests import not_offered, requests
from tests.lookup.rates import Rate, denied, found, hidden, told_apart
from tests.lookup.requests import requests as spoken


def rates() -> list[Row]:
    """A row for each set of requests: how many were found, told apart or denied, of how many."""
    most = max(len(table.examples) for table in (*requests().values(), *not_offered().values()))
    operations, topics, denials = hidden(range(most))
    return [
        _row("judged: found among the first five", found("judged")),
        _row("judged: not offered, and told so", told_apart("judged_elsewhere")),
        _row("judged: offered, and denied", denied("judged")),
        _row("tuned on: found among the first five", found("tuning")),
        _row("tuned on: not offered, and told so", told_apart("tuning_elsewhere")),
        _row("tuned on: offered, and denied", denied("tuning")),
        _row("hidden examples: found among the first five", operations),
        _row("hidden examples: not offered, and told so", topics),
        _row("hidden examples: offered, and denied", denials),
    ]


def times() -> list[Row]:
    """A row for each piece of work: its milliseconds of processor time, the median of five runs."""
    tables = _milliseconds(lambda: (requests.cache_clear(), not_offered.cache_clear(), requests(), not_offered()))
    made = _milliseconds(lambda: Lookup(entries().values(), requests(), not_offered()))
    lookup = Lookup(entries().values(), requests(), not_offered())
    searches = [_milliseconds(lambda words=request.words: lookup.search(words)) for request in spoken("tuning")]
    return [
        {"work": "read the tables", "ms": tables},
        {"work": "make the index", "ms": made},
        {"work": "search, median", "ms": sorted(searches)[len(searches) // 2]},
        {"work": "search, slowest", "ms": max(searches)},
    ]


def _row(what: str, rate: Rate) -> Row:
    return {"requests": what, "share": f"{rate.share:.1%}", "met": rate.met, "of": rate.of}


def _milliseconds(work: Callable[[], object], runs: int = 5) -> float:
    taken: list[float] = []
    for _ in range(runs):
        began = time.process_time()
        work()
        taken.append((time.process_time() - began) * 1_000)
    return sorted(taken)[runs // 2]


def main() -> None:
    """Measure and print."""
    report("Look-up: time", times())
    report("Look-up: how often it is right", rates())


if __name__ == "__main__":
    main()
