"""The table of effects for people: every operation that writes, what of it a person is asked about, and why."""

from typing import Final

from cliniko_mcp.approvals.effect_rules import EMPTIED, can_be_emptied
from cliniko_mcp.approvals.effects import TABLE
from cliniko_mcp.cliniko.operations import Operation, Risk
from cliniko_mcp.cliniko.registry import operations

_NEVER: Final = {
    "create": "it adds a record and takes nothing away",
    "unarchive": "it brings a record back",
}
_ALWAYS: Final = {
    "archive": "it hides the record",
    "delete": "the record is gone for good",
    "cancel": "a cancellation cannot be undone",
}


def effect_table() -> str:
    """The table as Markdown: a row for each operation that writes, in the order of the resources."""
    lines = ["| operation | a person is asked | why |", "|---|---|---|"]
    for operation in operations().values():
        if operation.risk is not Risk.READ:
            gated, why = _row(operation)
            lines.append(f"| `{operation.name}` | {gated} | {why} |")
    return "\n".join(lines)


def _row(operation: Operation) -> tuple[str, str]:
    if operation.shape in _NEVER:
        return "never", _NEVER[operation.shape]
    if operation.shape in _ALWAYS:
        return "**always**", _ALWAYS[operation.shape]
    rules = [*TABLE[operation.resource], *([EMPTIED] if can_be_emptied(operation) else [])]
    if not rules:
        return "only in a burst", "no two of its fields can be emptied, and nothing else of it destroys"
    gated = "; ".join(rule.when if rule is not EMPTIED else "it empties most of the record" for rule in rules)
    return f"where {gated}", "; ".join(dict.fromkeys(rule.why for rule in rules))
