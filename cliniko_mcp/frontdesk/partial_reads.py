"""Parts of an answer that cannot always be read: each is left out with a sentence, and the rest is told."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from cliniko_mcp.errors import ClinikoMcpError, ClinikoRefused, KeyRefused, NotAllowed, PermissionMissing, RateLimited

T = TypeVar("T")


@dataclass(slots=True)
class PartialReads:
    """Runs reads that may fail; `notes` collects a sentence for each part that is missing, with the reason."""

    notes: list[str] = field(default_factory=list[str])
    changed: bool = False
    """Whether something has been changed already, which no error may hide."""

    async def read(self, what: str, job: Callable[[], Awaitable[T]]) -> T | None:
        """What the job reads; None where the key's user may not read it, the operator switched it off, or Cliniko did
        not give it. `what` is a plural: "Medical alerts".

        Raises KeyRefused and RateLimited, where nothing has been changed: then nothing else can be read either.
        """
        try:
            return await job()
        except (ClinikoRefused, NotAllowed) as problem:
            if isinstance(problem, KeyRefused | RateLimited) and not self.changed:
                raise
            self.notes.append(f"{what} are not shown: {_reason(problem)}.")
        return None


def _reason(problem: ClinikoMcpError) -> str:
    match problem:
        case NotAllowed():
            return "reading them is switched off here"
        case PermissionMissing():
            return "the user to whom the API key belongs may not read them"
        case _:
            return "they could not be read just now"
