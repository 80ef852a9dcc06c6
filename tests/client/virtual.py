"""Time that passes only when everything waits, so that a minute of waiting takes no time to test.

What is done in a thread meanwhile, such as a line of the audit log, takes none of that time.
"""

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anyio

T = TypeVar("T")


class _Impatient(selectors.DefaultSelector):
    """A selector that, instead of waiting, says how long it would have waited."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.in_threads: set[asyncio.Future[Any]] = set()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and self.in_threads and timeout != 0:
            return super().select(0.05)
        if not ready and timeout is None:
            raise RuntimeError("everything waits for something that will never happen")
        if not ready and timeout:
            self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next thing that is due, once no thread is at work for it."""

    def __init__(self) -> None:
        self._impatient = _Impatient()
        super().__init__(self._impatient)

    def time(self) -> float:
        return self._impatient.now

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
        work = super().run_in_executor(executor, func, *args)
        self._impatient.in_threads.add(work)
        work.add_done_callback(self._impatient.in_threads.discard)
        return work


def run(story: Callable[[], Awaitable[T]]) -> T:
    """What the story returns, told in virtual time that starts at 0."""
    options: dict[str, Any] = {"loop_factory": VirtualLoop}
    return anyio.run(story, backend_options=options)
