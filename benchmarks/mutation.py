"""Whether the tests of the guards notice every small mistake in them: a score for each module, and what went unnoticed.

    python -m benchmarks.mutation [--jobs 2] [--only guards.confirm,approvals.pin] [--retry OUTPUT] [--fast]
    python -m benchmarks.mutation --sample 500 [--seed 1] [--jobs 1]    see `benchmarks.sampled_mutation`

Each mutant of `benchmarks.mutants` runs in a process of its own, forked from one that has imported all that lies below
the guards, against the tests named in TESTS, the nearest first, up to the first that fails. The files on disk are not
touched. What no test can notice stands with its reason in `mutation.txt`, beside this file; anything else that goes
unnoticed in a module ends the run with exit code 1. What was noticed is kept in `noticed.txt` and not tried again while
its module is as it was, so that a run that was ended goes on; `--afresh` tries all. Needs `fork`, so not on Windows.
"""

import argparse
import gc
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator, Sequence, Set
from contextlib import suppress
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Final

from benchmarks.guard_tests import TESTS
from benchmarks.mutants import Mutant, mutants
from benchmarks.noticed_mutants import Noticed

ROOT: Final = Path(__file__).parent.parent
PACKAGE: Final = "cliniko_mcp"
PIN: Final = "approvals.pin"
EXPLAINED: Final = Path(__file__).with_name("mutation.txt")

_BELOW: Final = (
    *("pytest", "hypothesis.stateful", "mcp.client.client", "mcp.client.stdio", "mcp_types", "anyio", "pydantic"),
    *("mcp.server.lowlevel", "uvicorn", "starlette.applications", "httpx2", "rapidfuzz.fuzz", "click.testing"),
    *("anyio.pytest_plugin", "_hypothesis_pytestplugin", "_pytest.unraisableexception"),
    *(
        "cliniko_mcp.cliniko.registry",
        "cliniko_mcp.client.clinic",
        "cliniko_mcp.sandbox.transport",
        "cliniko_mcp.settings",
    ),
)


PLAIN: Final = (
    *("-o", "addopts=", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:pytest_cov"),
    *("-W", "ignore:Module already imported so cannot be rewritten", "--hypothesis-seed=0"),
)
"""What pytest is told for a mutant."""


class Mutated(MetaPathFinder, Loader):
    """Imports one module with a mutant's text in place of its own."""

    def __init__(self, module: str, text: str) -> None:
        self._module = module
        self._text = text

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        return ModuleSpec(fullname, self, origin=fullname) if fullname == self._module else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._text, self._module, "exec"), module.__dict__)


def main() -> None:
    """Try every mutant and print the scores."""
    options = _options()
    os.chdir(ROOT)
    if options.sample:
        from benchmarks import sampled_mutation

        unnoticed = sampled_mutation.run(
            ROOT,
            options.sample,
            options.seed,
            jobs=options.jobs,
            seconds=options.seconds,
            results=Path(options.results) if options.results else None,
            tests=options.tests.split(",") if options.tests else (),
        )
        sys.exit(1 if unnoticed else 0)
    for name in _BELOW:
        import_module(name)
    import_module("cliniko_mcp.cliniko.registry").operations()
    gc.freeze()  # pytest collects garbage often, and what is imported by now is none
    if not options.again:
        _sound()
    explained = {line.partition("  because  ")[0] for line in EXPLAINED.read_text("utf-8").splitlines()}
    work = [
        (module, mutant)
        for module in (options.only.split(",") if options.only else TESTS)
        for mutant in mutants((ROOT / PACKAGE / f"{module.replace('.', '/')}.py").read_text("utf-8"))
    ]
    if options.retry:
        named = set(Path(options.retry).read_text("utf-8").splitlines())
        work = [(module, mutant) for module, mutant in work if f"UNNOTICED  {module}  {mutant.name}" in named]
    work = [(module, mutant) for module, mutant in work if options.having in mutant.name]
    tally = {module: [0, 0, 0] for module, _ in work}
    began = time.monotonic()
    kept = Noticed()
    before = {one for one in work if one in kept and not options.afresh}
    for module, mutant, noticed in chain(
        ((*one, True) for one in work if one in before), _outcomes(work, before, options)
    ):
        known = f"{module}  {mutant.name}" in explained
        tally[module][0 if noticed else 1 if known else 2] += 1
        if noticed:
            kept.add((module, mutant))
        if noticed == known:
            print(f"{'explained, but noticed' if noticed else 'UNNOTICED'}  {module}  {mutant.name}", flush=True)
    print(f"\n{'module':<24} mutants  noticed  explained  unnoticed")
    tally["all"] = [sum(column) for column in zip(*tally.values(), strict=True)]
    for module, (noticed, known, unnoticed) in tally.items():
        print(f"{module:<24} {noticed + known + unnoticed:>7}  {noticed:>7}  {known:>9}  {unnoticed:>9}")
    print(f"{time.monotonic() - began:.0f} seconds")
    sys.exit(1 if tally["all"][2] else 0)


