"""How long each host waits for a call, by the name that it gives itself: the only hosts that are made to wait.

A host that is not here may give up after 5 seconds (the default of two agent frameworks), so it is answered within 4.
A name proves little, but a host that lies about it only waits longer. A progress token proves nothing: hosts that send
one give up all the same. As seen in November 2026; what a guide for users says of them is in docs/troubleshooting.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

UNKNOWN_SECONDS: Final = 3.5
"""Seconds for which a host waits that nothing is known of."""


@dataclass(frozen=True, slots=True)
class Host:
    """A host that is known to wait for a call."""

    client: str
    """The name that it gives itself to a server, in lower case."""
    name: str
    """What people call it."""
    waits: float
    """Seconds until it gives a call up."""
    source: str


HOSTS: Final[Sequence[Host]] = (
    Host("claude-ai", "Claude Desktop", 60, "60 to 240 s a call, by build (anthropics/claude-code#22542, #63379)"),
    Host("claude-code", "Claude Code", 60, "5 minutes idle in a terminal, 60 s inside Desktop (claude-code#88901)"),
)
"""Without a line here: Cursor and VS Code, whose limits nobody has written down, and whatever calls itself `mcp`."""
_BY_CLIENT: Final = {host.client: host for host in HOSTS}


def seconds_to_wait(program: str, wanted: float) -> float:
    """For how many seconds a call of this program may wait for a person, of those that are wanted."""
    return wanted if program.casefold() in _BY_CLIENT else min(wanted, UNKNOWN_SECONDS)


def name_for_people(program: str) -> str:
    """What people call this program; the name it gives itself where it is not a known one."""
    host = _BY_CLIENT.get(program.casefold())
    return host.name if host is not None else program
