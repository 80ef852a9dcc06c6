"""What a token lets its bearer do: three scopes, each holding those before it, by the risk of the tool.

A scope here is a promise of this server alone: a key of Cliniko's has no scopes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.tools.index import Entry, entries

READ: Final = "cliniko:read"
WRITE: Final = "cliniko:write"
DESTROY: Final = "cliniko:destroy"
SCOPES: Final = (READ, WRITE, DESTROY)
"""All scopes, the least first; each implies those before it."""
_BY_RISK: Final = {Risk.READ: READ, Risk.WRITE: WRITE, Risk.DESTRUCTIVE: DESTROY}
_RISKS: Final = {scope: risk for risk, scope in _BY_RISK.items()}


def risk_of(entry: Entry) -> Risk:
    """The most that a tool may do: an executor by its tier, a read that lets its caller write as a write."""
    return Risk.WRITE if entry.changes and entry.risk == Risk.READ else Risk(entry.risk)


def allowed(scopes: Iterable[str]) -> Risk | None:
    """The most that a token with these scopes may do; None where it may not even read. Unknown scopes grant nothing."""
    held = [scope for scope in SCOPES if scope in set(scopes)]
    return _RISKS[held[-1]] if held else None


def needed(risk: Risk) -> tuple[str, ...]:
    """All scopes to ask for at once to do this much: also those that are implied, as not every issuer knows that."""
    return SCOPES[: SCOPES.index(_BY_RISK[risk]) + 1]


def grants(scopes: Iterable[str], risk: Risk) -> bool:
    """Whether these scopes allow this much."""
    return not set(SCOPES[SCOPES.index(_BY_RISK[risk]) :]).isdisjoint(scopes)


def risk_of_tool(name: str) -> Risk:
    """The most that the tool of this name may do. A name that no tool has changes nothing: its call is refused."""
    entry = entries().get(name)
    return risk_of(entry) if entry else Risk.READ
