"""Exclusion: operations that the operator switched off stay off by whatever name or tool they are reached."""

from collections.abc import Set
from typing import TypeVar

from cliniko_mcp.errors import NotAllowed
from cliniko_mcp.guardrails.call import Act, GuardedCall

T = TypeVar("T")


class Exclusion:
    """Refuses the operations and tools named here, and the deprecated twins of these operations."""

    def __init__(self, excluded: Set[str]) -> None:
        self._excluded = frozenset(excluded)

    async def __call__(self, guarded: GuardedCall, act: Act[T]) -> T:
        """What `act` returns, for what is not excluded. Raises NotAllowed for the rest."""
        operation = guarded.call.operation
        if not self._excluded.isdisjoint((operation.name, operation.replaced_by, guarded.tool)):
            raise NotAllowed(
                f"{operation.title}: this is switched off here.",
                "Tell the person that this has to be done in Cliniko itself.",
                operation=operation.name,
            )
        return await act()
