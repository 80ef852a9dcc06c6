"""Clients that vanish and operators who stop the server in the middle of a call."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from .process import PATIENT, STUCK, Process, Served, served

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the signals of this test are POSIX")


def hang_up(server: Served) -> None:
    assert server.process.stdin is not None
    server.process.stdin.close()


def stop(server: Served) -> None:
    server.process.send_signal(signal.SIGTERM)


def interrupt(server: Served) -> None:
    server.process.send_signal(signal.SIGINT)


def until(holds: Callable[[], Any], process: Process) -> None:
    """Wait for something another process does, at most until it ends; a poll of a few milliseconds, bounded."""
    give_up = time.monotonic() + PATIENT
    while not holds():
        assert time.monotonic() < give_up, "it did not happen"
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.01)
            return


@pytest.mark.long_but_one
@pytest.mark.parametrize("leave", [hang_up, stop, interrupt], ids=lambda leave: leave.__name__)
def test_a_server_left_in_the_middle_of_a_write_ends_at_once_and_writes_down_how_it_ended(
    tmp_path: Path, leave: Callable[[Served], None]
) -> None:
    with served(tmp_path / "audit.jsonl") as server:
        server.call("list_practitioners", limit=1)
        server.trouble(kind="slow", seconds=STUCK, method="POST")
        server.send("create_patient", first_name="Half", last_name="Done")
        until(lambda: "/v1/patients" in server.asked("POST"), server.process)
        leave(server)
        code = server.process.wait(PATIENT)
        server.reading.join()
        assert code in (0, 130, -signal.SIGTERM, -signal.SIGINT), server.said
        assert "Traceback" not in server.said
        outcomes = [line["outcome"] for line in server.written() if line["operation"] == "create_patient"]
        assert outcomes == ["begun", "interrupted"]
        assert server.chain().verify().problem is None


@pytest.mark.long
def test_a_server_that_is_killed_in_the_middle_of_a_write_leaves_its_beginning_and_the_next_one_goes_on(
    tmp_path: Path,
) -> None:
    audit = tmp_path / "audit.jsonl"
    with served(audit) as server:
        server.trouble(kind="slow", seconds=STUCK, method="POST")
        server.send("create_patient", first_name="Half", last_name="Done")
        until(lambda: "/v1/patients" in server.asked("POST"), server.process)
        server.process.kill()
        server.process.wait(PATIENT)
        assert [line["outcome"] for line in server.written() if line["operation"] == "create_patient"] == ["begun"]
    with served(audit) as server:
        assert "cut off when the server last ended, look whether it took effect: create_patient, " in server.said
        assert "item" in server.call("create_patient", first_name="Whole", last_name="Done")
        assert server.chain().verify().problem is None
        outcomes = [line["outcome"] for line in server.written() if line["operation"] == "create_patient"]
        assert outcomes == ["begun", "begun", "ok"]
