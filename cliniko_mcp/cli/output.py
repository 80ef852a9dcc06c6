"""Printing to any console: a character that a pipe or an old console cannot show is replaced and raises no error."""

import io
import json
import shutil
import sys
from textwrap import TextWrapper
from typing import TYPE_CHECKING, Any, Final, NoReturn, TextIO

import click

from cliniko_mcp.errors import ExitCode, JsonValue
from cliniko_mcp.redaction import SECRETS

if TYPE_CHECKING:
    from rich.console import Console

_NARROWEST: Final = 40
"""Columns that a terminal has at the least."""


def leave(code: ExitCode) -> NoReturn:
    """End the command with this exit code."""
    raise SystemExit(int(code))


def any_console() -> None:
    """Let standard output and error accept every character, which Windows pipes and old code pages do not."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def json_for(value: JsonValue, stream: TextIO, indent: int | None = None) -> str:
    """The value as JSON text without our secrets; with escapes where the stream cannot encode every character, so that
    none is lost."""
    value = SECRETS.json(value)
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    try:
        text.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent)
    return text


def bold(text: str) -> str:
    """A heading for a terminal."""
    return click.style(text, bold=True)


def columns_of(stream: TextIO) -> int | None:
    """The width of the terminal that a stream is; None where it is a pipe or a file."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


def tell(text: str, indent: int = 0, *, err: bool = False, **style: Any) -> None:
    """Print a text with a `click.style`: in a terminal wrapped between words and what follows two further in, else a
    line for each line of the text."""
    columns = columns_of(sys.stderr if err else sys.stdout)
    before = " " * indent
    for line in text.splitlines():
        parts = [f"{before}{line}"]
        if columns:
            around = TextWrapper(max(columns, _NARROWEST), before, f"{before}  ")
            around.break_long_words = around.break_on_hyphens = False
            parts = around.wrap(line)
        for part in parts:
            click.echo(click.style(part, **style) if style else part, err=err)


def console() -> "Console":
    """Standard output for rich: as wide as the terminal, and without colours where `NO_COLOR` is set."""
    from rich.console import Console

    from cliniko_mcp.settings import no_colour

    return Console(
        file=sys.stdout, width=columns_of(sys.stdout), highlight=False, color_system=None if no_colour() else "auto"
    )
