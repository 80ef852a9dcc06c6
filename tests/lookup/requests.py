"""The requests by which look-up is tuned and judged: plain text files of what people in a clinic say."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from cliniko_mcp.tools.requests import NotOffered, Requests


@dataclass(frozen=True)
class Spoken:
    """A request in the clinic's words, and the operations of which any one is right, or the one topic that is."""

    words: str
    right: frozenset[str]


def requests(half: str) -> list[Spoken]:
    """The requests of a file: `tuning`, `judged`, `tuning_elsewhere` or `judged_elsewhere`."""
    found: list[Spoken] = []
    for line in (Path(__file__).parent / f"{half}.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            words, _, names = line.partition(" => ")
            found.append(Spoken(words.strip(), frozenset(names.split())))
    return found


T = TypeVar("T", Requests, NotOffered)


def without(tables: Mapping[str, T], left_out: int) -> dict[str, T]:
    """The tables, each without its example of this number."""
    return {
        name: table.model_copy(
            update={"examples": tuple(example for at, example in enumerate(table.examples) if at != left_out)}
        )
        for name, table in tables.items()
    }


def examples(tables: Mapping[str, T], number: int) -> Iterator[tuple[str, str]]:
    """The example of this number of every table that has one, each with the name of its table."""
    for name, table in tables.items():
        if number < len(table.examples):
            yield name, table.examples[number]
