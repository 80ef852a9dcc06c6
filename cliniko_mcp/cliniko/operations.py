"""An operation of the Cliniko API as one line of a table, and the shapes such a line can have.

The tool's name is the Python name. A shape fixes the method, the risk and which arguments there are; the line adds the
path, the models and the words. `parse` makes a call of a caller's arguments, checking each; `call`, which the shapes
define, makes one of our own typed values.
"""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cached_property
from typing import Any, ClassVar, Final, Generic, TypeGuard, TypeVar, cast

from cliniko_mcp.cliniko.arguments import (
    check_model,
    checked_ids,
    part_for,
    read_ids,
    read_model,
    refused_arguments,
    wire_names,
)
from cliniko_mcp.cliniko.calls import Call, Method, ResultT
from cliniko_mcp.cliniko.filters import HIDDEN, Condition, Family, FilterValue, WrongFilter, conditions, conditions_of
from cliniko_mcp.cliniko.models import UNKNOWN_ARGUMENT, Body, JsonObject, Record

_SORT: Final = re.compile(r"[a-z_]{1,60}(:(asc|desc))?")
RecordT = TypeVar("RecordT", bound=Record)
BodyT = TypeVar("BodyT", bound=Body)


class Risk(StrEnum):
    """What a call can do to the clinic's records; everything that guards a call asks this one fact."""

    READ = "read"
    WRITE = "write"
    DESTRUCTIVE = "destructive"


class Operation(Generic[ResultT]):
    """The part that all shapes share: the path, the words, the deprecation, and the reading of arguments."""

    method: Method
    risk: ClassVar[Risk]
    shape: ClassVar[str]
    name: str = ""
    resource: str = ""
    needed: tuple[str, ...] = ()
    """Fields of an update that cannot be left out."""

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
                yield from conditions(name, family, arguments[name])
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
        names: list[object] = [*value] if isinstance(value, list) else [*str(value).split(",")]
        columns = [str(name).strip() for name in names]
        if not columns or not all(_SORT.fullmatch(column) for column in columns):
            wrong["sort"] = "must be field names, each with :desc after it where needed, such as starts_at:desc"
            return None
        return ",".join(columns)


class List(Operation[RecordT]):
    """GET a page of records; `filters` are the documented ones of this very list (cliniko-api.md#filters)."""

    method, risk, shape = "GET", Risk.READ, "list"

    def __init__(self, record: type[RecordT], path: str, description: str, **line: Any) -> None:
        super().__init__(path, description, record=record, sortable=line.pop("sortable", True), **line)
        self.row = record

    @property
    def listing(self) -> bool:
        return True

    def call(self, /, *, sort: str | None = None, **filters: FilterValue) -> Call[RecordT]:
        """The call for these path ids and filters, a plain value meaning equals; see `where`."""
        return self.where(filters, sort=sort)

    def where(
        self, filters: Mapping[str, FilterValue], *, sort: str | None = None, query: Body | None = None
    ) -> Call[RecordT]:
        """The call for these path ids and filters by name, and for those few lists that have one, this query.

        Raises TypeError for a name or a value that this list does not take, ValueError for a text that is no id: our
        own mistakes, never a caller's.
        """
        if sort is not None and not self.sortable:
            raise TypeError(f"{self.name} cannot be sorted")
        check_model(f"the query of {self.name}", self.query, query)
        ids = {name: str(value) for name, value in filters.items() if name in self.path_ids}
        chosen: list[Condition] = []
        for name, value in filters.items():
            if name in ids:
                continue
            if name not in self.filters:
                raise TypeError(f"{self.name} has no filter {name}")
            chosen += conditions_of(name, self.filters[name], value)
        return Call(self, checked_ids(self.name, self.path_ids, ids), tuple(chosen), query, sort)


class Get(Operation[RecordT]):
    """GET one record; `hidden` names the stamps that may hide it, past which 27 operations look (cliniko-api.md)."""

    method, risk, shape = "GET", Risk.READ, "get"

    def __init__(
        self, record: type[RecordT], path: str, description: str, *, hidden: tuple[str, ...] = (), **line: Any
    ) -> None:
        super().__init__(path, description, record=record, **line)
        if not set(hidden) <= set(HIDDEN):
            raise ValueError(f"{path}: {hidden} are not stamps that hide a record")
        self._hidden = hidden

    @property
    def hidden_filters(self) -> tuple[str, ...]:
        return self._hidden

    def call(self, /, *, query: Body | None = None, include_archived: bool = False, **ids: str) -> Call[RecordT]:
        """The call for the record with these ids; `include_archived` looks past what hides it, where the API can."""
        return self.of(ids, query=query, include_archived=include_archived)


