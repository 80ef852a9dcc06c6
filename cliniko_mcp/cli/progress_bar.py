"""The progress bar of long work: a line on a terminal that is drawn over, and nothing where there is no terminal."""

import sys
from typing import Final

import click

_CELLS: Final = 30


class Bar:
    """A progress bar on standard error, in plain characters, so that it looks the same without colours."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._width = 0

    def draw(self, done: float, total: float | None, words: str) -> None:
        """Show how far the work is, of how much (None: not known), and the words that say it."""
        if not self._shown:
            return
        full = round(_CELLS * min(done / total, 1.0)) if total else 0
        line = f"[{'█' * full:<{_CELLS}}] {words}" if total else words
        # Blanks, not an escape sequence, cover what is left of a longer line: terminals without colours show those.
        click.echo(f"\r{line:<{self._width}}", nl=False, err=True)
        self._width = len(line)

    def end(self) -> None:
        """Leave the bar's line, if there is one."""
        if self._width:
            click.echo("", err=True)
            self._width = 0
