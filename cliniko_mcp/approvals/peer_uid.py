"""Whose connection it is: on Linux, whether the other end of a local connection belongs to another user.

The page's address passes through the arguments of the browser, which other users of the computer can see.
"""

import os
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

_TABLES: Final = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_MAPPED: Final = bytes(10) + b"\xff\xff"


def is_foreign(peer: tuple[str, int], own_port: int, tables: Sequence[Path] = _TABLES) -> bool:
    """Whether the program at this local address and port, connected to our own on 127.0.0.1, runs as another user.

    True too where the system knows only our own end, so that nobody can say who is at the other. False where the system
    does not tell at all, such as on macOS and Windows.
    """
    if not sys.platform.startswith("linux"):
        return False
    # A program may come from any address of the loopback network, and through an IPv6 socket.
    theirs, ours = _written(*peer), _written("127.0.0.1", own_port)
    half_known = False
    for local, remote, user in _connections(tables):
        if local in theirs and remote in ours:
            return user != str(os.geteuid())
        half_known = half_known or (local in ours and remote in theirs)
    return half_known


def _written(address: str, port: int) -> tuple[str, str]:
    """The address as the system's tables write it, for IPv4 and mapped into IPv6: words in the machine's byte order."""
    plain = socket.inet_aton(address)

    def words(octets: bytes) -> str:
        fours = (octets[begin : begin + 4] for begin in range(0, len(octets), 4))
        return "".join(f"{int.from_bytes(word, sys.byteorder):08X}" for word in fours)

    return f"{words(plain)}:{port:04X}", f"{words(_MAPPED + plain)}:{port:04X}"


def _connections(tables: Sequence[Path]) -> Iterator[tuple[str, str, str]]:
    """Yield local and remote address and the user of each connection that the system tells of."""
    for table in tables:
        try:
            rows = table.read_text("ascii").splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            columns = row.split()
            if len(columns) > 7:
                yield columns[1], columns[2], columns[7]
