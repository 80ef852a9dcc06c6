"""A long fuzzing run: the suite's own tests with fresh examples, round after round until the time is up.

    python -m benchmarks.fuzz [--minutes 10] [--examples 1000] [--out benchmarks/fuzz.json]

Run by hand; the suite holds a short one that is always the same. Ends with what was found where a test fails: the
example and how to repeat it are in its output. Otherwise what was sent is counted and written down.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from benchmarks.report import report, where

RESULT = "benchmarks/fuzz.json"
ROOT = Path(__file__).resolve().parents[1]
PYTEST = [sys.executable, "-m", "pytest", "tests/fuzz", "-q", "-m", "", "-n", "0", "-p", "no:cacheprovider"]


def rounds(minutes: float, examples: int) -> tuple[int, Counter[str]]:
    """How many rounds there were, and how many of each kind of thing were sent. Exits where a test fails."""
    until = time.monotonic() + minutes * 60
    done, counts = 0, Counter[str]()
    while time.monotonic() < until:
        environment = {**os.environ, "FUZZ_EXAMPLES": str(examples)}
        run = subprocess.run(PYTEST, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        told = re.search(r"^fuzzed: (.*)$", run.stderr, re.MULTILINE)
        if run.returncode or told is None:
            sys.exit(f"{run.stdout}\n{run.stderr}\nround {done + 1} failed")
        done += 1
        counts.update(json.loads(told[1]))
        print(f"round {done}: {told[1]}", flush=True)
    return done, counts


def main() -> None:
    """Fuzz, print, and write the counts down."""

    def option(flag: str, usual: str) -> str:
        return sys.argv[sys.argv.index(flag) + 1] if flag in sys.argv else usual

    minutes, out = float(option("--minutes", "10")), option("--out", RESULT)
    machine = where()
    began = time.monotonic()
    done, counts = rounds(minutes, int(option("--examples", "1000")))
    took = round((time.monotonic() - began) / 60, 1)
    report("Fuzzing", [{"what": what, "sent": count} for what, count in sorted(counts.items())], {"minutes": took})
    Path(out).write_text(json.dumps({**machine, "minutes": took, "rounds": done, **counts}, indent=1) + "\n", "utf-8")
    print(f"written to {out}")


if __name__ == "__main__":
    main()
