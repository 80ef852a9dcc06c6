"""The rows of a list in their order: conditions, hidden rows, sorting, with the indexes that make it quick."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from operator import itemgetter
from typing import Any, Final

from cliniko_mcp.cliniko.filters import INSTANT
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.field_types import FieldType
from cliniko_mcp.sandbox.filtering import ALIASES, STAMP_GROUPS, Condition, Predicate, predicate
from cliniko_mcp.sandbox.store import Row, Store, Table
from cliniko_mcp.sandbox.wire import bad_request

_CACHE_SIZE: Final = 64
_INDEXED_LISTS: Final = ("patient_ids", "appointment_type_ids")
_LAST: Final = "\U0010ffff"
_ORDERING: Final = (">", ">=", "<", "<=")


@dataclass(frozen=True, slots=True)
class SortColumn:
    """One column to sort by."""

    name: str
    field_type: FieldType
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """The rows that a list wants: tables, columns that must hold a parent's id, conditions, order."""

    tables: tuple[str, ...]
    parents: tuple[tuple[str, str], ...] = ()
    conditions: tuple[Condition, ...] = ()
    order: tuple[SortColumn, ...] = ()


def sort_columns(sort: str | None, order: str | None, sortable: Mapping[str, FieldType]) -> tuple[SortColumn, ...]:
    """The columns of `sort=a,b:desc`; `order` gives the direction where `sort` does not (cliniko-api.md#sorting).

    Raises the 400 for a name that is no sortable column, or a direction that is none.
    """
    fallback = (order or "").lower() == "desc"
    if not sort:
        return (SortColumn("created_at", FieldType.INSTANT, fallback),)
    columns: list[SortColumn] = []
    for part in sort.split(","):
        name, _, direction = part.strip().partition(":")
        field_type = sortable.get(name)
        if field_type is None or not field_type.sortable or direction.lower() not in ("", "asc", "desc"):
            raise bad_request("Sort parameter must be a valid column name")
        columns.append(SortColumn(name, field_type, direction.lower() == "desc" if direction else fallback))
    return tuple(columns)


