"""The onion around every operation: who calls, what the layers see, and the order in which they stand.

Outermost first: audit (so that refusals are written down too), then exclusion and read-only, then confirm, then the
clinic. Typed tools, executors and curated tools all reach it through `guard`, so none can step round a layer.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar

from cliniko_mcp.approvals.questions import Asker
from cliniko_mcp.cliniko.operations import Call

T = TypeVar("T")
Act = Callable[[], Awaitable[T]]
Progress = Callable[[float, float | None, str], Awaitable[None]]
"""Tell the person who waits: how far, of how much (None: not known), and a sentence."""


async def silent(done: float, total: float | None, message: str) -> None:
    """Progress for callers who did not ask to be told."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: a principal that answers are bound to, the way they reach us, and how they can be asked and told."""

    principal: str = "local"
    route: Literal["stdio", "http", "terminal"] = "stdio"
    asker: Asker | None = None
    progress: Progress = silent
    program: str = ""
    """The client's own name as it gave it, to show a person who asks; unverified."""


Channel = Literal["form", "page", "terminal", "allowed", "none"]
"""Where a person said yes: the client, the local page, a terminal; or the operator beforehand; or nobody was asked."""


@dataclass(slots=True)
class Trace:
    """What the layers leave behind for the audit line: the rung that the answer came from."""

    channel: Channel = "none"


@dataclass(frozen=True, slots=True)
class GuardedCall:
    """One validated call on its way through the layers, with the tool that made it."""

    call: Call
    tool: str
    caller: Caller
    trace: Trace = field(default_factory=Trace)


class Layer(Protocol):
    """One layer: it may refuse by raising from the error tree, or let `act` go on, once."""

    async def __call__(self, guarded: GuardedCall, act: Act[T]) -> T: ...


async def guard(layers: Sequence[Layer], guarded: GuardedCall, act: Act[T]) -> T:
    """What `act` returns, after every layer, outermost first, has let the call pass."""
    for layer in reversed(layers):
        act = _wrapped(layer, guarded, act)
    return await act()


def _wrapped(layer: Layer, guarded: GuardedCall, act: Act[T]) -> Act[T]:
    async def passed() -> T:
        return await layer(guarded, act)

    return passed
