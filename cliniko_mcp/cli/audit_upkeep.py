"""`cliniko-mcp audit setup` and `audit close`: the tables of the audit log in Postgres, and what is old dropped."""

import sys
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import click

from cliniko_mcp.cli.audit_places import DATABASE, HOSTED, database_of, day_of, does
from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.sanitize import counted

if TYPE_CHECKING:
    from cliniko_mcp.shared_state.audit_postgres import PostgresAudit

T = TypeVar("T")


@click.command()
@click.option("--role", required=True, metavar="NAME", help="The role as which the servers log in; it has to exist.")
@DATABASE
def setup(role: str, database: str | None) -> None:
    """Print the SQL that makes the tables of the audit log in Postgres, or with --database run it.

    The servers' role may add lines and read them afterwards, and change or remove none. Run it as another role, which
    then owns the tables.
    """
    from cliniko_mcp.shared_state.audit_sql import AUDIT_SCHEMA
    from cliniko_mcp.shared_state.audit_sql import setup as statements

    if database is None:
        click.echo(statements(role), nl=False)
        return

    async def work(audit: "PostgresAudit") -> None:
        await audit.run(statements(role))

    _reachable(database, work)
    click.echo(f"The tables are in the schema {AUDIT_SCHEMA}; {role} may add lines and read them, and nothing else.")


@click.command()
@HOSTED
@click.option("--clinic", required=True, metavar="ID", help="Whose log.")
@click.option("--before", required=True, metavar="DATE", help="Drop what was written before this day, in UTC.")
@DATABASE
@click.option("--yes", is_flag=True, help="Do not ask first.")
def close(hosted: str | None, clinic: str, before: str, database: str | None, yes: bool) -> None:
    """Close a clinic's chain in Postgres up to a day, and drop the lines before it.

    A line at the end of the chain, signed by the server's keys, tells of it, by which `audit verify` knows that nothing
    else is missing. Only the owner of the tables may; export first what has to be kept. Without anything to drop it
    signs anew, for other keys.
    """
    from cliniko_mcp.guards.kept_chains import closing_of

    day, where = day_of(before), database_of(hosted, database)
    if where is None:
        raise ConfigurationError(
            "only a log in Postgres is closed.",
            "Name the server's file by --hosted. The oldest file of a log goes by itself once there are ten.",
        )
    if not yes and not sys.stdin.isatty():
        raise ConfigurationError("there is no terminal to ask on.", "Add --yes to drop the lines without being asked.")
    if not yes:
        click.confirm(
            f"Drop what was written in the log of {clinic} before {day:%Y-%m-%d %H:%M}Z?", abort=True, err=True
        )
    now = datetime.now(UTC)  # noqa: TID251 - a command begins now

    async def work(audit: "PostgresAudit") -> int:
        return await audit.close(clinic, day, closing_of(clinic, where.keys, now))

    dropped = _reachable(where.reference, work)
    click.echo(f"{clinic}: {counted(dropped, 'line')} dropped; the chain is closed up to there.")


def _reachable(reference: str, work: "Callable[[PostgresAudit], Coroutine[object, object, T]]") -> T:
    try:
        return does(reference, work)
    except OSError as problem:
        raise ConfigurationError(f"nothing was changed: {problem}") from None
