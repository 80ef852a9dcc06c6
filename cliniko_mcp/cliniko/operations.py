"""An operation of the Cliniko API as one line of a table: the shapes such a line can have.

The tool's name is the Python name. A shape fixes the method, the risk and which arguments there are; the line adds the
path, the models and the words. What all shapes share stands in `calls.py`.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Generic, TypeGuard, TypeVar

from cliniko_mcp.cliniko.arguments import (
    check_model,
    checked_ids,
    read_model,
    wire_names,
)
from cliniko_mcp.cliniko.calls import Call, Method, Operation, Risk
from cliniko_mcp.cliniko.filters import HIDDEN, Condition, FilterValue, conditions_of
from cliniko_mcp.cliniko.models import Body, Record

RecordT = TypeVar("RecordT", bound=Record)
BodyT = TypeVar("BodyT", bound=Body)


class List(Operation[RecordT]):
    """GET a page of records; `filters` are the documented ones of this very list (cliniko-api.md#filters)."""

    method, risk, shape = "GET", Risk.READ, "list"

    def __init__(self, record: type[RecordT], path: str, description: str, **line: Any) -> None:
        super().__init__(path, description, record=record, sortable=line.pop("sortable", True), **line)
        self.row = record

    @property
    def listing(self) -> bool:
        """True: the answer is a page of records."""
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
        self,
        record: type[RecordT],
        path: str,
        description: str,
        *,
        hidden: tuple[str, ...] = (),
        grants_writing: bool = False,
        **line: Any,
    ) -> None:
        super().__init__(path, description, record=record, **line)
        self.grants_writing = grants_writing
        if not set(hidden) <= set(HIDDEN):
            raise ValueError(f"{path}: {hidden} are not stamps that hide a record")
        self._hidden = hidden

    @property
    def hidden_filters(self) -> tuple[str, ...]:
        """The stamps that may hide this record, such as `archived_at`; empty where a plain read finds every one."""
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
        """The variant of the body in which every field may be absent."""
        return self.body.changes() if self.body else None

    @property
    def clearable(self) -> tuple[str, ...]:
        """The fields that `clear` may name, as they are sent, in the body's order."""
        return self.body.clearable() if self.body else ()

    @property
    def argument_names(self) -> tuple[str, ...]:
        """Path ids, then fields, then `clear` where something can be emptied."""
        return (*super().argument_names, *(("clear",) if self.clearable else ()))

    def _body(self, arguments: Mapping[str, object], wrong: dict[str, str]) -> Body | None:
        if self.given_body is None:
            return None
        names = wire_names(self.given_body)
        changes: dict[str, object] = {name: value for name, value in arguments.items() if name in names}
        for name in [name for name, value in changes.items() if value is None]:
            advice = f'to empty it give clear: ["{name}"]' if name in self.clearable else "leave it out to keep it"
            wrong[name] = f"cannot be null or empty text; {advice}"
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
