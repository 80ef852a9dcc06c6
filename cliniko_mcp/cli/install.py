"""`cliniko-mcp install`: adds this server to an assistant's configuration, or removes it."""

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from cliniko_mcp.cli.login import EMAIL, KEEP, KEY_STDIN, UNCHECKED, account_given, keep_account, kept_here, show_trial
from cliniko_mcp.cli.names import Choice
from cliniko_mcp.cli.options import settings_options
from cliniko_mcp.cli.output import json_for, tell
from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.hosts.previous_entry import (
    KEPT_SETTINGS,
    PASSED_SETTINGS,
    arguments_of,
    as_flag,
    differences,
    previous_entry,
)
from cliniko_mcp.hosts.table import ENTRY, HOSTS, Computer, Host, found_hosts, this_computer
from cliniko_mcp.redaction import SECRETS
from cliniko_mcp.settings import Settings, flag, variable
from cliniko_mcp.stored_keys import KeyPlace

if TYPE_CHECKING:
    from cliniko_mcp.errors import JsonValue
    from cliniko_mcp.hosts.previous_entry import PreviousEntry

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

PATH_SETTINGS = ("upload_folder", "audit_file")
_DROPPING: Final = "drop_"
"""Before the name of a setting: the parameter of its flag --no-..."""


EXAMPLES: Final = """\b
With the demo clinic, which needs no key:
  cliniko-mcp install --client claude-desktop --sandbox
With your own clinic; the key is asked for:
  cliniko-mcp install --client claude-desktop
A server that runs elsewhere, at its address:
  cliniko-mcp install --client codex-cli --url https://mcp.your-clinic.example/mcp
From a script:
  printf '%s\\n' "$KEY" | cliniko-mcp install --client cursor --key-stdin --email desk@your-clinic.example

What each assistant can do, as far as it is known (docs/administrators.md says where it was read):

\b
""" + "".join(f"  {host.name}: {host.abilities.in_words()}\n" for host in HOSTS.values() if host.name != "other")


def _dropping_options(command: CommandT) -> CommandT:
    """Adds a flag --no-... for each setting that is kept from an entry that is there."""
    for name in reversed(KEPT_SETTINGS):
        option = _no(name)
        text = f"Do not keep {flag(name)} from the entry as it was."
        command = click.option(option, f"{_DROPPING}{name}", is_flag=True, help=text)(command)
    return command


def _no(name: str) -> str:
    return f"--no-{flag(name)[2:]}"


@click.command(epilog=EXAMPLES)
@click.option("--client", "client", type=Choice(list(HOSTS)), default=None, help="The assistant to set up.")
@click.option("--print", "printing", is_flag=True, help="Only show what would be written; asks nothing, needs no key.")
@click.option("--uninstall", is_flag=True, help="Take the entry out of the assistant's configuration again.")
@click.option(
    "--purge", is_flag=True, help="With --uninstall: also delete the copies of the configuration, all but the newest."
)
@click.option("--name", default=ENTRY, show_default=True, help="What the assistant calls this server.")
@click.option("--config", "file", default=None, type=click.Path(path_type=Path), help="Another configuration file.")
@click.option(
    "--command", "command", default=None, help="Another program that starts this server; its path or name alone."
)
@click.option("--url", default=None, help="Connect to a server at this address, instead of starting one here.")
@EMAIL
@KEY_STDIN
@KEEP
@UNCHECKED
@click.option("--no-key", is_flag=True, help="Leave the key for later: `cliniko-mcp login` keeps it.")
@click.option("--key-in-config", is_flag=True, help="Write the key into the assistant's configuration, in plain text.")
@settings_options(only=PASSED_SETTINGS)
@_dropping_options
def install(
    client: str | None,
    printing: bool,
    uninstall: bool,
    purge: bool,
    name: str,
    file: Path | None,
    command: str | None,
    url: str | None,
    email: str | None,
    key_stdin: bool,
    place: KeyPlace | None,
    unchecked: bool,
    no_key: bool,
    key_in_config: bool,
    **flags: object,
) -> None:
    """Set this server up in an assistant; without --client those on this computer are named.

    The key is asked for once and kept in this computer's keychain, or in a file that only you can read; it is written
    into the assistant's configuration only with --key-in-config. A copy of the old configuration stays beside it. An
    entry that is there keeps its limits (--read-only, --exclude-tools and their like) unless a --no-... says otherwise,
    and what else it loses is shown.
    """
    from cliniko_mcp.hosts.configuration import install_into, installed_entry

    computer = this_computer()
    if client is None:
        raise click.UsageError(f"which assistant? {_suggestion(computer)}")
    host = HOSTS[client]
    path = file.expanduser() if file else host.file(computer)
    if purge and not uninstall:
        raise click.UsageError("--purge goes with --uninstall")
    if uninstall:
        if host.name == "other" and file is None:
            raise click.UsageError("--config has to name that host's configuration file")
        _uninstall(host, path, name, printing=printing, purge=purge)
        return
    unnamed = host.name == "other" and file is None
    if url is not None:
        own = [command, email, place, *flags.values()]
        if any(own) or key_stdin or unchecked or no_key or key_in_config:
            raise click.UsageError("--url takes no key and no settings: they belong to the server at that address")
        _connect(host, path, name, url, shown_only=printing or unnamed)
        return
    shown_only = printing or unnamed
    dropped = _dropped(flags)
    settings = Settings.load(flags)
    started = _command(command)
    # An unreadable file is refused before the person types a key.
    before = None if unnamed else previous_entry(installed_entry(host, path, name))
    kept = {key: value for key, value in (before.kept() if before else {}).items() if key not in dropped}
    chosen = _chosen(host, settings, kept, dropped)
    key_environment: dict[str, str] = {}
    if not (settings.sandbox or no_key or printing):
        key_environment = _key_environment(
            email, key_stdin=key_stdin, place=place, unchecked=unchecked, key_in_config=key_in_config
        )
    environment = {**before.other_environment, **key_environment} if before else key_environment
    entry = host.entry(started, _flags(chosen), environment, name)
    asked_for = {**host.flags(), **settings.model_dump(exclude_unset=True)}
    told = list(_told(before, chosen, asked_for, bool(key_environment))) if before else []
    if shown_only:
        _print_entry(host, path, name, entry, told)
        return
    changed = install_into(host, path, name, entry, now=datetime.now())  # noqa: TID251 - a command begins now
    if key_in_config and key_environment:
        _make_private(changed.path)
    tell(f"{host.title}: {'written to' if changed.written else 'already as it should be in'} {changed.path}")
    for line in told:
        tell(line)
    _print_backup(changed.backup)
    tell(host.after)