class Finder:
    """Answers queries on a store. The rows of recent queries are cached until one of their tables changes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._cache: OrderedDict[tuple[object, ...], Sequence[Row]] = OrderedDict()

    def find(self, query: Query) -> Sequence[Row]:
        """The rows, hidden ones only where a condition reveals them, sorted; ties by id."""
        tables = [self._store.table(name) for name in query.tables]
        key = (query, *(table.version for table in tables))
        if key in self._cache:
            self._cache.move_to_end(key)
            return self._cache[key]
        found = [row for table in tables for row in _matching(table, query)]
        self._cache[key] = rows = sort(found, query.order)
        if len(self._cache) > _CACHE_SIZE:
            self._cache.popitem(last=False)
        return rows


def select(rows: Iterable[Row], query: Query) -> Sequence[Row]:
    """Those of these rows, which a rule chose, that the query wants, as `find` does for whole tables."""
    tests = _tests(query)
    visible = _visible(query.conditions)
    return sort([row for row in rows if visible(row) and all(test(row) for test in tests)], query.order)


def _matching(table: Table, query: Query) -> Iterable[Row]:
    revealed = _revealed(query.conditions)
    pool = table.rows if revealed else table.live
    ids, fulfilled = _candidates(table, query)
    rows: Iterable[Row] = pool.values() if ids is None else [pool[row_id] for row_id in ids if row_id in pool]
    if revealed:
        rows = filter(_visible(query.conditions), rows)
    for test in _tests(query, fulfilled):
        rows = filter(test, rows)
    return rows


@dataclass(frozen=True, slots=True)
class _Index:
    """An index that could be used: how many rows it leads to, the conditions they fulfil already, and their ids."""

    size: int
    fulfilled: Sequence[object]
    ids: Callable[[], Iterable[str]]


def _candidates(table: Table, query: Query) -> tuple[Iterable[str] | None, Sequence[object]]:
    """The ids that the narrowest index leads to, None without an index, and the conditions that they fulfil."""
    indexes = [_lookup(table, pair, pair[0], pair[1]) for pair in query.parents]
    for condition in query.conditions:
        column = _column(condition, query)
        if condition.operator == "=" and column == "id":
            ids = [row_id for row_id in dict.fromkeys(condition.value.split(",")) if row_id in table.rows]
            return ids, (condition,)
        if condition.operator == "=" and column.endswith("_id"):
            indexes.append(_lookup(table, condition, column, *condition.value.split(",")))
        elif condition.operator == "~" and column in _INDEXED_LISTS:
            indexes.append(_lookup(table, condition, column, condition.value))
    indexes += _span(table, query.conditions)
    best = min(indexes, key=lambda index: index.size, default=None)
    return (best.ids(), best.fulfilled) if best else (None, ())


def _lookup(table: Table, fulfilled: object, column: str, *values: str) -> _Index:
    groups = [table.matching(column, value) for value in values]
    return _Index(sum(map(len, groups)), (fulfilled,), lambda: {row_id: None for group in groups for row_id in group})


def _span(table: Table, conditions: Sequence[Condition]) -> Iterable[_Index]:
    bounds = [
        condition
        for condition in conditions
        if condition.field == "starts_at" and condition.family is INSTANT and condition.operator in _ORDERING
    ]
    if bounds:
        # A row without a start has "" there, which fulfils no bound: a blank comes after it.
        low = max((_edge(bound) for bound in bounds if ">" in bound.operator), default=" ")
        high = min((_edge(bound) for bound in bounds if "<" in bound.operator), default=_LAST)
        # Stored instants are whole seconds; a bound with a fraction cannot be compared with their text.
        exact = [bound for bound in bounds if "." not in bound.value]
        yield _Index(table.count("starts_at", low, high), exact, lambda: table.between("starts_at", low, high))


def _edge(bound: Condition) -> str:
    """The bound as text to compare stored instants with; one second too wide where it has a fraction."""
    if "." in bound.value:
        return bound.value[:19] + (_LAST if "<" in bound.operator else "")
    return bound.value + (_LAST if bound.operator in (">", "<=") else "")


def _tests(query: Query, fulfilled: Sequence[object] = ()) -> list[Predicate]:
    tests = [_equals(*pair) for pair in query.parents if pair not in fulfilled]
    open_conditions = [condition for condition in query.conditions if condition not in fulfilled]
    tests += [predicate(condition, _column(condition, query)) for condition in open_conditions]
    return tests


def _equals(name: str, value: str) -> Predicate:
    return lambda row: row.get(name) == value


def _column(condition: Condition, query: Query) -> str:
    return ALIASES.get((query.tables[0], condition.field), condition.field) if query.tables else condition.field


def _revealed(conditions: Sequence[Condition]) -> set[str]:
    return {stamp for condition in conditions for stamp in condition.reveals}


def _visible(conditions: Sequence[Condition]) -> Predicate:
    hiding = [stamp for group in STAMP_GROUPS for stamp in group if stamp not in _revealed(conditions)]
    return lambda row: not any(stamp in row for stamp in hiding)


def is_visible(row: Row, conditions: Sequence[Condition]) -> bool:
    """Whether one row is shown under these conditions: not hidden, or revealed, and fulfilling each of them."""
    tests = (predicate(condition, condition.field) for condition in conditions)
    return _visible(conditions)(row) and all(test(row) for test in tests)


def sort(rows: list[Row], order: Sequence[SortColumn]) -> Sequence[Row]:
    """The rows by these columns, ties by id. Null comes last, first when descending, as in PostgreSQL (choices 5)."""
    rows.sort(key=_id_key(rows))
    for column in reversed(order):
        # A reversed sort keeps the order of equals, so ids still rise among them.
        try:
            rows.sort(key=_plain_key(column), reverse=column.descending)
        except KeyError:  # some rows have nothing there; keys are computed before anything moves
            rows.sort(key=_key(column), reverse=column.descending)
    return rows


def _id_key(rows: Sequence[Row]) -> Callable[[Row], Any]:
    try:
        lengths = set(map(len, map(itemgetter("id"), rows)))  # pyright: ignore[reportArgumentType]
    except KeyError:  # derived rows, such as services, have no id
        return lambda row: 0
    # Ids of one length sort as text as they do as numbers, and much faster.
    return itemgetter("id") if len(lengths) == 1 else lambda row: int(str(row["id"]))


def _plain_key(column: SortColumn) -> Callable[[Row], Any]:
    """The key for rows that all have a value there: instants sort as their text."""
    return itemgetter(column.name) if column.field_type is FieldType.INSTANT else _key(column)


def _key(column: SortColumn) -> Callable[[Row], Any]:
    name, read = column.name, _KEYS.get(column.field_type, str)
    empty = read(None)

    def key(row: Row) -> tuple[bool, Any]:
        value = row.get(name)
        return (True, empty) if value is None else (False, read(value))

    return key


def _text(value: JsonValue) -> str:
    return str(value).casefold()


def _number(value: JsonValue) -> Decimal:
    return Decimal(str(value)) if value is not None else Decimal(0)


_KEYS: Final[Mapping[FieldType, Callable[[JsonValue], Any]]] = {
    FieldType.TEXT: _text,
    FieldType.FLAG: bool,
    FieldType.WHOLE: _number,
    FieldType.NUMBER: _number,
    FieldType.AMOUNT: _number,
    FieldType.ID: _number,
}
