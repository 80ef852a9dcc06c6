"""Each line of the audit log in a second place: a file, a program, a log server; what fails there stops nothing."""

import logging
import os
import socket
import sys
from pathlib import Path

import pytest

from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.guards import audit_copy
from cliniko_mcp.guards.audit_copy import copy_to
from cliniko_mcp.guards.hash_chain import HashChain

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
    "place", ["", "file", "file:", "command:", "command:'x", "syslog:host", "syslog::514", "syslog:h:0", "/var/x"]
)
def test_a_place_that_is_none_is_refused_with_those_there_are(place: str) -> None:
    with pytest.raises(ConfigurationError, match="--audit-copy takes file:PATH"):
        copy_to(place)


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
