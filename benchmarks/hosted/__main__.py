"""Replicas of a server for many under load: three of them, Redis, a plain balancer and an upstream that counts.

    python -m benchmarks.hosted [--only NAME,...] [--small] [--accounts 5000 --cap 2000] [--save]
    python -m benchmarks.hosted --stay [--clinics 3]

Each run starts its own processes and prints its row, which is met or not; none takes three minutes on two cores that
have nothing else to do. `--small` plays each at a tenth or so of its size. `--save` keeps the rows that were played for
the README, the others as they were. `--stay` starts everything, says where it is and whose tokens there are, and waits.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.hosted import RESULT, apart, issuers, limits, memory, outages, questions, rings, stops
from benchmarks.hosted.stage import clinic_of, code_of, person_of, stage
from benchmarks.hosted.verdict import Verdict
from benchmarks.report import report, where

Run = Callable[[], Verdict | Sequence[Verdict]]


def runs(*, small: bool, accounts: int, cap: int) -> dict[str, Run]:
    """Every run by its name."""
    return {
        "accounts": partial(limits.many_accounts, 60, 300) if small else limits.many_accounts,
        "limit": partial(limits.too_many, 2) if small else limits.too_many,
        "redis": partial(outages.redis_away, 2.0, 10.0) if small else outages.redis_away,
        "stops": partial(stops.rolling, 25.0) if small else stops.rolling,
        "kill": stops.killed,
        "approvals": partial(questions.raced, 12) if small else questions.raced,
        "apart": partial(apart.interleaved, 500) if small else apart.interleaved,
        "cap": partial(memory.capped, 200, 80) if small else partial(memory.capped, accounts, cap),
        "ring": partial(rings.changed, 2) if small else rings.changed,
        "issuer": partial(issuers.rotated_and_away, 10.0) if small else issuers.rotated_and_away,
    }


def main() -> None:
    """Play, print, and end with 1 where a row was not met."""
    options = _options()
    if options.stay:
        _stay(options.clinics)
        return
    every = runs(small=options.small, accounts=options.accounts, cap=options.cap)
    machine, rows = where(), dict[str, list[dict[str, Any]]]()
    for name in options.only.split(",") if options.only else every:
        began = time.monotonic()
        found = every[name]()
        verdicts = [found] if isinstance(found, Verdict) else found
        rows[name] = [verdict.row for verdict in verdicts]
        shown = [{key: row[key] for key in ("figure", "measured", "budget", "met")} for row in rows[name]]
        report(
            name, shown, {"seconds": round(time.monotonic() - began), "more": [row["figures"] for row in rows[name]]}
        )
        sys.stdout.flush()
    if options.save:
        path = Path(__file__).resolve().parents[2] / RESULT
        before: dict[str, Any] = json.loads(path.read_text("utf-8"))["runs"] if path.is_file() else {}
        kept = {name: rows.get(name, before.get(name)) for name in every if name in rows or name in before}
        path.write_text(json.dumps({**machine, "runs": kept}, indent=1) + "\n", "utf-8")
        print(f"written to {path}")
    sys.exit(0 if all(row["met"] == "yes" for found in rows.values() for row in found) else 1)


def _stay(clinics: int) -> None:
    """Keep everything running until Ctrl-C."""
    with stage(clinics) as found:
        print(f"people give their assistants {found.address}")
        for number in range(clinics):
            who = person_of(number)
            print(f"{who} works in {clinic_of(number)}: token cmp_{who}, code for /approvals: {code_of(who)}")
        for replica in found.replicas:
            print(f"a replica: {replica.address}, ready: http://127.0.0.1:{replica.admin}/readyz")
        print(f"Redis: {found.redis.url}; in place of Cliniko: {found.cliniko}; Ctrl-C ends all of it", flush=True)
        try:
            while True:
                time.sleep(3_600)
        except KeyboardInterrupt:
            print("ended")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.hosted",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", default="", metavar="NAME,...", help="these runs alone")
    parser.add_argument("--small", action="store_true", help="each run at a part of its size")
    parser.add_argument("--accounts", type=int, default=5_000, help="of the run with a cap of open accounts")
    parser.add_argument("--cap", type=int, default=2_000, help="how many of them are kept open")
    parser.add_argument("--save", action="store_true", help="keep the figures for the README")
    parser.add_argument("--stay", action="store_true", help="start everything and wait")
    parser.add_argument("--clinics", type=int, default=3, help="with --stay")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
