"""Where clinic logic is hung up: a rule names a resource and the moments at which it speaks.

Moments before a row is kept, which may fill in `change.new` and put sentences in `change.errors` (a 422):
`create update archive unarchive cancel delete`. Moments after, for what follows from it elsewhere: `created updated
archived unarchived cancelled deleted`. Four more hooks: `presents` completes a row on its way out, `answers` takes an
operation over, `rows` says which rows a list is about, `ticks` does what has fallen due when a request comes.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Final, TypeVar

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.store import Row
from cliniko_mcp.sandbox.wire import Json, SandboxResponse

if TYPE_CHECKING:
    from cliniko_mcp.sandbox.context import RequestContext
    from cliniko_mcp.sandbox.request import Ask

BEFORE: Final = ("create", "update", "archive", "unarchive", "cancel", "delete")
AFTER: Final = ("created", "updated", "archived", "unarchived", "cancelled", "deleted")


@dataclass(slots=True)
class Change:
    """A row about to be kept, or just kept.

    `given` is what the request's body held after validation; `old` is the row before, None on create; `new` the row to
    be, in wire form, to be completed by rules; `user_id` the key's owner.
    """

    resource: str
    old: Row | None
    new: Json
    given: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    user_id: str | None = None
    errors: dict[str, str] = field(default_factory=dict[str, str])

    def gives(self, name: str) -> bool:
        """Whether the request itself set this field, to null too."""
        return name in self.given

    def text(self, name: str) -> str | None:
        """A text (id, instant, name) of the row to be, or None."""
        value = self.new.get(name)
        return value if isinstance(value, str) else None


Rule = Callable[["RequestContext", Change], None]
Presenter = Callable[["RequestContext", Row, Json], None]
Answer = Callable[["RequestContext", "Ask"], SandboxResponse]
RowSource = Callable[["RequestContext", "Ask"], Iterable[Row]]
Tick = Callable[["RequestContext"], None]
_Fn = TypeVar("_Fn")


class Rulebook:
    """A set of rules; each module of `rules/` holds one in `RULES`, and the clinic works by all of them together."""

    def __init__(self) -> None:
        self.at: dict[tuple[str, str], list[Rule]] = {}
        self.presenters: dict[str, list[Presenter]] = {}
        self.answerers: dict[str, Answer] = {}
        self.sources: dict[str, RowSource] = {}
        self.due: list[Tick] = []

    def on(self, resources: str | tuple[str, ...], *moments: str) -> Callable[[Rule], Rule]:
        """Call the decorated rule for this resource, or these, at these moments."""
        named = (resources,) if isinstance(resources, str) else resources
        if not set(moments) <= {*BEFORE, *AFTER}:
            raise ValueError(f"{moments} are not moments of a row")

        def hang(rule: Rule) -> Rule:
            for key in product(named, moments):
                self.at.setdefault(key, []).append(rule)
            return rule

        return hang

    def presents(self, *resources: str) -> Callable[[Presenter], Presenter]:
        """Call the decorated function with each row of these resources and the JSON object about to be sent."""

        def hang(presenter: Presenter) -> Presenter:
            for resource in resources:
                self.presenters.setdefault(resource, []).append(presenter)
            return presenter

        return hang

    def answers(self, *operations: str) -> Callable[[Answer], Answer]:
        """Let the decorated function answer these operations instead of their shape."""
        return _hang(self.answerers, operations)

    def rows(self, *operations: str) -> Callable[[RowSource], RowSource]:
        """Let the decorated function choose the rows of these lists, before filters, sorting and paging."""
        return _hang(self.sources, operations)

    def ticks(self, tick: Tick) -> Tick:
        """Call the decorated function before every request is worked on; it must be quick when nothing is due."""
        self.due.append(tick)
        return tick

    def add(self, other: "Rulebook") -> None:
        """Take over all rules of another book. Raises ValueError where two would answer the same operation."""
        twice = (self.answerers.keys() & other.answerers.keys()) | (self.sources.keys() & other.sources.keys())
        if twice:
            raise ValueError(f"two rules answer {', '.join(sorted(twice))}")
        for key, rules in other.at.items():
            self.at.setdefault(key, []).extend(rules)
        for resource, presenters in other.presenters.items():
            self.presenters.setdefault(resource, []).extend(presenters)
        self.answerers.update(other.answerers)
        self.sources.update(other.sources)
        self.due.extend(other.due)

    def run(self, moment: str, context: "RequestContext", change: Change) -> None:
        """Call the rules of this moment, in the order in which they were hung up."""
        for rule in self.at.get((change.resource, moment), ()):
            rule(context, change)


def _hang(where: dict[str, _Fn], operations: tuple[str, ...]) -> Callable[[_Fn], _Fn]:
    def hang(function: _Fn) -> _Fn:
        for operation in operations:
            where[operation] = function
        return function

    return hang
