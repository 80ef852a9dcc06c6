"""`cliniko-mcp logins`: who has connected an assistant by the built-in login, and its first set-up."""

import secrets  # noqa: TID251 - a link is not to be guessed
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import click

from cliniko_mcp.cli.options import settings_options
from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.sanitize import clean

if TYPE_CHECKING:
    from cliniko_mcp.shared_state.logins import GrantRow, Logins, PersonRow

T = TypeVar("T")
STORE = ("login_file", "login_store", "audit_file", "sandbox")


def _now() -> float:
    return time.time()  # noqa: TID251 - logins expire in real time


def with_store(flags: dict[str, Any], work: "Callable[[Logins], Coroutine[object, object, T]]") -> T:
    """What the work gives for the store of these settings. Raises ConfigurationError for one that cannot be used."""
    from cliniko_mcp.app import audit_log
    from cliniko_mcp.directory.login_log import LoginLog
    from cliniko_mcp.guards.log import LocalLog
    from cliniko_mcp.identity.builtin import ISSUER
    from cliniko_mcp.protocol.builtin_login import open_store
    from cliniko_mcp.settings import Settings

    settings = Settings.load(flags)
    told = LoginLog(LocalLog(audit_log(settings)), _now, ISSUER, "terminal")

    async def run() -> T:
        async with open_store(settings, told) as store:
            return await work(store)

    return anyio.run(run)


@click.group(no_args_is_help=False)
def logins() -> None:
    """See and end what people have connected by the built-in login (`serve --login builtin`), and set it up.

    A running server sees a change at once.
    """


@logins.command()
@settings_options(only=(*STORE, "public_url"))
def setup(**flags: Any) -> None:
    """Print the link that binds the server to a clinic, by an administrator's key: good once, for half an hour."""
    from cliniko_mcp.identity.metadata import Resource
    from cliniko_mcp.pages.setup import setup_link
    from cliniko_mcp.pages.site import CLINIC_FACT
    from cliniko_mcp.settings import Settings

    url = Settings.load(flags).public_url
    if not url:
        raise ConfigurationError("--public-url is missing: the address that people give their assistants")
    origin = Resource.parse(url).origin

    async def work(store: "Logins") -> str:
        if await store.fact(CLINIC_FACT) is not None:
            raise ConfigurationError("this server is bound to a clinic already; `cliniko-mcp admit list` says to which")
        return await setup_link(store, origin, secrets.token_urlsafe(16), _now())

    click.echo(with_store(flags, work))


@logins.command(name="list")
@settings_options(only=STORE)
def list_logins(**flags: Any) -> None:
    """Say who has connected which assistant, what it may do, and when it was last used; the newest first."""

    async def work(store: "Logins") -> "tuple[list[GrantRow], dict[str, PersonRow]]":
        return list(await store.grants(_now())), {person.id: person for person in await store.people()}

    grants, people = with_store(flags, work)
    for grant in grants:
        person = people.get(grant.person)
        who = f"{clean(person.name)} ({person.role})" if person else "somebody who has left"
        when = f"ended {_day(grant.ended)}: {clean(grant.why)}" if grant.ended else f"last used {_day(grant.used)}"
        click.echo(f"{grant.id[:8]}  {grant.person}  {who}  {clean(grant.program)}  {grant.scopes.split()[-1]}  {when}")
    if not grants:
        click.echo("Nobody yet.", err=True)


def _day(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}Z"


@logins.command()
@click.option("--person", default="", metavar="ID", help="All of this person's, by the id that `list` shows.")
@click.option("--connection", default="", metavar="ID", help="One, by the first column of `list`.")
@click.option("--all", "everything", is_flag=True, help="All of everybody's.")
@settings_options(only=STORE)
def end(person: str, connection: str, everything: bool, **flags: Any) -> None:
    """End connections, at once: their next call is refused, and so is a refresh."""
    if [bool(person), bool(connection), everything].count(True) != 1:
        raise click.UsageError("say --person, --connection or --all")

    async def work(store: "Logins") -> int:
        why, now = "whoever looks after the server ended it", _now()
        if not connection:
            return await store.end(now, why, person=person)
        found = [grant.id for grant in await store.grants(now) if grant.id.startswith(connection)]
        if len(found) != 1 or len(connection) < 8:
            raise ConfigurationError(f"no one connection is {connection}; `cliniko-mcp logins list` shows them")
        return await store.end(now, why, grant=found[0])

    click.echo(f"{with_store(flags, work)} ended.")


@logins.command()
@click.argument("person")
@settings_options(only=STORE)
def forget(person: str, **flags: Any) -> None:
    """Forget the key of PERSON, by the id that `list` shows, and end all that they have connected."""

    async def work(store: "Logins") -> bool:
        row = await store.person(person)
        return row is not None and await store.drop_key(row.id, row.version, _now(), "the key was forgotten")

    if not with_store(flags, work):
        raise ConfigurationError(f"no key of {person} is kept; `cliniko-mcp logins list` shows who there is")
    click.echo("Forgotten. Have them delete the key in Cliniko as well.")
