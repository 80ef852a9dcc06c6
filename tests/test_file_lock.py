"""The lock that several processes share: who waits, how long, and how often it is tried."""

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from cliniko_mcp import private_files


class Watch:
    """A clock of the tests' own, and another process that keeps the lock until a moment on it."""

    def __init__(self) -> None:
        self.tries: list[float] = []
        self.now = 1_000.0
        self.until = 1_000_000.0

    def monotonic(self) -> float:
        self.now += 0.0001
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch()
    take = private_files._take

    def tried(descriptor: int) -> None:
        watch.tries.append(watch.now)
        if watch.now < watch.until:
            raise BlockingIOError("another has it")
        take(descriptor)

    monkeypatch.setattr(private_files, "time", watch)
    monkeypatch.setattr(private_files, "_take", tried)
    return watch


@pytest.fixture
def file(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path / "shared", os.O_RDWR | os.O_CREAT)
    yield descriptor
    os.close(descriptor)


def test_a_lock_that_another_keeps_is_waited_for_two_seconds_and_no_longer(watch: Watch, file: int) -> None:
    with pytest.raises(TimeoutError, match="another process holds the file"), private_files.locked(file):
        pytest.fail("nobody gave it back")
    assert 2.0 <= watch.now - watch.tries[0] < 2.1


def test_who_has_no_patience_is_told_at_once(watch: Watch, file: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def waited(seconds: float) -> None:
        pytest.fail("it waited")

    monkeypatch.setattr(watch, "monotonic", lambda: 1_000.0)  # a clock that has not moved on
    monkeypatch.setattr(watch, "sleep", waited)
    with pytest.raises(TimeoutError), private_files.locked(file, 0):
        pytest.fail("nobody gave it back")
    assert len(watch.tries) == 1


def test_while_it_waits_it_tries_hundreds_of_times_a_second_and_rests_in_between(watch: Watch, file: int) -> None:
    watch.until = watch.now + 1
    with private_files.locked(file):
        assert watch.until <= watch.now < watch.until + 0.01
    assert all(0.001 < later - earlier < 0.01 for earlier, later in pairwise(watch.tries))


def test_it_is_given_back_after_work_that_went_well_and_after_work_that_failed(tmp_path: Path, file: int) -> None:
    other = os.open(tmp_path / "shared", os.O_RDWR)
    try:
        with private_files.locked(file), pytest.raises(OSError):
            private_files._take(other)
        with pytest.raises(ZeroDivisionError), private_files.locked(file):
            raise ZeroDivisionError
        with private_files.locked(other):
            pass
    finally:
        os.close(other)
