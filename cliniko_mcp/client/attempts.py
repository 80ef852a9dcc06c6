"""What is told of each attempt at a request to whoever watches this server; by default nobody does."""

from contextlib import AbstractContextManager
from typing import Protocol


class Attempt(Protocol):
    """One attempt, from when it joins the line at the limit until its answer was read."""

    def admitted(self) -> None:
        """Its turn has come: it goes out now."""
        ...

    def answered(self, status: int) -> None:
        """It was answered, with this status."""
        ...


class Attempts(Protocol):
    """Those of one account."""

    def attempt(self, operation: str, number: int) -> AbstractContextManager[Attempt]:
        """Within it the attempt goes on; `operation` is the name of an operation, `number` counts from 1."""
        ...
