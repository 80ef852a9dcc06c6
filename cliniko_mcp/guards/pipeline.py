"""The guards around every operation: who calls, what each guard sees, and the order in which they stand.

Outermost first: audit (so that refusals are written down too), then exclusion and read-only, then confirm, then the
clinic. Each guard is an async context manager: entering may refuse, and leaving sees how the operation ended. Every
tool reaches the clinic within `guarded`, so none can step round a guard.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Literal, Protocol

from cliniko_mcp.approvals.facts import Reader
from cliniko_mcp.approvals.questions import Asker
from cliniko_mcp.client.request_count import RequestCount
from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.guards.turns import Held, Hold

if TYPE_CHECKING:  # imported with the HTTP client, when the first call needs it
    from cliniko_mcp.client.rate_limit import Reservation

Progress = Callable[[float, float | None, str], Awaitable[None]]
"""Tells the person who waits: how much is done, of how much (None: not known), and a sentence."""


async def silent(done: float, total: float | None, message: str) -> None:
    """Tell nobody: the progress of callers who did not ask for it."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: a principal that answers are bound to, the route, and how they can be asked and told."""

    principal: str = "local"
    route: Literal["stdio", "http", "terminal"] = "stdio"
    asker: Asker | None = None
    progress: Progress = silent
    program: str = ""
    """The client's own name as it gave it, to show a person who asks; unverified."""
    call: str = ""
    """A digest of the tool and the arguments that are called, the same for an equal call; empty where no tool is."""
    may: Risk = Risk.DESTRUCTIVE
    """The most that the caller may do: less than everything only where their token grants less."""
    logged: str = ""
    """The principal as the audit log shows it; empty where that is the principal itself."""
    name: str = ""
    """The person's name, as whoever vouches for them gives it; empty where nobody does."""

    @property
    def in_log(self) -> str:
        """Who the audit log says this is."""
        return self.logged or self.principal


Channel = Literal["form", "page", "terminal", "allowed", "none"]
"""Where a person said yes: the client, the local page, a terminal; or the operator beforehand; or nobody was asked."""
Purpose = Literal["call", "label", "zone", "preview"]
"""What an operation is for: what the tool does, the names beside ids, the zone of a time, or what a person is shown."""
SUPPORTING: frozenset[Purpose] = frozenset({"zone", "preview"})
"""Reads without which a call could not be made safely: an allow-list that lets the call pass lets them pass too."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the act of a call needs, found before the last look at its record."""

    reservation: Reservation | None = None
    """Its request in the rate limit, reserved; None where nothing limits."""
    zone: tzinfo | None = None
    """The zone of its local times; None where it holds none, or it is not known."""
    held: Hold = field(default_factory=Held)
    """Its record, which nobody else is at."""


@asynccontextmanager
async def unprepared() -> AsyncGenerator[Prepared]:
    """Nothing is needed: for calls of a clinic that nothing limits."""
    yield Prepared()


def unknown() -> None:
    """No record: where the tool has read none."""


@dataclass(frozen=True, slots=True)
class Act:
    """How a call that a person approved is carried out: with what was prepared for it, once."""

    prepared: Prepared
    look_again: Callable[[], Awaitable[None]]
    """Reads everything again. Raises ApprovalNeeded where anything that was shown has changed."""


@dataclass(slots=True)
class Outcome:
    """What is known of an operation when it has ended, for the audit log."""

    channel: Channel = "none"
    """The approval channel that a person's answer came by."""
    approved_by: str = ""
    """Who said yes on a page with a login, as the audit log shows them."""
    created: str | None = None
    """The id of the record that a create made."""
    effect: str = ""
    """What an update does that a person is asked about, by the names of the rules; empty where nothing."""
    before: Record | None = None
    """The record that an update changes, as a guard read it last; None where none did."""
    act: Act | None = None
    """How the call is carried out where a person approved it; None where nobody was asked."""
    told: str = ""
    """What a person was told of it before they said yes."""
    requests: RequestCount = field(default_factory=RequestCount)
    read_at: datetime | None = None
    """When what it gives was read, in UTC, where it came from memory."""


@dataclass(frozen=True, slots=True)
class GuardedCall:
    """One validated call on its way through the guards, with the tool that made it."""

    call: Call
    tool: str
    caller: Caller
    reader: Reader
    """The clinic as the guards themselves may read it, through the guards too."""
    purpose: Purpose = "call"
    outcome: Outcome = field(default_factory=Outcome)
    prepare: Callable[[], AbstractAsyncContextManager[Prepared]] = unprepared
    """Reserves the act's request in the rate limit, for as long as the context lasts."""
    known: Callable[[], Record | None] = unknown
    """The record that the call changes, where the tool has read it in the course of the same tool call, and nothing was
    changed from here since."""
    again: Callable[[Asker], Awaitable[object]] | None = None
    """Performs the same call of the same principal once more, through every guard, with this asker."""


class Guard(Protocol):
    """One guard."""

    def __call__(self, guarded: GuardedCall) -> AbstractAsyncContextManager[None]:
        """The context in which the operation goes on, once. Entering it raises ClinikoMcpError where it refuses."""
        ...


@asynccontextmanager
async def guarded(guards: Sequence[Guard], call: GuardedCall) -> AsyncGenerator[None]:
    """The context in which the call has passed every guard, outermost first. Raises what a guard raises."""
    async with AsyncExitStack() as entered:
        for guard in guards:
            await entered.enter_async_context(guard(call))
        yield
