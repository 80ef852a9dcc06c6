"""`cliniko-mcp audit`: verifies the audit log, shows its last lines, and exports it for other programs."""

import csv
import json
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

import click

from cliniko_mcp.approvals.paths import audit_file
from cliniko_mcp.cli.names import Choice
from cliniko_mcp.cli.output import leave
from cliniko_mcp.cli.when import DEFAULT_ZONE, moment_of
from cliniko_mcp.errors import ExitCode, JsonValue, NotUnderstood
from cliniko_mcp.guards.audit import FIELDS
from cliniko_mcp.guards.changes import COLUMNS, logged_changes, tallies
from cliniko_mcp.guards.hash_chain import HashChain
from cliniko_mcp.phrases import Facing, OpenWhen, clinic_zone, local_day, parse_when
from cliniko_mcp.sanitize import clean

ResultT = TypeVar("ResultT")
_BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Before the first line of any log."""

FILE: Final = click.option("--audit-file", "named", default=None, help="The log, where it is not in the usual place.")
DEMO: Final = click.option("--sandbox", is_flag=True, help="The log of what was done in the demo clinic.")


@click.group(no_args_is_help=False)
def audit() -> None:
    """Verify, show or export the audit log: every call and its outcome."""


@audit.command()
@FILE
@DEMO
def verify(named: str | None, sandbox: bool) -> None:
    """Check that no line was changed, removed or put in. Exit code 1 when one was."""
    chain = _chain(named, sandbox)
    checked = _readable(chain.verify)
    if checked.problem is None:
        click.echo(f"{chain.path.name}: {checked.lines:,} lines, all as they were written.")
        leave(ExitCode.DONE)
    click.echo(f"{chain.path.name}: {checked.problem}; {checked.lines:,} lines before that hold.", err=True)
    leave(ExitCode.FAILED)


@audit.command()
@click.option("-n", "--lines", default=20, show_default=True, type=click.IntRange(min=1), help="How many lines.")
@FILE
@DEMO
def tail(lines: int, named: str | None, sandbox: bool) -> None:
    """Show the last lines; of a change that has ended, only how it ended."""
    from collections import deque

    chain = _log(named, sandbox)
    # A change is two lines, so twice as many are looked at.
    last = _readable(lambda: deque(chain.entries(), maxlen=2 * lines))
    ended = {str(entry["of"]) for entry in last if "of" in entry}
    shown = [entry for entry in last if entry.get("outcome") != "begun" or str(entry.get("n")) not in ended]
    for entry in shown[-lines:]:
        ids = " ".join(f"{name}={value}" for name, value in _ids(entry).items())
        channel = entry.get("channel", entry.get("rung"))  # version 0.1.0 wrote "rung"
        by = "" if channel in (None, "none") else f"by {channel}"
        columns = (entry.get("time"), entry.get("operation"), ids, entry.get("outcome"), by)
        click.echo("  ".join(clean(str(column)) for column in columns if column))


@audit.command()
@click.option("--format", "form", type=Choice(["jsonl", "csv"]), default="jsonl", show_default=True)
@FILE
@DEMO
def export(form: str, named: str | None, sandbox: bool) -> None:
    """Print every line that is kept, oldest first."""
    chain = _log(named, sandbox)
    if form == "jsonl":
        for entry in _readable(lambda: list(chain.entries())):
            click.echo(json.dumps(entry, ensure_ascii=True, separators=(",", ":")))
        return
    writer: csv.DictWriter[str] = csv.DictWriter(sys.stdout, list(FIELDS), extrasaction="ignore")
    writer.writeheader()
    for entry in _readable(lambda: list(chain.entries())):
        flat: dict[str, object] = {**entry, "ids": " ".join(f"{name}={value}" for name, value in _ids(entry).items())}
        writer.writerow(flat)


@audit.command()
@click.option("--when", default="last 30 days", show_default=True, metavar="PHRASE", help="The days to look at.")
@click.option("--zone", default=DEFAULT_ZONE, show_default=True, metavar="IANA", help="The clinic's time zone.")
@click.option("--now", metavar="ISO", help="The moment that the days are relative to. Default: now.")
@click.option("--format", "form", type=Choice(["table", "csv", "json"]), default="table", show_default=True)
@FILE
@DEMO
def report(when: str, zone: str, now: str | None, form: str, named: str | None, sandbox: bool) -> None:
    """Say what was changed, approved and refused through this server, by day and person."""
    chain = _log(named, sandbox)
    try:
        there = clinic_zone(zone)
        understood = parse_when(when, now=moment_of(now), zone=there, facing=Facing.BACK)
    except NotUnderstood as problem:
        raise click.ClickException(f"{problem.message} {problem.fix}".strip()) from None
    span = understood.since(_BEGINNING) if isinstance(understood, OpenWhen) else understood
    logged = _readable(lambda: logged_changes(chain, span.start, span.end))
    windows = list(span.windows())
    found = [change for change in logged.changes if any(low <= change.at < high for low, high in windows)]
    rows = [tally.row() for tally in tallies(found, lambda change: local_day(change.at, there))]
    if form == "json":
        click.echo(json.dumps({"when": understood.description, "rows": rows}, ensure_ascii=True))
        return
    if form == "csv":
        writer: csv.DictWriter[str] = csv.DictWriter(sys.stdout, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
        return
    made, approved = (sum(int(str(row[name])) for row in rows) for name in ("made", "approved"))
    click.echo(f"{understood.description}: {made:,} changes made, {approved:,} of them approved by a person.")
    if logged.since is not None and logged.since > span.start:
        click.echo(f"The log that is kept begins on {local_day(logged.since, there)}.")
    for row in rows:
        counts = ", ".join(f"{row[name]} {name}" for name in COLUMNS[2:-1] if row[name])
        click.echo(
            "  ".join(clean(str(part)) for part in (row["day"], row["person"], counts, row["operations"]) if part)
        )


def _ids(entry: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    ids = entry.get("ids")
    return ids if isinstance(ids, dict) else {}


def _chain(named: str | None, demo: bool) -> HashChain:
    """The log to examine: the one that is named here or in the settings, else the usual one of the clinic or the demo.

    Raises click.ClickException where there is nothing of it, not even the record of its last entry.
    """
    from cliniko_mcp.settings import Settings

    named = named or (None if demo else Settings.load({}).audit_file)
    chain = HashChain(Path(named) if named else audit_file(demo=demo))
    if chain.begun:
        return chain
    problem = f"there is no audit log at {chain.path} yet"
    if not named and not demo and HashChain(audit_file(demo=True)).begun:
        problem += "; the demo clinic has one: --sandbox shows it"
    raise click.ClickException(problem)


def _log(named: str | None, demo: bool) -> HashChain:
    """The log to print, of which there is a file. Raises click.ClickException where there is none."""
    chain = _chain(named, demo)
    if not _readable(chain.files):
        raise click.ClickException(f"the audit log {chain.path} is missing; `audit verify` says more")
    return chain


def _readable(read: Callable[[], ResultT]) -> ResultT:
    """The result of `read`. Raises click.ClickException where the log cannot be read."""
    try:
        return read()
    except OSError as problem:
        raise click.ClickException(f"the audit log cannot be read: {problem.strerror or problem}") from None
