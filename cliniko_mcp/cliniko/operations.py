"""An operation of the Cliniko API as one line of a table, and the shapes such a line can have.

The tool's name is the Python name. A shape fixes the method, the risk and which arguments there are; the line adds the
path, the models and the words. `Operation.parse` turns arguments into a validated `Call`, and a call into a `Request`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import StrEnum
from functools import cached_property
from typing import Any, ClassVar, Final, Literal, cast
from urllib.parse import quote

from cliniko_mcp.cliniko.arguments import part_for, read_ids, read_model, refused_arguments, wire_names
from cliniko_mcp.cliniko.filters import HIDDEN, Condition, Family, conditions
from cliniko_mcp.cliniko.models import STRANGE, Body, Record
from cliniko_mcp.errors import InvalidArguments, JsonValue

Method = Literal["GET", "POST", "PATCH", "DELETE"]
_SORT: Final = re.compile(r"[a-z_]{1,60}(:(asc|desc))?")


class Risk(StrEnum):
    """What a call can do to the clinic's records; everything that guards a call asks this one fact."""

    READ = "read"
    WRITE = "write"
    DESTRUCTIVE = "destructive"


@dataclass(frozen=True, slots=True)
class Request:
    """What goes over HTTP: a path below the base URL, query pairs in order, and a JSON body or none."""

    method: Method
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: Mapping[str, JsonValue] | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """An operation with validated arguments; local times in them still wait for the clinic's zone."""

    operation: "Operation"
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
        given = self.body.model_dump(exclude_unset=True) if self.body else {}
        return any(_is_naive(value) for value in given.values())

    @property
    def target(self) -> str | None:
        """The id of the one record this call is about, where there is one."""
        return self.ids.get("id")

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


def _is_naive(value: object) -> bool:
    return getattr(value, "tzinfo", value) is None and hasattr(value, "hour")


class Operation:
    """The part that all shapes share: the path, the words, the deprecation, and the reading of arguments."""

    method: Method
    risk: ClassVar[Risk]
    shape: ClassVar[str]
    name: str = ""
    resource: str = ""

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
    def deprecated(self) -> bool:
        """Whether Cliniko has replaced this operation; `replaced_by` names the one to use."""
        return self.replaced_by is not None

    @property
    def listing(self) -> bool:
        """Whether the answer is a page of records."""
        return False

    @property
    def hidden_filters(self) -> tuple[str, ...]:
        """On a read of one record: the stamps that hide it, which `include_archived` looks past (api.md 1.8)."""
        return ()

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

    def parse(self, arguments: Mapping[str, object]) -> Call:
        """A call with these arguments, every one checked.

        Raises InvalidArguments whose `fields` names each wrong argument and says what is allowed.
        """
        wrong: dict[str, str] = {}
        for name in arguments:
            if name not in self.argument_names:
                wrong[name] = STRANGE
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

    def _conditions(self, arguments: Mapping[str, object], wrong: dict[str, str]) -> Iterator[Condition]:
        for name, family in self.filters.items():
            if arguments.get(name) is None:
                continue
            try:
                yield from conditions(name, family, arguments[name])
            except InvalidArguments as problem:
                wrong[name] = (
                    f"{problem.message.removeprefix(f'{name} ').removesuffix('.')}; {problem.fix.removesuffix('.')}"
                )

    def _body(self, arguments: Mapping[str, object], wrong: dict[str, str]) -> Body | None:
        if self.given_body is None:
            return None
        return read_model(self.given_body, part_for(self.given_body, arguments), wrong)

    def _sort(self, arguments: Mapping[str, object], wrong: dict[str, str]) -> str | None:
        given = arguments.get("sort")
        if not self.sortable or given is None:
            return None
        names = cast("list[object]", given) if isinstance(given, list) else str(given).split(",")
        columns = [str(name).strip() for name in names]
        if not columns or not all(_SORT.fullmatch(column) for column in columns):
            wrong["sort"] = "must be field names, each with :desc after it where needed, such as starts_at:desc"
            return None
        return ",".join(columns)


class List(Operation):
    """GET a page of records; `filters` are the documented ones of this very list (api.md 1.3 to 1.5)."""

    method, risk, shape = "GET", Risk.READ, "list"

    def __init__(self, record: type[Record], path: str, description: str, **line: Any) -> None:
        super().__init__(path, description, record=record, sortable=line.pop("sortable", True), **line)

    @property
    def listing(self) -> bool:
        return True


class Get(Operation):
    """GET one record; `hidden` names the stamps that may hide it (27 operations can look past them, api.md 1.8)."""

    method, risk, shape = "GET", Risk.READ, "get"

    def __init__(
        self, record: type[Record], path: str, description: str, *, hidden: tuple[str, ...] = (), **line: Any
    ) -> None:
        super().__init__(path, description, record=record, **line)
        if not set(hidden) <= set(HIDDEN):
            raise ValueError(f"{path}: {hidden} are not stamps that hide a record")
        self._hidden = hidden

    @property
    def hidden_filters(self) -> tuple[str, ...]:
        return self._hidden


