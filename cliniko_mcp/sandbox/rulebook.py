"""The rules of the demo clinic, registered by resource and event.

Events before a row is stored, whose rules may fill in `change.new` and put sentences in `change.errors` (a 422):
`create update archive unarchive cancel delete`. Events after it, for what follows elsewhere: `created updated archived
unarchived cancelled deleted`. There are four more kinds of rule: `serialises` completes the JSON of a row, `answers`
handles an operation instead of its shape, `rows` chooses the rows of a list, `before_each_request` does what has fallen
due.

A rulebook is generic in the context that its rules act on, which holds a rulebook itself.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Final, Generic, TypeVar

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.request import OperationRequest
from cliniko_mcp.sandbox.store import Row
from cliniko_mcp.sandbox.wire import Json, SandboxResponse

BEFORE: Final = ("create", "update", "archive", "unarchive", "cancel", "delete")
AFTER: Final = ("created", "updated", "archived", "unarchived", "cancelled", "deleted")


@dataclass(slots=True)
class Change:
    """A row about to be stored, or just stored.

    `body` is the request's body after validation; `old` is the row before, None on create; `new` the row to be, in
    wire form, to be completed by rules; `user_id` the owner of the key.
    """

    resource: str
    old: Row | None
    new: Json
    body: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    user_id: str | None = None
    errors: dict[str, str] = field(default_factory=dict[str, str])

    def sets(self, name: str) -> bool:
        """Whether the request itself set this field, to null too."""
        return name in self.body

    def text(self, name: str) -> str | None:
        """A text (id, instant, name) of the row to be, or None."""
        value = self.new.get(name)
        return value if isinstance(value, str) else None


ContextT = TypeVar("ContextT")
_FunctionT = TypeVar("_FunctionT")
Rule = Callable[[ContextT, Change], None]
Serialiser = Callable[[ContextT, Row, Json], None]
Responder = Callable[[ContextT, OperationRequest], SandboxResponse]
RowSource = Callable[[ContextT, OperationRequest], Iterable[Row]]
DueWork = Callable[[ContextT], None]


class Rulebook(Generic[ContextT]):
    """A set of rules. Each module of `rules/` holds one in `RULES`; the clinic follows all of them together."""

    def __init__(self) -> None:
        self.rules: dict[tuple[str, str], list[Rule[ContextT]]] = {}
        self.serialisers: dict[str, list[Serialiser[ContextT]]] = {}
        self.responders: dict[str, Responder[ContextT]] = {}
        self.row_sources: dict[str, RowSource[ContextT]] = {}
        self.due_work: list[DueWork[ContextT]] = []

    def on(self, resources: str | tuple[str, ...], *events: str) -> Callable[[Rule[ContextT]], Rule[ContextT]]:
        """Call the decorated rule for this resource, or these, at these events. Raises ValueError for another event."""
        names = (resources,) if isinstance(resources, str) else resources
        if not set(events) <= {*BEFORE, *AFTER}:
            raise ValueError(f"{events} are not events of a row")

        def register(rule: Rule[ContextT]) -> Rule[ContextT]:
            for key in product(names, events):
                self.rules.setdefault(key, []).append(rule)
            return rule

        return register

    def serialises(self, *resources: str) -> Callable[[Serialiser[ContextT]], Serialiser[ContextT]]:
        """Call the decorated function with each row of these resources and the JSON object about to be sent."""

        def register(serialiser: Serialiser[ContextT]) -> Serialiser[ContextT]:
            for resource in resources:
                self.serialisers.setdefault(resource, []).append(serialiser)
            return serialiser

        return register

    def answers(self, *operations: str) -> Callable[[Responder[ContextT]], Responder[ContextT]]:
        """Let the decorated function respond to these operations instead of the handler of their shape."""
        return _register(self.responders, operations)

    def rows(self, *operations: str) -> Callable[[RowSource[ContextT]], RowSource[ContextT]]:
        """Let the decorated function choose the rows of these lists, before filters, sorting and paging."""
        return _register(self.row_sources, operations)

    def before_each_request(self, work: DueWork[ContextT]) -> DueWork[ContextT]:
        """Call the decorated function before every request is handled; it must be quick when nothing is due."""
        self.due_work.append(work)
        return work

    def add(self, other: "Rulebook[ContextT]") -> None:
        """Take over all rules of another book. Raises ValueError where two would answer the same operation."""
        twice = (self.responders.keys() & other.responders.keys()) | (
            self.row_sources.keys() & other.row_sources.keys()
        )
        if twice:
            raise ValueError(f"two rules answer {', '.join(sorted(twice))}")
        for key, rules in other.rules.items():
            self.rules.setdefault(key, []).extend(rules)
        for resource, serialisers in other.serialisers.items():
            self.serialisers.setdefault(resource, []).extend(serialisers)
        self.responders.update(other.responders)
        self.row_sources.update(other.row_sources)
        self.due_work.extend(other.due_work)

    def run(self, event: str, context: ContextT, change: Change) -> None:
        """Call the rules of this event, in the order in which they were registered."""
        for rule in self.rules.get((change.resource, event), ()):
            rule(context, change)


def _register(registry: dict[str, _FunctionT], operations: tuple[str, ...]) -> Callable[[_FunctionT], _FunctionT]:
    def register(function: _FunctionT) -> _FunctionT:
        for operation in operations:
            registry[operation] = function
        return function

    return register