def _connect(host: Host, path: Path, name: str, url: str, *, shown_only: bool) -> None:
    """Have an assistant connect to the server at this address; the entry holds the address and nothing else."""
    from urllib.parse import urlsplit

    from cliniko_mcp.hosts.configuration import install_into, installed_entry

    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.username or parts.password:
        raise click.UsageError("--url takes an address such as https://mcp.your-clinic.example/mcp")
    if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise click.UsageError("--url has to be https, so that nobody can read on the way; http only on this computer")
    entry = host.remote_entry(url, name)
    if entry is None:
        raise click.UsageError(f"for {host.title}: {host.instead}")
    before = None if shown_only else installed_entry(host, path, name)
    told = ["Where the server asks for a login, the assistant opens it; a token is set in the assistant itself."]
    if isinstance(before, dict) and "command" in before:
        told.append("It started a server on this computer before, whose limits no longer hold.")
    if shown_only:
        _print_entry(host, path, name, entry, told)
        return
    changed = install_into(host, path, name, entry, now=datetime.now())  # noqa: TID251 - a command begins now
    tell(f"{host.title}: {'written to' if changed.written else 'already as it should be in'} {changed.path}")
    for line in told:
        tell(line)
    _print_backup(changed.backup)
    tell(host.after)


def _print_entry(host: Host, path: Path, name: str, entry: "dict[str, JsonValue]", told: Sequence[str]) -> None:
    """Print an entry as it stands in the host's file, and beside it where it belongs and the link that adds it."""
    if host.syntax in ("json", "jsonc"):
        click.echo(json_for({host.section: {name: entry}}, sys.stdout, indent=2))
    else:
        from cliniko_mcp.hosts.syntaxes import editor_of

        click.echo(SECRETS.text(editor_of(host).with_entry("", host.section, name, entry)), nl=False)
    for line in told:
        tell(line, err=True)
    tell(f"This belongs in {path}." if host.name != "other" else host.after, err=True)
    if link := host.address(name, entry):
        tell(f"Or open this link, which asks before it adds the server: {SECRETS.text(link)}", err=True)


