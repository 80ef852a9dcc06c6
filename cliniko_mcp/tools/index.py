"""The generated list of all tools, read from inside the package so that no start builds a schema.

`cliniko-mcp manifest` writes `index.json` from the registry and the curated tools; a law keeps it true.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final, cast

from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.cliniko.registry import find
from cliniko_mcp.errors import JsonValue

FILE: Final = "index.json"


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


@cache
def entries() -> Mapping[str, Entry]:
    """Every tool by name, in the order in which lists show them; empty before the file has been generated."""
    source = files("cliniko_mcp.tools").joinpath(FILE)
    if not source.is_file():
        return {}
    rows = cast("list[dict[str, JsonValue]]", json.loads(source.read_text("utf-8")))
    return {str(row["name"]): _entry(row) for row in rows}


def find_operation(name: str) -> Operation | None:
    """The operation of this name, or None; only the module of its resource is imported."""
    entry = entries().get(name)
    if entry is None:  # the index has not been generated yet
        return find(name)
    return find(name, entry.resource) if entry.resource else None


def _entry(row: dict[str, JsonValue]) -> Entry:
    return Entry(
        name=str(row["name"]),
        title=str(row["title"]),
        description=str(row["description"]),
        kind=str(row["kind"]),
        risk=str(row["risk"]),
        resource=cast("str | None", row.get("resource")),
        replaced_by=cast("str | None", row.get("replaced_by")),
        deprecated=bool(row.get("deprecated", False)),
        input_schema=cast("Mapping[str, JsonValue]", row["inputSchema"]),
        annotations=cast("Mapping[str, JsonValue]", row["annotations"]),
        needs=tuple(cast("list[str]", row.get("needs", []))),
    )
