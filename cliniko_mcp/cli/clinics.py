"""`cliniko-mcp clinics`: the clinics of a server for many, each with its key of Cliniko's, sealed."""

import secrets  # noqa: TID251 - a clinic's account is not to be guessed
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.sanitize import clean

if TYPE_CHECKING:
    from cliniko_mcp.shared_state.keys import KeyRing

HOSTED: Final = click.option(
    "--hosted", default="hosted.toml", show_default=True, metavar="FILE", help="The file of the server."
)
KEY_STDIN: Final = click.option("--key-stdin", is_flag=True, help="Read the API key from standard input, one line.")
UNCHECKED: Final = click.option("--unchecked", is_flag=True, help="Keep the key without trying it in Cliniko first.")
EMAIL: Final = click.option(
    "--contact-email", default=None, help="Whom Cliniko may write to about this program's requests."
)


@click.group(no_args_is_help=False)
def clinics() -> None:
    """Add, list, change or remove the clinics of a server for many (`serve --hosted FILE`).

    The file says under `clinics` where they are, and under `keys` what seals their keys. A running server sees a change
    within seconds.
    """


@clinics.command()
@click.argument("id")
@HOSTED
@click.option("--name", default="", help="The clinic's name, for those who look after the server.")
@click.option("--people", default="", metavar="A,B", help="Who may work in it, besides those whose token names it.")
@click.option("--base-url", default=None, help="Another address of the API, with /v1.")
@EMAIL
@KEY_STDIN
@UNCHECKED
def add(
    id: str,
    hosted: str,
    name: str,
    people: str,
    base_url: str | None,
    contact_email: str | None,
    key_stdin: bool,
    unchecked: bool,
) -> None:
    """Add a clinic, whose API key is asked for and kept sealed. ID ends its address: /mcp/ID."""
    from pydantic import ValidationError

    from cliniko_mcp.directory.clinics import ClinicEntry
    from cliniko_mcp.directory.clinics_changes import add_clinic

    path, ring = _place(hosted)
    who = tuple(one.strip() for one in people.split(",") if one.strip())
    try:
        entry = ClinicEntry(
            id=id,
            name=clean(name, 100),
            people=who,
            base_url=base_url,
            account=secrets.token_hex(16),
            key="",
        )
    except ValidationError as refused:
        wrong = refused.errors(include_url=False, include_input=False)[0]
        why = "small letters, digits and - only" if wrong["type"] == "string_pattern_mismatch" else wrong["msg"]
        raise ConfigurationError(f"{wrong['loc'][0]}: {why}") from None
    key = _key(key_stdin)
    whose = "" if unchecked else _tried(key, base_url, contact_email)
    add_clinic(path, entry, ring, key)
    click.echo(f"{id} is added{whose}. Its address ends in /mcp/{id}.")


@clinics.command(name="list")
@HOSTED
def list_clinics(hosted: str) -> None:
    """Say which clinics there are, who may work in them, and whether the ring opens their keys."""
    from cliniko_mcp.directory.clinics import opened_key, read_clinics

    path, ring = _place(hosted)
    found = read_clinics(path).clinic
    for entry in found:
        state = ""
        try:
            opened_key(ring, entry)
        except ConfigurationError:
            state = "the key ring does not open its key"
        columns = f"{entry.id:<24}", clean(entry.name), ", ".join(map(clean, entry.people)), state
        click.echo("  ".join(column for column in columns if column).rstrip())
    if not found:
        click.echo("None yet: `cliniko-mcp clinics add` adds one.", err=True)


@clinics.command()
@click.argument("id", required=False)
@HOSTED
@click.option("--ring", "only_ring", is_flag=True, help="Seal every clinic's key with the newest secret of the ring.")
@EMAIL
@KEY_STDIN
@UNCHECKED
def rotate(
    id: str | None, hosted: str, only_ring: bool, contact_email: str | None, key_stdin: bool, unchecked: bool
) -> None:
    """Give a clinic another API key, or with --ring seal all keys anew."""
    from cliniko_mcp.directory.clinics_changes import change_key, clinic_in_file, reseal

    path, ring = _place(hosted)
    if only_ring == (id is not None):
        raise click.UsageError("name a clinic, or give --ring")
    if id is None:
        many = reseal(path, ring)
        click.echo(f"{many} sealed with the first secret of `keys`; the others may go once every server has read this.")
        return
    entry = clinic_in_file(path, id)
    key = _key(key_stdin)
    whose = "" if unchecked else _tried(key, entry.base_url, contact_email)
    change_key(path, id, ring, key)
    click.echo(f"{id} has another key{whose}. Delete the former one in Cliniko.")


@clinics.command()
@click.argument("id")
@HOSTED
def remove(id: str, hosted: str) -> None:
    """Take a clinic and its key out: its people are refused within seconds. Its audit log stays."""
    from cliniko_mcp.directory.clinics_changes import remove_clinic

    path, _ = _place(hosted)
    remove_clinic(path, id)
    click.echo(f"{id} is removed. Delete its key in Cliniko; its audit log stays where it is.")


def _place(hosted: str) -> tuple[Path, "KeyRing"]:
    """Where the clinics are, and the ring that seals their keys. Raises ConfigurationError where the file lacks one."""
    from cliniko_mcp.directory.keys import read_ring
    from cliniko_mcp.hosted_file import read_hosted
    from cliniko_mcp.settings import secret_at

    file = read_hosted(Path(hosted))
    if not file.clinics:
        raise ConfigurationError(
            f"{hosted} names no file of clinics.", 'Add clinics = "clinics.toml" and keys = ["file:/path"] to it.'
        )
    secret = read_ring(file.keys, lambda reference: secret_at(reference).get_secret_value(), secrets.token_bytes)
    return Path(file.clinics), secret


def _key(key_stdin: bool) -> str:
    from cliniko_mcp.client.credentials import Credentials

    if key_stdin:
        text = sys.stdin.readline()
    elif sys.stdin.isatty():
        text = click.prompt("API key (not shown)", hide_input=True, err=True)
    else:
        raise ConfigurationError("there is no terminal to ask for the API key on.", "Pipe it in with --key-stdin.")
    return Credentials.parse(text).key


def _tried(key: str, base_url: str | None, contact_email: str | None) -> str:
    """Whose key it is, as the end of a sentence. Raises ConfigurationError for a key that Cliniko refuses."""
    import anyio

    from cliniko_mcp.directory.whose import Proof, WrongKey
    from cliniko_mcp.settings import Settings

    email = contact_email or Settings.load({}).contact_email or ""
    proof = Proof(email, base_url, None, lambda: datetime.now(UTC))  # noqa: TID251 - a command begins now
    try:
        whose = anyio.run(proof.whose, key)
    except WrongKey:
        raise ConfigurationError("Cliniko refuses this key.", "Copy it again, or keep it with --unchecked.") from None
    return f": the key of {whose.name} ({whose.role}), {whose.clinic}"
