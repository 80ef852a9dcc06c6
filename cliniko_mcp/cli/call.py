"""`cliniko-mcp call`: one tool call from a shell, with questions asked on the terminal."""

import sys
from typing import TYPE_CHECKING, Any

import click

from cliniko_mcp.approvals.questions import Question, Verdict
from cliniko_mcp.cli.options import settings_options
from cliniko_mcp.cli.output import json_for, leave
from cliniko_mcp.cli.progress_bar import Bar
from cliniko_mcp.errors import ExitCode
from cliniko_mcp.guards.pipeline import Caller

if TYPE_CHECKING:
    from cliniko_mcp.errors import JsonValue


class Terminal:
    """Asks the person at the terminal; without a terminal there is nobody to ask."""

    @property
    def answered(self) -> str | None:
        """Nothing: answers come while the call waits."""
        return None

    async def ask(self, question: Question) -> Verdict:
        """Yes only for a typed yes."""
        import anyio.to_thread

        click.echo(f"\n{question.title}\n{question.text}", err=True)
        typed = await anyio.to_thread.run_sync(lambda: input_line("Type yes to go ahead: "), abandon_on_cancel=True)
        return Verdict.YES if typed.strip().casefold() == "yes" else Verdict.NO


def input_line(prompt: str) -> str:
    """A line typed by the person; empty when the input ends."""
    click.echo(prompt, nl=False, err=True)
    return sys.stdin.readline()


NOT_HERE = (
    "transport", "host", "port", "http_token_file", "output", "output_schemas", "view", "approval_wait", "sandbox_port",
)  # fmt: skip


EXAMPLES = """\b
In the demo clinic; `cliniko_describe` finds operations by plain words:
  cliniko-mcp call find_patients '{"query": "Ana Lima"}' --sandbox
  cliniko-mcp call cliniko_describe '{"query": "no-shows last week"}' --sandbox
In the Command Prompt of Windows:
  cliniko-mcp call find_patients "{\\"query\\": \\"Ana Lima\\"}" --sandbox
"""


@click.command(epilog=EXAMPLES)
@click.argument("name")
@click.argument("arguments", default="{}")
@settings_options(leave_out=NOT_HERE)
def call(name: str, arguments: str, **flags: Any) -> None:
    """Call the tool NAME with its ARGUMENTS as a JSON object, and print the answer as JSON."""
    import anyio

    from cliniko_mcp.app import open_app
    from cliniko_mcp.errors import ClinikoMcpError, InvalidArguments
    from cliniko_mcp.results.envelope import error_body
    from cliniko_mcp.settings import Settings

    parsed = json_object(arguments)
    if parsed is None:
        raise click.UsageError('the arguments must be one JSON object, such as \'{"id": "123"}\'')
    settings = Settings.load(flags)
    bar = Bar()

    async def progress(done: float, total: float | None, message: str) -> None:
        bar.draw(done, total, message)

    async def run() -> "dict[str, JsonValue]":
        at_terminal = sys.stdin.isatty() and sys.stderr.isatty()
        caller = Caller(route="terminal", asker=Terminal() if at_terminal else None, progress=progress)
        async with open_app(settings) as app:
            return await app.call(name, parsed, caller)

    try:
        answer = anyio.run(run)
    except ClinikoMcpError as problem:
        if isinstance(problem, InvalidArguments) or not sys.stdout.isatty():
            click.echo(json_for(error_body(problem), sys.stderr), err=True)
            leave(ExitCode.FAILED)
        raise
    finally:
        bar.end()
    click.echo(json_for(answer, sys.stdout, indent=2))


def json_object(text: str) -> "dict[str, JsonValue] | None":
    """The JSON object that the text is, or None where it is none."""
    from pydantic_core import from_json

    try:
        parsed: JsonValue = from_json(text)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None
