"""`cliniko-mcp audit`: verifies the audit log, shows its last lines, and exports it for other programs."""

import csv
import json
import os
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO, TypeVar

import click

from cliniko_mcp.approvals.paths import audit_file
from cliniko_mcp.cli.audit_places import CLINIC, DATABASE, HOSTED, clinics_of, database_of, day_of, is_since
from cliniko_mcp.cli.audit_upkeep import close, setup
from cliniko_mcp.cli.names import Choice
from cliniko_mcp.cli.output import leave
from cliniko_mcp.cli.when import DEFAULT_ZONE, moment_of
from cliniko_mcp.errors import ConfigurationError, ExitCode, JsonValue, NotUnderstood
from cliniko_mcp.guards.audit import FIELDS
from cliniko_mcp.guards.chain_lines import Verification, compact
from cliniko_mcp.guards.changes import COLUMNS, logged_changes, tallies
from cliniko_mcp.guards.clinic_logs import file_of
from cliniko_mcp.guards.hash_chain import HashChain
from cliniko_mcp.phrases import Facing, OpenWhen, clinic_zone, local_day, parse_when
from cliniko_mcp.private_files import open_private
from cliniko_mcp.sanitize import clean, counted

if TYPE_CHECKING:
    from cliniko_mcp.guards.kept_chains import Checked

