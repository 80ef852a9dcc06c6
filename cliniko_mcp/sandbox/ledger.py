"""How true each operation of the demo clinic is: by a rule of clinic life, or by its shape alone. Always generated."""

from collections.abc import Mapping
from typing import Final, Literal

from cliniko_mcp.cliniko import registry
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.sandbox.links import VIEWS
from cliniko_mcp.sandbox.rulebook import Rulebook
from cliniko_mcp.sandbox.rules import rulebook

Fidelity = Literal["rule", "shape"]

_MOMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "create": ("create", "created"),
    "update": ("update", "updated"),
    "archive": ("archive", "archived"),
    "unarchive": ("unarchive", "unarchived"),
    "delete": ("delete", "deleted"),
}


def ledger() -> dict[str, Fidelity]:
    """Every operation of the registry by name, in its order: `rule` where any rule has a say in the answer."""
    book = rulebook()
    return {name: "rule" if _ruled(book, operation) else "shape" for name, operation in registry.operations().items()}


def _ruled(book: Rulebook, operation: Operation) -> bool:
    if operation.name in book.answerers or operation.name in book.sources or operation.resource in VIEWS:
        return True
    if operation.record is not None and operation.resource in book.presenters:
        return True
    return any((operation.resource, moment) in book.at for moment in _MOMENTS.get(operation.shape, ()))


def told() -> str:
    """The ledger for people: a line for each operation, and how many there are of each kind."""
    found = ledger()
    counts = {kind: sum(each == kind for each in found.values()) for kind in ("rule", "shape")}
    width = max(map(len, found))
    lines = [f"{name:<{width}}  {kind}" for name, kind in found.items()]
    return "\n".join([*lines, f"{counts['rule']} by rule, {counts['shape']} by shape, {len(found)} in all"])


def ledger_table() -> str:
    """The ledger as a table in Markdown: a row for each resource, with its operations by fidelity."""
    found = ledger()
    rows: dict[str, dict[str, list[str]]] = {}
    for name, operation in registry.operations().items():
        rows.setdefault(operation.resource, {"rule": [], "shape": []})[found[name]].append(f"`{name}`")
    lines = ["| resource | by rule | by shape |", "|---|---|---|"]
    lines += [f"| {resource} | {', '.join(by['rule'])} | {', '.join(by['shape'])} |" for resource, by in rows.items()]
    return "\n".join(lines)
