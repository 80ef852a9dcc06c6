"""A command that goes on while a test talks to it: what `subprocess.Popen` is for one that is started."""

import os
import signal
import socket
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Self

from tests import warm
from tests.warm import command


class Started:
    """A command under way, with pipes for what it reads, prints and logs; killed at the end if it is still there."""

    def __init__(self, *arguments: str, env: Mapping[str, str]) -> None:
        (read, write), (told, printed), (complained, logged) = (os.pipe() for _ in range(3))
        self.arguments = arguments
        self.returncode: int | None = None
        self._wire = command.ordered(
            [*arguments], dict(env), str(Path.cwd()), [read, printed, logged], str(warm.address())
        )
        for end in (read, printed, logged):
            os.close(end)
        self.pid = command.number(self._wire)
        self.stdin = FileIO(write, "wb")
        self.stdout, self.stderr = (BufferedReader(FileIO(end, "rb")) for end in (told, complained))

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        with suppress(ProcessLookupError):  # it ended, and nobody has waited for it yet
            self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, or the negative number of the signal that ended it. Raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            self._wire.settimeout(timeout)
            try:
                self.returncode = command.number(self._wire)
            except TimeoutError:
                raise subprocess.TimeoutExpired(["cliniko-mcp", *self.arguments], timeout or 0) from None
        return self.returncode

    def poll(self) -> int | None:
        """The exit code; None while it is under way."""
        try:
            return self.wait(0.001)
        except subprocess.TimeoutExpired:
            return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.wait()
        self._wire.shutdown(socket.SHUT_RDWR)
        self._wire.close()
        for stream in (self.stdin, self.stdout, self.stderr):
            stream.close()
