"""`cliniko-mcp clinics`: the clinics of a server for many, each with its key of Cliniko's, sealed."""

import secrets  # noqa: TID251 - a clinic's account is not to be guessed
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from cliniko_mcp.cli.names import Choice
from cliniko_mcp.cli.options import settings_options
from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.sanitize import clean

if TYPE_CHECKING:
    from cliniko_mcp.directory.open_directory import OpenDirectory
    from cliniko_mcp.directory.person_keys import PersonKeys
    from cliniko_mcp.hosted_file import HostedFile
    from cliniko_mcp.shared_state.directory import KeyRow
    from cliniko_mcp.shared_state.keys import KeyRing

T = TypeVar("T")
USUAL: Final = "usual"
"""What stands for a value that the server's own flags give."""

HOSTED: Final = click.option(
    "--hosted", default="hosted.toml", show_default=True, metavar="FILE", help="The file of the server."
)
KEY_STDIN: Final = click.option("--key-stdin", is_flag=True, help="Read the API key from standard input, one line.")
UNCHECKED: Final = click.option("--unchecked", is_flag=True, help="Keep the key without trying it in Cliniko first.")
EMAIL: Final = click.option(
    "--contact-email", default=None, help="Whom Cliniko may write to about this program's requests."
)
WHOSE: Final = ("clinic", "person")
KEYS_HELP: Final = "Whose key people work with: the clinic's, or each their own, which they give at /connect."


@dataclass(frozen=True, slots=True)
class Opened:
    """The directory of a server, to be changed."""

    file: "HostedFile"
    ring: "KeyRing"
    directory: "OpenDirectory"
    keys: "PersonKeys"


def in_directory(hosted: str, work: Callable[[Opened], Awaitable[T]]) -> T:
    """What the work gives. Raises ConfigurationError where the file names no clinics, or they cannot be used."""
    import anyio

    from cliniko_mcp.directory.keys import read_ring
    from cliniko_mcp.directory.open_directory import open_directory
    from cliniko_mcp.directory.person_keys import PersonKeys
    from cliniko_mcp.hosted_file import read_hosted
    from cliniko_mcp.settings import secret_at

    file = read_hosted(Path(hosted))

    async def run() -> T:
        async with open_directory(file) as directory:
            ring = read_ring(file.keys, lambda one: secret_at(one).get_secret_value(), secrets.token_bytes)
            keys = PersonKeys(directory.directory, ring, time.time)  # noqa: TID251 - keys grow old in real time
            return await work(Opened(file, ring, directory, keys))

    return anyio.run(run)


@click.group(no_args_is_help=False)
def clinics() -> None:
    """Add, list, change or remove the clinics of a server for many (`serve --hosted FILE`).

    The file says under `clinics` where they are, a file or Postgres, and under `keys` what seals their keys. Every
    running server sees a change within seconds.
    """


@clinics.command()
@click.argument("id")
@HOSTED
@click.option("--name", default="", help="The clinic's name, for those who look after the server.")
@click.option("--people", default="", metavar="A,B", help="Who may work in it, besides those whose token names it.")
@click.option("--keys", type=Choice(WHOSE), default="clinic", show_default=True, help=KEYS_HELP)
@click.option("--base-url", default=None, help="Another address of the API, with /v1.")
@EMAIL
@KEY_STDIN
@UNCHECKED
def add(
    id: str,
    hosted: str,
    name: str,
    people: str,
    keys: str,
    base_url: str | None,
    contact_email: str | None,
    key_stdin: bool,
    unchecked: bool,
) -> None:
    """Add a clinic, whose API key is asked for and kept sealed. ID ends its address: /mcp/ID."""
    from pydantic import ValidationError

    from cliniko_mcp.directory.clinics import ClinicEntry
    from cliniko_mcp.directory.clinics_changes import add_clinic

    told = {"id": id, "name": clean(name, 100), "people": _listed(people), "keys": keys, "base_url": base_url}
    try:
        entry = ClinicEntry.model_validate({**told, "account": secrets.token_hex(16), "key": ""})
    except ValidationError as refused:
        wrong = refused.errors(include_url=False, include_input=False)[0]
        why = "small letters, digits and - only" if wrong["type"] == "string_pattern_mismatch" else wrong["msg"]
        raise ConfigurationError(f"{wrong['loc'][0]}: {why}") from None
    in_directory(hosted, _nothing)  # a file that cannot be used is said before anything is asked
    key = _key(key_stdin)
    whose = "" if unchecked else _tried(key, base_url, contact_email)
    in_directory(hosted, lambda opened: add_clinic(opened.directory.store, entry, opened.ring, key))
    click.echo(f"{id} is added{whose}. Its address ends in /mcp/{id}.")
    if keys == "person":
        click.echo(f"Its people give their own keys at /connect/{id}.")


