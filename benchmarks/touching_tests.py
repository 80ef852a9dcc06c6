"""Which tests touch which lines of some folders of the package, and how long each takes: found once, kept in a file."""

import hashlib
import json
import os
import time
from collections import Counter
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from coverage import Coverage

PLAIN: Final = (
    *("-o", "addopts=", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:pytest_cov"),
    *("-W", "ignore:Module already imported so cannot be rewritten", "-q"),
)
"""How the tests of a mutant are run: in this process, with nothing left on the disk."""


@dataclass(frozen=True)
class Touching:
    """The tests that pass, with their seconds, and by file and line which of them run it."""

    seconds: Mapping[str, float]
    lines: Mapping[str, Mapping[int, Sequence[str]]]

    @cached_property
    def _counts(self) -> Mapping[str, Counter[str]]:
        """How many lines of each file each test runs."""
        found: dict[str, Counter[str]] = {test: Counter() for test in self.seconds}
        for file, by_line in self.lines.items():
            for tests in by_line.values():
                for test in tests:
                    found[test][file] += 1
        return found

    def share(self, test: str, file: str) -> float:
        """The part of all lines that this test runs which is of this file, from 0 to 1."""
        counts = self._counts[test]
        return counts[file] / max(counts.total(), 1)

    def of(self, file: str, lines: tuple[int, int]) -> list[str]:
        """The tests that run any of these lines, the fastest first; of a line that only an import runs, the file's."""
        there = self.lines.get(file, {})
        found = {test for line in range(lines[0], lines[1] + 1) for test in there.get(line, ())}
        if len(found) < 2:  # what an import runs is seen in the first test that imports the file
            found |= {test for tests in there.values() for test in tests}
        return sorted(found, key=lambda test: (self.seconds[test], test))


def touching(root: Path, folders: Sequence[str], tests: Sequence[str], kept: Path, jobs: int) -> Touching:
    """What is kept in this file where neither package nor tests have changed since; else found by running the tests."""
    stamp = _stamp(root, folders, tests)
    if kept.exists():
        found = json.loads(kept.read_text("utf-8"))
        if found["stamp"] == stamp:
            return _read(found)
    print(f"running {' '.join(tests)} once, to see which lines each test touches", flush=True)
    kept.parent.mkdir(parents=True, exist_ok=True)
    paths = {path for name in tests for path in (root / name, *(root / name).rglob("test_*.py")) if path.is_file()}
    files = sorted(str(path.relative_to(root)) for path in paths)
    parts = [kept.with_suffix(f".{number}.json") for number in range(jobs)]
    children = [_recording(root, folders, files[number::jobs], part) for number, part in enumerate(parts)]
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    if any(codes):
        raise SystemExit("the tests could not be run")
    seconds: dict[str, float] = {}
    lines: dict[str, dict[int, list[str]]] = {}
    for part in parts:
        found = _read(json.loads(part.read_text("utf-8")))
        part.unlink()
        seconds |= found.seconds
        for file, by_line in found.lines.items():
            for line, names in by_line.items():
                lines.setdefault(file, {}).setdefault(line, []).extend(names)
    kept.write_text(json.dumps({"stamp": stamp, **_numbered(seconds, lines)}), "utf-8")
    return Touching(seconds, lines)


def _stamp(root: Path, folders: Sequence[str], tests: Sequence[str]) -> str:
    digest = hashlib.sha256(" ".join(tests).encode())
    for folder in (*folders, "tests"):
        for path in sorted((root / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _read(found: Mapping[str, Mapping[str, Mapping[str, list[int]]]]) -> Touching:
    seconds = found["seconds"]
    names = list(seconds)
    lines = {
        file: {int(line): [names[number] for number in numbers] for line, numbers in by_line.items()}
        for file, by_line in found["lines"].items()
    }
    return Touching(seconds, lines)  # type: ignore[arg-type]


class _Recorder:
    """Tells coverage which test runs, and notes how long it takes and whether it passes."""

    def __init__(self, coverage: "Coverage") -> None:
        self._coverage = coverage
        self.seconds: dict[str, float] = {}
        self.failed: set[str] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        self._coverage.switch_context(item.nodeid)
        began = time.process_time()
        try:
            return (yield)
        finally:
            self.seconds[item.nodeid] = round(time.process_time() - began, 3)
            self._coverage.switch_context("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.passed:
            self.failed.add(report.nodeid)


def _numbered(
    seconds: Mapping[str, float], lines: Mapping[str, Mapping[int, Sequence[str]]]
) -> Mapping[str, Mapping[str, object]]:
    numbers = {test: number for number, test in enumerate(seconds)}
    by_file = {
        file: {line: sorted(numbers[test] for test in tests) for line, tests in by_line.items()}
        for file, by_line in lines.items()
    }
    return {"seconds": seconds, "lines": by_file}


def _recording(root: Path, folders: Iterable[str], files: Sequence[str], kept: Path) -> int:
    """The number of a process that runs these tests and keeps what they touch."""
    child = os.fork()
    if not child:
        os._exit(_record(root, folders, files, kept))
    return child


def _record(root: Path, folders: Iterable[str], tests: Sequence[str], kept: Path) -> int:
    from coverage import Coverage

    coverage = Coverage(data_file=None, config_file=False, source=[str(root / folder) for folder in folders])
    recorder = _Recorder(coverage)
    coverage.start()
    code = int(pytest.main([*PLAIN, *tests], plugins=[recorder]))
    coverage.stop()
    passed = [test for test in recorder.seconds if test not in recorder.failed]
    data = coverage.get_data()
    lines = {
        str(Path(file).relative_to(root)): {
            line: [context for context in contexts if context in recorder.seconds and context not in recorder.failed]
            for line, contexts in data.contexts_by_lineno(file).items()
        }
        for file in data.measured_files()
    }
    found = _numbered({test: recorder.seconds[test] for test in passed}, lines)
    kept.write_text(json.dumps(found), "utf-8")
    return 0 if code in (0, 1) else code
