"""Read-only: with `--read-only`, nothing that would change the clinic's records is let through."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from cliniko_mcp.errors import NotAllowed
from cliniko_mcp.guards.pipeline import GuardedCall


def only_reading(title: str, name: str) -> NotAllowed:
    """The refusal of the tool or operation with this title and name, which would change something."""
    return NotAllowed(
        f"{title}: this connection may look things up in Cliniko but not change anything.",
        "Tell the person that this has to be done in Cliniko itself. Reading works as usual.",
        operation=name,
    )


class ReadOnly:
    """Refuses every operation that changes something; it is among the guards only with `--read-only`."""

    @asynccontextmanager
    async def __call__(self, guarded: GuardedCall) -> AsyncGenerator[None]:
        """Lets reads go on. Raises NotAllowed, before anything is sent, for what would change something."""
        operation = guarded.call.operation
        if operation.changes:
            raise only_reading(operation.title, operation.name)
        yield
