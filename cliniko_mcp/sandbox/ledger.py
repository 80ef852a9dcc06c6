"""How faithful each operation of the demo clinic is: by a rule about clinics, or by its shape alone; computed."""

from collections.abc import Mapping
from typing import Final, Literal

from cliniko_mcp.cliniko import registry
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.links import VIEWS
from cliniko_mcp.sandbox.rulebook import Rulebook
from cliniko_mcp.sandbox.rules import all_rules

Fidelity = Literal["rule", "shape"]

_EVENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "create": ("create", "created"),
    "update": ("update", "updated"),
    "archive": ("archive", "archived"),
    "unarchive": ("unarchive", "unarchived"),
    "delete": ("delete", "deleted"),
}


def ledger() -> dict[str, Fidelity]:
    """Every operation of the registry by name, in its order: `rule` where a rule takes part in the response."""
    book = all_rules()
    return {
        name: "rule" if _has_rule(book, operation) else "shape" for name, operation in registry.operations().items()
    }


def _has_rule(book: Rulebook[RequestContext], operation: Operation) -> bool:
    if operation.name in book.responders or operation.name in book.row_sources or operation.resource in VIEWS:
        return True
    if operation.record is not None and operation.resource in book.serialisers:
        return True
    return any((operation.resource, event) in book.rules for event in _EVENTS.get(operation.shape, ()))


def ledger_text() -> str:
    """The ledger as text: a line for each operation, and the number of operations by fidelity."""
    fidelities = ledger()
    counts = {fidelity: sum(value == fidelity for value in fidelities.values()) for fidelity in ("rule", "shape")}
    width = max(map(len, fidelities))
    lines = [f"{name:<{width}}  {fidelity}" for name, fidelity in fidelities.items()]
    return "\n".join([*lines, f"{counts['rule']} by rule, {counts['shape']} by shape, {len(fidelities)} in all"])


def ledger_table() -> str:
    """The ledger as a table in Markdown: a row for each resource, with its operations by fidelity."""
    fidelities = ledger()
    rows: dict[str, dict[str, list[str]]] = {}
    for name, operation in registry.operations().items():
        rows.setdefault(operation.resource, {"rule": [], "shape": []})[fidelities[name]].append(f"`{name}`")
    lines = ["| resource | by rule | by shape |", "|---|---|---|"]
    lines += [f"| {resource} | {', '.join(by['rule'])} | {', '.join(by['shape'])} |" for resource, by in rows.items()]
    return "\n".join(lines)
