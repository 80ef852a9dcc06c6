"""`cliniko-mcp tools`: what a view lists, and what one tool takes, for people."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from cliniko_mcp.cli.names import named
from cliniko_mcp.cli.options import settings_options
from cliniko_mcp.cli.output import console, json_for
from cliniko_mcp.errors import JsonValue

if TYPE_CHECKING:
    from cliniko_mcp.tools.index import Entry

SHOWN = ("view", "resources", "tools", "exclude_tools", "read_only")

_COLOURS: Final = {"write": "yellow", "destructive": "red"}
_GAP: Final = (0, 2, 0, 0)
"""Two blanks after each column."""
_NONE: Final = "It takes no arguments."


def _complete_name(_context: click.Context, _parameter: click.Parameter, prefix: str) -> list[str]:
    from cliniko_mcp.tools.index import entries

    return [name for name in entries() if name.startswith(prefix)]


@click.command()
@click.argument("name", required=False, shell_complete=_complete_name)
@click.option("--json", "as_json", is_flag=True, help="Print the list as hosts get it.")
@settings_options(only=SHOWN)
def tools(name: str | None, as_json: bool, **flags: Any) -> None:
    """List the tools that a view shows, with their risk (read, write, destructive) and what each does.

    With NAME say what that tool does, and each of its arguments.
    """
    from cliniko_mcp.settings import Settings
    from cliniko_mcp.tools.index import entries
    from cliniko_mcp.tools.views import view_of

    view = view_of(Settings.load(flags))
    if name is not None:
        name = named(name, entries(), "tool", "all are listed by `cliniko-mcp tools --view all`")
    shown = [entries()[listed] for listed in ([name] if name else view.listed)]
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
    if name is not None:
        _explain(shown[0])
        if name in view.excluded | view.changing:
            click.echo("It is switched off by these flags.")
        return
    _list(shown)
    allowed = entries().keys() - view.excluded - view.changing
    click.echo(f"{len(shown)} listed, {len(allowed)} can be called by name.")


def _list(shown: "Sequence[Entry]") -> None:
    """Print a row for each tool: under a heading in a terminal, a whole line each in a pipe."""
    rows = [(entry.name, entry.risk, entry.description.split(". ")[0].rstrip(".") + ".") for entry in shown]
    if not sys.stdout.isatty():
        width = max((len(name) for name, _, _ in rows), default=0)
        for name, risk, words in rows:
            click.echo(f"{name:<{width}}  {risk:<11}  {words}")
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=_GAP, header_style="bold")
    table.add_column("tool", style="cyan", no_wrap=True)
    table.add_column("risk", no_wrap=True)
    table.add_column("what it does")
    for name, risk, words in rows:
        table.add_row(name, Text(risk, _COLOURS.get(risk, "")), Text(words))
    console().print(table)


def _explain(entry: "Entry") -> None:
    """Print what a tool does and each argument with what it takes: wrapped in a terminal, a line each in a pipe."""
    arguments = [*_arguments(entry.input_schema)]
    above = [entry.description, *([f"Deprecated: {entry.replaced_by} took its place."] if entry.replaced_by else [])]
    if not sys.stdout.isatty():
        width = max((len(name) for name, _ in arguments), default=0)
        below = [f"{name:<{width}}  {takes}" for name, takes in arguments] or [_NONE]
        for line in (f"{entry.name}  {entry.risk}", *above, "", *below):
            click.echo(line)
        return
    from rich.table import Table
    from rich.text import Text

    terminal = console()
    terminal.print(Text.assemble((entry.name, "bold cyan"), "  ", (entry.risk, _COLOURS.get(entry.risk, ""))))
    for line in (*above, ""):
        terminal.print(Text(line))
    table = Table.grid(padding=_GAP)
    table.add_column(style="cyan", no_wrap=True)
    table.add_column()
    for name, takes in arguments:
        table.add_row(Text(name), Text(takes))
    terminal.print(table if arguments else _NONE)


def _arguments(schema: "Mapping[str, JsonValue]", depth: int = 0) -> Iterator[tuple[str, str]]:
    """The name of each argument and what it takes; those inside an argument come after it, further in."""
    from cliniko_mcp.tools.schema import properties_of

    needed = schema.get("required")
    for name, argument in properties_of(schema).items():
        description = argument.get("description")
        told = [_kind(argument), *([str(description).rstrip(".")] if description else [])]
        must = isinstance(needed, list) and name in needed
        yield f"{'  ' * depth}{name}", f"{'needed: ' if must else ''}{'. '.join(told)}"
        items = argument.get("items")
        yield from _arguments(items if isinstance(items, dict) else argument, depth + 1)


_KINDS: Final = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}


def _kind(schema: "Mapping[str, JsonValue]") -> str:
    """What an argument takes, in words: `text, at most 255 characters`, `list of text`, `one of read, write`."""
    choices, items, kind = schema.get("enum"), schema.get("items"), str(schema.get("type"))
    if isinstance(choices, list):
        return f"one of {', '.join(map(str, choices))}"
    if isinstance(items, dict):
        return f"list: {_kind(items)}"
    words, low, high = _KINDS.get(kind, kind), schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f"{words}, {low} to {high}"
    if low is not None or high is not None:
        return f"{words}, {f'at least {low}' if high is None else f'at most {high}'}"
    length = schema.get("maxLength")
    return f"{words}, at most {length} characters" if length is not None else words
