"""`cliniko-mcp tools`: what a view lists, and what one tool takes, for people."""

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final

import click

from cliniko_mcp.cli.names import named
from cliniko_mcp.cli.options import settings_options
from cliniko_mcp.cli.output import json_for
from cliniko_mcp.errors import JsonValue

if TYPE_CHECKING:
    from cliniko_mcp.tools.index import Entry

SHOWN = ("view", "resources", "tools", "exclude_tools", "read_only")

COLOURS: Final = {"write": "yellow", "destructive": "red"}
_MIN_DESCRIPTION: Final = 24


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
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    if name is not None:
        for line in explained(shown[0], columns):
            click.echo(line)
        if name in view.excluded | view.changing:
            click.echo("It is switched off by these flags.")
        return
    for line in table(shown, columns):
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


def explained(entry: "Entry", columns: int | None) -> Iterator[str]:
    """What a tool does and each argument with what it takes, a line each; wrapped to a terminal of that width."""
    yield f"{click.style(entry.name, fg='cyan', bold=True)}  {click.style(entry.risk, fg=COLOURS.get(entry.risk))}"
    yield from wrap(entry.description, columns) if columns else [entry.description]
    if entry.replaced_by:
        yield f"Deprecated: {entry.replaced_by} took its place."
    arguments = [*_arguments(entry.input_schema)]
    yield ""
    if not arguments:
        yield "It takes no arguments."
        return
    width = max(len(name) for name, _ in arguments)
    for name, takes in arguments:
        parts = wrap(takes, max(columns - width - 2, _MIN_DESCRIPTION)) if columns else [takes]
        yield f"{click.style(f'{name:<{width}}', fg='cyan')}  {parts[0]}"
        yield from (f"{'':<{width}}  {part}" for part in parts[1:])


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
