"""Single flight: callers who want the same thing at the same time wait for one request and share its refusal.

Where the caller who sent the request was cancelled, the next one sends it again. Without sharing, callers who wait for
one another would each sit out the same failure, one after the other.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

import anyio

from cliniko_mcp.errors import ClinikoRefused


@dataclass(slots=True, eq=False)
class Flight:
    """One request under way."""

    _done: anyio.Event = field(default_factory=anyio.Event)
    _refusal: ClinikoRefused | None = None

    @contextmanager
    def under_way(self) -> Generator[None]:
        """Around the request: however it ends, those who wait for it go on."""
        try:
            yield
        except ClinikoRefused as refusal:
            self._refusal = refusal
            raise
        finally:
            self._done.set()

    async def ended(self) -> None:
        """Wait until the request has ended. Raises what Cliniko refused it with.

        Returns where it succeeded, was cancelled or failed for a reason that concerns its own caller alone.
        """
        await self._done.wait()
        if self._refusal is not None:
            raise self._refusal
