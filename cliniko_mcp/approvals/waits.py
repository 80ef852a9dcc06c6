"""Waits for a person in front of an assistant: they end when the server is told to stop."""

from collections.abc import Generator
from contextlib import contextmanager

import anyio


class Waits:
    """The calls that wait for the answer to a form."""

    def __init__(self) -> None:
        self.over = False
        """Whether the server was told to stop, so that nobody is to be asked any more."""
        self._scopes: set[anyio.CancelScope] = set()

    @contextmanager
    def one(self) -> Generator[None]:
        """A wait: what goes on within ends, without an error, when the server is told to stop."""
        with anyio.CancelScope() as scope:
            self._scopes.add(scope)
            try:
                yield
            finally:
                self._scopes.discard(scope)

    def end(self) -> None:
        """End all of them; from now on there are to be none."""
        self.over = True
        for scope in tuple(self._scopes):
            scope.cancel()
