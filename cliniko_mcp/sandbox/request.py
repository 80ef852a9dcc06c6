"""A request whose operation and sender are known: what handlers and rules work on."""

from collections.abc import Mapping
from dataclasses import dataclass

from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.wire import SandboxRequest, json_body


@dataclass(frozen=True, slots=True)
class KeyOwner:
    """The user whose API key was sent: the role decides what is allowed, the user signs what is written."""

    key: str
    role: str
    user_id: str


@dataclass(frozen=True, slots=True)
class OperationRequest:
    """One request to one operation; `ids` are those of the path."""

    operation: Operation
    ids: Mapping[str, str]
    owner: KeyOwner
    http: SandboxRequest

    @property
    def resource(self) -> str:
        """The resource whose module defines the operation."""
        return self.operation.resource

    @property
    def filter_texts(self) -> tuple[str, ...]:
        """Every filter that was sent, as `q[]` or as a single `q`."""
        return tuple(value for name, value in self.http.query if name in ("q[]", "q"))

    def parameter(self, name: str) -> str | None:
        """The last value of a query parameter, or None."""
        return next((value for key, value in reversed(self.http.query) if key == name), None)

    def json(self) -> Mapping[str, JsonValue]:
        """The JSON object of the body (see `json_body`). Raises a 400 Refusal."""
        return json_body(self.http)
