"""The generated list of all tools, read from inside the package so that no start builds a schema.

`cliniko-mcp manifest` writes `index.json` from the registry and the curated tools; a law keeps it true.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final, NotRequired, TypedDict

from cliniko_mcp.cliniko.operations import Operation, Risk
from cliniko_mcp.cliniko.registry import find
from cliniko_mcp.errors import JsonValue

FILE: Final = "index.json"


class IndexRow(TypedDict):
    """One tool as `index.json` holds it."""

    name: str
    title: str
    description: str
    kind: str
    risk: str
    inputSchema: dict[str, JsonValue]
    annotations: dict[str, JsonValue]
    resource: NotRequired[str]
    replaced_by: NotRequired[str]
    deprecated: NotRequired[bool]
    needs: NotRequired[list[str]]
    outputSchema: NotRequired[dict[str, JsonValue]]
    grants_writing: NotRequired[bool]


@dataclass(frozen=True, slots=True)
class Entry:
    """One tool as hosts see it, with the facts that views and guards ask for."""

    name: str
    title: str
    description: str
    kind: str
    risk: str
    resource: str | None
    replaced_by: str | None
    deprecated: bool
    input_schema: Mapping[str, JsonValue]
    annotations: Mapping[str, JsonValue]
    needs: tuple[str, ...] = ()
    """For a curated tool: the operations it cannot do its work without."""
    answer_schema: Mapping[str, JsonValue] | None = None
    """For a curated tool: the schema of its answers; that of an operation is made from its record."""
    grants_writing: bool = False
    """Whether it is a read that lets its caller write."""

    @property
    def changes(self) -> bool:
        """Whether it changes something, or lets its caller do so; as `Operation.changes`."""
        return self.risk != "read" or self.grants_writing

    @property
    def highest_risk(self) -> Risk:
        """The most that it may do: an executor by its tier, a read that lets its caller write as a write."""
        return Risk.WRITE if self.grants_writing else Risk(self.risk)

    def schemas(self) -> list[dict[str, JsonValue]]:
        """What may be told of its schemas, the most first: arguments and answers, arguments alone, nothing."""
        arguments: dict[str, JsonValue] = {"input_schema": dict(self.input_schema)}
        if self.answer_schema is None:
            return [arguments, {}]
        return [{**arguments, "output_schema": dict(self.answer_schema)}, arguments, {}]


@cache
def entries() -> Mapping[str, Entry]:
    """Every tool by name, in the order in which lists show them; empty before the file has been generated."""
    source = files("cliniko_mcp.tools").joinpath(FILE)
    if not source.is_file():
        return {}
    # A seam where JSON enters: the file is ours, and a law holds it against what `manifest.listing` makes.
    rows: list[IndexRow] = json.loads(source.read_text("utf-8"))
    return {row["name"]: _entry(row) for row in rows}


def find_operation(name: str) -> Operation | None:
    """The operation of this name, or None; only the module of its resource is imported."""
    entry = entries().get(name)
    if entry is None:  # the index has not been generated yet
        return find(name)
    return find(name, entry.resource) if entry.resource else None


def _entry(row: IndexRow) -> Entry:
    return Entry(
        name=row["name"],
        title=row["title"],
        description=row["description"],
        kind=row["kind"],
        risk=row["risk"],
        resource=row.get("resource"),
        replaced_by=row.get("replaced_by"),
        deprecated=row.get("deprecated", False),
        input_schema=row["inputSchema"],
        annotations=row["annotations"],
        needs=tuple(row.get("needs", ())),
        answer_schema=row.get("outputSchema"),
        grants_writing=row.get("grants_writing", False),
    )