class Create(Operation):
    """POST a new record; the answer is the record with its id."""

    method, risk, shape = "POST", Risk.WRITE, "create"

    def __init__(self, body: type[Body], record: type[Record], path: str, description: str, **line: Any) -> None:
        super().__init__(path, description, record=record, body=body, **line)


class Update(Operation):
    """PATCH a record: what is absent stays, what `clear` names is emptied, lists are replaced whole (api.md 1.7)."""

    method, risk, shape = "PATCH", Risk.WRITE, "update"

    def __init__(
        self,
        body: type[Body],
        record: type[Record],
        path: str,
        description: str,
        *,
        needed: tuple[str, ...] = (),
        **line: Any,
    ) -> None:
        super().__init__(path, description, record=record, body=body, **line)
        self.needed = needed

    @cached_property
    def given_body(self) -> type[Body] | None:
        return self.body.changes() if self.body else None

    @property
    def clearable(self) -> tuple[str, ...]:
        """The fields that `clear` may name."""
        return self.body.clearable() if self.body else ()

    @property
    def argument_names(self) -> tuple[str, ...]:
        return (*super().argument_names, *(("clear",) if self.clearable else ()))

    def _body(self, arguments: Mapping[str, object], wrong: dict[str, str]) -> Body | None:
        if self.given_body is None:
            return None
        names = wire_names(self.given_body)
        given: dict[str, object] = {name: value for name, value in arguments.items() if name in names}
        for name in [name for name, value in given.items() if value is None]:
            advice = f'to empty it give clear: ["{name}"]' if name in self.clearable else "leave it out to keep it"
            wrong[name] = f"cannot be null; {advice}"
        for name in self.needed:
            if given.get(name) is None:
                wrong[name] = "is needed"
        for name in dict.fromkeys(self._cleared(arguments, wrong)):
            if name in given:
                wrong[name] = "is given a value and cleared at once"
            given[name] = None
        if wrong:
            read_model(self.given_body, {name: value for name, value in given.items() if value is not None}, wrong)
            return None
        if not given:
            wrong["arguments"] = "name nothing to change; give at least one field"
        return read_model(self.given_body, given, wrong)

    def _cleared(self, arguments: Mapping[str, object], wrong: dict[str, str]) -> Iterator[str]:
        names = arguments.get("clear")
        if names is None:
            return
        if not isinstance(names, list):
            wrong["clear"] = "must be a list of field names"
            return
        for name in cast("list[object]", names):
            if isinstance(name, str) and name in self.clearable:
                yield name
            else:
                wrong["clear"] = f"may name only {', '.join(self.clearable) or 'nothing here'}"


class Archive(Operation):
    """Hide a record: POST .../archive, or DELETE in the deprecated form (api.md 1.8)."""

    method, risk, shape = "POST", Risk.DESTRUCTIVE, "archive"

    def __init__(self, path: str, description: str, *, method: Method = "POST", **line: Any) -> None:
        super().__init__(path, description, **line)
        self.method = method


class Unarchive(Operation):
    """POST .../unarchive: bring an archived record back; three resources can (api.md 1.8)."""

    method, risk, shape = "POST", Risk.WRITE, "unarchive"

    def __init__(self, record: type[Record], path: str, description: str, **line: Any) -> None:
        super().__init__(path, description, record=record, **line)


class Delete(Operation):
    """DELETE a record for good; four resources can (api.md 1.8)."""

    method, risk, shape = "DELETE", Risk.DESTRUCTIVE, "delete"


class Conflicts(Operation):
    """GET whether a booking overlaps another of the same practitioner (api.md 3.2)."""

    method, risk, shape = "GET", Risk.READ, "conflicts"

    def __init__(self, path: str, description: str, **line: Any) -> None:
        super().__init__(path, description, record=ConflictReport, **line)


class ConflictState(Record):
    """Whether there are conflicts; Cliniko does not say which."""

    exist: bool | None = None


class ConflictReport(Record):
    """The answer about conflicts, as Cliniko nests it."""

    conflicts: ConflictState | None = None


class Cancel(Operation):
    """PATCH .../cancel: cancel a booking for good, with a reason (api.md 3.2)."""

    method, risk, shape = "PATCH", Risk.DESTRUCTIVE, "cancel"

    def __init__(self, body: type[Body], path: str, description: str, **line: Any) -> None:
        super().__init__(path, description, body=body, **line)


class Resource:
    """A named group of operations; its docstring is what the clinic calls it."""

    @classmethod
    def operations(cls) -> tuple[Operation, ...]:
        """The operations in the order in which they are written."""
        return tuple(line for line in vars(cls).values() if isinstance(line, Operation))
