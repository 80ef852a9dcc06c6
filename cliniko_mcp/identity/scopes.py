"""What a token lets its bearer do: three scopes, each holding those before it, by the risk of the tool.

A scope here is a promise of this server alone: a key of Cliniko's has no scopes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.guards.scopes import SCOPE_OF
from cliniko_mcp.tools.index import entries

READ: Final = SCOPE_OF[Risk.READ]
WRITE: Final = SCOPE_OF[Risk.WRITE]
DESTROY: Final = SCOPE_OF[Risk.DESTRUCTIVE]
SCOPES: Final = (READ, WRITE, DESTROY)
"""All scopes, the least first; each implies those before it."""
APPROVE: Final = "cliniko:approve"
"""Lets a person approve on the page what others ask for, where a clinic wants a second one; it lets nobody call."""
_RISKS: Final = {scope: risk for risk, scope in SCOPE_OF.items()}


def allowed(scopes: Iterable[str]) -> Risk | None:
    """The most that a token with these scopes may do; None where it may not even read. Unknown scopes grant nothing."""
    held = [scope for scope in SCOPES if scope in set(scopes)]
    return _RISKS[held[-1]] if held else None


def needed(risk: Risk) -> tuple[str, ...]:
    """All scopes to ask for at once to do this much: also those that are implied, as not every issuer knows that."""
    return SCOPES[: SCOPES.index(SCOPE_OF[risk]) + 1]


def grants(scopes: Iterable[str], risk: Risk) -> bool:
    """Whether these scopes allow this much."""
    return not set(SCOPES[SCOPES.index(SCOPE_OF[risk]) :]).isdisjoint(scopes)


def risk_of_tool(name: str) -> Risk:
    """The most that the tool of this name may do. A name that no tool has changes nothing: its call is refused."""
    entry = entries().get(name)
    return entry.highest_risk if entry else Risk.READ