ResultT = TypeVar("ResultT")
_BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Before the first line of any log."""

FILE: Final = click.option("--audit-file", "named", default=None, help="The log, where it is not in the usual place.")
FILES: Final = click.option(
    "--audit-file",
    "named",
    multiple=True,
    help="The log, where it is not in the usual place; again for those of other replicas.",
)
DEMO: Final = click.option("--sandbox", is_flag=True, help="The log of what was done in the demo clinic.")


@click.group(no_args_is_help=False)
def audit() -> None:
    """Verify, show or export the audit log: every call and its outcome."""


audit.add_command(setup)
audit.add_command(close)


@audit.command()
@FILES
@DEMO
@HOSTED
@CLINIC
@DATABASE
@click.option(
    "--anchors", type=click.File(), default=None, help="The log stream of the servers (- is standard input): its heads."
)
def verify(
    named: tuple[str, ...],
    sandbox: bool,
    hosted: str | None,
    clinic: str | None,
    database: str | None,
    anchors: TextIO | None,
) -> None:
    """Check that no line was changed, removed or put in. Exit code 1 when one was.

    With --hosted the logs of a server for many, each clinic's or that of --clinic. With --anchors what is in Postgres
    is held against the heads that the servers told every hour, so that a chain that was made anew is found as well.
    """
    where = database_of(hosted, database)
    if where is not None:
        from cliniko_mcp.guards.anchors import anchors_in

        told = anchors_in(anchors or ())
        found = _readable(lambda: [(name, *_of(one)) for name, one in where.verify(clinic, told).items()])
    else:
        if anchors is not None or database is not None:
            raise click.UsageError(
                "--anchors and --database are for logs in Postgres: name the server's file by --hosted"
            )
        chains = _chains(named, sandbox, hosted, clinic)
        found = [(_called(chain, chains), *_of(_readable(chain.verify))) for chain in chains]
    for name, lines, problem, notes in found:
        if problem is None:
            click.echo(". ".join((f"{name}: {counted(lines, 'line')}, all as they were written", *notes)) + ".")
        else:
            before = counted(lines, "line before that holds", "lines before that hold")
            click.echo(f"{name}: {problem}; {before}.", err=True)
    broken = sum(problem is not None for _, _, problem, _ in found)
    if len(found) != 1:
        not_held = f", of which {counted(broken, 'does', 'do')} not hold" if broken else ""
        click.echo(f"{len(found)} chains{not_held}.", err=bool(broken))
    leave(ExitCode.FAILED if broken else ExitCode.DONE)


def _of(found: "Verification | Checked") -> tuple[int, str | None, tuple[str, ...]]:
    return found.lines, found.problem, () if isinstance(found, Verification) else found.notes


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
@click.option("--since", default=None, metavar="DATE", help="Only from this day on, in UTC, such as 2026-11-24.")
@click.option(
    "--out", default=None, type=click.Path(path_type=Path), help="A new file to write; by default it is shown."
)
@FILES
@DEMO
@HOSTED
@CLINIC
@DATABASE
def export(
    form: str,
    since: str | None,
    out: Path | None,
    named: tuple[str, ...],
    sandbox: bool,
    hosted: str | None,
    clinic: str | None,
    database: str | None,
) -> None:
    """Print every line that is kept, oldest first; of several files one after the other."""
    begin, where = day_of(since) if since else None, database_of(hosted, database)
    chains = [] if where is not None else _chains(named, sandbox, hosted, clinic, files=True)
    with _opened(out) as stream:
        writer: csv.DictWriter[str] = csv.DictWriter(stream, list(FIELDS), extrasaction="ignore")
        if form == "csv":
            writer.writeheader()

        def keep(entry: Mapping[str, JsonValue]) -> None:
            if form == "csv":
                ids = " ".join(f"{name}={value}" for name, value in _ids(entry).items())
                writer.writerow({**entry, "ids": ids})
            else:
                stream.write(f"{compact(entry)}\n")

        def keep_all() -> None:
            if where is not None:
                where.export(clinic, begin, keep)
            for chain in chains:
                for entry in chain.entries():
                    if is_since(entry, begin):
                        keep(entry)

        _readable(keep_all)


@contextmanager
def _opened(out: Path | None) -> Generator[TextIO]:
    """Standard output, or this new file, for its owner alone. Raises ConfigurationError where it cannot be made."""
    if out is None:
        yield sys.stdout
        return
    try:
        made = open_private(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    except OSError as problem:
        raise ConfigurationError(f"{out} cannot be written: {problem.strerror or problem}") from None
    with os.fdopen(made, "w", encoding="utf-8", newline="") as file:
        yield file


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
    click.echo(f"{understood.description}: {counted(made, 'change')} made, {approved:,} of them approved by a person.")
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
    chain = HashChain(_place(named, demo))
    if chain.begun:
        return chain
    problem = f"there is no audit log at {chain.path} yet"
    usual = chain.path == audit_file(demo=False)
    if usual and not demo and HashChain(audit_file(demo=True)).begun:
        problem += "; the demo clinic has one: --sandbox shows it"
    raise click.ClickException(problem)


def _chains(
    named: tuple[str, ...], demo: bool, hosted: str | None, clinic: str | None, *, files: bool = False
) -> list[HashChain]:
    """The logs in files: each that is named or the usual one, and for a server for many each clinic's beside it.

    With `files` each has to be there; without, the record of its last entry is enough. Raises click.ClickException.
    """
    clinics = clinics_of(hosted, clinic)
    one = _log if files else _chain
    if not clinics:
        return [one(path, demo) for path in named or (None,)]
    own = [_place(path, demo) for path in named or (None,)]
    found = [one(str(file_of(path, id)), demo) for path in own for id in clinics if clinic or _begun(file_of(path, id))]
    if not found:
        raise click.ClickException(f"there is no audit log of a clinic beside {own[0]} yet")
    return found


def _begun(path: Path) -> bool:
    return HashChain(path).begun


def _called(chain: HashChain, chains: list[HashChain]) -> str:
    """The name of a log's file, or its whole path where several have the same."""
    same = sum(other.path.name == chain.path.name for other in chains)
    return chain.path.name if same == 1 else str(chain.path)


def _place(named: str | None, demo: bool) -> Path:
    """Where the log is that is named here or in the settings, else the usual one of the clinic or the demo."""
    from cliniko_mcp.settings import Settings

    named = named or (None if demo else Settings.load({}).audit_file)
    return Path(named) if named else audit_file(demo=demo)


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
