"""A progress bar: one line on a terminal that is redrawn, and nothing where there is no terminal."""

import shutil
import sys
from typing import Final

import click

_CELLS: Final = 30


class Bar:
    """A progress bar on standard error, without escape sequences, so that it looks the same without colours."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._width = 0

    def draw(self, done: float, total: float | None, label: str) -> None:
        """Show `done` of `total` (None where it is unknown) and the label beside it."""
        if not self._shown:
            return
        full = round(_CELLS * min(done / total, 1.0)) if total else 0
        line = f"[{'█' * full:<{_CELLS}}] {label}" if total else label
        line = line[: shutil.get_terminal_size().columns - 1]  # a longer one would be left standing with every step
        # Spaces, not an escape sequence, erase the rest of a longer line: some terminals show escape sequences.
        click.echo(f"\r{line:<{self._width}}", nl=False, err=True)
        self._width = len(line)

    def end(self) -> None:
        """Move to the next line, if a bar was drawn."""
        if self._width:
            click.echo("", err=True)
            self._width = 0
