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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from types import CodeType, FunctionType
from typing import Final, NoReturn

import pytest

from benchmarks.mutants import Mutant
from benchmarks.mutation import PACKAGE, PLAIN, ROOT, TESTS, cheapen

SLOW_SECONDS: Final = 1.0
"""Of the processor: a test that takes more is no quick one."""
_PATIENCE: Final = 20
"""Seconds after which a test that waits has noticed the mutant, besides thirty times what it takes without."""
_Place = tuple[int, ...]
"""Where a function stands in the code of its module: its index in each code around it."""
_BODY: Final = 3
"""The flags of the code of a function, which that of a class has not."""


def noticed(work: Sequence[tuple[str, Mutant]], jobs: int) -> list[tuple[str, Mutant]]:
    """Of these mutants, each with its module, those that a quick test noticed, as they came."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nowhere, descriptor)
        cheapen()
        files = dict.fromkeys(f"tests/{name}" for module, _ in work for name in TESTS[module])
        pytest.main([*PLAIN, *files], plugins=[_Session(work, jobs, writing)])
        os._exit(1)
    os.close(writing)
    with os.fdopen(reading) as lines:
        found = [work[int(line)] for line in lines]
    os.waitpid(child, 0)
    return found


class _Session:
    """What takes the place of pytest's own loop over the tests."""

    def __init__(self, work: Sequence[tuple[str, Mutant]], jobs: int, told: int) -> None:
        """`told` is the pipe into which the index of each mutant that is noticed goes, on a line of its own."""
        self._work = work
        self._jobs = jobs
        self._told = told
        self._failed = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note that a test failed."""
        self._failed = self._failed or report.failed

    def pytest_runtestloop(self, session: pytest.Session) -> NoReturn:
        """Try every mutant and end the process."""
        by_file: dict[str, list[pytest.Item]] = {}
        for item in session.items:
            by_file.setdefault(item.path.relative_to(ROOT / "tests").as_posix(), []).append(item)
        modules = {module: _Module(module) for module, _ in self._work}
        gc.freeze()
        costs = self._costs(session.items)
        running: dict[int, tuple[int, int, _Module]] = {}
        for index, (name, mutant) in enumerate(self._work):
            module = modules[name]
            swaps = module.swaps(mutant.text)
            if not swaps:
                continue
            near = [item for file in TESTS[name] for item in by_file.get(file, ()) if item.nodeid in costs]
            # Those first that noticed most of the others for what they take; else as they are named.
            near.sort(key=lambda item: -module.noticed[item.nodeid] / (0.02 + costs[item.nodeid]))
            while len(running) >= self._jobs:
                self._end_one(running)
            reading, writing = os.pipe()
            child = os.fork()
            if not child:
                os.close(reading)
                os.setpgrp()
                for function, code in swaps:
                    function.__code__ = code
                os.write(writing, self._first_to_fail(near, costs).encode())
                os._exit(0)
            os.close(writing)
            running[child] = index, reading, module
        while running:
            self._end_one(running)
        os._exit(0)

    def _end_one(self, running: dict[int, tuple[int, int, "_Module"]]) -> None:
        child, status = os.wait()
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # what its tests had started
        index, reading, module = running.pop(child)
        with os.fdopen(reading) as said:
            failed = said.read()
        module.noticed[failed] += 1
        if failed or status:
            os.write(self._told, f"{index}\n".encode())

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

    def _costs(self, items: Sequence[pytest.Item]) -> Mapping[str, float]:
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


def _used() -> float:
    """The seconds of the processor that this process and those that it started and that ended took so far."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


class _Module:
    """A module that is to have mutants, and its functions that are there."""

    def __init__(self, name: str) -> None:
        path = ROOT / PACKAGE / f"{name.replace('.', '/')}.py"
        text = path.read_text("utf-8")
        import_module(f"{PACKAGE}.{name}")
        self.noticed: Counter[str] = Counter()
        """How many of its mutants each test has noticed."""
        self._path = str(path)
        # A mutant's text is unparsed and so without the comments and lines of the file.
        self._plain = compile(ast.unparse(ast.parse(text)), self._path, "exec")
        places = {code: place for place, code in _all(compile(text, self._path, "exec"))}
        self._functions: dict[_Place, list[FunctionType]] = {}
        for found in gc.get_objects():
            if isinstance(found, FunctionType) and found.__code__.co_filename == self._path:
                place = places.get(found.__code__)
                if place is not None:
                    self._functions.setdefault(place, []).append(found)

    def swaps(self, text: str) -> list[tuple[FunctionType, CodeType]]:
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
