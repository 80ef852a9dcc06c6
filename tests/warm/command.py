"""How a command is handed to the process that forks; with little imported, as it is the shell's `cliniko-mcp` too."""

import json
import os
import socket
import sys


def ordered(arguments: list[str], env: dict[str, str], cwd: str, streams: list[int], address: str) -> socket.socket:
    """The wire to the process at this address, which runs the command on these streams: on it come two numbers, the
    command's process id when it has begun, and its exit code when it has ended."""
    order = json.dumps({"arguments": arguments, "env": env, "cwd": cwd}).encode("utf-8", "surrogateescape")
    wire = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    wire.connect(address)
    socket.send_fds(wire, [len(order).to_bytes(4, "big")], streams)
    wire.sendall(order)
    return wire


def number(wire: socket.socket) -> int:
    """The next number on the wire. Raises ChildProcessError where the other end is gone."""
    answer = wire.recv(4)
    if len(answer) < 4:
        raise ChildProcessError("the process that forks is gone")
    return int.from_bytes(answer, "big", signed=True)


def done(arguments: list[str], env: dict[str, str], cwd: str, streams: list[int], address: str) -> int:
    """The exit code of the command, run to its end."""
    with ordered(arguments, env, cwd, streams, address) as wire:
        number(wire)
        return number(wire)


def passed_on(address: str) -> int:
    """The exit code of the command that this program was started as."""
    return done(sys.argv[1:], dict(os.environ), os.getcwd(), [0, 1, 2], address)
