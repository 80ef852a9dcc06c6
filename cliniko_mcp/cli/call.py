"""`cliniko-mcp call`: one tool call from a shell, with questions asked on the terminal.

A person at a terminal reads words and tables; a pipe, or `--json`, gets the answer as JSON.
"""

import shutil
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from cliniko_mcp.approvals.questions import Question, Verdict
from cliniko_mcp.cli.options import SERVING, settings_options
from cliniko_mcp.cli.output import bold, json_for, leave
from cliniko_mcp.cli.progress_bar import Bar
from cliniko_mcp.errors import ExitCode
from cliniko_mcp.guards.pipeline import Caller
from cliniko_mcp.redaction import SECRETS

if TYPE_CHECKING:
    from cliniko_mcp.errors import ClinikoMcpError, JsonValue


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
@click.option("--json", "as_json", is_flag=True, help="Print JSON in a terminal too, as in a pipe.")
@settings_options(leave_out=SERVING)
def call(name: str, arguments: str, as_json: bool, **flags: Any) -> None:
    """Call the tool NAME with its ARGUMENTS as a JSON object, and print the answer.

    In a terminal it is words and tables; in a pipe, and with --json, it is JSON. `cliniko-mcp tools NAME` shows what a
    tool takes.
    """
    import anyio

    from cliniko_mcp.app import open_app
    from cliniko_mcp.errors import ClinikoMcpError
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
        bar.end()
        if as_json or not sys.stdout.isatty():
            click.echo(json_for(error_body(problem), sys.stderr), err=True)
        else:
            for line in _error_lines(problem):
                click.echo(line, err=True)
        leave(ExitCode.FAILED)
    finally:
        bar.end()
    if as_json or not sys.stdout.isatty():
        click.echo(json_for(answer, sys.stdout, indent=2))
    else:
        _show(name, parsed, answer)


def _show(name: str, arguments: "Mapping[str, JsonValue]", answer: "dict[str, JsonValue]") -> None:
    """Print an answer for a person: a diary in its columns, a report in its tables, any other in tables."""
    body = SECRETS.object(answer)
    if name == "show_diary" and not arguments.get("run_sheet"):
        from cliniko_mcp.cli.diary import show
        from cliniko_mcp.printouts.diary import Diary

        show(Diary.model_validate(body))
        return
    for line in _report_lines(body) if name == "report" else _answer_lines(name, body):
        click.echo(line)


def _report_lines(body: "dict[str, JsonValue]") -> Iterator[str]:
    from cliniko_mcp.cli.report import finished
    from cliniko_mcp.printouts.answer import ReportAnswer
    from cliniko_mcp.printouts.text import report_lines

    return report_lines(ReportAnswer.model_validate(finished(body)), _columns(), bold)


def _answer_lines(name: str, body: "dict[str, JsonValue]") -> Iterator[str]:
    from cliniko_mcp.printouts.any_answer import answer_lines

    if name != "cliniko_describe":
        return answer_lines(body, _columns(), bold)
    notes: list[JsonValue] = ["What each takes: cliniko-mcp tools NAME"]
    return answer_lines({**_without_schemas(body), "notes": notes}, _columns(), bold)


def _without_schemas(body: "Mapping[str, JsonValue]") -> "dict[str, JsonValue]":
    """What describes tools, without the schemas of their arguments, which are for programs."""

    def short(row: "JsonValue") -> "JsonValue":
        if not isinstance(row, dict):
            return row
        return {field: part for field, part in row.items() if field not in ("input_schema", "schema")}

    return {field: [short(row) for row in value] if isinstance(value, list) else value for field, value in body.items()}


def _error_lines(problem: "ClinikoMcpError") -> Iterator[str]:
    from cliniko_mcp.errors import ClinikoMcpError
    from cliniko_mcp.printouts.any_answer import error_lines

    details = SECRETS.object(problem.details)
    shown = ClinikoMcpError(SECRETS.text(problem.message), SECRETS.text(problem.fix), **details)
    return error_lines(shown, _columns(), bold)


def _columns() -> int:
    return shutil.get_terminal_size().columns


def json_object(text: str) -> "dict[str, JsonValue] | None":
    """The JSON object that the text is, or None where it is none."""
    from pydantic_core import from_json

    try:
        parsed: JsonValue = from_json(text)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None
