"""Read-only: when the operator says so, nothing that would change the clinic's records goes any further."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from cliniko_mcp.cliniko.operations import Operation, Risk
from cliniko_mcp.errors import NotAllowed
from cliniko_mcp.guards.pipeline import GuardedCall


def changes(operation: Operation) -> bool:
    """Whether the operation changes something, or lets its caller do so, as the GET before an upload.

    Source: cliniko-api.md#attachments.
    """
    return operation.risk is not Risk.READ or operation.path.endswith("/attachment_presigned_post")


def only_reading(title: str, name: str) -> NotAllowed:
    """The refusal of what would change something."""
    return NotAllowed(
        f"{title}: this connection may look things up in Cliniko but not change anything.",
        "Tell the person that this has to be done in Cliniko itself. Reading works as usual.",
        operation=name,
    )


class ReadOnly:
    """Refuses every operation that changes something; the guard stands in the pipeline only with `--read-only`."""

    @asynccontextmanager
    async def __call__(self, guarded: GuardedCall) -> AsyncGenerator[None]:
        """Raises NotAllowed, before anything is sent, for anything but a read."""
        operation = guarded.call.operation
        if changes(operation):
            raise only_reading(operation.title, operation.name)
        yield