@clinics.command(name="list")
@HOSTED
def list_clinics(hosted: str) -> None:
    """Say which clinics there are, who may work in them, and whether the ring opens their keys."""
    from cliniko_mcp.directory.clinics import ClinicEntry, opened_key

    async def work(opened: Opened) -> list[tuple[ClinicEntry, str]]:
        found: list[tuple[ClinicEntry, str]] = []
        for entry in await opened.directory.store.all():
            try:
                opened_key(opened.ring, entry)
                state = ""
            except ConfigurationError:
                state = "the key ring does not open its key"
            if entry.keys == "person":
                own = _own_keys(await opened.directory.directory.keys(clinic=entry.id))
                state = "; ".join(part for part in (own, state) if part)
            found.append((entry, state))
        return found

    found = in_directory(hosted, work)
    for entry, state in found:
        columns = f"{entry.id:<24}", clean(entry.name), ", ".join(map(clean, entry.people)), state
        click.echo("  ".join(column for column in columns if column).rstrip())
    if not found:
        click.echo("None yet: `cliniko-mcp clinics add` adds one.", err=True)


def _own_keys(rows: "Sequence[KeyRow]") -> str:
    refused = sum(not row.sealed for row in rows)
    return f"own keys: {len(rows) - refused}" + (f", {refused} refused by Cliniko" if refused else "")


@clinics.command()
@click.argument("id")
@HOSTED
@click.option("--name", default=None, help="The clinic's name, for those who look after the server.")
@click.option("--people", default=None, metavar="A,B", help="Who may work in it, besides those whose token names it.")
@click.option("--keys", type=Choice(WHOSE), default=None, help=KEYS_HELP)
@click.option("--view", type=Choice(("core", "all", USUAL)), default=None, help="Which tools are listed.")
@click.option("--read-only", type=Choice(("yes", "no", USUAL)), default=None, help="Whether changes are refused.")
@click.option("--confirm", type=Choice(("auto", "strict", "block", USUAL)), default=None, help="How people are asked.")
@click.option("--approve-by", type=Choice(("self", "second")), default=None, help="Who may say yes.")
@click.option("--exclude-tools", default=None, metavar="A,B", help="Tools that are never offered or run.")
@click.option("--allow-destroy", default=None, metavar="A,B", help="Operations that nobody is asked about.")
def change(id: str, hosted: str, **named: str | None) -> None:
    """Change what stands of a clinic besides its key; `usual` is as the server's own flags have it."""
    from cliniko_mcp.directory.clinics_changes import change_clinic

    values: dict[str, object] = {}
    for name, text in named.items():
        if text is None:
            continue
        value: object = text
        if name in ("people", "exclude_tools", "allow_destroy"):
            value = _listed(text)
        elif name == "read_only":
            value = text == "yes"
        values[name] = None if text == USUAL else clean(text, 100) if name == "name" else value
    if not values:
        raise click.UsageError("say what is to be changed")
    in_directory(hosted, lambda opened: change_clinic(opened.directory.store, id, values))
    click.echo(f"{id} is changed.")


