"""`cliniko-mcp diary`: the diary in a terminal, as lines for a pipe, as JSON, or as a page to look at."""

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from cliniko_mcp.cli.answering import answer_of, check_new, patiently, write_file
from cliniko_mcp.cli.options import READING, settings_options
from cliniko_mcp.cli.output import console, json_for
from cliniko_mcp.redaction import SECRETS

if TYPE_CHECKING:
    from cliniko_mcp.app import App
    from cliniko_mcp.errors import JsonValue
    from cliniko_mcp.guards.pipeline import Caller
    from cliniko_mcp.printouts.diary import Diary

_LONG: Final = 400
"""Entries that one call of the tool shows at most."""
_MAX_CALLS: Final = 40

EXAMPLES = """\b
From the demo clinic:
  cliniko-mcp diary --sandbox
  cliniko-mcp diary --when "next week" --html week.html --sandbox
  cliniko-mcp diary --when tomorrow --practitioner "Mei Ng" --phones --sandbox
"""


@click.command(epilog=EXAMPLES)
@click.option("--when", default="today", metavar="PHRASE", help='The time, such as "tomorrow" or "next week".')
@click.option("--practitioner", multiple=True, metavar="NAME", help="Only this practitioner; may be given again.")
@click.option("--business", metavar="NAME", help="Only this site.")
@click.option("--phones", is_flag=True, help="Phone numbers beside the patients.")
@click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write a page to look at."
)
@click.option("--overwrite", is_flag=True, help="Replace the file if there is one.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@settings_options(leave_out=READING)
def diary(
    when: str,
    practitioner: tuple[str, ...],
    business: str | None,
    phones: bool,
    html: Path | None,
    overwrite: bool,
    as_json: bool,
    **flags: Any,
) -> None:
    """Show the diary: a day in columns, more days as a table; or write it as a page that only you can read."""
    from cliniko_mcp.printouts.diary import Diary
    from cliniko_mcp.settings import Settings

    if html is not None:
        check_new(html, overwrite=overwrite)
    arguments: dict[str, JsonValue] = {
        "when": when, "practitioner": [*practitioner] or None, "business": business, "phones": phones or None,
        "limit": _LONG,
    }  # fmt: skip
    arguments = {name: value for name, value in arguments.items() if value is not None}
    answer, account = answer_of(Settings.load(flags), "show_diary", partial(_whole, arguments))
    body = SECRETS.object(answer)
    if html is not None:
        from cliniko_mcp.printouts.diary import diary_lines
        from cliniko_mcp.protocol.apps.pages import page_with

        title = f"Diary, {body['when']}" + (f" - {account.clinic}" if account.clinic else "")
        lines = diary_lines(Diary.model_validate(body))
        page = page_with("diary", body, clinic=account.clinic, demo=account.demo, title=title, lines=lines)
        write_file(html, page, overwrite=overwrite)
        click.echo(f"The diary is in {html}")
    elif as_json:
        click.echo(json_for(body, sys.stdout, indent=2))
    else:
        show(Diary.model_validate(body))


async def _whole(arguments: "dict[str, JsonValue]", app: "App", caller: "Caller") -> "dict[str, JsonValue]":
    """The answer with the sheets of as many calls as it takes: what did not fit says itself how to ask for it."""
    from cliniko_mcp.printouts.diary import Diary

    first = await patiently(app, "show_diary", arguments, caller)
    diary = Diary.model_validate(first)
    left = diary.next
    for _ in range(_MAX_CALLS):
        if not left:
            break
        call = {**left[0].as_json(), "limit": _LONG}
        if "phones" in arguments:
            call["phones"] = True
        more = Diary.model_validate(await patiently(app, "show_diary", call, caller))
        left = [*more.next, *left[1:]]
        diary = diary.with_more(more)
    whole: dict[str, JsonValue] = {
        **first,
        "items": [sheet.as_json() for sheet in diary.items],
        "page": diary.page.as_json(),
        "notes": [*diary.remarks],
    }
    whole.pop("next", None)
    return whole


def show(diary: "Diary") -> None:
    """Print a diary: in colours and columns where a person looks on, as whole lines in a pipe."""
    if not sys.stdout.isatty():
        from cliniko_mcp.printouts.diary import diary_lines

        for line in diary_lines(diary):
            click.echo(line)
        return
    from cliniko_mcp.printouts.diary_tables import diary_tables

    terminal = console()
    for part in diary_tables(diary, terminal.width):
        terminal.print(part)
