"""Self-examination: everything that has to work for an assistant to work in the clinic, looked at one by one."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cliniko_mcp.doctor.check import Check as Check
from cliniko_mcp.settings import Settings

if TYPE_CHECKING:
    import httpx2

    from cliniko_mcp.hosts.table import Computer


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is examined: the settings, the computer, where this program keeps things, and the way to the clinic."""

    settings: Settings
    computer: "Computer"
    state: Path
    now: Callable[[], datetime]
    browser: Callable[[], str | None]
    """The name of the browser that would show the approval page; None where there is none."""
    python: tuple[int, ...]
    transport: "httpx2.AsyncBaseTransport | None" = field(default=None)
    """In place of the network, for tests."""


async def examine(surroundings: Surroundings) -> AsyncGenerator[Check]:
    """Yield each result as it is there: this computer first, then the account, which takes a few requests."""
    from cliniko_mcp.doctor.account import examine_account
    from cliniko_mcp.doctor.machine import examine_machine
    from cliniko_mcp.doctor.safety import examine_safety

    for found in examine_machine(surroundings):
        yield found
    async for found in examine_account(surroundings):
        yield found
    for found in examine_safety(surroundings):
        yield found
