"""`cliniko-mcp report`: a report of the clinic in a terminal, for a spreadsheet, as JSON, or as a page."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import click

from cliniko_mcp.cli.answering import answer_of, check_new, patiently, write_file
from cliniko_mcp.cli.names import Choice, named
from cliniko_mcp.cli.options import READING, settings_options
from cliniko_mcp.cli.output import bold, columns_of, json_for
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.redaction import SECRETS

if TYPE_CHECKING:
    from cliniko_mcp.app import App
    from cliniko_mcp.approvals.shown import Account
    from cliniko_mcp.frontdesk.reports.kinds import ReportKind
    from cliniko_mcp.guards.pipeline import Caller

Format = Literal["table", "csv", "json", "html"]
FORMATS: Final[tuple[Format, ...]] = ("table", "csv", "json", "html")
_BY_SUFFIX: Final[dict[str, Format]] = {".csv": "csv", ".json": "json", ".html": "html", ".htm": "html"}
_WHOLE: Final = ("csv", "html")
"""The formats that hold all rows where nobody says how many."""
_MAX_ROWS: Final = 200
"""Rows that one call of the tool gives at most."""

EXAMPLES = """\b
From the demo clinic; without KIND the kinds are listed:
  cliniko-mcp report no_shows --when "last month" --by practitioner --sandbox
  cliniko-mcp report unpaid --phones --output unpaid.csv --sandbox
  cliniko-mcp report utilisation --when "last month" --by practitioner --output utilisation.html --sandbox
