"""`cliniko-mcp serve`: the MCP server itself."""

import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

import click

from cliniko_mcp.cli.options import settings_options

if TYPE_CHECKING:
    from cliniko_mcp.app import App
    from cliniko_mcp.protocol.hosting import Hosting
    from cliniko_mcp.settings import Settings

_STOP_SECONDS = 3.0


EXAMPLES = """\b
The demo clinic, for an assistant that starts this program:
  cliniko-mcp serve --sandbox
Your own clinic, only to look things up:
  cliniko-mcp serve --read-only
For several people, behind a proxy with TLS:
  cliniko-mcp serve --transport http --port 8000 --http-token-file token
"""
AT_A_TERMINAL = (
    "Ready, and waiting for an assistant's messages on standard input. Assistants start this program by themselves: "
    "`cliniko-mcp install` sets them up. Ctrl-C ends it."
)


@click.command(epilog=EXAMPLES)
@settings_options(usual=True)
def serve(**flags: Any) -> None:
    """Serve assistants over MCP: stdio by default, or --transport http or sse."""
    import anyio

    from cliniko_mcp.settings import Settings

    settings = Settings.load(flags)

    async def run() -> None:
        async with _hosting(settings) as hosting, _app(settings, hosting) as app:
            # What is wrong with the settings was said by now, and did not wait for the SDK to load.
            from cliniko_mcp.protocol.transports import serve as serve_app

            if settings.allow_destroy:
                announce(f"these may act without asking a person: {', '.join(settings.allow_destroy)}")
            if settings.transport == "stdio" and sys.stdin.isatty():
                announce(AT_A_TERMINAL)
            async with told_to_stop(app):
                await serve_app(app, announce, hosting)

    anyio.run(run)


def _app(settings: "Settings", hosting: "Hosting | None") -> "AbstractAsyncContextManager[App]":
    from cliniko_mcp.app import open_app

    if hosting is None:
        return open_app(settings)
    return open_app(hosting.settings(settings), hosting.parts, keyed=hosting.clinics is None)


@asynccontextmanager
async def _hosting(settings: "Settings") -> "AsyncGenerator[Hosting | None]":
    """What a server for many is run with; None for any other."""
    if not settings.hosted:
        yield None
        return
    from cliniko_mcp.protocol.hosting import open_hosting

    async with open_hosting(settings) as hosting:
        yield hosting


@asynccontextmanager
async def told_to_stop(app: "App") -> AsyncGenerator[None]:
    """Meanwhile a stop (SIGTERM, Ctrl-C) ends the calls under way, writes down how they ended, and then the process.

    Only on stdio: on a port the web server does so. A thread waits there for input and cannot be interrupted, so the
    process dies of the signal itself, as it would have without us.
    """
    import anyio

    if app.settings.transport != "stdio" or sys.platform == "win32":
        yield
        return

    async def listen(serving: anyio.CancelScope) -> None:
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for number in signals:
                serving.cancel()
                with anyio.move_on_after(_STOP_SECONDS, shield=True):
                    await app.close()
                sys.stderr.flush()
                signal.signal(number, signal.SIG_DFL)
                signal.raise_signal(number)

    async with anyio.create_task_group() as group:
        group.start_soon(listen, group.cancel_scope)
        yield
        group.cancel_scope.cancel()


def announce(line: str) -> None:
    """A line for the operator, on standard error, at once."""
    click.echo(line, err=True)
    sys.stderr.flush()
