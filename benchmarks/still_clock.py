"""An event loop whose clock stands still while there is work, so that a slow computer counts what a fast one does."""

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import anyio

T = TypeVar("T")

_PATIENCE: Final = 0.2
"""Real seconds for which a thread may take to answer before the clock goes on to what is due next."""


class _Still(selectors.DefaultSelector):
    """A selector that counts only those seconds in which nothing was to do."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready; where nothing is within a moment, the time is taken to have passed."""
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        ready = super().select(min(timeout, _PATIENCE))
        if not ready:
            self.now += timeout
        return ready


class StillLoop(asyncio.SelectorEventLoop):
    """An event loop on such a clock, which starts at 0."""

    def __init__(self) -> None:
        self._still = _Still()
        super().__init__(self._still)

    def time(self) -> float:
        """Seconds that have passed on it."""
        return self._still.now


def run(story: Callable[[], Awaitable[T]]) -> T:
    """What the story returns."""
    options: dict[str, Any] = {"loop_factory": StillLoop}
    return anyio.run(story, backend_options=options)
