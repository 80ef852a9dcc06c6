"""The audit logs that a command is about: files, of one server or of several, or chains in a server's database."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import click

from cliniko_mcp.errors import ConfigurationError, JsonValue

if TYPE_CHECKING:
    from cliniko_mcp.guards.kept_chains import Checked
    from cliniko_mcp.shared_state.audit_postgres import PostgresAudit
    from cliniko_mcp.shared_state.keys import KeyRing

T = TypeVar("T")

HOSTED: Final = click.option("--hosted", default=None, metavar="FILE", help="The file of a server for many.")
CLINIC: Final = click.option(
    "--clinic", default=None, metavar="ID", help="The log of this clinic of a server for many."
)
DATABASE: Final = click.option(
    "--database",
    default=None,
    metavar="env:NAME",
    help="Where another address of the database is, such as that of the owner of its tables: env:NAME or file:/path.",
)


@dataclass(frozen=True, slots=True)
class Database:
    """The chains that a server for many keeps in Postgres."""

    reference: str
    """Where its address is."""
    keys: KeyRing

    def does(self, work: Callable[[PostgresAudit], Coroutine[object, object, T]]) -> T:
        """What the work gives. Raises ConfigurationError where it cannot be, and OSError where Postgres is away."""
        return does(self.reference, work)

    def verify(self, clinic: str | None, anchors: Mapping[str, Mapping[int, str]]) -> Mapping[str, Checked]:
        """What is found of this clinic's chain, or of every clinic's, by the clinic. Raises as `does`."""
        from cliniko_mcp.guards.kept_chains import verify

        async def work(audit: PostgresAudit) -> Mapping[str, Checked]:
            known = {head.clinic for head in await audit.heads()}
            if clinic is not None and clinic not in known | anchors.keys():
                raise _unknown(clinic, known)
            found: dict[str, Checked] = {}
            for one in sorted(known | anchors.keys()) if clinic is None else [clinic]:
                async with audit.reading(one) as reading:
                    found[one] = await verify(reading, one, self.keys, anchors.get(one))
            return found

        return self.does(work)

    def export(
        self, clinic: str | None, since: datetime | None, keep: Callable[[Mapping[str, JsonValue]], None]
    ) -> None:
        """Give every entry of this clinic to `keep`, oldest first; without one, of the only one. Raises as `does`."""
        from cliniko_mcp.guards.chain_lines import line_of

        # What was queued while the database was away is older than when it was written there.
        written = since - timedelta(hours=1) if since is not None else None

        async def work(audit: PostgresAudit) -> None:
            known = {head.clinic for head in await audit.heads()}
            one = clinic if clinic is not None or len(known) != 1 else next(iter(known))
            if one is None or one not in known:
                raise _unknown(one, known)
            async with audit.reading(one, written) as reading:
                async for line in reading.lines():
                    if (read := line_of(line)) is not None and is_since(read.entry, since):
                        keep(read.entry)

        self.does(work)


def does(reference: str, work: Callable[[PostgresAudit], Coroutine[object, object, T]]) -> T:
    """What the work gives for the database whose address is at this reference. Raises as `Database.does`."""
    import anyio

    from cliniko_mcp.settings import secret_at
    from cliniko_mcp.shared_state.audit_postgres import open_audit

    async def run() -> T:
        async with open_audit(secret_at(reference).get_secret_value()) as audit:
            return await work(audit)

    return anyio.run(run)


def _unknown(clinic: str | None, known: set[str]) -> ConfigurationError:
    there = ", ".join(sorted(known)[:20]) or "none yet"
    if clinic is None:
        return ConfigurationError("which clinic's log?", f"Name it by --clinic; there are: {there}.")
    return ConfigurationError(f"there is no audit log of {clinic}.", f"There are: {there}.")


def database_of(hosted: str | None, database: str | None = None) -> Database | None:
    """The chains of the server that this file is about; None where its logs are files, or no file is named.

    Raises ConfigurationError for a file that cannot be used.
    """
    import secrets  # noqa: TID251 - a ring wants chance, though nothing is sealed here

    from cliniko_mcp.directory.keys import read_ring
    from cliniko_mcp.hosted_file import read_hosted
    from cliniko_mcp.settings import secret_at

    if hosted is None:
        return None
    file = read_hosted(Path(hosted))
    if file.audit is None:
        return None
    ring = read_ring(file.keys, lambda reference: secret_at(reference).get_secret_value(), secrets.token_bytes)
    return Database(database or file.audit.postgres, ring)


def clinics_of(hosted: str | None, clinic: str | None) -> Sequence[str]:
    """The clinics whose files are meant: the one that is named, else those of the server's file; none of its own."""
    from cliniko_mcp.directory.clinics import read_clinics
    from cliniko_mcp.hosted_file import read_hosted

    if clinic is not None or hosted is None:
        return [clinic] if clinic is not None else []
    file = read_hosted(Path(hosted))
    return [entry.id for entry in read_clinics(Path(file.clinics)).clinic] if file.clinics else []


def day_of(text: str) -> datetime:
    """The moment that a day or a moment of ISO 8601 begins, in UTC unless it says otherwise."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise click.UsageError(f"{text} is no date: write it like 2026-11-24, in UTC") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def is_since(entry: Mapping[str, JsonValue], since: datetime | None) -> bool:
    """Whether this entry is of that moment or later; one that does not tell its time is."""
    if since is None:
        return True
    try:
        return datetime.fromisoformat(str(entry.get("time"))) >= since
    except (ValueError, TypeError):
        return True
