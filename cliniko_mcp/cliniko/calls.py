"""A call: an operation with checked arguments, and the HTTP request that it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Generic, Literal
from urllib.parse import quote

from typing_extensions import TypeVar

from cliniko_mcp.cliniko.filters import Condition
from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.errors import JsonValue

if TYPE_CHECKING:
    from cliniko_mcp.cliniko.operations import Operation

Method = Literal["GET", "POST", "PATCH", "DELETE"]
ResultT = TypeVar("ResultT", bound=Record | None, covariant=True, default=Record | None)
"""What one call gives back: a record, the rows of a list, or None."""


@dataclass(frozen=True, slots=True)
class Request:
    """What goes over HTTP: a path below the base URL, query pairs in order, and a JSON body or none."""

    method: Method
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: Mapping[str, JsonValue] | None = None


@dataclass(frozen=True, slots=True)
class Call(Generic[ResultT]):
    """An operation with validated arguments; local times in them still wait for the clinic's zone."""

    operation: Operation[ResultT]
    ids: Mapping[str, str] = field(default_factory=dict[str, str])
    conditions: tuple[Condition, ...] = ()
    query: Body | None = None
    sort: str | None = None
    include_archived: bool = False
    body: Body | None = None

    @property
    def needs_zone(self) -> bool:
        """Whether some argument is in clinic-local time, so that `request` must be given the zone."""
        if any(condition.needs_zone for condition in self.conditions):
            return True
        values = self.body.model_dump(exclude_unset=True).values() if self.body else ()
        return any(isinstance(value, datetime) and value.tzinfo is None for value in values)

    @property
    def target(self) -> str | None:
        """The id of the one record this call is about, where there is one."""
        return self.ids.get("id")

    @property
    def site(self) -> str | None:
        """The id of the one site that the arguments name, in whose zone local times are meant; None without one."""
        if named := self.ids.get("business_id"):
            return named
        if self.body is not None and isinstance(named := self.body.sent("business_id"), str):
            return named
        sites = [
            condition.value
            for condition in self.conditions
            if condition.field == "business_id" and condition.operator == "="
        ]
        return sites[0] if len(sites) == 1 and isinstance(sites[0], str) and sites[0].isdigit() else None

    def request(self, zone: tzinfo | None = None) -> Request:
        """The HTTP request, with local times read in `zone`. Raises InvalidArguments where a time cannot be sent."""
        operation = self.operation
        query = [("q[]", condition.text(zone)) for condition in self.conditions]
        if self.include_archived:
            query += [("q[]", f"{name}:*") for name in operation.hidden_filters]
        if self.sort:
            query.append(("sort", self.sort))
        if self.query is not None:
            query += [(name, str(value)) for name, value in self.query.wire().items()]
        path = operation.path.format_map({name: quote(value, safe="") for name, value in self.ids.items()})
        body = self.body.wire({"zone": zone}) if self.body is not None else None
        return Request(operation.method, path, tuple(query), body)
