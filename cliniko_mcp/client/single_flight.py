"""A request under way that several callers wait for: they share its failure, and only where its caller left, ask anew.

Without that, callers who wait for one another would each wait out the same failure in turn, one after the other.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

import anyio

from cliniko_mcp.errors import ClinikoRefused


@dataclass(slots=True, eq=False)
class Flight:
    """One request under way."""

    _landed: anyio.Event = field(default_factory=anyio.Event)
    _problem: ClinikoRefused | None = None

    @contextmanager
    def under_way(self) -> Generator[None]:
        """Around the request itself: when it ends, in whatever way, those who wait go on."""
        try:
            yield
        except ClinikoRefused as problem:
            self._problem = problem
            raise
        finally:
            self._landed.set()

    async def ended(self) -> None:
        """Wait until it ended. Raises what it raised; returns also where it was cancelled."""
        await self._landed.wait()
        if self._problem is not None:
            raise self._problem
