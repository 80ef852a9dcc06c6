"""A random sample of the mistakes that can be made at the front desk: whether the tests that touch the line notice.

    python -m benchmarks.mutation --sample 500 [--seed 1] [--jobs 1] [--results FILE]

Each mutant is tried on the fastest tests that touch its line and then, where these pass, on the others: as in
`benchmarks.swapped_mutation` where it can be swapped in, else in a process that imports it. Nothing on the disk is
changed but the file of results, one line of JSON a mutant: a run that was ended goes on where it stood.
"""

import hashlib
import json
import os
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Final

import pytest

from benchmarks.mutants import Mutant, sample
from benchmarks.mutation import PACKAGE, Mutated
from benchmarks.swapped_mutation import ENDLESS, demo_clinic, trials
from benchmarks.touching_tests import PLAIN, Touching, touching

FOLDERS: Final = ("cliniko_mcp/frontdesk", "cliniko_mcp/tools/curated", "cliniko_mcp/results")
TESTS: Final = (
    *("tests/recorded", "tests/frontdesk", "tests/results", "tests/tools", "tests/generated"),
    *("tests/laws", "tests/journeys", "tests/reports"),
)
KEPT: Final = ".mutation"
"""The folder, beside the package, of what is kept between runs."""
UNNOTICED: Final = ("unnoticed", "untouched")
_FIRST: Final = 30
"""So many of the fastest tests are tried before all others."""
_MAX_SECONDS: Final = 20.0
"""Seconds of generated clinics, by what they took without a mutant, and of other tests that one mutant is tried on."""
_BELOW: Final = (
    *("cliniko_mcp.cliniko.registry", "cliniko_mcp.client.clinic", "cliniko_mcp.client.rate_limit"),
    *("cliniko_mcp.sandbox.transport", "cliniko_mcp.sandbox.core", "cliniko_mcp.settings", "cliniko_mcp.phrases"),
    *("cliniko_mcp.guards.guarded_clinic", "cliniko_mcp.guards.confirm", "cliniko_mcp.guards.audit"),
    *("cliniko_mcp.guards.exclusion", "cliniko_mcp.guards.read_only", "cliniko_mcp.approvals.approval_page"),
    *("anyio.pytest_plugin", "_hypothesis_pytestplugin", "hypothesis.strategies", "mcp.client.client", "mcp_types"),
    *("mcp.client.stdio", "mcp.server.lowlevel", "rapidfuzz.fuzz", "jsonschema", "yaml", "_pytest.unraisableexception"),
)


@dataclass(frozen=True, slots=True)
class Job:
    """A mutant, and what is written down of it."""

    module: str
    file: str
    mutant: Mutant

    @property
    def key(self) -> str:
        return hashlib.sha256(f"{self.file} {self.mutant.text}".encode()).hexdigest()[:16]

    def __str__(self) -> str:
        return f"{self.file}:{self.mutant.lines[0]}  {self.mutant.name}"


class _Hasty:
    """Looks for no smaller example of a failure."""

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self) -> None:
        import hypothesis

        phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
        suite = hypothesis.settings.get_profile("suite")
        hypothesis.settings.register_profile("mutants", parent=suite, phases=phases, database=None)
        hypothesis.settings.load_profile("mutants")


class _Chosen:
    """Runs only these tests, in this order."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._order = {test: place for place, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted(
            (item for item in items if item.nodeid in self._order), key=lambda item: self._order[item.nodeid]
        )


def run(
    root: Path, number: int, seed: int, *, jobs: int, seconds: int, results: Path | None, tests: Sequence[str]
) -> int:
    """Try the sample, print what goes unnoticed and the score; the number of mutants that nothing noticed.

    Where some tests are named, on these alone, and what earlier ones did not notice is tried again.
    """
    kept = root / KEPT
    file = results or kept / f"sample-{seed}.jsonl"
    known = touching(root, FOLDERS, tests or TESTS, kept / f"touching{'-some' if tests else ''}.json", jobs)
    done = {line["key"]: line for line in _lines(file) if not (tests and line["outcome"] in UNNOTICED)}
    work = _sample(root, number, seed)
    left = [job for job in work if job.key not in done]
    print(f"{len(work)} mutants, {len(left)} of them to be tried; results in {file}", flush=True)
    _warm()
    file.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with file.open("a", encoding="utf-8") as out:
        for job, outcome, taken in _outcomes(left, known, tests or TESTS, jobs, seconds):
            line = {"key": job.key, "mutant": str(job), "outcome": outcome, "seconds": round(taken, 1)}
            done[job.key] = line
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
            out.flush()
            if outcome in UNNOTICED:
                print(f"{outcome.upper()}  {job}", flush=True)
    counts = Counter(done[job.key]["outcome"] for job in work)
    noticed = counts["noticed"] + counts["endless"]
    print(f"\n{noticed} of {len(work)} noticed ({100 * noticed / max(len(work), 1):.1f}%): {dict(counts)}")
    if left:
        took = time.monotonic() - began
        spent = sum(float(done[job.key]["seconds"]) for job in left)
        print(f"{took:.0f} seconds; of the processor {spent / len(left):.1f} a mutant")
    return sum(counts[outcome] for outcome in UNNOTICED)


def _lines(file: Path) -> Iterator[dict[str, str | float]]:
    if file.exists():
        for line in file.read_text("utf-8").splitlines():
            with suppress(ValueError):  # the last line of a run that was killed
                yield json.loads(line)


def _sample(root: Path, number: int, seed: int) -> list[Job]:
    paths = sorted(path for folder in FOLDERS for path in (root / folder).rglob("*.py"))
    files = {str(path.relative_to(root)): path.read_text("utf-8") for path in paths}
    modules = {file: file.removesuffix("/__init__.py").removesuffix(".py").replace("/", ".") for file in files}
    return [Job(modules[file], file, mutant) for file, mutant in sample(files, number, Random(seed))]


def _warm() -> None:
    """Import what lies below the mutants and build the demo clinic's records, for every fork to share."""
    import gc

    for name in _BELOW:
        import_module(name)
    import_module("cliniko_mcp.cliniko.registry").operations()
    demo_clinic()
    above = tuple(folder.replace("/", ".") for folder in FOLDERS)
    wrong = [name for name in sys.modules if name.startswith(above)]
    assert not wrong, f"imported before its mutants: {wrong}"
    gc.freeze()


