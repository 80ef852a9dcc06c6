"""Parts of an answer that not every key may read: each is left out with a sentence that says so."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from cliniko_mcp.errors import NotAllowed, PermissionMissing

T = TypeVar("T")


@dataclass(slots=True)
class PartialReads:
    """Runs reads that may be refused; `notes` collects a sentence for each part that is missing, with the reason."""

    notes: list[str] = field(default_factory=list[str])

    async def read(self, what: str, job: Callable[[], Awaitable[list[T]]]) -> list[T] | None:
        """The rows that the job reads; None where the key's user may not read them, or the operator switched it off."""
        try:
            return await job()
        except PermissionMissing:
            self.notes.append(f"{what} are not shown: the user to whom the API key belongs may not read them.")
        except NotAllowed:
            self.notes.append(f"{what} are not shown: reading them is switched off here.")
        return None
