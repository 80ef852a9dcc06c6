"""`cliniko-mcp tools`: what a view lists, for people."""

import shutil
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from cliniko_mcp.cli.options import settings_options
from cliniko_mcp.cli.output import json_for
from cliniko_mcp.errors import JsonValue

if TYPE_CHECKING:
    from cliniko_mcp.tools.index import Entry

SHOWN = ("view", "resources", "tools", "exclude_tools", "read_only")

COLOURS: Final = {"write": "yellow", "destructive": "red"}
_MIN_DESCRIPTION: Final = 24


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the list as hosts get it.")
@settings_options(only=SHOWN)
def tools(as_json: bool, **flags: Any) -> None:
    """List the tools that a view shows, with their risk (read, write, destructive) and what each does."""
    from cliniko_mcp.settings import Settings
    from cliniko_mcp.tools.index import entries
    from cliniko_mcp.tools.views import view_of

    view = view_of(Settings.load(flags))
    shown = [entries()[name] for name in view.listed]
    if as_json:
        rows: list[JsonValue] = [
            {
                "name": entry.name,
                "description": entry.description,
                "inputSchema": dict(entry.input_schema),
                "annotations": dict(entry.annotations),
            }
            for entry in shown
        ]
        click.echo(json_for({"tools": rows}, sys.stdout))
        return
    for line in table(shown, shutil.get_terminal_size().columns if sys.stdout.isatty() else None):
        click.echo(line)
    allowed = entries().keys() - view.excluded - view.changing
    click.echo(f"{len(shown)} listed, {len(allowed)} can be called by name.")


def table(shown: "Sequence[Entry]", columns: int | None) -> Iterator[str]:
    """A line for each tool; with `columns`, under a heading and cut to a terminal of that width."""
    width = max((len(entry.name) for entry in shown), default=0)
    room = None if columns is None else max(columns - width - 15, _MIN_DESCRIPTION)
    if columns is not None:
        yield click.style(f"{'tool':<{width}}  {'risk':<11}  what it does", bold=True)
    for entry in shown:
        first = entry.description.split(". ")[0].rstrip(".") + "."
        words = first if room is None or len(first) <= room else f"{first[: room - 1].rstrip()}…"
        risk = click.style(f"{entry.risk:<11}", fg=COLOURS.get(entry.risk))
        yield f"{click.style(f'{entry.name:<{width}}', fg='cyan')}  {risk}  {words}"
