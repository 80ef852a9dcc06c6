"""An operation as what every shape of it shares, a call of it with checked arguments, and the HTTP request of a call.

`parse` makes a call of a caller's arguments, checking each; `of`, and the shapes in `operations.py`, make one of our
typed values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from enum import StrEnum
from functools import cached_property
from typing import ClassVar, Generic, Literal, TypeGuard, cast
from urllib.parse import quote

from typing_extensions import TypeVar

from cliniko_mcp.cliniko.arguments import (
    check_model,
    checked_ids,
    part_for,
    read_ids,
    read_model,
    refused_arguments,
    sort_columns,
    wire_names,
)
from cliniko_mcp.cliniko.filters import Condition, Family, WrongFilter, conditions
from cliniko_mcp.cliniko.models import UNKNOWN_ARGUMENT, Body, JsonObject, Record
from cliniko_mcp.errors import JsonValue

Method = Literal["GET", "POST", "PATCH", "DELETE"]
ResultT = TypeVar("ResultT", bound=Record | None, covariant=True, default=Record | None)
"""What one call gives back: a record, the rows of a list, or None."""


class Risk(StrEnum):
    """What a call can do to the clinic's records; everything that guards a call asks this one fact."""

    READ = "read"
    WRITE = "write"
    DESTRUCTIVE = "destructive"

    def within(self, limit: Risk) -> bool:
        """Whether this is no more than the limit: reading is the least, destroying the most."""
        order = (*Risk,)
        return order.index(self) <= order.index(limit)


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
    def address(self) -> str:
        """The address of the record that is read or changed: other records have another one."""
        return self.operation.path.format_map(self.ids)

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


class Operation(Generic[ResultT]):
    """The part that all shapes share: the path, the words, the deprecation, and the reading of arguments."""

    method: Method
    risk: ClassVar[Risk]
    shape: ClassVar[str]
    name: str = ""
    resource: str = ""
    needed: tuple[str, ...] = ()
    """Fields of an update that cannot be left out."""
    grants_writing: bool = False
    """Whether this read lets its caller write, as the one before an upload; read-only refuses it with the writes."""

    def __init__(
        self,
        path: str,
        description: str,
        *,
        record: type[Record] | None = None,
        body: type[Body] | None = None,
        query: type[Body] | None = None,
        filters: Mapping[str, Family] | None = None,
        sortable: bool = False,
        title: str | None = None,
        replaced_by: str | None = None,
    ) -> None:
        self.path = path
        self.description = description
        self.record = record
        self.body = body
        self.query = query
        self.sortable = sortable
        self.replaced_by = replaced_by
        self.path_ids: tuple[str, ...] = tuple(re.findall(r"\{(\w+)\}", path))
        self.filters: Mapping[str, Family] = {
            name: family for name, family in (filters or {}).items() if name not in self.path_ids
        }
        self._title = title

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        self.resource = owner.__module__.rsplit(".", 1)[-1]

    def __repr__(self) -> str:
        return f"<{self.name}: {self.method} {self.path}>"

    @property
    def title(self) -> str:
        """A short name for people, made from the Python name unless the line gives one."""
        return self._title or self.name.replace("_", " ").capitalize()

    @property
    def changes(self) -> bool:
        """Whether it changes something, or lets its caller do so."""
        return self.risk is not Risk.READ or self.grants_writing

    @property
    def deprecated(self) -> bool:
        """Whether Cliniko has replaced this operation; `replaced_by` names the one to use."""
        return self.replaced_by is not None

    @property
    def listing(self) -> bool:
        """Whether the answer is a page of records."""
        return False

    @property
    def clearable(self) -> tuple[str, ...]:
        """On an update: the fields that `clear` may name."""
        return ()

    @property
    def hidden_filters(self) -> tuple[str, ...]:
        """On a read of one record: the stamps that hide it, which `include_archived` looks past."""
        return ()

    def result(self, found: JsonObject | None) -> ResultT:
        """The record that this JSON object stands for; None for an operation that gives nothing back."""
        record = self.record
        # The one seam where JSON becomes what the shape promises: `record` is its type, or None for a promise of None.
        return cast("ResultT", None if record is None or found is None else record.read(found))

    @cached_property
    def given_body(self) -> type[Body] | None:
        """The model that the body is validated against: on an update the variant in which nothing is needed."""
        return self.body

    @property
    def argument_names(self) -> tuple[str, ...]:
        """Every argument that `parse` knows, path ids first."""
        names = [*self.path_ids, *self.filters]
        names += ["sort"] if self.sortable else []
        names += ["include_archived"] if self.hidden_filters else []
        return (*names, *wire_names(self.query), *wire_names(self.given_body))

    def parse(self, arguments: Mapping[str, object]) -> Call[ResultT]:
        """A call with these arguments, every one checked.

        Raises InvalidArguments whose `fields` names each wrong argument and says what is allowed.
        """
        wrong: dict[str, str] = {}
        for name in arguments:
            if name not in self.argument_names:
                wrong[name] = UNKNOWN_ARGUMENT
        ids = dict(read_ids(self.path_ids, arguments, wrong))
        found = tuple(self._conditions(arguments, wrong))
        body = self._body(arguments, wrong)
        query = read_model(self.query, part_for(self.query, arguments), wrong) if self.query else None
        sort = self._sort(arguments, wrong)
        archived = arguments.get("include_archived")
        if archived is not None and not isinstance(archived, bool):
            wrong.setdefault("include_archived", "must be true or false")
        if wrong:
            raise refused_arguments(self.name, wrong, self.argument_names)
        return Call(self, ids, found, query, sort, archived is True, body)

    def of(
        self,
        ids: Mapping[str, str],
        body: Body | None = None,
        *,
        query: Body | None = None,
        include_archived: bool = False,
    ) -> Call[ResultT]:
        """The call for these path ids, body and query, which are ours and were checked when they were made.

        Raises TypeError for what this operation does not take, ValueError for a text that is no id: our own mistakes,
        never a caller's.
        """
        check_model(f"the body of {self.name}", self.body, body, needed=self.body is not None)
        check_model(f"the query of {self.name}", self.query, query)
        looks_past = include_archived and bool(self.hidden_filters)
        return Call(
            self, checked_ids(self.name, self.path_ids, ids), query=query, include_archived=looks_past, body=body
        )

    def _conditions(self, arguments: Mapping[str, object], wrong: dict[str, str]) -> Iterator[Condition]:
        for name, family in self.filters.items():
            if arguments.get(name) is None:
                continue
            try:
                yield from conditions(
                    name, family, arguments[name], self.record.codes.get(name) if self.record else None
                )
            except WrongFilter as problem:
                wrong[name] = f"{problem}; {problem.takes}"

    def _body(self, arguments: Mapping[str, object], wrong: dict[str, str]) -> Body | None:
        if self.given_body is None:
            return None
        return read_model(self.given_body, part_for(self.given_body, arguments), wrong)

    def _sort(self, arguments: Mapping[str, object], wrong: dict[str, str]) -> str | None:
        value = arguments.get("sort")
        if not self.sortable or value is None:
            return None
        columns = sort_columns(value)
        if columns is None:
            wrong["sort"] = "must be field names, each with :desc after it where needed, such as starts_at:desc"
        return columns


def is_result(record: object, call: Call[ResultT]) -> TypeGuard[ResultT]:
    """Whether this is what the call gives, where records of every kind are held together."""
    return call.operation.record is not None and isinstance(record, call.operation.record)
