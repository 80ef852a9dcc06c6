"""`cliniko-mcp login`: stores the API key and the contact email on this computer, out of every configuration file."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import click

from cliniko_mcp.cli.names import Choice
from cliniko_mcp.cli.output import tell
from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.stored_keys import Kept, KeyPlace

KEY_STDIN: Final = click.option("--key-stdin", is_flag=True, help="Read the API key from standard input, one line.")
EMAIL: Final = click.option(
    "--email", "--contact-email", "email", default=None, help="Whom Cliniko may write to about this program's requests."
)
KEEP: Final = click.option(
    "--keep",
    "place",
    type=Choice(["keychain", "file"]),
    default=None,
    help="Where the key is kept; without it, in the keychain where there is one.",
)
UNCHECKED: Final = click.option(
    "--unchecked", is_flag=True, help="Keep the key without trying it in Cliniko first, or though Cliniko refuses it."
)
_TRIES: Final = 3


@click.command()
@EMAIL
@KEY_STDIN
@KEEP
@UNCHECKED
@click.option("--status", is_flag=True, help="Only say what is kept, and where; the key is not shown.")
@click.option("--forget", "forgetting", is_flag=True, help="Remove the key and the email from this computer.")
def login(
    email: str | None, key_stdin: bool, place: KeyPlace | None, unchecked: bool, status: bool, forgetting: bool
) -> None:
    """Keep the clinic's API key and a contact email on this computer, for every server that is started here.

    The key is asked for without showing it (Cliniko: My Info, Manage API keys), and kept in this computer's keychain,
    or in a file that only you can read where there is none. First it is tried in Cliniko, which takes two or three
    reads and says whose it is; a key that Cliniko refuses is not kept.
    """
    from cliniko_mcp.stored_keys import forget, kept

    if forgetting:
        tell("Removed from this computer." if forget() else "Nothing was kept on this computer.")
    elif status:
        _print_status(kept())
    else:
        _print_status(keep_account(email, key_stdin=key_stdin, place=place, unchecked=unchecked, replace=True))
        tell("Next: cliniko-mcp doctor")


def keep_account(email: str | None, *, key_stdin: bool, place: KeyPlace | None, unchecked: bool, replace: bool) -> Kept:
    """Store a key and an email and return what is stored; the terminal asks for what is missing.

    With `replace` what is stored already does not count. A key that is new here is tried first. Raises as
    `account_given` and `show_trial` do, and ConfigurationError where nothing can be stored.
    """
    from cliniko_mcp.stored_keys import keep

    found = kept_here(damaged_is_none=replace)
    key, contact = account_given(email, key_stdin=key_stdin, found=found, replace=replace)
    if replace or key != found.key:
        show_trial(key, contact, unchecked=unchecked)
    if (key, contact) == (found.key, found.contact_email) and place in (None, found.place):
        return found
    return keep(key, contact, place)


def show_trial(key: str, contact: str, *, unchecked: bool) -> None:
    """Try the key in Cliniko and print whose it is, or why it could not be tried.

    Raises ConfigurationError where Cliniko refuses it, unless it is not to be checked.
    """
    import anyio

    from cliniko_mcp.doctor.account import NEW_KEY
    from cliniko_mcp.doctor.key_trial import try_key
    from cliniko_mcp.settings import Settings

    if unchecked:
        tell("The key was not tried, as --unchecked says.")
        return
    if Settings.load({}).base_url:
        tell("The key was not tried: CLINIKO_MCP_BASE_URL names another address, and it is for Cliniko alone.")
        return
    trial = anyio.run(try_key, key, contact, lambda: datetime.now(UTC))  # noqa: TID251 - a command begins now
    if trial.outcome == "refused":
        raise ConfigurationError(
            f"the key was not kept. {trial.sentence}",
            f"{NEW_KEY} To keep this one all the same, add --unchecked.",
        )
    tell(trial.sentence)


def account_given(email: str | None, *, key_stdin: bool, found: Kept, replace: bool = False) -> tuple[str, str]:
    """The key and the email: from the arguments, the environment, the store (not to `replace` it), or the terminal.

    Raises ConfigurationError for a malformed key or email, and where one is missing and there is no terminal to ask on.
    """
    from cliniko_mcp.client.credentials import Credentials, user_agent
    from cliniko_mcp.settings import Settings

    settings = Settings.load({})
    key = sys.stdin.readline().strip() if key_stdin else ""
    key = key or (settings.api_key.get_secret_value().strip() if settings.api_key else "")
    key = key or ("" if replace else found.key or "") or _ask_for_key()
    Credentials.parse(key)
    contact = email or settings.contact_email or ("" if replace else found.contact_email or "")
    contact = contact or _ask_for_email(found.contact_email)
    user_agent(contact)
    return key, contact


def kept_here(*, damaged_is_none: bool = False) -> Kept:
    """What is stored on this computer. Raises ConfigurationError where it is damaged, unless that counts as nothing."""
    from cliniko_mcp.stored_keys import kept

    try:
        return kept()
    except ConfigurationError:
        if damaged_is_none:
            return Kept()
        raise


def at_terminal() -> bool:
    """Whether there is a terminal on which a person can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _ask_for_key() -> str:
    from cliniko_mcp.client.credentials import Credentials

    if not at_terminal():
        raise ConfigurationError(
            "there is no API key, and no terminal to ask for it at.",
            "Set CLINIKO_API_KEY, or pipe the key in with --key-stdin. The demo clinic (--sandbox) needs none.",
        )
    tell("Your API key is in Cliniko under My Info, Manage API keys. It is not shown while you paste it.", err=True)
    return _prompt("API key", Credentials.parse, hidden=True)


def _ask_for_email(default: str | None) -> str:
    from cliniko_mcp.client.credentials import user_agent

    if not at_terminal():
        if default:
            return default
        raise ConfigurationError(
            "there is no contact email, and no terminal to ask for it at.",
            "Give --email, or set CLINIKO_CONTACT_EMAIL: Cliniko asks every program for one.",
        )
    wrong = "That is not an email address."
    return _prompt("Contact email, for Cliniko to reach you", user_agent, wrong=wrong, default=default)


def _prompt(
    what: str, check: Callable[[str], object], *, wrong: str = "", hidden: bool = False, default: str | None = None
) -> str:
    """The text that the person typed; asked again while `check` raises. Raises the error of the last of three tries."""
    left = _TRIES
    while True:
        typed = str(click.prompt(what, hide_input=hidden, default=default, err=True)).strip()
        try:
            check(typed)
        except ConfigurationError as problem:
            left -= 1
            if not left:
                raise
            # The error's own advice is about variables and flags; here the person just types again.
            tell(f"{wrong or problem.message} Please try again.", err=True)
        else:
            return typed


def _print_status(found: Kept) -> None:
    from cliniko_mcp.stored_keys import account_file, keychain

    if found.place is None:
        tell("No API key is kept on this computer.")
    elif found.place == "keychain":
        tell(f"The API key is in this computer's keychain ({keychain() or 'not reachable now'}).")
    else:
        tell(f"The API key is in {account_file()}, which only you can read.")
    if found.contact_email:
        tell(f"Cliniko may write to {found.contact_email}.")
