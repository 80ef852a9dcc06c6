"""Which mutants quick tests notice, tried in processes forked once those tests are collected: `--fast`.

There a mutant's code takes the place of a function's own, so that nothing is imported or collected again: a tenth of
the time. Only that a mutant was noticed is taken from here. What is run at import cannot be tried so; that, and what
went unnoticed, `benchmarks.mutation` tries in its own way and on all the tests.
"""

import ast
import gc
import os
import resource
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from inspect import getsourcefile
from pathlib import Path
from types import CodeType, FunctionType
from typing import Final, NoReturn

import pytest

from benchmarks.guard_tests import TESTS
from benchmarks.mutants import Mutant
from benchmarks.mutation import PACKAGE, PLAIN, cheapen

SLOW_SECONDS: Final = 1.0
"""Of the processor: a test that takes more is no quick one."""
ENDLESS: Final = "(endless)"
"""What is said to have noticed a mutant with which a test did not end."""
DEMO_START: Final = "2026-11-24T09:00:00+11:00"
"""Where the clock of the tests' demo clinic stands."""
_PATIENCE: Final = 20
"""Seconds after which a test that waits has noticed the mutant, besides thirty times what it takes without."""
_Place = tuple[int, ...]
"""Where a function stands in the code of its module: its index in each code around it."""
_BODY: Final = 3
"""The flags of the code of a function, which that of a class has not."""
_Swaps = Sequence[tuple[FunctionType, CodeType]]


Choose = Callable[[str, Mutant, Mapping[str, float]], Sequence[str]]
"""The tests to try a module's mutant on, the best first, of those whose seconds of the processor are given."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a mutant: its index in the work, the test that noticed it or "", and the processor's seconds.

    ENDLESS in place of the test's name where one of them did not end.
    """

    index: int
    noticed: str
    seconds: float


def noticed(work: Sequence[tuple[str, Mutant]], jobs: int) -> Iterator[tuple[str, Mutant]]:
    """Of these mutants, each with its module, those that a quick test of those named in TESTS noticed, as they came."""

    def near(module: str, _: Mutant, costs: Mapping[str, float]) -> list[str]:
        files = [f"tests/{name}" for name in TESTS[module]]
        by_file: dict[str, list[str]] = {}
        for node in costs:
            by_file.setdefault(node.partition("::")[0], []).append(node)
        return [node for file in files for node in by_file.get(file, ())]

    files = list(dict.fromkeys(f"tests/{name}" for module, _ in work for name in TESTS[module]))
    return (work[trial.index] for trial in trials(work, files, jobs, near) if trial.noticed)


def trials(
    work: Sequence[tuple[str, Mutant]],
    files: Sequence[str],
    jobs: int,
    choose: Choose,
    costs: Mapping[str, float] | None = None,
    plugins: Sequence[object] = (),
) -> Iterator[Trial]:
    """Try these mutants, each with its module below the package, on tests of these files, as they end.

    A mutant of what is run at import is left out. Without `costs` the quick tests that pass are found by running all.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nowhere, descriptor)
        cheapen()
        pytest.main([*PLAIN, *files], plugins=[_Session(work, jobs, writing, choose, costs), *plugins])
        os._exit(1)
    os.close(writing)
    with os.fdopen(reading) as lines:
        for line in lines:
            index, seconds, test = line.rstrip("\n").split(" ", 2)
            yield Trial(int(index), test, float(seconds))
    os.waitpid(child, 0)


class _Session:
    """What takes the place of pytest's own loop over the tests."""

    def __init__(
        self,
        work: Sequence[tuple[str, Mutant]],
        jobs: int,
        told: int,
        choose: Choose,
        costs: Mapping[str, float] | None,
    ) -> None:
        """`told` is the pipe into which each trial goes, on a line of its own."""
        self._work = work
        self._jobs = jobs
        self._told = told
        self._choose = choose
        self._costs = costs
        self._failed = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note that a test failed."""
        self._failed = self._failed or report.failed

    def pytest_runtestloop(self, session: pytest.Session) -> NoReturn:
        """Try every mutant and end the process."""
        items = {item.nodeid: item for item in session.items}
        modules = {module: _Module(module) for module, _ in self._work}
        demo_clinic()
        gc.freeze()
        found = self._costs or self._quick(session.items)
        costs = {node: seconds for node, seconds in found.items() if node in items}
        running: dict[int, tuple[int, int, _Module]] = {}
        for index, (name, mutant) in enumerate(self._work):
            module = modules[name]
            swaps = module.swaps(mutant.text)
            if not swaps:
                continue
            near = list(self._choose(name, mutant, costs))
            # Those first that noticed most of the others for what they take; else as they are named.
            near.sort(key=lambda node: -module.noticed[node] / (0.02 + costs[node]))
            while len(running) >= self._jobs:
                self._end_one(running)
            reading, writing = os.pipe()
            child = os.fork()
            if not child:
                os.close(reading)
                said = self._noticed([items[node] for node in near], swaps, costs)
                os.write(writing, f"{_used()} {said}".encode())
                os._exit(0)
            os.close(writing)
            running[child] = index, reading, module
        while running:
            self._end_one(running)
        os._exit(0)

    def _end_one(self, running: dict[int, tuple[int, int, "_Module"]]) -> None:
        child, _ = os.wait()
        index, reading, module = running.pop(child)
        with os.fdopen(reading) as said:
            seconds, _, failed = said.read().partition(" ")
        module.noticed[failed] += 1
        os.write(self._told, f"{index} {seconds} {failed}\n".encode())

    def _noticed(self, items: Sequence[pytest.Item], swaps: "_Swaps", costs: Mapping[str, float]) -> str:
        """The first of these tests that fails with the mutant, and not without it after the same others."""
        while True:
            failed = self._apart(items, swaps, costs)
            if failed in ("", ENDLESS):
                return failed
            until = next(number for number, item in enumerate(items) if item.nodeid == failed)
            anyway = self._apart(items[: until + 1], [], costs)
            if not anyway:
                return failed
            items = [item for item in items if item.nodeid != (failed if anyway == ENDLESS else anyway)]

    def _apart(self, items: Sequence[pytest.Item], swaps: "_Swaps", costs: Mapping[str, float]) -> str:
        """In a process of its own, the first of these tests that fails; empty where none does."""
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.close(reading)
            os.setpgrp()
            for function, code in swaps:
                function.__code__ = code
            os.write(writing, self._first_to_fail(items, costs).encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as said:
            failed = said.read()
        _, status = os.waitpid(child, 0)
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # what its tests had started
        return failed or (ENDLESS if status else "")

    def _first_to_fail(self, items: Sequence[pytest.Item], costs: Mapping[str, float]) -> str:
        """The first of these tests that fails; empty where none does. The process ends where one does not end."""
        for number, item in enumerate(items):
            signal.alarm(int(_PATIENCE + 30 * costs[item.nodeid]))
            self._play(item, items[number + 1] if number + 1 < len(items) else None)
            if self._failed:
                return item.nodeid
        return ""

    def _play(self, item: pytest.Item, following: pytest.Item | None) -> None:
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)

    def _quick(self, items: Sequence[pytest.Item]) -> Mapping[str, float]:
        """The seconds that each quick test takes of the processor, of those that pass without any mutant."""
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            for number, item in enumerate(items):
                self._failed, began = False, _used()
                self._play(item, items[number + 1] if number + 1 < len(items) else None)
                if not self._failed:
                    os.write(writing, f"{_used() - began} {item.nodeid}\n".encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as lines:
            told = [line.rstrip("\n").partition(" ") for line in lines]
        os.waitpid(child, 0)
        return {node: float(seconds) for seconds, _, node in told if float(seconds) < SLOW_SECONDS}


def demo_clinic() -> None:
    """Build the records of the tests' demo clinic, once for all the processes that come of this one."""
    sandbox = import_module(f"{PACKAGE}.sandbox.core").Sandbox(now=datetime.fromisoformat(DEMO_START), frozen=True)
    assert sandbox.context


