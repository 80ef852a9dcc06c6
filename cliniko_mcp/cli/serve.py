"""`cliniko-mcp serve`: the MCP server itself."""

import logging
import sys
from typing import Any

import click

from cliniko_mcp.cli.options import settings_options


@click.command()
@settings_options()
def serve(**flags: Any) -> None:
    """Serve assistants over MCP: stdio by default, or --transport http or sse."""
    import anyio

    from cliniko_mcp.server import running
    from cliniko_mcp.settings import Settings
    from cliniko_mcp.transports import serve as serve_house

    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="cliniko-mcp: %(levelname)s %(message)s")
    settings = Settings.load(flags)

    async def run() -> None:
        async with running(settings) as house:
            if settings.allow_destroy:
                announce(f"these may act without asking a person: {', '.join(settings.allow_destroy)}")
            await serve_house(house, announce)

    anyio.run(run)


def announce(line: str) -> None:
    """A line for the operator, on standard error, at once."""
    click.echo(line, err=True)
    sys.stderr.flush()
