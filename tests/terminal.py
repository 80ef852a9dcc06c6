"""A pseudo-terminal: what a command of ours shows a person who sits at one."""

import os
import subprocess
import sys


def in_a_terminal(*arguments: str, columns: int = 80, **environ: str) -> tuple[int, str]:
    """The exit code, and what a terminal of this width was shown, with its colours; there is nobody to type."""
    import fcntl
    import pty
    import struct
    import termios

    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")}
    process = subprocess.Popen(
        [sys.executable, "-m", "cliniko_mcp", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=terminal,
        env=kept | {"TERM": "xterm"} | environ,
    )
    os.close(terminal)
    seen = b""
    try:
        while more := os.read(main, 65_536):
            seen += more
    except OSError:
        pass  # the end of a pseudo-terminal on Linux
    os.close(main)
    return process.wait(30), seen.decode().replace("\r\n", "\n")
