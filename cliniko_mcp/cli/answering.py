"""The answer of a tool for a command that shows it: with progress on the terminal, and waiting where the limit asks."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

import click

from cliniko_mcp.cli.progress_bar import Bar

if TYPE_CHECKING:
    from pathlib import Path

    from cliniko_mcp.app import App
    from cliniko_mcp.approvals.shown import Account
    from cliniko_mcp.errors import JsonValue
    from cliniko_mcp.guards.pipeline import Caller
    from cliniko_mcp.settings import Settings

_IN_VAIN: Final = 3
"""Waits for Cliniko's limit after which nothing more was read: something else uses it up."""


def answer_of(
    settings: "Settings",
    tool: str,
    work: "Callable[[App, Caller], Awaitable[dict[str, JsonValue]]]",
) -> "tuple[dict[str, JsonValue], Account]":
    """What the work comes to in the clinic of these settings, and whose clinic it is."""
    import anyio

    from cliniko_mcp.app import open_app
    from cliniko_mcp.approvals.account import whose
    from cliniko_mcp.cliniko.operations import Risk
    from cliniko_mcp.guards.pipeline import Caller

    bar = Bar()

    async def progress(done: float, total: float | None, message: str) -> None:
        bar.draw(done, total, message)

    async def run() -> "tuple[dict[str, JsonValue], Account]":
        async with open_app(settings) as app:
            caller = Caller(route="terminal", progress=progress)
            answer = await work(app, caller)
            return answer, await whose(await app.guarded_clinic(tool, caller, Risk.READ), demo=lambda: app.demo)

    try:
        return anyio.run(run)
    finally:
        bar.end()


async def patiently(
    app: "App", tool: str, arguments: "dict[str, JsonValue]", caller: "Caller"
) -> "dict[str, JsonValue]":
    """The answer of the tool, called again as long as Cliniko's limit of requests lets it go on.

    A long list is more requests than a minute holds; nobody has to sit and repeat the command.
    """
    import anyio

    from cliniko_mcp.errors import RateLimited

    before: list[str] = []
    while True:
        try:
            return await app.call(tool, arguments, caller)
        except RateLimited as problem:
            before.append(problem.message)
            wait = problem.details.get("retry_after")
            if not isinstance(wait, int) or before.count(problem.message) >= _IN_VAIN:
                raise
            click.echo(f"{problem.message} It goes on by itself in {wait} s.", err=True)
            await anyio.sleep(wait)


def write_file(out: "Path", text: str, *, overwrite: bool) -> None:
    """Write a file that only its owner can read. Raises ConfigurationError where it cannot be written."""
    from cliniko_mcp.errors import ConfigurationError
    from cliniko_mcp.private_files import create_file, write_private

    whole = text if text.endswith("\n") else f"{text}\n"
    try:
        if overwrite:
            write_private(out, whole)
        else:
            create_file(out, whole.encode("utf-8"))
    except OSError as problem:
        raise ConfigurationError(f"{out} cannot be written: {problem.strerror or problem}") from None


def check_new(out: "Path", *, overwrite: bool) -> None:
    """Raise ConfigurationError where the file is there already and is not to be replaced."""
    from cliniko_mcp.errors import ConfigurationError

    if out.exists() and not overwrite:
        raise ConfigurationError(f"{out} exists: choose another name, or add --overwrite")
