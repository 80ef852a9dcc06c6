"""`cliniko-mcp people`: who may use a server over HTTP, each by a token of their own."""

import secrets  # noqa: TID251 - a token is not to be guessed
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import click

from cliniko_mcp.cli.names import Choice
from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.sanitize import clean

FILE: Final = click.option(
    "--people", "file", default="people.toml", show_default=True, metavar="FILE", help="The file of people."
)
CODE_HOURS: Final = 24
TIERS: Final = ("read", "write", "destroy")
"""What a person may do, the least first; each holds those before it."""


@click.group(no_args_is_help=False)
def people() -> None:
    """Add, list or revoke the people who may use a server over HTTP (`serve --transport http --people FILE`).

    A running server sees a change within seconds. Assistants that can only log in, such as claude.ai and ChatGPT,
    cannot send such a token.
    """


@people.command()
@click.argument("id")
@FILE
@click.option("--name", default="", help="The person's name, as the audit log shows it.")
@click.option("--may", type=Choice(TIERS), default="read", show_default=True, help="The most that they may do.")
@click.option("--approver", is_flag=True, help="May approve what others ask for, where a clinic wants a second person.")
@click.option("--clinic", default=None, help="The one clinic that the token is for.")
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="Until it expires.")
@click.option("--replace", is_flag=True, help="Give somebody who is there a new token; the old one ends.")
def add(id: str, file: str, name: str, may: str, approver: bool, clinic: str | None, days: int, replace: bool) -> None:
    """Add a person and print their token, which is shown this once and kept nowhere.

    ID is a short name that stays the same, such as ana or ana@clinic.example. Who may destroy is still asked before
    anything is archived, deleted or cancelled.
    """
    from pydantic import ValidationError

    from cliniko_mcp.identity.people_changes import add_person
    from cliniko_mcp.identity.people_file import TOKEN_PREFIX, PersonEntry, digest_of
    from cliniko_mcp.identity.scopes import SCOPES

    token, code = TOKEN_PREFIX + secrets.token_urlsafe(32), _code()
    expires = datetime.now(UTC) + timedelta(days=days)  # noqa: TID251 - a token expires in real time
    try:
        entry = PersonEntry(
            id=id,
            name=clean(name, 100),
            token=digest_of(token),
            scopes=SCOPES[: TIERS.index(may) + 1],
            approver=approver,
            clinic=clinic,
            expires=expires,
            code=digest_of(code),
            code_expires=_code_expires(),
        )
    except ValidationError as refused:
        wrong = refused.errors(include_url=False, include_input=False)[0]
        why = "small letters, digits and . _ @ + - only" if wrong["type"] == "string_pattern_mismatch" else wrong["msg"]
        raise ConfigurationError(f"{wrong['loc'][0]}: {why}") from None
    add_person(Path(file), entry, replace=replace)
    click.echo(f"{entry.name or entry.id} may {may} until {expires:%d %b %Y}. Their token, shown only now:", err=True)
    click.echo(token)
    click.echo("Give it to them by a way that nobody else reads; their assistant sends it as a bearer token.", err=True)
    _tell(code)


@people.command()
@click.argument("id")
@FILE
def code(id: str, file: str) -> None:
    """Print a new code that opens the approvals page for a person, once; browsers that know them go on."""
    from cliniko_mcp.identity.people_changes import put_code

    made = _code()
    put_code(Path(file), id, made, _code_expires())
    _tell(made)


def _code() -> str:
    return secrets.token_urlsafe(12)


def _code_expires() -> datetime:
    return datetime.now(UTC) + timedelta(hours=CODE_HOURS)  # noqa: TID251 - a code expires in real time


def _tell(code: str) -> None:
    click.echo(f"Their code for the approvals page, good once within {CODE_HOURS} hours: {code}", err=True)


@people.command(name="list")
@FILE
def list_people(file: str) -> None:
    """Say who may use the server, what they may do, and until when."""
    from cliniko_mcp.identity.people_file import read_people

    now = datetime.now(UTC)  # noqa: TID251 - a token expires in real time
    found = read_people(Path(file)).person
    for person in found:
        until = "" if person.expires is None else f"until {person.expires:%Y-%m-%d}"
        if person.expires is not None and person.expires <= now:
            until = f"expired {person.expires:%Y-%m-%d}"
        may = TIERS[max(_rank(scope) for scope in person.scopes)] if person.scopes else "nothing"
        may += ", approves" * person.approver
        columns = (f"{person.id:<24}", f"{may:<8}", clean(person.name), person.clinic or "", until)
        click.echo("  ".join(column for column in columns if column).rstrip())
    if not found:
        click.echo("Nobody yet: `cliniko-mcp people add` adds somebody.", err=True)


def _rank(scope: str) -> int:
    from cliniko_mcp.identity.scopes import SCOPES

    return SCOPES.index(scope)


@people.command()
@click.argument("id")
@FILE
def revoke(id: str, file: str) -> None:
    """Take a person out of the file: their token ends within seconds, on every server that reads it."""
    from cliniko_mcp.identity.people_changes import remove_person

    remove_person(Path(file), id)
    click.echo(f"{id} is revoked.")
