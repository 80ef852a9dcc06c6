"""Diagnostics: checks, one by one, of everything that an assistant needs to work in the clinic."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cliniko_mcp.doctor.check import Check as Check
from cliniko_mcp.doctor.update import PAGE, newer_version
from cliniko_mcp.settings import Settings

if TYPE_CHECKING:
    import httpx2

    from cliniko_mcp.hosts.table import Computer


@dataclass(frozen=True, slots=True)
class DoctorContext:
    """What the checks look at: the settings, the computer, the state folder, and the connection to the clinic."""

    settings: Settings
    computer: "Computer"
    state: Path
    now: Callable[[], datetime]
    browser: Callable[[], str | None]
    """Returns the name of the browser that would show the approval page; None where there is none."""
    python: tuple[int, ...]
    transport: "httpx2.AsyncBaseTransport | None" = field(default=None)
    """In place of the network, for tests."""
    index_page: str = PAGE
    """Where the newest version stands."""


async def examine(context: DoctorContext) -> AsyncGenerator[Check]:
    """Yield each check as it is done: this computer first, then the account (a few requests), then the approvals."""
    from cliniko_mcp.doctor.account import examine_account
    from cliniko_mcp.doctor.machine import examine_machine
    from cliniko_mcp.doctor.safety import examine_safety

    if context.settings.update_notice:
        yield await newer_version(context)
    for check in examine_machine(context):
        yield check
    async for check in examine_account(context):
        yield check
    for check in examine_safety(context):
        yield check
