"""Transactions as generators: they yield statements, are sent what those found, and return their outcome.

So a transaction is written once, whatever plays it: SQLite in a thread, Postgres over the network.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

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
