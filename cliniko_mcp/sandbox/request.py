"""A request after its operation and its sender are known: what shapes and rules work on."""

from collections.abc import Mapping
from dataclasses import dataclass

from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.sandbox.wire import SandboxRequest


@dataclass(frozen=True, slots=True)
class Caller:
    """Who holds the key: the role decides what is allowed, the user signs what is written."""

    key: str
    role: str
    user_id: str


@dataclass(frozen=True, slots=True)
class Ask:
    """One request to one operation; `ids` are those of the path."""

    operation: Operation
    ids: Mapping[str, str]
    caller: Caller
    request: SandboxRequest

    @property
    def resource(self) -> str:
        """The resource whose module defines the operation."""
        return self.operation.resource

    @property
    def queries(self) -> tuple[str, ...]:
        """Every filter given, as `q[]` or as a single `q`."""
        return tuple(value for name, value in self.request.query if name in ("q[]", "q"))

    def parameter(self, name: str) -> str | None:
        """The last value of a query parameter, or None."""
        return next((value for given, value in reversed(self.request.query) if given == name), None)