"""


def _complete_kind(_context: click.Context, _parameter: click.Parameter, prefix: str) -> list[str]:
    from cliniko_mcp.frontdesk.reports.kinds import KINDS

    return [name for name in KINDS if name.startswith(prefix)]


@click.command(epilog=EXAMPLES)
@click.argument("kind", required=False, shell_complete=_complete_kind)
@click.option("--when", metavar="PHRASE", help='The time, such as "last month"; each kind has a usual one.')
@click.option("--by", multiple=True, metavar="A,B", help="Break the first figure down, such as by practitioner,week.")
@click.option("--compare", type=Choice(["previous", "last_year"]), help="The same figures of an earlier time.")
@click.option("--practitioner", metavar="NAME", help="Only this practitioner.")
@click.option("--business", metavar="NAME", help="Only this site.")
@click.option("--patient", metavar="NAME", help="Only this patient's notes, in find_in_notes.")
@click.option("--words", metavar="TEXT", help="What find_in_notes looks for.")
@click.option("--phones", is_flag=True, help="A phone number beside each patient.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Rows; 10 in table and json, else all.")
@click.option("--format", "form", type=Choice(FORMATS), help="If left out, as the name of the file ends, else table.")
@click.option("--output", "--out", "out", type=click.Path(path_type=Path, dir_okay=False), help="The file to write.")
@click.option("--overwrite", is_flag=True, help="Replace the file if there is one.")
@settings_options(leave_out=READING)
def report(
    kind: str | None,
    when: str | None,
    by: tuple[str, ...],
    compare: str | None,
    practitioner: str | None,
    business: str | None,
    patient: str | None,
    words: str | None,
    phones: bool,
    limit: int | None,
    form: Format | None,
    out: Path | None,
    overwrite: bool,
    **flags: Any,
) -> None:
    """Print a report of this KIND, or write it to a file that only you can read.

    A csv holds the groups where --by is used, else the rows. A page (html) stands by itself: figures, plots and rows.
    """
    from cliniko_mcp.frontdesk.reports.kinds import KINDS
    from cliniko_mcp.settings import Settings

    if kind is None:
        for line in kinds_table(KINDS.values()):
            click.echo(line)
        return
    found = KINDS[named(kind, KINDS, "report", "all are listed by `cliniko-mcp report`")]
    form = form or (_BY_SUFFIX.get(out.suffix.lower(), "table") if out else "table")
    if form == "html" and out is None and sys.stdout.isatty():
        raise click.UsageError("a page goes to a file: add --output FILE")
    if out is not None:
        check_new(out, overwrite=overwrite)
    groupings = _groupings(by, found)
    arguments: dict[str, JsonValue] = {
        "kind": found.name, "when": when, "by": [*(groupings or _usual_groupings(found, form))], "compare": compare,
        "practitioner": practitioner, "business": business, "patient": patient, "words": words,
        "phones": phones or None,
    }  # fmt: skip
    arguments = {name: value for name, value in arguments.items() if value is not None}
    most = limit or (sys.maxsize if form in _WHOLE else None)
    answer, account = answer_of(
        Settings.load(flags), "report", lambda app, caller: whole_answer(app, arguments, most, caller)
    )
    text = _text(answer, form, groupings, account, plain=out is not None)
    if out is None:
        click.echo(text, nl=not text.endswith("\n"))
        return
    write_file(out, text, overwrite=overwrite)
    click.echo(f"{found.name} in {out}")


def _groupings(by: Sequence[str], kind: "ReportKind") -> list[str]:
    """The groupings that are wanted. Raises click.UsageError for one that this kind has not."""
    wanted = [name for text in by for name in text.split(",") if name.strip()]
    if wanted and not kind.groupings:
        raise click.UsageError(f"{kind.name} has no groupings: leave --by out")
    advice = f"{kind.name} has {', '.join(kind.groupings)}"
    found = [named(name, kind.groupings, f"grouping of {kind.name}", advice) for name in wanted]
    return list(dict.fromkeys(found))


def _usual_groupings(kind: "ReportKind", form: Format) -> list[str]:
    """What a page is grouped by where nobody says it: over time where the time has a beginning, and by person.

    New patients are by month, with which their cohorts come.
    """
    if form != "html":
        return []
    time = "month" if kind.name == "retention" else "week"
    usual = ("practitioner",) if kind.open_start else (time, "practitioner")
    return [name for name in usual if name in kind.groupings]


def kinds_table(kinds: "Iterable[ReportKind]") -> list[str]:
    """The kinds of reports, a line each: the name, the time that is meant without --when, and the groupings."""
    from cliniko_mcp.printouts.lines import table

    rows = [(kind.name, kind.usual or "all time", ", ".join(kind.groupings)) for kind in kinds]
    columns = columns_of(sys.stdout)
    lines = [*table([("kind", "usual time", "--by"), *rows], columns, bold, [False] * 3, wraps=2)]
    return lines if columns else lines[1:]


async def whole_answer(
    app: "App", arguments: "dict[str, JsonValue]", most: int | None, caller: "Caller"
) -> "dict[str, JsonValue]":
    """The answer with the rows of as many pages as it takes; what was read for the first serves the others.

    A cursor ends with this process, so none is left in it, nor the note on how to go on.
    """
    if most is None:
        return finished(await patiently(app, "report", arguments, caller))
    rows: list[JsonValue] = []
    page = arguments
    while True:
        answer = await patiently(app, "report", {**page, "limit": min(most - len(rows), _MAX_ROWS)}, caller)
        items, shown = answer.get("items"), answer.get("page")
        if not isinstance(items, list) or not isinstance(shown, dict):
            return answer  # the report is not made, and its notes say why
        rows += items
        if shown["complete"] or not items or len(rows) >= most:
            whole: dict[str, JsonValue] = {"items": rows, "page": {**shown, "returned": len(rows)}}
            return finished(answer | whole)
        page = {"kind": arguments["kind"], "cursor": shown["next_cursor"]}


def finished(answer: "dict[str, JsonValue]") -> "dict[str, JsonValue]":
    """The answer without its cursor, which ends with this process, and without the note on how to go on."""
    found, notes = dict(answer), answer.get("notes")
    if isinstance(shown := answer.get("page"), dict):
        found["page"] = {name: value for name, value in shown.items() if name != "next_cursor"}
    if isinstance(notes, list):
        found["notes"] = [note for note in notes if "next_cursor" not in str(note)]
    return found


def _text(
    body: "dict[str, JsonValue]", form: Format, groupings: Sequence[str], account: "Account", *, plain: bool
) -> str:
    """The report in this form; `plain` where it goes to a file."""
    if form == "json":
        return json_for(body, sys.stdout, indent=2)
    from cliniko_mcp.printouts.answer import ReportAnswer

    body = SECRETS.object(body)
    answer = ReportAnswer.model_validate(body)
    if form == "csv":
        from cliniko_mcp.printouts.spreadsheet import report_csv

        return report_csv(answer, groupings)
    from cliniko_mcp.printouts.text import report_lines

    if form == "html":
        from cliniko_mcp.protocol.apps.pages import page_with

        title = f"{answer.title}, {answer.when}" + (f" - {account.clinic}" if account.clinic else "")
        lines = report_lines(answer, None, str)
        return page_with("report", body, clinic=account.clinic, demo=account.demo, title=title, lines=lines)
    columns = None if plain else columns_of(sys.stdout)
    return "\n".join(report_lines(answer, columns, bold if columns else str))
