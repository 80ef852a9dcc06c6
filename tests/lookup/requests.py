"""The requests by which look-up is tuned and judged: plain text files of what people in a clinic say."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Spoken:
    """A request in the clinic's words, and the operations of which any one is right."""

    words: str
    right: frozenset[str]


def requests(half: str) -> list[Spoken]:
    """The requests of `tuning` or `judged`."""
    found: list[Spoken] = []
    for line in (Path(__file__).parent / f"{half}.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            words, _, names = line.partition(" => ")
            found.append(Spoken(words.strip(), frozenset(names.split())))
    return found
