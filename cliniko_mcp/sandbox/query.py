"""Which rows a list is about, in which order: conditions, hidden rows, sorting. Looks no further than it must."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from operator import itemgetter
from typing import Any, Final

from cliniko_mcp.cliniko.filters import INSTANT
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.field_types import Kind
from cliniko_mcp.sandbox.filtering import ALIASES, STAMP_GROUPS, Predicate, Wanted, predicate
from cliniko_mcp.sandbox.store import Row, Store, Table
from cliniko_mcp.sandbox.wire import bad_request

_REMEMBERED: Final = 64
_INDEXED_LISTS: Final = ("patient_ids", "appointment_type_ids")
_LAST: Final = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Column:
    """One column to sort by."""

    name: str
    kind: Kind
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """What a list asks for: tables, columns that must hold a value (the parent's id), conditions, order."""

    tables: tuple[str, ...]
    fixed: tuple[tuple[str, str], ...] = ()
    conditions: tuple[Wanted, ...] = ()
    order: tuple[Column, ...] = ()


def columns(sort: str | None, order: str | None, known: Mapping[str, Kind]) -> tuple[Column, ...]:
    """The columns of `sort=a,b:desc`; `order` gives the direction where `sort` does not (api.md 1.4).

    Raises the 400 for a name that is no sortable column, or a direction that is none.
    """
    fallback = (order or "").lower() == "desc"
    if not sort:
        return (Column("created_at", Kind.INSTANT, fallback),)
    found: list[Column] = []
    for part in sort.split(","):
        name, _, direction = part.strip().partition(":")
        kind = known.get(name)
        if kind is None or not kind.sortable or direction.lower() not in ("", "asc", "desc"):
            raise bad_request("Sort parameter must be a valid column name")
        found.append(Column(name, kind, direction.lower() == "desc" if direction else fallback))
    return tuple(found)


class Finder:
    """Answers queries on a store. The rows of recent queries are remembered until one of their tables changes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._remembered: OrderedDict[tuple[object, ...], Sequence[Row]] = OrderedDict()

    def find(self, query: Query) -> Sequence[Row]:
        """The rows, hidden ones only where a condition lets them in, sorted; ties by id."""
        tables = [self._store.table(name) for name in query.tables]
        key = (query, *(table.version for table in tables))
        if key in self._remembered:
            self._remembered.move_to_end(key)
            return self._remembered[key]
        found = [row for table in tables for row in _matching(table, query)]
        self._remembered[key] = rows = sort(found, query.order)
        if len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)
        return rows


def narrow(rows: Iterable[Row], query: Query) -> Sequence[Row]:
    """The same for rows that come from elsewhere than a table: a rule's own choice."""
    tests = _tests(query)
    visible = _visible(query.conditions)
    return sort([row for row in rows if visible(row) and all(test(row) for test in tests)], query.order)


def _matching(table: Table, query: Query) -> Iterable[Row]:
    lifted = _lifted(query.conditions)
    pool = table.rows if lifted else table.live
    ids, known = _candidates(table, query)
    rows: Iterable[Row] = pool.values() if ids is None else [pool[row_id] for row_id in ids if row_id in pool]
    if lifted:
        rows = filter(_visible(query.conditions), rows)
    for test in _tests(query, known):
        rows = filter(test, rows)
    return rows


@dataclass(frozen=True, slots=True)
class _Way:
    """One index that could be used: how many rows it leads to, what they fulfil already, and the ids."""

    size: int
    known: Sequence[object]
    ids: Callable[[], Iterable[str]]


def _candidates(table: Table, query: Query) -> tuple[Iterable[str] | None, Sequence[object]]:
    """The ids worth a look, by the narrowest index at hand, and the conditions they fulfil; None where all rows are."""
    ways = [_lookup(table, pair, pair[0], pair[1]) for pair in query.fixed]
    for wanted in query.conditions:
        column = _column(wanted, query)
        if wanted.operator == "=" and column == "id":
            ids = [row_id for row_id in dict.fromkeys(wanted.value.split(",")) if row_id in table.rows]
            return ids, (wanted,)
        if wanted.operator == "=" and column.endswith("_id"):
            ways.append(_lookup(table, wanted, column, *wanted.value.split(",")))
        elif wanted.operator == "~" and column in _INDEXED_LISTS:
            ways.append(_lookup(table, wanted, column, wanted.value))
    ways += _span(table, query.conditions)
    best = min(ways, key=lambda way: way.size, default=None)
    return (best.ids(), best.known) if best else (None, ())


def _lookup(table: Table, known: object, column: str, *values: str) -> _Way:
    groups = [table.matching(column, value) for value in values]
    return _Way(sum(map(len, groups)), (known,), lambda: {row_id: None for group in groups for row_id in group})


def _span(table: Table, conditions: Sequence[Wanted]) -> Iterable[_Way]:
    bounds = [
        each
        for each in conditions
        if each.field == "starts_at" and each.family is INSTANT and each.operator in (">", ">=", "<", "<=")
    ]
    if bounds:
        low = max(
            (_edge(each) for each in bounds if ">" in each.operator), default=" "
        )  # what has no start is "" and fulfils no bound
        high = min((_edge(each) for each in bounds if "<" in each.operator), default=_LAST)
        # Kept instants are whole seconds; a bound with a fraction is no text to compare them with.
        exact = [each for each in bounds if "." not in each.value]
        yield _Way(table.count("starts_at", low, high), exact, lambda: table.between("starts_at", low, high))


def _edge(bound: Wanted) -> str:
    """Where rows begin or end that fulfil this bound, as text; one second too wide where it has a fraction."""
    if "." in bound.value:
        return bound.value[:19] + (_LAST if "<" in bound.operator else "")
    return bound.value + (_LAST if bound.operator in (">", "<=") else "")


def _tests(query: Query, known: Sequence[object] = ()) -> list[Predicate]:
    tests = [_equals(*pair) for pair in query.fixed if pair not in known]
    tests += [predicate(each, _column(each, query)) for each in query.conditions if each not in known]
    return tests


def _equals(name: str, value: str) -> Predicate:
    return lambda row: row.get(name) == value


def _column(wanted: Wanted, query: Query) -> str:
    return ALIASES.get((query.tables[0], wanted.field), wanted.field) if query.tables else wanted.field


def _lifted(conditions: Sequence[Wanted]) -> set[str]:
    return {stamp for each in conditions for stamp in each.lifts}


def _visible(conditions: Sequence[Wanted]) -> Predicate:
    hiding = [stamp for group in STAMP_GROUPS for stamp in group if stamp not in _lifted(conditions)]
    return lambda row: not any(stamp in row for stamp in hiding)


def visible(row: Row, conditions: Sequence[Wanted]) -> bool:
    """Whether one row is shown under these conditions: not hidden, or let in, and fulfilling each of them."""
    return _visible(conditions)(row) and all(predicate(each, each.field)(row) for each in conditions)


def sort(rows: list[Row], order: Sequence[Column]) -> Sequence[Row]:
    """The rows by these columns, ties by id. Null comes last, first when descending, as in PostgreSQL (choices 5)."""
    rows.sort(key=_id_key(rows))
    for column in reversed(order):
        # A reversed sort keeps the order of equals, so ids still rise among them.
        try:
            rows.sort(key=_plain_key(column), reverse=column.descending)
        except KeyError:  # some rows have nothing there; keys are made before anything moves
            rows.sort(key=_key(column), reverse=column.descending)
    return rows


def _id_key(rows: Sequence[Row]) -> Callable[[Row], Any]:
    try:
        lengths = set(map(len, map(itemgetter("id"), rows)))  # pyright: ignore[reportArgumentType]
    except KeyError:  # derived rows, such as services, have no id
        return lambda row: 0
    # Ids of one length sort as text as they do as numbers, and much faster.
    return itemgetter("id") if len(lengths) == 1 else lambda row: int(str(row["id"]))


def _plain_key(column: Column) -> Callable[[Row], Any]:
    """The key for rows that all have something there: an instant's text is its order."""
    return itemgetter(column.name) if column.kind is Kind.INSTANT else _key(column)


def _key(column: Column) -> Callable[[Row], Any]:
    name, read = column.name, _READERS.get(column.kind, str)
    empty = read(None)

    def key(row: Row) -> tuple[bool, Any]:
        value = row.get(name)
        return (True, empty) if value is None else (False, read(value))

    return key


def _text(value: JsonValue) -> str:
    return str(value).casefold()


def _number(value: JsonValue) -> Decimal:
    return Decimal(str(value)) if value is not None else Decimal(0)


_READERS: Final[Mapping[Kind, Callable[[JsonValue], Any]]] = {
    Kind.TEXT: _text,
    Kind.FLAG: bool,
    Kind.WHOLE: _number,
    Kind.NUMBER: _number,
    Kind.AMOUNT: _number,
    Kind.ID: _number,
}
