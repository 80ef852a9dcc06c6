"""The mutants that were noticed, kept from run to run: one is the same while its module's code is."""

import hashlib
from pathlib import Path
from typing import Final

from benchmarks.mutants import Mutant

KEPT: Final = Path(__file__).with_name("noticed.txt")


class Noticed:
    """The file of what was noticed: a line for each, its module and a digest of the whole module with the mistake."""

    def __init__(self, path: Path = KEPT) -> None:
        self._path = path
        self._lines = set(path.read_text("utf-8").splitlines()) if path.is_file() else set[str]()

    def __contains__(self, one: tuple[str, Mutant]) -> bool:
        return _line(*one) in self._lines

    def add(self, one: tuple[str, Mutant]) -> None:
        """Keep it from now on."""
        line = _line(*one)
        if line not in self._lines:
            self._lines.add(line)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")


def _line(module: str, mutant: Mutant) -> str:
    return f"{module} {hashlib.sha256(mutant.text.encode()).hexdigest()[:12]}"
