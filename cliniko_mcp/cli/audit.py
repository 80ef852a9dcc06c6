"""`cliniko-mcp audit`: whether the audit log is whole, its last lines, and all of it for other programs."""

import csv
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeVar

import click

from cliniko_mcp.approvals.paths import audit_file
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.guards.hash_chain import Chain
from cliniko_mcp.sanitize import clean

T = TypeVar("T")

COLUMNS: Final[tuple[str, ...]] = (
    "n",
    "time",
    "operation",
    "ids",
    "outcome",
    "channel",
    "rung",
    "tool",
    "route",
    "principal",
    "made",
    "of",
    "arguments",
    "before",
    "seal",
)
FILE: Final = click.option("--audit-file", "named", default=None, help="The log, where it is not in the usual place.")
DEMO: Final = click.option("--sandbox", is_flag=True, help="The log of what was done in the demo clinic.")


@click.group(no_args_is_help=False)
def audit() -> None:
    """Verify, show or export the audit log: what was asked of the clinic, and how it ended."""


@audit.command()
@FILE
@DEMO
def verify(named: str | None, sandbox: bool) -> None:
    """Check that no line was changed, removed or put in. Exit code 1 when one was."""
    whole = True
    for chain in _chains(named, sandbox):
        checked = _readable(chain.verify)
        if checked.problem is None:
            click.echo(f"{chain.path.name}: {checked.lines:,} lines, all as they were written.")
        else:
            whole = False
            click.echo(f"{chain.path.name}: {checked.problem}; {checked.lines:,} lines before that hold.", err=True)
    sys.exit(0 if whole else 1)


@audit.command()
@click.option("-n", "--lines", default=20, show_default=True, type=click.IntRange(min=1), help="How many lines.")
@FILE
@DEMO
def tail(lines: int, named: str | None, sandbox: bool) -> None:
    """Show the last lines; of a change that has ended, only how it ended."""
    from collections import deque

    chain = _chains(named, sandbox)[0]
    # A change is two lines, so twice as many are looked at.
    last = _readable(lambda: deque(chain.entries(), maxlen=2 * lines))
    ended = {str(entry["of"]) for entry in last if "of" in entry}
    for entry in [each for each in last if each.get("outcome") != "begun" or str(each.get("n")) not in ended][-lines:]:
        ids = " ".join(f"{name}={value}" for name, value in _ids(entry).items())
        said = entry.get("channel", entry.get("rung"))  # version 0.1.0 wrote "rung"
        channel = "" if said in (None, "none") else f"by {said}"
        words = (entry.get("time"), entry.get("operation"), ids, entry.get("outcome"), channel)
        click.echo("  ".join(clean(str(word)) for word in words if word))


@audit.command()
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True)
@FILE
@DEMO
def export(form: str, named: str | None, sandbox: bool) -> None:
    """Print every line that is kept, oldest first."""
    chain = _chains(named, sandbox)[0]
    if form == "jsonl":
        for entry in _readable(lambda: list(chain.entries())):
            click.echo(json.dumps(entry, ensure_ascii=True, separators=(",", ":")))
        return
    writer: csv.DictWriter[str] = csv.DictWriter(sys.stdout, COLUMNS, extrasaction="ignore")
    writer.writeheader()
    for entry in _readable(lambda: list(chain.entries())):
        flat: dict[str, object] = {**entry, "ids": " ".join(f"{name}={value}" for name, value in _ids(entry).items())}
        writer.writerow(flat)


def _ids(entry: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    ids = entry.get("ids")
    return ids if isinstance(ids, dict) else {}


def _chains(given: str | None, demo: bool) -> list[Chain]:
    """The logs meant: the one named or configured, else those in the usual place; at least one."""
    from cliniko_mcp.settings import Settings

    given = given or (None if demo else Settings.load({}).audit_file)
    paths = [Path(given)] if given else [audit_file(demo=demo)]
    if not given and not demo:
        paths += [audit_file(demo=True)]
    found = [chain for chain in map(Chain, paths) if chain.files()]
    if not found:
        raise click.ClickException(f"there is no audit log at {paths[0]} yet")
    return found


def _readable(read: Callable[[], T]) -> T:
    """What is read. Raises click.ClickException where the log cannot be read."""
    try:
        return read()
    except OSError as problem:
        raise click.ClickException(f"the audit log cannot be read: {problem.strerror or problem}") from None
