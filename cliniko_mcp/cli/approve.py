"""`cliniko-mcp approve`: approve or deny waiting questions on a terminal, and set the PIN for approvals."""

import secrets  # noqa: TID251 - a command begins with chance of its own
import sys
import time
from pathlib import Path

import click

from cliniko_mcp.approvals.decisions import Answer, Outcome
from cliniko_mcp.approvals.local_ipc import Server, Waiting, servers
from cliniko_mcp.approvals.paths import state_folder
from cliniko_mcp.approvals.pin import Checked, Pin
from cliniko_mcp.cli.names import Choice

_LOOKS, _LOOK_SECONDS = 12, 0.25
"""How often, and how far apart, the end of what was approved is looked for."""


@click.command()
@click.option("--set-pin", is_flag=True, help="Choose the PIN that every approval needs from now on.")
def approve(set_pin: bool) -> None:
    """Show what assistants want to archive, delete or cancel, and approve or deny each. Needs a terminal."""
    if not at_a_terminal():
        raise click.ClickException("approving needs a terminal, so that it is a person who does it")
    folder = state_folder()
    if set_pin:
        _set_pin(Pin(folder, time.time))  # noqa: TID251 - tries of a pin count in real time
    else:
        _answer(folder)


def at_a_terminal() -> bool:
    """Whether standard input and output are a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def _set_pin(pin: Pin) -> None:
    if pin.is_set:
        checked = pin.check(click.prompt("The PIN until now", hide_input=True, err=True))
        if checked is Checked.BROKEN:
            raise click.ClickException("the PIN's file cannot be read; remove pin.json from the state folder first")
        if checked is not Checked.RIGHT:
            raise click.ClickException(
                "that is not the PIN" + ("; wait five minutes" if checked is Checked.LOCKED else "")
            )
    chosen = click.prompt("New PIN (4 to 64 characters)", hide_input=True, confirmation_prompt=True, err=True)
    try:
        pin.set(chosen)
    except (OSError, ValueError) as problem:
        raise click.ClickException(str(problem)) from None
    click.echo("The PIN is set. Every approval on the page and on a terminal needs it from now on.")


_SILENT = "One assistant's server did not answer in time; it may be suspended. Run this again when it goes on."


def _answer(folder: Path) -> None:
    seen: set[str] = set()
    for server in servers(folder, lambda: secrets.token_urlsafe(32), lambda: click.echo(_SILENT, err=True)):
        try:
            for waiting in server.waiting():
                seen.add(waiting.challenge)
                _ask(server, waiting)
            for unused in server.waiting("unused"):
                if unused.challenge in seen:
                    continue
                seen.add(unused.challenge)
                _offer(server, unused, "Approved and not carried out yet", "Take it back?", Answer.WITHDRAW)
            for denied in server.waiting("denied"):
                if denied.challenge in seen:
                    continue
                seen.add(denied.challenge)
                _offer(server, denied, "Denied", "Allow the question again?", Answer.REOPEN)
        except OSError:
            click.echo("That assistant's connection has ended; nothing of it was done.", err=True)
    if not seen:
        click.echo("Nothing is waiting for an answer.")


def _ask(server: Server, waiting: Waiting) -> None:
    click.echo()
    click.secho(waiting.title, bold=True)
    click.echo(waiting.preview)
    if waiting.program:
        minutes, seconds = divmod(max(0, waiting.seconds), 60)
        click.echo(f"{waiting.program} asks; {minutes}:{seconds:02d} left to answer.")
    click.echo(f"approve: {waiting.act}. deny: {waiting.keep}. other: not like this.")
    answer = click.prompt(
        "Approve, deny, other, or leave it for later?", type=Choice(["approve", "deny", "other", "later"])
    )
    if answer == "later":
        return
    pin = click.prompt("PIN", hide_input=True) if answer == "approve" and waiting.needs_pin else ""
    outcome = server.decide(waiting.challenge, Answer(answer), pin)
    click.echo(_how_it_ended(server, waiting.challenge) if outcome is Outcome.APPROVED else outcome.value)


def _how_it_ended(server: Server, challenge: str) -> str:
    """The words for a question that was just approved; it is carried out within seconds."""
    words = Outcome.APPROVED.value
    for _ in range(_LOOKS):
        told, ended = server.story(challenge)
        words = told or words
        if ended:
            break
        time.sleep(_LOOK_SECONDS)
    return words.removesuffix(" You can close this page.")


def _offer(server: Server, waiting: Waiting, heading: str, question: str, answer: Answer) -> None:
    click.echo()
    click.secho(f"{heading}: {waiting.act}", bold=True)
    click.echo(waiting.preview)
    if click.confirm(question, default=False):
        click.echo(server.decide(waiting.challenge, answer).value)
