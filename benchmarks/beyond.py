"""A question larger than a minute's requests, asked again as it says until it is answered: how many calls that takes.

    python -m benchmarks.beyond [--json] [--rows 100000] [--save]

The demo clinic is filled with so many patients, and a report that reads them all is asked for through a real MCP client
with a key of 200 requests a minute, on a clock that stands still while there is work. Each call that is not answered
says how far it is; it is made again when it said. The answer is held against that of a key without a limit. Memory is
what is kept of the list for the calls to come, compressed, of 32 MB.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import anyio

from benchmarks.calls import crowd
from benchmarks.desk import A_MINUTE, Question, at_work
from benchmarks.report import Row, report, where
from benchmarks.still_clock import run
from cliniko_mcp.client.kept_pages import MAX_BYTES

ROWS: Final = 100_000
RESULT: Final = "benchmarks/beyond.json"
ASKED: Final = Question("patients without contact", "report", {"kind": "missing_contacts"})
_KNOWN: Final = {"phone": ""}
"""Nothing in the question is left open."""
_UNLIMITED: Final = 60_000


@dataclass(frozen=True)
class Played:
    """One question until its answer: each refusal on the way, the minutes, the requests, those of them for pages of
    patients, and the most bytes kept."""

    answer: Mapping[str, Any]
    refusals: list[Mapping[str, Any]]
    minutes: float
    requests: int
    pages: int
    kept: int

    @property
    def figures(self) -> Mapping[str, Any]:
        """The part of the answer that says nothing of when it was read."""
        return {name: self.answer.get(name) for name in ("summary", "items", "page") if name in self.answer}


async def played(rows: int, per_minute: int) -> Played:
    """The question asked until it is answered, in a clinic of so many patients, with so many requests a minute."""
    async with at_work(_KNOWN, requests_per_minute=per_minute) as desk:
        crowd(desk.app, rows)
        desk.app.sandbox.requests.clear()
        refusals: list[Mapping[str, Any]] = []
        began, kept = anyio.current_time(), 0
        while True:
            try:
                answered = await desk.answer(ASKED)
            except AssertionError as problem:
                _, body = problem.args[0]
                assert body["code"] == "rate_limited", body
                refusals.append(body)
                kept = max(kept, desk.app.kept_bytes)
                await anyio.sleep(body["retry_after"])
            else:
                minutes = (anyio.current_time() - began) / 60
                sent = [request.path for request in desk.app.sandbox.requests]
                pages = sum(path.endswith("/patients") for path in sent)
                return Played(answered.body, refusals, minutes, len(sent), pages, kept)


def table(found: Played) -> list[Row]:
    """A row for each call: how far it came."""
    told = [
        {"call": number, "pages": body["pages_read"], "of": body["pages"], "wait, s": body["retry_after"]}
        for number, body in enumerate(found.refusals, 1)
        if "pages_read" in body
    ]
    return [*told, {"call": len(found.refusals) + 1, "pages": "all", "of": "", "wait, s": ""}]


def facts(found: Played, free: Played, rows: int) -> dict[str, Any]:
    """What it took, beside the same without a limit."""
    return {
        "rows": rows,
        "calls": len(found.refusals) + 1,
        "minutes": round(found.minutes, 1),
        "requests": found.requests,
        "requests without a limit": free.requests,
        "MB kept at most": round(found.kept / 1_048_576, 1),
        "MB allowed": MAX_BYTES // 1_048_576,
        "the same answer": found.figures == free.figures,
    }


def main() -> None:
    """Measure and print."""
    rows = int(sys.argv[sys.argv.index("--rows") + 1]) if "--rows" in sys.argv else ROWS
    free = run(partial(played, rows, _UNLIMITED))
    found = run(partial(played, rows, A_MINUTE))
    told = facts(found, free, rows)
    report(f"A report over {rows:,} patients at {A_MINUTE} requests a minute", table(found), told)
    if "--save" in sys.argv:
        saved = {**where(), **told}
        (Path(__file__).resolve().parents[1] / RESULT).write_text(json.dumps(saved, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
