"""A Redis of a test's own: started on a free port, stopped and started again with what it knew."""

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

PROGRAM = next((found for name in ("redis-server", "valkey-server") if (found := shutil.which(name))), None)
WHY_NOT = "needs redis-server or valkey-server, of which this machine has none"


class RedisServer:
    """A process on a port of this computer, whose memory outlasts it."""

    def __init__(self, folder: Path, *options: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder, self._options = folder, options
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert PROGRAM is not None
        keeps = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        where = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
        command = [PROGRAM, *where, *keeps, *self._options]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(400):
            if self.ask("PING") == "+PONG":
                return
            time.sleep(0.025)
        raise AssertionError("redis-server does not answer")

    def stop(self) -> None:
        """Kill it, as a machine that fails does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def ask(self, *words: str) -> str:
        """The first line of the answer to a command; empty where there is none."""
        command = "".join([f"*{len(words)}\r\n", *(f"${len(word)}\r\n{word}\r\n" for word in words)])
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as wire:
                wire.sendall(command.encode())
                return wire.makefile("rb").readline().decode().strip()
        except OSError:
            return ""

    def trusted(self, account: str) -> None:
        """Say that nothing was sent with this account's key in the last minute, which a new Redis cannot know."""
        self.ask("SET", f"cm:1:{{{account}}}:born", "0")

    def files(self) -> list[Path]:
        """What it has written down."""
        return [path for path in self._folder.rglob("*") if path.is_file()]