def _uninstall(host: Host, path: Path, name: str, *, printing: bool, purge: bool) -> None:
    from cliniko_mcp.hosts.configuration import backups, delete_backups, installed_entry, remove_from

    if printing:
        there = installed_entry(host, path, name) is not None
        tell(f"{name} would be taken out of {path}." if there else f"{name} is not in {path}.")
    else:
        changed = remove_from(host, path, name, now=datetime.now())  # noqa: TID251 - a command begins now
        tell(f"Taken out of {changed.path}." if changed.written else f"{name} is not in {changed.path}.")
    copies = backups(path)
    if not copies:
        return
    *older, newest = copies
    if purge and older:
        if not printing:
            delete_backups([backup.path for backup in older])
        tell(f"{'Would be deleted' if printing else 'Deleted'}, older copies of the configuration: {len(older)}.")
        older = []
    tell("Copies of the configuration, which install left beside it:")
    for backup in (*older, newest):
        click.echo(f"  {backup.path}{' (holds an API key)' if backup.holds_key else ''}")
    if older:
        tell("To delete all but the newest, run the same command again with --purge.")
    if newest.holds_key:
        tell("The newest holds an API key: delete it yourself once the assistant works as you want it.")


def _suggestion(computer: Computer) -> str:
    found = [f"--client {host.name}" for host in found_hosts(computer)]
    return f"On this computer: {', '.join(found)}." if found else f"--client takes one of {', '.join(HOSTS)}."


def _command(program: str | None) -> list[str]:
    """The command that starts this server, with an absolute path. Raises ConfigurationError for an unknown program."""
    from cliniko_mcp.hosts.launch import launch_command

    if program is None:
        return launch_command(sys.argv[0])
    path = Path(program).expanduser()
    if path.is_absolute():
        return [str(path)]
    found = shutil.which(program)
    if found is None:
        raise ConfigurationError(
            f"--command: there is no program {program} here.", "Give the path of one, without flags."
        )
    return [str(Path(found).absolute())]


def _dropped(flags: dict[str, object]) -> frozenset[str]:
    """The settings that are not to be kept; takes their flags out of `flags`. Raises UsageError for a contradiction."""
    dropped = frozenset(name for name in KEPT_SETTINGS if flags.pop(f"{_DROPPING}{name}"))
    for name in KEPT_SETTINGS:
        if name in dropped and flags.get(name) is not None:
            raise click.UsageError(f"{flag(name)} and {_no(name)} exclude each other")
    return dropped


def _chosen(host: Host, settings: Settings, kept: Mapping[str, object], dropped: frozenset[str]) -> dict[str, Any]:
    """The settings of the entry: what the host needs, what is kept, what the person set; checked as the server does."""
    from cliniko_mcp.tools.views import view_of

    # Variables count like flags here, because the server that a host starts does not see this environment.
    explicit = settings.model_dump(include={*PASSED_SETTINGS}, exclude_unset=True)
    chosen: dict[str, Any] = {
        **host.flags(),
        **kept,
        **{name: value for name, value in explicit.items() if name not in dropped},
    }
    for name in PATH_SETTINGS:
        if name in chosen:
            # The host starts the server in another working folder.
            chosen[name] = str(Path(chosen[name]).expanduser().absolute())
    view_of(Settings.model_validate(chosen))
    return {name: chosen[name] for name in Settings.model_fields if name in chosen}


def _flags(chosen: Mapping[str, Any]) -> list[str]:
    return [argument for name, value in chosen.items() for argument in arguments_of(name, value)]


def _told(
    before: "PreviousEntry", chosen: Mapping[str, Any], asked_for: Mapping[str, object], has_key: bool
) -> Iterator[str]:
    """Yield what a person has to know about the entry against what it was, a sentence a line."""
    still = {name: value for name, value in before.kept().items() if chosen.get(name) == value != asked_for.get(name)}
    if still:
        shown = ", ".join(as_flag(name, value) for name, value in still.items())
        yield f"Kept as it was: {shown} (to leave it out: {', '.join(map(_no, still))})."
    yield from differences(before, Settings.model_validate(chosen))
    if before.held_key and not has_key:
        yield "The API key is no longer in this file."


def _key_environment(
    email: str | None, *, key_stdin: bool, place: KeyPlace | None, unchecked: bool, key_in_config: bool
) -> dict[str, str]:
    """The environment of the entry: empty where the key is stored on this computer."""
    if not key_in_config:
        kept = keep_account(email, key_stdin=key_stdin, place=place, unchecked=unchecked, replace=False)
        where = "this computer's keychain" if kept.place == "keychain" else "a file that only you can read"
        tell(f"The API key is kept in {where}.")
        return {}
    key, contact = account_given(email, key_stdin=key_stdin, found=kept_here())
    show_trial(key, contact, unchecked=unchecked)
    return {variable("api_key"): key, variable("contact_email"): contact}


def _make_private(path: Path) -> None:
    """Make a configuration file that holds the key readable by its owner only. Raises ConfigurationError."""
    try:
        path.chmod(0o600)
    except OSError as problem:
        raise ConfigurationError(f"{path} holds the key and cannot be closed to others: {problem.strerror}") from None


def _print_backup(backup: Path | None) -> None:
    if backup:
        tell(f"The configuration as it was is in {backup}.")
