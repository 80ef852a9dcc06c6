"""A pseudo-terminal: what a command of ours shows a person who sits at one, and what that person types."""

import os
import select
import subprocess
import sys
import time
from contextlib import suppress
from threading import Thread

from tests import warm

PATIENCE = 300
"""Seconds within which a command has to show or end something."""


def in_a_terminal(*arguments: str, columns: int = 80, **environ: str) -> tuple[int, str]:
    """The exit code, and what a terminal of this width was shown, with its colours; there is nobody to type."""
    import fcntl
    import pty
    import struct
    import termios

    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")}
    seen: list[bytes] = []
    reader = Thread(target=_read_to_the_end, args=(main, seen))
    reader.start()
    with open(os.devnull) as nobody:
        streams = (nobody.fileno(), terminal, terminal)
        code = warm.in_streams(*arguments, env=kept | {"TERM": "xterm"} | environ, streams=streams)
    os.close(terminal)
    reader.join()
    os.close(main)
    return code, b"".join(seen).decode().replace("\r\n", "\n")


def _read_to_the_end(main: int, seen: list[bytes]) -> None:
    with suppress(OSError):  # the end of a pseudo-terminal on Linux
        while more := os.read(main, 65_536):
            seen.append(more)


# The new process makes the pseudo-terminal its own, so that it can ask for a password and is reached by Ctrl-C, which a
# suite that runs in the background was told to ignore.
OWN_TERMINAL = (
    "import fcntl, os, signal, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """A person's terminal with a command in it."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self._master, slave = os.openpty()
        command = [sys.executable, "-m", "cliniko_mcp", *arguments]
        self._process = subprocess.Popen(
            [sys.executable, "-c", OWN_TERMINAL, *command],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm", "NO_COLOR": "1", **environment},
        )
        os.close(slave)
        self.screen = ""

    def until(self, words: str) -> None:
        """Wait for words that were not there before."""
        begun, seen = time.monotonic(), len(self.screen)
        while words not in self.screen[seen:]:
            text = self._read(PATIENCE - (time.monotonic() - begun))
            assert text, f"it ended without {words!r}: {self.screen}"
            self.screen += text

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def type_unseen(self, keys: str) -> None:
        """Type once the terminal hides what is typed.

        A hidden prompt is shown a moment before the hiding begins, which throws away what was typed in between.
        """
        import termios

        begun = time.monotonic()
        while termios.tcgetattr(self._master)[3] & termios.ECHO:
            assert time.monotonic() - begun < PATIENCE, f"what is typed is never hidden: {self.screen}"
            time.sleep(0.01)
        self.type(keys)

    def interrupt(self, key: str) -> None:
        """Press a key that ends the command, and press it again while nothing happens.

        Python's `input` does not notice a Ctrl-C of the instant between its prompt and its reading.
        """
        for _ in range(PATIENCE // 2):
            self.type(key)
            while self._shows_more(2):
                if not (text := self._read(PATIENCE)):
                    return
                self.screen += text

    def ended(self) -> int:
        """The exit code, once everything it showed is on the screen."""
        while text := self._read(PATIENCE):
            self.screen += text
        return self._process.wait(PATIENCE)

    def _shows_more(self, patience: float) -> bool:
        return bool(select.select([self._master], [], [], patience)[0])

    def _read(self, patience: float) -> str:
        assert patience > 0 and self._shows_more(patience), f"nothing came after {self.screen}"
        try:
            return os.read(self._master, 65_536).decode("utf-8", "replace")
        except OSError:  # what Linux says once nobody holds the other end
            return ""

    def close(self) -> None:
        self._process.kill()
        self._process.wait(PATIENCE)
        os.close(self._master)
