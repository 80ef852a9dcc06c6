"""Exclusion: operations that the operator switched off stay off by whatever name or tool they are reached."""

from collections.abc import Callable, Set
from typing import TypeVar

from cliniko_mcp.errors import NotAllowed
from cliniko_mcp.guards.pipeline import Act, GuardedCall

T = TypeVar("T")


def switched_off(title: str, name: str) -> NotAllowed:
    """The refusal of what the operator excluded."""
    return NotAllowed(
        f"{title}: this is switched off here.",
        "Tell the person that this has to be done in Cliniko itself.",
        operation=name,
    )


class Exclusion:
    """Refuses to a tool what it may not do: operations, their deprecated twins, and itself."""

    def __init__(self, excluded: Callable[[str], Set[str]]) -> None:
        """`excluded` says for a tool what it may not do."""
        self._excluded = excluded

    async def __call__(self, guarded: GuardedCall, act: Act[T]) -> T:
        """What `act` returns, for what is not excluded. Raises NotAllowed for the rest."""
        operation = guarded.call.operation
        if self._excluded(guarded.tool) & {operation.name, operation.replaced_by, guarded.tool}:
            raise switched_off(operation.title, operation.name)
        return await act()
