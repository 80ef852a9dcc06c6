"""Each line of the audit log in a second place: a file, a program, a log server; what fails there stops nothing."""

import logging
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cliniko_mcp.app import open_app
from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.guards import audit_copy
from cliniko_mcp.guards.audit_copy import copy_to
from cliniko_mcp.guards.hash_chain import HashChain
from cliniko_mcp.settings import Settings

LINUX = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="only Linux lists a process's open files there")
POSIX = pytest.mark.skipif(os.name != "posix", reason="only there a program that does not read is not waited for")
ONE_LINE = "import sys; open(sys.argv[1], 'ab').write(sys.stdin.buffer.readline())"
KEEPING = (
    "import os, sys; 'CLINIKO_API_KEY' in os.environ and sys.exit(1); "
    "file = open(sys.argv[1], 'wb', 0); [file.write(line) for line in sys.stdin.buffer]"
)


def written(tmp_path: Path, place: str) -> HashChain:
    """A log of three lines that were copied to this place."""
    copy = copy_to(place)
    chain = HashChain(tmp_path / "log" / "audit.jsonl", copy=copy)
    for number in range(3):
        assert chain.append({"x": number}) == number + 1
    copy.close()
    return chain


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """The programs that were started, oldest first."""
    programs = list[subprocess.Popen[bytes]]()
    start = subprocess.Popen[bytes]

    def starting(*words: Any, **how: Any) -> subprocess.Popen[bytes]:
        programs.append(start(*words, **how))
        return programs[-1]

    monkeypatch.setattr(audit_copy.subprocess, "Popen", starting)
    return programs


def test_a_file_holds_the_same_lines_and_is_its_owners_alone(tmp_path: Path) -> None:
    copy = tmp_path / "copy.jsonl"
    chain = written(tmp_path, f"file:{copy}")
    assert copy.read_bytes() == chain.path.read_bytes()
    assert os.name != "posix" or copy.stat().st_mode & 0o777 == 0o600


def test_a_copy_goes_on_where_the_log_is_rotated(tmp_path: Path) -> None:
    copy = tmp_path / "copy.jsonl"
    chain = HashChain(tmp_path / "log" / "audit.jsonl", segment_bytes=1, max_segments=2, copy=copy_to(f"file:{copy}"))
    for _ in range(4):
        chain.append({})
    assert len(copy.read_bytes().splitlines()) == 4


@LINUX
def test_a_file_on_a_full_disk_is_told_and_none_stays_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy, before = copy_to(f"file:{tmp_path / 'copy.jsonl'}"), os.listdir("/proc/self/fd")
    copy(b"{}\n")
    monkeypatch.setattr(audit_copy.os, "write", lambda _, line: len(line) - 1)
    with pytest.raises(OSError, match="the disk is full"):
        copy(b"{}\n")
    monkeypatch.undo()
    assert os.listdir("/proc/self/fd") == before


def test_a_program_that_has_ended_is_started_again_with_the_next_line(
    tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    kept = tmp_path / "kept"
    copy = copy_to(f"command:{sys.executable} -IS -c \"{ONE_LINE}\" '{kept}'")
    copy(b"1\n")
    started[0].wait()
    copy(b"2\n")
    started[1].wait()
    copy.close()
    assert kept.read_bytes() == b"1\n2\n"


@POSIX
def test_a_program_that_does_not_read_is_told_and_ended_and_the_next_line_starts_it_anew(
    monkeypatch: pytest.MonkeyPatch, started: list[subprocess.Popen[bytes]]
) -> None:
    monkeypatch.setattr(audit_copy, "_END_SECONDS", 0.0)
    copy = copy_to("command:sleep 10")
    with pytest.raises(BlockingIOError, match="the program does not read"):
        copy(b"x" * 2_000_000)
    copy(b"{}\n")
    copy.close()
    assert [program.returncode for program in started] == [-signal.SIGKILL] * 2


def test_a_program_reads_the_same_lines_and_has_no_variable_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLINIKO_API_KEY", "secret")
    monkeypatch.setattr(audit_copy, "_END_SECONDS", 60.0)
    kept = tmp_path / "kept"
    chain = written(tmp_path, f"command:{sys.executable} -c \"{KEEPING}\" '{kept}'")
    assert kept.read_bytes() == chain.path.read_bytes()


def test_a_log_server_receives_each_line(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(60)
        chain = written(tmp_path, f"syslog:127.0.0.1:{server.getsockname()[1]}")
        received = [server.recv(10_000) for _ in range(3)]
    assert received == [b"<110>cliniko-mcp: " + line for line in chain.path.read_bytes().splitlines()]


@pytest.mark.parametrize("place", ["file:{0}", "command:{0}/none", "command:false", "syslog:127.0.0.1:1"])
def test_a_copy_that_fails_stops_nothing_and_is_said_at_most_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, place: str
) -> None:
    with caplog.at_level(logging.WARNING):
        chain = written(tmp_path, place.format(tmp_path))
    assert chain.verify().problem is None and chain.verify().lines == 3
    assert len(caplog.records) <= 1
    assert place.startswith(("syslog", "command:false")) or "could not be copied" in caplog.text


@pytest.mark.parametrize(
    "place",
    [
        *("", "file", "file:", "command:", "command:'x", "/var/x", "syslog:host", "syslog::514"),
        *(f"syslog:h:{port}" for port in ("0", "65536", "+514", "514x", "²")),
    ],
)
def test_a_place_that_is_none_is_refused_with_those_there_are(place: str) -> None:
    with pytest.raises(ConfigurationError, match="--audit-copy takes file:PATH"):
        copy_to(place)


@pytest.mark.anyio
async def test_a_server_that_is_told_of_a_place_that_is_none_does_not_start() -> None:
    with pytest.raises(ConfigurationError, match="--audit-copy takes file:PATH"):
        async with open_app(Settings.load({"sandbox": True, "audit_copy": "/var/log/copy"}, {})):
            pass


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="a system's log is a thing of POSIX systems")
def test_the_system_s_log_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[object] = []

    class Sending:
        def __init__(self, *kind: object) -> None:
            said.append(kind)

        def __enter__(self) -> "Sending":
            return self

        def __exit__(self, *_: object) -> None:
            said.append("closed")

        def settimeout(self, seconds: float) -> None:
            said.append(0 < seconds <= 1)

        def sendto(self, line: bytes, address: object) -> None:
            said.append((line, address))

    monkeypatch.setattr(audit_copy.socket, "socket", Sending)
    copy_to("syslog")(b"{}\n")
    line = (b"<110>cliniko-mcp: {}", "/dev/log")
    assert said == [(socket.AF_UNIX, socket.SOCK_DGRAM), True, line, "closed"]