def _outcomes(
    work: Sequence[tuple[str, Mutant]], before: Set[tuple[str, Mutant]], options: argparse.Namespace
) -> Iterator[tuple[str, Mutant, bool]]:
    """Each mutant but those that were noticed before, and whether it was noticed now."""
    rest = [one for one in work if one not in before]
    if options.fast:
        from benchmarks import swapped_mutation

        for one in swapped_mutation.noticed([one for one in rest if one[0] != PIN], options.jobs):
            rest.remove(one)
            yield *one, True
    yield from _tried(rest, options.jobs, options.seconds)


def _sound() -> None:
    """End here where the tests fail without any mutant: then they would seem to notice every one."""
    apart = f"{PACKAGE}.{PIN}"
    for module, tests in (
        (apart, {*TESTS[PIN]}),
        ("", {name for names in TESTS.values() for name in names} - {*TESTS[PIN]}),
    ):
        text = (ROOT / PACKAGE / f"{PIN.replace('.', '/')}.py").read_text("utf-8")
        child = os.fork() or _child(module, text, sorted(f"tests/{name}" for name in tests), 900)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0:
            sys.exit("the tests fail without any mutant")


def _tried(work: Sequence[tuple[str, Mutant]], jobs: int, seconds: int) -> Iterator[tuple[str, Mutant, bool]]:
    running: dict[int, tuple[str, Mutant]] = {}
    waiting = iter(work)
    while True:
        while len(running) < jobs and (one := next(waiting, None)) is not None:
            tests = [f"tests/{name}" for name in TESTS[one[0]]]
            child = os.fork() or _child(f"{PACKAGE}.{one[0]}", one[1].text, tests, seconds)
            running[child] = one
        if not running:
            return
        child, status = os.wait()
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # what its tests had started
        module, mutant = running.pop(child)
        yield module, mutant, os.waitstatus_to_exitcode(status) != 0


def _child(module: str, text: str, tests: list[str], seconds: int) -> int:
    """Run the tests on the mutant and end with pytest's exit code: 0 only where all of them pass."""
    import pytest

    # A mutant that never ends is one that is noticed. On a busy computer time passes that is not the mutant's.
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    signal.alarm(10 * seconds)
    os.setpgrp()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    sys.meta_path.insert(0, Mutated(module, text))
    if module in sys.modules:  # what was imported beforehand may hold on to the sound one
        for name in [name for name in sys.modules if name.startswith(PACKAGE)]:
            del sys.modules[name]
    if module != f"{PACKAGE}.{PIN}":
        cheapen()
    # The nearest tests first and alone: most mutants fail there, before the others are even collected.
    some = [part for part in (tests[:1], tests[1:]) if part]
    os._exit(next((int(code) for part in some if (code := pytest.main([*PLAIN, "-x", "-q", *part]))), 0))


def cheapen() -> None:
    """Lower the cost of a PIN: what makes guessing slow makes the tests slow too."""
    import_module(f"{PACKAGE}.{PIN}")._COST["n"] = 2


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutation", description=__doc__)
    parser.add_argument("--jobs", type=int, default=2, help="processes at once")
    parser.add_argument("--only", default="", help="modules, separated by commas")
    parser.add_argument("--retry", default="", help="only the mutants that this earlier output names as unnoticed")
    parser.add_argument("--having", default="", help="only mutants whose names have this in them")
    parser.add_argument("--fast", action="store_true", help="first on the quick tests; see `swapped_mutation`")
    parser.add_argument("--afresh", action="store_true", help="also what was noticed before")
    parser.add_argument("--again", action="store_true", help="do not first try the tests without any mutant")
    parser.add_argument("--seconds", type=int, default=60, help="of the processor that one mutant may take")
    parser.add_argument("--sample", type=int, default=0, help="instead so many mutants of the front desk, at random")
    parser.add_argument("--seed", type=int, default=1, help="of the sample: the same one draws the same mutants")
    parser.add_argument("--results", default="", help="where the outcomes of the sample are appended")
    parser.add_argument("--tests", default="", help="for what the sample left unnoticed: tests, by commas")
    return parser.parse_args()


if __name__ == "__main__":
    main()