@clinics.command()
@click.argument("id", required=False)
@HOSTED
@click.option("--ring", "only_ring", is_flag=True, help="Seal every key with the newest secret of the ring.")
@EMAIL
@KEY_STDIN
@UNCHECKED
def rotate(
    id: str | None, hosted: str, only_ring: bool, contact_email: str | None, key_stdin: bool, unchecked: bool
) -> None:
    """Give a clinic another API key, or with --ring seal all keys anew, people's own too."""
    from cliniko_mcp.directory.clinics_changes import change_key, clinic_in

    if only_ring == (id is not None):
        raise click.UsageError("name a clinic, or give --ring")
    if id is None:
        many = in_directory(hosted, _reseal)
        click.echo(f"{many} sealed with the first secret of `keys`; the others may go once every server has read this.")
        return
    entry = in_directory(hosted, lambda opened: clinic_in(opened.directory.store, id))
    key = _key(key_stdin)
    whose = "" if unchecked else _tried(key, entry.base_url, contact_email)
    in_directory(hosted, lambda opened: change_key(opened.directory.store, id, opened.ring, key))
    click.echo(f"{id} has another key{whose}. Delete the former one in Cliniko.")


async def _reseal(opened: Opened) -> int:
    from cliniko_mcp.directory.clinics_changes import reseal

    many = await reseal(opened.directory.store, opened.ring)
    if not await opened.directory.has_keys():
        return many
    return many + await opened.keys.reseal({entry.id: entry for entry in await opened.directory.store.all()})


@clinics.command()
@click.argument("id")
@HOSTED
@settings_options(only=("audit_file",))
def remove(id: str, hosted: str, **flags: Any) -> None:
    """Erase a clinic, its key, the keys of its people and its open questions; its audit log stays, and is named.

    Its people are refused within seconds.
    """
    from cliniko_mcp.app import audit_log
    from cliniko_mcp.directory.clinics_changes import clinic_in, remove_clinic
    from cliniko_mcp.guards.clinic_logs import file_of
    from cliniko_mcp.hosted_file import address_of_redis
    from cliniko_mcp.settings import Settings

    async def work(opened: Opened) -> None:
        entry = await clinic_in(opened.directory.store, id)
        await remove_clinic(opened.directory.store, id)
        if not opened.directory.in_table and await opened.directory.has_keys():
            await opened.keys.erase(clinic=id)
        if opened.file.redis is not None:
            from cliniko_mcp.shared_state.connection import open_state
            from cliniko_mcp.shared_state.erase import erase_account

            async with open_state(address_of_redis(opened.file.redis.url)) as state:
                await erase_account(state, entry.account)

    in_directory(hosted, work)
    log = file_of(audit_log(Settings.load(flags)).path, id)
    where = f"its audit log stays in {log}" if log.exists() else "its audit log stays where the server keeps it"
    click.echo(f"{id} is removed, with the keys that were kept for it. Delete its key in Cliniko; {where}.")


@clinics.command()
@click.argument("person")
@HOSTED
@click.option("--clinic", default="", metavar="ID", help="Forget the key for this clinic alone, and nothing else.")
def forget(person: str, hosted: str, clinic: str) -> None:
    """Erase what is kept of a person: their own keys, and their name among the people of each clinic.

    PERSON is an id of the file of people, or issuer|subject. Take their token away too: `people revoke`, or at the
    issuer.
    """
    from cliniko_mcp.directory.clinics import ClinicEntry
    from cliniko_mcp.identity.people_file import ISSUER

    principal = person if "|" in person else f"{ISSUER}|{person}"
    names = {principal, principal.removeprefix(f"{ISSUER}|")}

    def without(entry: ClinicEntry) -> ClinicEntry:
        return entry.model_copy(update={"people": tuple(one for one in entry.people if one not in names)})

    async def work(opened: Opened) -> tuple[int, list[str]]:
        keys = await opened.keys.erase(clinic, principal) if await opened.directory.has_keys() else 0
        if clinic:
            return keys, []
        listed = [entry.id for entry in await opened.directory.store.all() if names & set(entry.people)]
        for id in listed:
            await opened.directory.store.change(without, id)
        return keys, listed

    keys, listed = in_directory(hosted, work)
    click.echo(
        f"{keys} key{'s' * (keys != 1)} erased" + (f"; taken out of {', '.join(listed)}" if listed else "") + "."
    )
    if keys:
        click.echo("Have them delete the key in Cliniko too: that alone takes it back for good.", err=True)


async def _nothing(opened: Opened) -> None:
    await opened.directory.store.all() if opened.directory.exists else None


def _listed(text: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in text.split(",") if one.strip())


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
