"""Exclusion: operations that the operator switched off stay off by whatever name or tool they are reached."""

from collections.abc import AsyncGenerator, Callable, Set
from contextlib import asynccontextmanager

from cliniko_mcp.errors import NotAllowed
from cliniko_mcp.guards.pipeline import SUPPORTING, GuardedCall


def switched_off(title: str, name: str) -> NotAllowed:
    """The refusal of the tool or operation with this title and name, which the operator excluded."""
    return NotAllowed(
        f"{title}: this is switched off here.",
        "Tell the person that this has to be done in Cliniko itself.",
        operation=name,
    )


class Exclusion:
    """Refuses to a tool what it may not do: operations, their deprecated twins, and itself."""

    def __init__(self, excluded: Callable[[str], Set[str]], forbidden: Set[str]) -> None:
        """`excluded` says for a tool what it may not do; `forbidden` is what nothing may do for any purpose."""
        self._excluded = excluded
        self._forbidden = forbidden

    @asynccontextmanager
    async def __call__(self, guarded: GuardedCall) -> AsyncGenerator[None]:
        """Lets go on what is not excluded. Raises NotAllowed, before anything is sent, for what is."""
        operation = guarded.call.operation
        supporting = guarded.purpose in SUPPORTING
        excluded = self._forbidden if supporting else self._excluded(guarded.tool)
        if excluded & {operation.name, operation.replaced_by, *(() if supporting else (guarded.tool,))}:
            raise switched_off(operation.title, operation.name)
        yield