def _outcomes(
    work: Sequence[Job], known: Touching, tests: Sequence[str], jobs: int, seconds: int
) -> Iterator[tuple[Job, str, float]]:
    """Each mutant with its outcome (noticed, endless, unnoticed, untouched) and the seconds of the processor."""

    pairs = [(job.module.removeprefix(f"{PACKAGE}."), job.mutant) for job in work]
    files = {name: job.file for (name, _), job in zip(pairs, work, strict=True)}

    def choose(module: str, mutant: Mutant, costs: Mapping[str, float]) -> list[str]:
        return [test for test in _best(known, files[module], mutant) if test in costs]

    rest = dict(enumerate(work))
    for trial in trials(pairs, tests, jobs, choose, known.seconds, [_Hasty()]):
        job = rest.pop(trial.index)
        outcome = "endless" if trial.noticed == ENDLESS else "noticed" if trial.noticed else "unnoticed"
        yield job, outcome if known.of(job.file, job.mutant.lines) else "untouched", trial.seconds
    yield from _tried([*rest.values()], known, jobs, seconds)


def _best(known: Touching, file: str, mutant: Mutant) -> list[str]:
    """The tests that this mutant is tried on, the best first.

    Those of a file that has the module's words in its name, the fastest first, then those that touch little besides the
    module. Half of the time is for generated clinics, which are slow and notice what the others do not.
    """
    words = {*Path(file).stem.split("_")}

    def far(test: str) -> tuple[bool, float, float]:
        near = words & {*Path(test.partition("::")[0]).stem.split("_")}
        return (not near, 0 if near else 1 - known.share(test, file), known.seconds[test])

    there = sorted(known.of(file, mutant.lines), key=far)
    generated = [test for test in there if test.startswith("tests/generated/")]
    others = [test for test in there if not test.startswith("tests/generated/")]
    return [*_affordable(known, others), *_affordable(known, generated)]


def _tried(work: Sequence[Job], known: Touching, jobs: int, seconds: int) -> Iterator[tuple[Job, str, float]]:
    running: dict[int, tuple[Job, list[str], float]] = {}  # the tests that are left, the seconds that were taken
    waiting = iter(work)
    while True:
        while len(running) < jobs and (job := next(waiting, None)) is not None:
            tests = _best(known, job.file, job.mutant)
            if not tests:
                yield job, "untouched", 0.0
                continue
            running[_start(job, tests[:_FIRST], seconds)] = job, tests[_FIRST:], 0.0
        if not running:
            return
        child, status, usage = os.wait4(-1, 0)
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # what its tests had started
        job, rest, taken = running.pop(child)
        taken += usage.ru_utime + usage.ru_stime
        code = os.waitstatus_to_exitcode(status)
        if code == 0 and rest:
            running[_start(job, rest, seconds)] = job, [], taken
            continue
        outcome = "unnoticed" if code == 0 else "endless" if code < 0 else "noticed"
        yield job, outcome, taken


def _affordable(known: Touching, tests: Sequence[str]) -> list[str]:
    """Of these tests, the first first, those that there is time for; at least one."""
    found: list[str] = []
    room = _MAX_SECONDS
    for test in tests:
        if known.seconds[test] <= room or not found:
            room -= known.seconds[test]
            found.append(test)
    return found


def _start(job: Job, tests: Sequence[str], seconds: int) -> int:
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    # A mutant that never ends is one that is noticed. On a busy computer time passes that is not the mutant's.
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    signal.alarm(10 * seconds)
    os.setpgrp()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    sys.meta_path.insert(0, Mutated(job.module, job.mutant.text))
    files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
    os._exit(int(pytest.main([*PLAIN, "-x", *files], plugins=[_Hasty(), _Chosen(tests)])))
