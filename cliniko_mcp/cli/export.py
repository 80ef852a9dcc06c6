"""`cliniko-mcp export`: a whole list to a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cliniko_mcp.cli.names import Choice
from cliniko_mcp.cli.options import READING, settings_options
from cliniko_mcp.cli.progress_bar import Bar
from cliniko_mcp.sanitize import counted

if TYPE_CHECKING:
    from cliniko_mcp.cliniko.models import Record
    from cliniko_mcp.cliniko.operations import List
    from cliniko_mcp.export import Exported, Format


EXAMPLES = """\b
From the demo clinic:
  cliniko-mcp export patients --sandbox --out patients.csv
  cliniko-mcp export individual_appointments --sandbox --out visits.jsonl --filter "starts_at=>2026-01-01"
"""


@click.command(epilog=EXAMPLES)
@click.argument("resource")
@click.option("--filter", "filters", multiple=True, metavar="NAME=VALUE", help="Only rows that fit, such as a list's.")
@click.option("--fields", metavar="A,B", help="Only these fields; all but patients' secret links if left out.")
@click.option(
    "--format",
    "file_format",
    type=Choice(["csv", "jsonl"]),
    help="Kind of file; if left out as its name ends, else csv.",
)
@click.option("--out", "out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write.")
@click.option("--overwrite", is_flag=True, help="Replace the file if there is one.")
@click.option("--again", is_flag=True, help="Start over instead of going on where an earlier run stopped.")
@click.option("--utc", is_flag=True, help="Times in UTC, as Cliniko sends them; without it they are the clinic's own.")
@settings_options(leave_out=READING)
def export(
    resource: str,
    filters: tuple[str, ...],
    fields: str | None,
    file_format: "Format | None",
    out: Path,
    overwrite: bool,
    again: bool,
    utc: bool,
    **flags: Any,
) -> None:
    """Write every row of the list RESOURCE, such as patients, to a file.

    Only you can read the file. After a break the same command goes on where it stopped. Times are those of the site of
    each row, with their distance from UTC. What people look for first stands in the first columns.
    """
    import anyio

    from cliniko_mcp.app import open_app
    from cliniko_mcp.errors import ClinikoMcpError
    from cliniko_mcp.export import export as write
    from cliniko_mcp.export import planned
    from cliniko_mcp.guards.pipeline import Caller
    from cliniko_mcp.settings import Settings

    chosen = tuple(name.strip() for name in (fields or "").split(",") if name.strip())
    file_format = file_format or ("jsonl" if out.suffix.lower() == ".jsonl" else "csv")
    listing = list_named(resource)
    plan = planned(listing, pairs(filters), file_format, chosen, utc=utc)
    settings = Settings.load(flags)
    rows = Rows(listing.name.removeprefix("list_").replace("_", " "))

    async def run() -> "Exported":
        async with open_app(settings) as app:
            clinic = await app.guarded_clinic("export", Caller(route="terminal"))
            return await write(
                clinic, plan, out, again=again, overwrite=overwrite, progress=rows.show, on_kept=rows.go_on
            )

    try:
        done = anyio.run(run)
    except (ClinikoMcpError, KeyboardInterrupt):
        rows.end()
        if rows.count and out.with_name(f"{out.name}.part.json").exists():
            kept = counted(rows.count, "row is", "rows are")
            click.echo(f"{kept} kept in {out}.part: the same command goes on from there.", err=True)
        raise
    rows.end()
    before = f", {done.kept:,} of them by an earlier run" if done.kept else ""
    for note in done.notes:
        click.echo(note, err=True)
    click.echo(f"{counted(done.rows, 'row')} in {done.path}{before}")


class Rows:
    """How many rows are written, told as they come."""

    def __init__(self, noun: str) -> None:
        self.count = 0
        self._noun = noun
        self._bar = Bar()

    def go_on(self, rows: int) -> None:
        """Say that an earlier run left so many rows."""
        self.count = rows
        click.echo(f"{counted(rows, 'row is', 'rows are')} kept from an earlier run: going on from there.", err=True)

    def show(self, rows: int, total: int | None) -> None:
        """Draw the bar at `rows` of `total`."""
        self.count = rows
        of = f" of {total:,}" if total else ""
        self._bar.draw(rows, total, f"{rows:,}{of} {self._noun}")

    def end(self) -> None:
        """Leave the bar's line."""
        self._bar.end()


def list_named(name: str) -> "List[Record]":
    """The list that a resource's or an operation's name stands for: `patients`, `list_inactive_practitioners`.

    Raises ConfigurationError for anything else.
    """
    from cliniko_mcp.cliniko.registry import is_list
    from cliniko_mcp.errors import ConfigurationError
    from cliniko_mcp.tools.index import find_operation

    operation = find_operation(name) or find_operation(f"list_{name}")
    if operation is None or not is_list(operation):
        raise ConfigurationError(f"there is no list called {name}; `cliniko-mcp tools --view all` shows what there is")
    return operation


def pairs(filters: tuple[str, ...]) -> dict[str, str]:
    """The filters by name. Raises click.UsageError for one without a value."""
    found: dict[str, str] = {}
    for pair in filters:
        name, separator, value = pair.partition("=")
        if not separator or not name.strip() or not value.strip():
            raise click.UsageError(f"--filter takes NAME=VALUE, such as patient_id=123, not {pair}")
        found[name.strip()] = value.strip()
    return found
