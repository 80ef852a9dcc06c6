"""`cliniko-mcp tools`: what a view lists, for people."""

import json
from typing import Any

import click

from cliniko_mcp.cli.options import settings_options

SHOWN = ("view", "resources", "tools", "exclude_tools", "read_only")


def _others() -> tuple[str, ...]:
    from cliniko_mcp.settings import Settings

    return tuple(name for name in Settings.model_fields if name not in SHOWN)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the list as hosts get it.")
@settings_options(leave_out=_others())
def tools(as_json: bool, **flags: Any) -> None:
    """List the tools that a view shows, with what each does."""
    from cliniko_mcp.listing import entries
    from cliniko_mcp.settings import Settings
    from cliniko_mcp.tools.views import view_of

    shown = [entries()[name] for name in view_of(Settings.load(flags)).listed]
    if as_json:
        rows = [
            {
                "name": each.name,
                "description": each.description,
                "inputSchema": each.input_schema,
                "annotations": each.annotations,
            }
            for each in shown
        ]
        click.echo(json.dumps({"tools": rows}, ensure_ascii=False))
        return
    width = max(map(len, (each.name for each in shown)), default=0)
    for each in shown:
        first = each.description.split(". ")[0].rstrip(".")
        click.echo(f"{each.name:<{width}}  {each.risk:<11}  {first}.")
    click.echo(f"{len(shown)} listed, {len(entries())} can be called by name.")
