"""`cliniko-mcp admit`: who may log in at the built-in login, on this computer."""

from typing import TYPE_CHECKING, Any

import click

from cliniko_mcp.cli.logins import STORE, with_store
from cliniko_mcp.cli.options import settings_options
from cliniko_mcp.errors import ConfigurationError

if TYPE_CHECKING:
    from cliniko_mcp.shared_state.logins import Logins


@click.group(no_args_is_help=False)
def admit() -> None:
    """Say who may log in (`serve --login builtin`), besides what --admit says.

    A rule is account:NUMBER, shard:au1, email:ADDRESS or role:NAME. Of each kind that is named one rule has to fit, and
    an account has to be named. A running server sees a change at once.
    """


@admit.command()
@click.argument("rules", nargs=-1, required=True)
@settings_options(only=STORE)
def add(rules: tuple[str, ...], **flags: Any) -> None:
    """Add RULES."""
    _change(rules, flags, drop=False)


@admit.command()
@click.argument("rules", nargs=-1, required=True)
@settings_options(only=STORE)
def remove(rules: tuple[str, ...], **flags: Any) -> None:
    """Remove RULES: whom they let in is refused at their next call."""
    _change(rules, flags, drop=True)


def _change(rules: tuple[str, ...], flags: dict[str, Any], *, drop: bool) -> None:
    from cliniko_mcp.directory.admission import parse_rule

    parsed = [parse_rule(rule) for rule in rules]

    async def work(store: "Logins") -> list[str]:
        return [f"{kind}:{value}" for kind, value in parsed if not await store.admit(kind, value, drop=drop)]

    unchanged = with_store(flags, work)
    if unchanged and drop:
        raise ConfigurationError(f"there is no rule {', '.join(unchanged)}; `cliniko-mcp admit list` shows them")
    click.echo("Removed." if drop else "Added.")


@admit.command(name="list")
@settings_options(only=STORE)
def list_rules(**flags: Any) -> None:
    """Say which clinic the server is bound to, and who may log in."""
    import json

    from cliniko_mcp.pages.site import CLINIC_FACT

    async def work(store: "Logins") -> tuple[bytes | None, list[tuple[str, str]]]:
        return await store.fact(CLINIC_FACT), list(await store.admitted())

    clinic, rules = with_store(flags, work)
    if clinic is not None:
        click.echo(f"Bound to {json.loads(clinic)['name']}.", err=True)
    for kind, value in rules:
        click.echo(f"{kind}:{value}")
    if not rules:
        click.echo("Nobody by a rule that is kept here; --admit of `serve` may name some.", err=True)
