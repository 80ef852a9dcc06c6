"""Whose connection it is: on Linux, whether the other end of a local connection belongs to another user.

The page's address passes through the arguments of the browser, which other users of the computer can see.
"""

import os
import sys
from pathlib import Path

_LOOPBACK = "0100007F"


def is_foreign(port: int, own_port: int, table: Path = Path("/proc/net/tcp")) -> bool:
    """Whether the program at this local port, connected to our own, runs as another user.

    False where the system does not say, such as on macOS and Windows.
    """
    if not sys.platform.startswith("linux"):
        return False
    here, there = f"{_LOOPBACK}:{port:04X}", f"{_LOOPBACK}:{own_port:04X}"
    try:
        rows = table.read_text("ascii").splitlines()[1:]
    except OSError:
        return False
    for row in rows:
        columns = row.split()
        if len(columns) > 7 and columns[1] == here and columns[2] == there:
            return columns[7] != str(os.geteuid())
    return False
