"""What a client of the older era said of itself when it came, where its session is kept by nobody."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext
    from starlette.requests import Request


@dataclass(frozen=True, slots=True)
class Declared:
    """What a client said of itself when it came."""

    program: str = ""
    """Its name."""
    elicitation: frozenset[str] = field(default_factory=frozenset[str])
    """The ways to ask its person that it has: `form`, `url`."""


def declared_in(ctx: "ServerRequestContext[Any, Any]") -> Declared:
    """What the session's id of this request holds; nothing where the session is kept, and in the newer era."""
    request: Request | None = ctx.request
    state: Mapping[str, object] = request.scope.get("state", {}) if request is not None else {}
    found = state.get("declared")
    return found if isinstance(found, Declared) else Declared()
