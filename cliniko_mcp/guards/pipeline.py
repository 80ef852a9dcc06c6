"""The onion around every operation: who calls, what the layers see, and the order in which they stand.

Outermost first: audit (so that refusals are written down too), then exclusion and read-only, then confirm, then the
clinic. Typed tools, executors and curated tools all reach it through `guard`, so none can step round a layer.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, Protocol, TypeVar

from cliniko_mcp.cliniko.operations import Call

T = TypeVar("T")
Act = Callable[[], Awaitable[T]]
Progress = Callable[[float, float | None, str], Awaitable[None]]
"""Tell the person who waits: how far, of how much (None: not known), and a sentence."""


class Verdict(Enum):
    """What a person answered: yes, no, or nothing usable (no answer, no way to ask), which goes to the next rung."""

    YES = "yes"
    NO = "no"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked: a title, the preview in sentences, and the challenge that the answer is bound to.

    `challenge` is opaque text (operation, arguments, facts, nonce, expiry digested); it holds no secret and no name.
    """

    title: str
    preview: str
    challenge: str
    expires: float


class AskFirst(Exception):
    """Not a failure: an asker raises it whose protocol wants the question returned and the call repeated.

    The server turns it into an input-required result; the repeated call carries `question.challenge` back, sealed.
    """

    def __init__(self, question: Question) -> None:
        super().__init__("a person has to be asked first")
        self.question = question


class Asker(Protocol):
    """A way to ask the person behind the client."""

    async def ask(self, question: Question) -> Verdict:
        """The person's answer. May raise AskFirst where the answer can only come with a repeated call."""
        ...

    @property
    def answered(self) -> str | None:
        """The challenge that came back with this call, or None when this call answers nothing."""
        ...


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


Rung = Literal["form", "page", "terminal", "allowed", "none"]
"""Where a person said yes: the client, the local page, a terminal; or the operator beforehand; or nobody was asked."""


@dataclass(slots=True)
class Trace:
    """What the layers leave behind for the audit line: the rung that the answer came from."""

    rung: Rung = "none"


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
