"""Scopes: what the token of a caller does not grant is refused, by whatever tool it is reached.

The gate before the protocol asks for the scope that the tool's name tells; here it is held for each operation, and for
what only a reading shows (`guards.confirm`). Callers without a token, on this computer, may do everything.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.errors import NotAllowed
from cliniko_mcp.guards.pipeline import GuardedCall

SCOPE_OF: Final[Mapping[Risk, str]] = {
    Risk.READ: "cliniko:read",
    Risk.WRITE: "cliniko:write",
    Risk.DESTRUCTIVE: "cliniko:destroy",
}
"""The scope that each risk needs; each implies those before it."""


def beyond_scope(title: str, name: str, risk: Risk) -> NotAllowed:
    """The refusal of the operation with this title and name, which takes more than the caller's token grants."""
    what = "change anything" if risk is Risk.WRITE else "archive, delete, cancel or take as much away"
    return NotAllowed(
        f"{title}: this person's access to the clinic is not enough to {what}.",
        f"It takes the scope {SCOPE_OF[risk]}. Tell the person that whoever looks after this server can give it, or "
        "that this can be done in Cliniko itself.",
        operation=name,
        scope=SCOPE_OF[risk],
    )


class Scopes:
    """Refuses operations whose risk is above what the caller may do."""

    @asynccontextmanager
    async def __call__(self, guarded: GuardedCall) -> AsyncGenerator[None]:
        """Lets go on what the token grants. Raises NotAllowed, before anything is sent, for what it does not."""
        operation = guarded.call.operation
        risk = Risk.WRITE if operation.changes and operation.risk is Risk.READ else operation.risk
        if not risk.within(guarded.caller.may):
            raise beyond_scope(operation.title, operation.name, risk)
        yield
