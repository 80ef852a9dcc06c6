"""A second place for each line of the audit log, so that whoever can change the log cannot change what was copied."""

import os
import shlex
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Final

from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.private_files import open_private
from cliniko_mcp.settings import environment_for_others

_END_SECONDS: Final = 2.0
_PRIORITY: Final = b"<110>cliniko-mcp: "
"""Facility "log audit" (13), severity "informational" (6), and the program's name (RFC 3164)."""


class Copy:
    """A second place for the lines of the log."""

    def __call__(self, line: bytes) -> None:
        """Keep this line, which has its end, there. Raises OSError where that fails."""
        raise NotImplementedError

    def close(self) -> None:
        """End what was started for it."""


def copy_to(place: str) -> Copy:
    """What copies lines to this place: `file:PATH`, `command:PROGRAM ARGUMENT ...`, `syslog` or `syslog:HOST:PORT`.

    Raises ConfigurationError for anything else.
    """
    kind, _, where = place.partition(":")
    with suppress(ValueError):  # a quotation without an end, or a port that is no number
        match kind:
            case "file" if where:
                return _File(Path(where).expanduser())
            case "command" if words := shlex.split(where):
                return _Command(words)
            case "syslog" if not where:
                return _Syslog("/dev/log", socket.AF_UNIX)
            case "syslog":
                host, _, port = where.rpartition(":")
                if host and port.isdigit() and 0 < int(port) < 65536:
                    return _Syslog((host.strip("[]"), int(port)), socket.AF_INET6 if ":" in host else socket.AF_INET)
            case _:
                pass
    raise ConfigurationError("--audit-copy takes file:PATH, command:PROGRAM, syslog or syslog:HOST:PORT")


class _File(Copy):
    """Another file, private to its owner, to which lines are added."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, line: bytes) -> None:
        file = open_private(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            if os.write(file, line) != len(line):
                raise OSError("the disk is full")
        finally:
            os.close(file)


class _Command(Copy):
    """A program that reads lines on its standard input; started with the first, and again where it has ended."""

    def __init__(self, words: list[str]) -> None:
        self._words = words
        self._program: subprocess.Popen[bytes] | None = None

    def __call__(self, line: bytes) -> None:
        if self._program is None or self._program.poll() is not None:
            self.close()
            self._program = subprocess.Popen(
                self._words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, bufsize=0, env=environment_for_others()
            )
        reads = self._program.stdin
        assert reads is not None  # it was asked for
        if os.name == "posix":
            # A program that stops reading is not waited for: the line is then told to be missing.
            os.set_blocking(reads.fileno(), False)
        if reads.write(line) != len(line):
            self.close()
            raise BlockingIOError("the program does not read")

    def close(self) -> None:
        """Tell the program that no more lines come, and give it a moment to end."""
        program, self._program = self._program, None
        if program is None:
            return
        try:
            program.communicate(timeout=_END_SECONDS)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()


class _Syslog(Copy):
    """The system's log, or another computer's: a datagram a line."""

    def __init__(self, address: str | tuple[str, int], family: int) -> None:
        self._address = address
        self._family = family

    def __call__(self, line: bytes) -> None:
        with socket.socket(self._family, socket.SOCK_DGRAM) as sending:
            sending.settimeout(1)
            sending.sendto(_PRIORITY + line.rstrip(b"\n"), self._address)


def copy_of(place: str | None) -> Copy | None:
    """What copies lines to this place, if they are to be. Raises ConfigurationError for a place that is none."""
    return copy_to(place) if place is not None else None
