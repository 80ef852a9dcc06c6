"""`cliniko-mcp install`: adds this server to an assistant's configuration, or removes it."""

import shutil
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from cliniko_mcp.cli.login import EMAIL, KEEP, KEY_STDIN, account_given, keep_account, kept_here
from cliniko_mcp.cli.options import settings_options
from cliniko_mcp.cli.output import json_for
from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.hosts.table import ENTRY, HOSTS, Computer, Host, found_hosts, this_computer
from cliniko_mcp.settings import Settings, flag, variable
from cliniko_mcp.stored_keys import KeyPlace

PASSED_SETTINGS = (
    "view",
    "resources",
    "tools",
    "exclude_tools",
    "read_only",
    "confirm",
    "approval_wait",
    "output",
    "sandbox",
    "upload_folder",
    "audit_file",
    "audit_copy",
)
"""The settings that `install` takes and passes to the server through the host's configuration."""
PATH_SETTINGS = ("upload_folder", "audit_file")


EXAMPLES = """\b
With the demo clinic, which needs no key:
  cliniko-mcp install --client claude-desktop --sandbox
With your own clinic; the key is asked for:
  cliniko-mcp install --client claude-desktop
From a script:
  printf '%s\\n' "$KEY" | cliniko-mcp install --client cursor --key-stdin --email desk@your-clinic.example
"""


@click.command(epilog=EXAMPLES)
@click.option("--client", "client", type=click.Choice(list(HOSTS)), default=None, help="The assistant to set up.")
@click.option("--print", "printing", is_flag=True, help="Only show what would be written; asks nothing, needs no key.")
@click.option("--uninstall", is_flag=True, help="Take the entry out of the assistant's configuration again.")
@click.option("--name", default=ENTRY, show_default=True, help="What the assistant calls this server.")
@click.option("--config", "file", default=None, type=click.Path(path_type=Path), help="Another configuration file.")
@click.option(
    "--command", "command", default=None, help="Another program that starts this server; its path or name alone."
)
@EMAIL
@KEY_STDIN
@KEEP
@click.option("--no-key", is_flag=True, help="Leave the key for later: `cliniko-mcp login` keeps it.")
@click.option("--key-in-config", is_flag=True, help="Write the key into the assistant's configuration, in plain text.")
@settings_options(only=PASSED_SETTINGS)
def install(
    client: str | None,
    printing: bool,
    uninstall: bool,
    name: str,
    file: Path | None,
    command: str | None,
    email: str | None,
    key_stdin: bool,
    place: KeyPlace | None,
    no_key: bool,
    key_in_config: bool,
    **flags: object,
) -> None:
    """Set this server up in an assistant: Claude Desktop, Claude Code, Cursor, VS Code, Copilot CLI.

    The key is asked for once and kept in this computer's keychain, or in a file that only you can read; it is written
    into the assistant's configuration only with --key-in-config. A copy of the old configuration stays beside it.
    """
    from cliniko_mcp.hosts.configuration import install_into, installed_entry, remove_from

    computer = this_computer()
    if client is None:
        raise click.UsageError(f"which assistant? {_suggestion(computer)}")
    host = HOSTS[client]
    path = file.expanduser() if file else host.file(computer)
    if uninstall:
        if host.name == "other" and file is None:
            raise click.UsageError("--config has to name that host's configuration file")
        if printing:
            there = installed_entry(host, path, name) is not None
            click.echo(f"{name} would be taken out of {path}." if there else f"{name} is not in {path}.")
            return
        changed = remove_from(host, path, name, now=datetime.now())  # noqa: TID251 - a command begins now
        click.echo(f"Taken out of {changed.path}." if changed.written else f"{name} is not in {changed.path}.")
        _print_backup(changed.backup)
        return
    shown_only = printing or (host.name == "other" and file is None)
    settings = Settings.load(flags)
    started, written = _command(command), _flags(host, settings)
    key_environment: dict[str, str] = {}
    if not shown_only:
        installed_entry(host, path, name)  # an unreadable file is refused before the person types a key
    if not (settings.sandbox or no_key or printing):
        key_environment = _key_environment(email, key_stdin=key_stdin, place=place, key_in_config=key_in_config)
    entry = host.entry(started, written, key_environment)
    if shown_only:
        click.echo(json_for({host.section: {name: entry}}, sys.stdout, indent=2))
        click.echo(f"This belongs into {path}." if host.name != "other" else host.after, err=True)
        return
    changed = install_into(host, path, name, entry, now=datetime.now())  # noqa: TID251 - a command begins now
    if key_in_config and key_environment:
        _make_private(changed.path)
    click.echo(f"{host.title}: {'written to' if changed.written else 'already as it should be in'} {changed.path}")
    _print_backup(changed.backup)
    click.echo(host.after)


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


def _flags(host: Host, settings: Settings) -> list[str]:
    """The flags of the entry: those that the host needs, then those that the person set; checked as the server does."""
    from cliniko_mcp.tools.views import view_of

    view_of(settings)
    # Variables count like flags here, because the server that a host starts does not see this environment.
    chosen: dict[str, Any] = host.flags() | settings.model_dump(include={*PASSED_SETTINGS}, exclude_unset=True)
    written: list[str] = []
    for name, value in chosen.items():
        match value:
            case bool():
                written += [flag(name)] if value else []
            case [*names]:
                written += [flag(name), ",".join(map(str, names))]
            case float():
                written += [flag(name), f"{value:g}"]
            case _ if name in PATH_SETTINGS:
                # The host starts the server in another working folder.
                written += [flag(name), str(Path(value).expanduser().absolute())]
            case _:
                written += [flag(name), str(value)]
    return written


def _key_environment(
    email: str | None, *, key_stdin: bool, place: KeyPlace | None, key_in_config: bool
) -> dict[str, str]:
    """The environment of the entry: empty where the key is stored on this computer."""
    if not key_in_config:
        kept = keep_account(email, key_stdin=key_stdin, place=place, replace=False)
        where = "this computer's keychain" if kept.place == "keychain" else "a file that only you can read"
        click.echo(f"The API key is kept in {where}.")
        return {}
    key, contact = account_given(email, key_stdin=key_stdin, found=kept_here())
    return {variable("api_key"): key, variable("contact_email"): contact}


def _make_private(path: Path) -> None:
    """Make a configuration file that holds the key readable by its owner only. Raises ConfigurationError."""
    try:
        path.chmod(0o600)
    except OSError as problem:
        raise ConfigurationError(f"{path} holds the key and cannot be closed to others: {problem.strerror}") from None


def _print_backup(backup: Path | None) -> None:
    if backup:
        click.echo(f"The configuration as it was is in {backup}.")
