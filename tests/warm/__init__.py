"""Commands of ours in processes of their own which have everything loaded and the demo clinic's records built.

Python and the package take a second of CPU time to start and build the demo clinic, which hundreds of commands need not
each do for themselves: a process that has done it forks for every command. What a command is given and what it leaves
is as with a process that was started: arguments, environment, folder, streams, terminal and exit code. How a command
behaves in a process that is started afresh is shown by tests/journeys/test_stdio_bytes.py, tests/laws/test_start.py,
tests/distribution, and the servers in tests/docs.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from threading import Thread

from tests.warm import command

NOW = "2026-11-24T09:00:00+11:00"
"""Where the clock of the demo clinic stands that is built; one with another clock is built by the command itself."""

DEMO = ("--sandbox", "--sandbox-now", NOW, "--sandbox-clock", "frozen")
"""The flags of a command on that demo clinic."""

DEMO_SET = {"CLINIKO_MCP_SANDBOX_NOW": NOW, "CLINIKO_MCP_SANDBOX_CLOCK": "frozen"}
"""The same for a command line that cannot be changed."""

POSSIBLE = hasattr(os, "fork") and hasattr(socket, "send_fds") and sys.platform != "darwin"
"""Where it is not, every command is a process that is started; on a Mac, what is forked may not use its frameworks."""


def run(
    *arguments: str, env: Mapping[str, str], cwd: Path | None = None, encoding: str = "utf-8"
) -> "subprocess.CompletedProcess[str]":
    """What the command prints and its exit code; it is given nothing to read."""
    if not POSSIBLE:
        return subprocess.run(
            [sys.executable, "-m", "cliniko_mcp", *arguments],
            capture_output=True, encoding=encoding, timeout=300, env=env, cwd=cwd, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    texts: dict[int, bytes] = {}
    readers: list[Thread] = []
    with open(os.devnull) as nothing:
        pipes = [os.pipe(), os.pipe()]
        for number, (reading, _) in enumerate(pipes):
            readers.append(Thread(target=_drained, args=(number, reading, texts)))
            readers[-1].start()
        ends = [nothing.fileno(), *(writing for _, writing in pipes)]
        try:
            code = command.done([*arguments], dict(env), str(cwd or Path.cwd()), ends, str(address()))
        finally:
            for _, writing in pipes:
                os.close(writing)
            for reader in readers:
                reader.join()
    return subprocess.CompletedProcess(
        ["cliniko-mcp", *arguments], code, texts[0].decode(encoding), texts[1].decode(encoding)
    )


def in_streams(*arguments: str, env: Mapping[str, str], streams: tuple[int, int, int]) -> int:
    """The exit code of a command whose input, output and errors are these descriptors."""
    if POSSIBLE:
        return command.done([*arguments], dict(env), str(Path.cwd()), [*streams], str(address()))
    stdin, stdout, stderr = streams
    return subprocess.run(
        [sys.executable, "-m", "cliniko_mcp", *arguments], stdin=stdin, stdout=stdout, stderr=stderr, env=env
    ).returncode


@cache
def folder() -> Path:
    """A folder for `PATH` in which `cliniko-mcp` is a command of this kind."""
    made = address().parent / "bin"
    made.mkdir()
    program = made / "cliniko-mcp"
    body = Path(command.__file__).read_text("utf-8")
    here = f"ADDRESS = {str(address())!r}"
    program.write_text(f"#!{sys.executable} -IS\n{body}\n{here}\nsys.exit(passed_on(ADDRESS))\n", "utf-8")
    program.chmod(0o700)
    return made


def _drained(number: int, reading: int, texts: dict[int, bytes]) -> None:
    with open(reading, "rb") as pipe:
        texts[number] = pipe.read()


@cache
def address() -> Path:
    """The socket of the process that forks, which is started for the first command."""
    path = Path(tempfile.mkdtemp(prefix="warm")) / "s"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.warm.process", str(path), NOW],
        cwd=Path(__file__).resolve().parents[2], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    _STARTED.append(process)
    assert process.stdout is not None and process.stdout.readline() == b"ready\n"
    return path


_STARTED: "list[subprocess.Popen[bytes]]" = []


def end() -> None:
    """End the process that forks, if it was started."""
    while _STARTED:
        _STARTED.pop().communicate()
        shutil.rmtree(address().parent)
        address.cache_clear()
        folder.cache_clear()