def _used() -> float:
    """The seconds of the processor that this process and those that it started and that ended took so far."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


class _Module:
    """A module that is to have mutants, and its functions that are there."""

    def __init__(self, name: str) -> None:
        found = getsourcefile(import_module(f"{PACKAGE}.{name}"))
        assert found is not None
        path = Path(found)
        text = path.read_text("utf-8")
        self.noticed: Counter[str] = Counter()
        """How many of its mutants each test has noticed."""
        self._path = str(path)
        # A mutant's text is unparsed and so without the comments and lines of the file.
        self._plain = compile(ast.unparse(ast.parse(text)), self._path, "exec")
        places = {code: place for place, code in _all(compile(text, self._path, "exec"))}
        self._functions: dict[_Place, list[FunctionType]] = {}
        for function in gc.get_objects():
            if isinstance(function, FunctionType) and function.__code__.co_filename == self._path:
                place = places.get(function.__code__)
                if place is not None:
                    self._functions.setdefault(place, []).append(function)

    def swaps(self, text: str) -> _Swaps:
        """The functions that the module with this text has otherwise, with their code there.

        Empty where it is otherwise in what is run at import, or in nothing.
        """
        try:
            mutated = compile(text, self._path, "exec")
        except SyntaxError:  # without what its `nonlocal` names
            return []
        found: list[tuple[FunctionType, CodeType]] = []
        for place in _changed(self._plain, mutated):
            if not place or _at(self._plain, place).co_flags & _BODY != _BODY:
                return []
            # The function itself, or those around it, which will make it.
            around = [place[:depth] for depth in range(1, len(place) + 1)]
            there = [(function, _at(mutated, one)) for one in around for function in self._functions.get(one, ())]
            if not there:
                return []
            found += there
        return found if all(len(old.__code__.co_freevars) == len(new.co_freevars) for old, new in found) else []


def _nested(code: CodeType) -> list[CodeType]:
    return [constant for constant in code.co_consts if isinstance(constant, CodeType)]


def _all(code: CodeType, place: _Place = ()) -> Iterator[tuple[_Place, CodeType]]:
    yield place, code
    for index, inner in enumerate(_nested(code)):
        yield from _all(inner, (*place, index))


def _at(code: CodeType, place: Iterable[int]) -> CodeType:
    for index in place:
        code = _nested(code)[index]
    return code


def _own(code: CodeType) -> tuple[object, ...]:
    """What this code does, without that within it and without its lines."""
    # An equal value of another type is another constant.
    constants = [(type(one).__name__, one) for one in code.co_consts if not isinstance(one, CodeType)]
    names = code.co_name, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars
    counts = code.co_argcount, code.co_kwonlyargcount, code.co_flags, len(_nested(code))
    return code.co_code, code.co_exceptiontable, names, counts, constants


def _changed(plain: CodeType, mutated: CodeType, place: _Place = ()) -> list[_Place]:
    """Where the two differ, outermost first."""
    if _own(plain) != _own(mutated):
        return [place]
    pairs = enumerate(zip(_nested(plain), _nested(mutated), strict=True))
    return [found for index, (old, new) in pairs for found in _changed(old, new, (*place, index))]
