"""Transactions as generators: they yield statements, are sent what those found, and return their outcome.

So a transaction is written once, whatever plays it: SQLite in a thread, Postgres over the network.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

T = TypeVar("T")
HOLD: Final = " FOR UPDATE"
"""The end of a statement whose row nobody else changes until the transaction ends."""

Row = Sequence[object]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, with a question mark for each value."""

    text: str
    values: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What came of a statement: the rows that it gave, or how many it changed."""

    rows: Sequence[Row]
    changed: int


Work = Generator[Statement, Found, T]


class Database(Protocol):
    """What plays transactions. Both methods raise Unavailable where it is away."""

    async def read(self, work: Callable[[], Work[T]]) -> T:
        """What the work gives, statement by statement."""
        ...

    async def write(self, work: Callable[[], Work[T]], alone_with: str = "") -> T:
        """What the work gives, in one transaction; where a table is named, nobody else changes that meanwhile."""
        ...


def all_rows(text: str, *values: object) -> Work[Sequence[Row]]:
    """The rows of a query."""
    found = yield Statement(text, values)
    return found.rows


def first_row(text: str, *values: object) -> Work[Row | None]:
    """Its first row; None where there is none."""
    found = yield Statement(text, values)
    return found.rows[0] if found.rows else None


def changed(text: str, *values: object) -> Work[int]:
    """How many rows were changed."""
    found = yield Statement(text, values)
    return found.changed