class Create(Operation[RecordT], Generic[BodyT, RecordT]):
    """POST a new record; the answer is the record with its id."""

    method, risk, shape = "POST", Risk.WRITE, "create"

    def __init__(self, body: type[BodyT], record: type[RecordT], path: str, description: str, **line: Any) -> None:
        super().__init__(path, description, record=record, body=body, **line)


class Update(Operation[RecordT], Generic[BodyT, RecordT]):
    """PATCH a record: what is absent stays, `clear` empties, lists are replaced whole (cliniko-api.md#writes)."""

    method, risk, shape = "PATCH", Risk.WRITE, "update"

    def __init__(
        self,
        body: type[BodyT],
        record: type[RecordT],
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
        return self.body.clearable() if self.body else ()

    @property
    def argument_names(self) -> tuple[str, ...]:
        return (*super().argument_names, *(("clear",) if self.clearable else ()))

    def _body(self, arguments: Mapping[str, object], wrong: dict[str, str]) -> Body | None:
        if self.given_body is None:
            return None
        names = wire_names(self.given_body)
        changes: dict[str, object] = {name: value for name, value in arguments.items() if name in names}
        for name in [name for name, value in changes.items() if value is None]:
            advice = f'to empty it give clear: ["{name}"]' if name in self.clearable else "leave it out to keep it"
            wrong[name] = f"cannot be null; {advice}"
        for name in self.needed:
            if changes.get(name) is None:
                wrong[name] = "is needed"
        for name in dict.fromkeys(self._cleared(arguments, wrong)):
            if name in changes:
                wrong[name] = "is given a value and cleared at once"
            changes[name] = None
        if wrong:
            read_model(self.given_body, {name: value for name, value in changes.items() if value is not None}, wrong)
            return None
        if not changes:
            wrong["arguments"] = "name nothing to change; give at least one field"
        return read_model(self.given_body, changes, wrong)

    def _cleared(self, arguments: Mapping[str, object], wrong: dict[str, str]) -> Iterator[str]:
        names = arguments.get("clear")
        if names is None:
            return
        if not isinstance(names, list):
            wrong["clear"] = "must be a list of field names"
            return
        chosen: list[object] = [*names]
        for name in chosen:
            if isinstance(name, str) and name in self.clearable:
                yield name
            else:
                wrong["clear"] = f"may name only {', '.join(self.clearable) or 'nothing here'}"


class Archive(Operation[None]):
    """Hide a record: POST .../archive, or DELETE in the deprecated form (cliniko-api.md#archive-delete-cancel)."""

    method, risk, shape = "POST", Risk.DESTRUCTIVE, "archive"

    def __init__(self, path: str, description: str, *, method: Method = "POST", **line: Any) -> None:
        super().__init__(path, description, **line)
        self.method = method


class Unarchive(Operation[RecordT]):
    """POST .../unarchive: bring an archived record back; three resources can (cliniko-api.md#archive-delete-cancel)."""

    method, risk, shape = "POST", Risk.WRITE, "unarchive"

    def __init__(self, record: type[RecordT], path: str, description: str, **line: Any) -> None:
        super().__init__(path, description, record=record, **line)


class Delete(Operation[None]):
    """DELETE a record for good; four resources can (cliniko-api.md#archive-delete-cancel)."""

    method, risk, shape = "DELETE", Risk.DESTRUCTIVE, "delete"


class ConflictState(Record):
    """Whether there are conflicts; Cliniko does not say which."""

    exist: bool | None = None


class ConflictReport(Record):
    """The answer about conflicts, as Cliniko nests it."""

    conflicts: ConflictState | None = None


class Conflicts(Operation[ConflictReport]):
    """GET whether a booking overlaps another of the same practitioner (cliniko-api.md#appointments)."""

    method, risk, shape = "GET", Risk.READ, "conflicts"

    def __init__(self, path: str, description: str, **line: Any) -> None:
        super().__init__(path, description, record=ConflictReport, **line)


class Cancel(Operation[None], Generic[BodyT]):
    """PATCH .../cancel: cancel a booking for good, with a reason (cliniko-api.md#appointments)."""

    method, risk, shape = "PATCH", Risk.DESTRUCTIVE, "cancel"

    def __init__(self, body: type[BodyT], path: str, description: str, **line: Any) -> None:
        super().__init__(path, description, body=body, **line)


class Resource:
    """A named group of operations; its docstring is what the clinic calls it."""

    @classmethod
    def operations(cls) -> tuple[Operation, ...]:
        """The operations in the order in which they are written."""
        return tuple(line for line in vars(cls).values() if _is_operation(line))


def _is_operation(line: object) -> TypeGuard[Operation]:
    return isinstance(line, Operation)
