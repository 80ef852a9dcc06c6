"""The compact table of what the API offers, one line an operation, kept apart from the code it holds to account.

name, method, path, body fields, filters, other query arguments. `!` after a field: needed; after a name: deprecated.
"""

import csv
from collections.abc import Iterable
from pathlib import Path

from cliniko_mcp.cliniko.operations import Operation, Update

TABLE = Path(__file__).resolve().parents[1] / "data" / "operations.csv"
HEADER = ("name", "method", "path", "body", "filters", "query")


def facts(operation: Operation) -> tuple[str, ...]:
    """The line that this operation should have."""
    body: Iterable[str] = ()
    if operation.body is not None:
        needed = operation.needed if isinstance(operation, Update) else _needed(operation)
        body = (f"{name}{'!' * (name in needed)}" for name in operation.body.wire_names().values())
    query = [*(operation.query.wire_names().values() if operation.query else ()), *(["sort"] * operation.sortable)]
    query += [f"q[]={name}" for name in operation.hidden_filters]
    return (
        operation.name + "!" * operation.deprecated,
        operation.method,
        operation.path,
        " ".join(sorted(body)),
        " ".join(sorted(f"{name}:{family.name.lower()}" for name, family in operation.filters.items())),
        " ".join(query),
    )


def _needed(operation: Operation) -> set[str]:
    assert operation.body is not None
    names = operation.body.wire_names()
    return {names[name] for name, field in operation.body.model_fields.items() if field.is_required()}


def written() -> list[tuple[str, ...]]:
    """The lines of the table."""
    with TABLE.open(newline="", encoding="utf-8") as table:
        header, *lines = csv.reader(table)
    assert tuple(header) == HEADER
    return [tuple(line) for line in lines]
