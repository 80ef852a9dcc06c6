"""What was promised and what was measured: the table at the end of a run, and in the README."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.report import Row
from benchmarks.sweep import SLOW

Tables = Mapping[str, Any]
"""What a run measured, as its JSON holds it: each table under its name, its lines under `rows`."""


@dataclass(frozen=True)
class Figure:
    """One figure: what it is, the number and its unit, what DESIGN 11 allows, and what else belongs beside it."""

    what: str
    found: float
    unit: str
    budget: float | None = None
    digits: int = 2
    beside: str = ""
    at_least: bool = False
    """Whether more is better."""

    def row(self) -> Row:
        enough = self.budget is None or (self.found >= self.budget if self.at_least else self.found <= self.budget)
        met = "" if self.budget is None else "yes" if enough else "NO"
        limit = "" if self.budget is None else f"{'at least ' * self.at_least}{self.budget:,g} {self.unit}"
        measured = f"{self.found:,.{self.digits}f} {self.unit}{self.beside}"
        return {"figure": self.what, "measured": measured, "budget": limit, "met": met}


def summary(tables: Tables) -> list[Row]:
    """A row for each figure: what it is, what was measured, its budget where DESIGN 11 sets one, and if that is met."""
    parts = (_sizes, _start, _calls, _lists, _http, _clinic)
    return [figure.row() for part in parts for figure in part(tables)]


def _row(table: Mapping[str, Any], **where: object) -> Any:
    return next((row for row in table["rows"] if all(row[key] == value for key, value in where.items())), None)


def _sizes(tables: Tables) -> Iterator[Figure]:
    core, whole = _row(tables["lists"], view="core"), _row(tables["lists"], view="all")
    theirs = _row(tables["lists"], view="from_openapi")
    yield Figure("`tools/list`, core", core["tokens"], "tokens", 4_000, 0)
    yield Figure("`tools/list`, core: tools", core["tools"], "tools", 32, 0)
    yield Figure("`tools/list`, all", whole["tokens"], "tokens", 32_000, 0)
    yield Figure("`tools/list`, all: a tool", whole["a tool"], "tokens", 160, 0)
    yield Figure("`tools/list`, all: the largest tool", whole["largest"], "tokens", 1_000, 0)
    if theirs:
        yield Figure(
            "`tools/list` of FastMCP's `from_openapi`",
            theirs["tokens"],
            "tokens",
            None,
            0,
            _times(theirs, whole, "tokens"),
        )
    yield Figure(
        "a coming appointment in a list",
        _row(tables["results"], result="10 coming appointments")["a row"],
        "tokens",
        70,
        0,
    )


def _start(tables: Tables) -> Iterator[Figure]:
    served, theirs = _row(tables["start"], server="core"), _row(tables["start"], server="from_openapi")
    yield Figure("start to the first `tools/list`", served["seconds"], "s")
    yield Figure("start, to an empty server on the same SDK", served["to empty"], "x", 1.25)
    yield Figure("memory after `tools/list`, to an empty server", served["MB to empty"], "x", 1.3)
    if theirs:
        yield Figure(
            "start of FastMCP's `from_openapi`", theirs["seconds"], "s", beside=_times(theirs, served, "seconds")
        )
        yield Figure("memory of FastMCP's `from_openapi`", theirs["MB"], "MB", None, 0, _times(theirs, served, "MB"))


def _times(theirs: Mapping[str, Any], ours: Mapping[str, Any], what: str) -> str:
    return f", {theirs[what] / ours[what]:.1f} x ours"


def _calls(tables: Tables) -> Iterator[Figure]:
    for row in tables["one call"]["rows"]:
        budget = 5 if row["work"] == "read a patient" else None
        yield Figure(f"over the bare request: {row['work']}", row["overhead ms"], "ms", budget)
    for row in tables["curated tools"]["rows"]:
        yield Figure(row["tool"], row["ms"], "ms", None, 0, f", {row['requests, first']} requests to Cliniko")
    for row in tables["far away"]["rows"]:
        yield Figure(row["tool"], row["first s"], "s", 1.5, 2, f" at first, {row['later s']:.2f} s later")


def _lists(tables: Tables) -> Iterator[Figure]:
    swept, slow = _row(tables["sweep"], way="sweep"), _row(tables["sweep"], way=SLOW)
    for row in tables["sweep"]["rows"]:
        if row is not slow:
            yield Figure(f"{row['rows']:,} rows, {row['way']}, to 4 pages in flight", row["to ideal"], "x", 1.3)
    if slow:
        told = f"{slow['rows']:,} rows, one page at a time, to the sweep"
        yield Figure(told, slow["seconds"] / swept["seconds"], "x", None, 1)
    grown = tables["growth"]["rows"]
    most, least = grown[-1], grown[0]
    told = f"cost of a row in a list of {most['rows']:,}, to one of {least['rows']:,}"
    yield Figure(told, most["ms a 1,000 rows"] / least["ms a 1,000 rows"], "x")


def _http(tables: Tables) -> Iterator[Figure]:
    for row in tables["http"]["rows"]:
        who = "1 client" if row["clients"] == 1 else f"{row['clients']} clients"
        beside = f", p50 {row['p50 ms']:,.0f}, p95 {row['p95 ms']:,.0f}, p99 {row['p99 ms']:,.0f} ms"
        yield Figure(f"reads over Streamable HTTP, {who}", row["calls a second"], "a second", None, 0, beside)
        if "empty to call" in row:
            yield Figure(f"an empty server's tool, {who}", row["empty server"], "a second", None, 0)
    yield Figure("memory over Streamable HTTP, at the peak", tables["http"]["MB at the server's peak"], "MB", None, 0)


def _clinic(tables: Tables) -> Iterator[Figure]:
    for row in tables["demo clinic"]["rows"]:
        yield Figure(f"demo clinic: {row['figure']}", row["median"], row["unit"], row["budget"], 1)
