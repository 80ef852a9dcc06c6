"""The process that forks for every command: it loads the package, builds the demo clinic and waits at a socket."""

import atexit
import gc
import io
import json
import os
import pkgutil
import signal
import socket
import sys
import time
from contextlib import suppress
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import cliniko_mcp
from cliniko_mcp import cli
from cliniko_mcp.sandbox.core import Sandbox


def load(now: datetime) -> None:
    """Import what any command may, and build the demo clinic as it is at this time."""
    for module in pkgutil.walk_packages(cliniko_mcp.__path__, "cliniko_mcp."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    assert Sandbox(now=now, frozen=True).context
    gc.collect()
    gc.freeze()


def answer(wire: socket.socket) -> None:
    """Run the command that stands on the wire; its process id and its exit code go back, 4 bytes each."""
    size, streams, _, _ = socket.recv_fds(wire, 4, 3)
    order = json.loads(_read(wire, int.from_bytes(size, "big")).decode("utf-8", "surrogateescape"))
    if (child := os.fork()) == 0:
        wire.close()
        become(order, streams)
    for stream in streams:
        os.close(stream)
    wire.sendall(child.to_bytes(4, "big"))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with suppress(BrokenPipeError):  # whoever gave the order was killed
        wire.sendall(code.to_bytes(4, "big", signed=True))


def _read(wire: socket.socket, size: int) -> bytes:
    read = b""
    while len(read) < size:
        read += wire.recv(size - len(read)) or sys.exit("an order broke off")
    return read


def become(order: Any, streams: list[int]) -> NoReturn:
    """Run the command in this process, as if it had been started so, and end with its exit code."""
    code = 70  # of what could not even be begun
    try:
        for target, stream in enumerate(streams):
            os.dup2(stream, target)
            os.close(stream)
        os.chdir(order["cwd"])
        os.environ.clear()
        os.environ.update(order["env"])
        time.tzset()
        sys.argv = ["cliniko-mcp", *order["arguments"]]
        _open_streams(os.environ.get("PYTHONIOENCODING", "utf-8"))
        code = _ended()
        sys.stdout.flush()
        sys.stderr.flush()
        atexit._run_exitfuncs()
    finally:
        os._exit(code)


def _open_streams(encoding: str) -> None:
    """Open the three standard streams anew, as Python does when it starts."""
    name, _, errors = encoding.partition(":")
    for number, mode in enumerate("rww"):
        raw = io.FileIO(number, mode, closefd=False)
        kind = io.BufferedReader if mode == "r" else io.BufferedWriter
        stream = io.TextIOWrapper(
            kind(raw),  # pyright: ignore[reportArgumentType]
            name,
            "backslashreplace" if number == 2 else errors or "strict",
            line_buffering=number == 2 or raw.isatty(),
        )
        setattr(sys, ("stdin", "stdout", "stderr")[number], stream)


def _ended() -> int:
    """The exit code of the command."""
    try:
        cli.main()
    except SystemExit as end:
        match end.code:
            case int() | None:
                return end.code or 0
            case words:
                sys.stderr.write(f"{words}\n")
                return 1
    return 0


def main(address: Path, now: datetime) -> None:
    """Answer at this address until whoever started this process ends."""
    load(now)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        door.bind(str(address))
        door.listen()
        if os.fork() == 0:
            sys.stdin.buffer.read()  # nothing comes; it ends with its other end
            os.kill(os.getppid(), signal.SIGTERM)
            os._exit(0)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            wire, _ = door.accept()
            if os.fork() == 0:
                door.close()
                answer(wire)
                os._exit(0)
            wire.close()
            _reap()


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


if __name__ == "__main__":
    main(Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2]))
