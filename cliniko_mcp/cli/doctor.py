"""`cliniko-mcp doctor`: shows on one screen what works, what does not, and what to do."""

import shutil
import sys
import textwrap
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import click

from cliniko_mcp.cli.options import settings_options
from cliniko_mcp.cli.output import json_for, leave
from cliniko_mcp.doctor.check import Check, Status
from cliniko_mcp.errors import ExitCode, JsonValue
from cliniko_mcp.settings import Settings

if TYPE_CHECKING:
    from cliniko_mcp.doctor.in_force import SettingInForce

MARKS: Final[dict[Status, tuple[str, str, str]]] = {
    "ok": ("✓", "ok", "green"),
    "warning": ("!", "!", "yellow"),
    "failed": ("✗", "X", "red"),
}

_NAME_WIDTH: Final = 20
"""Width of the column of names, in characters."""


@click.command()
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help='Print {"checks": [{"name", "status", "detail", "fix"}], '
    '"settings": [{"setting", "value", "origin", "where"}]}.',
)
@click.option(
    "--token",
    default=None,
    metavar="REFERENCE",
    help="With --hosted: a real token, as env:NAME or file:/path, to be told what it grants or what would refuse it.",
)
@settings_options(only=tuple(Settings.model_fields))
def doctor(as_json: bool, token: str | None, **flags: object) -> None:
    """Check everything that has to work, and say what to do. Exit code 1 when something failed.

    Reads from the clinic a few times and changes nothing. With --sandbox, or where the assistants on this computer are
    set up for the demo clinic alone and there is no key, it looks at the demo clinic; with the flags of an assistant's
    entry, at what that entry sets. With --login builtin and --public-url it goes the way of an assistant to the login,
    from outside, and names the step that fails; with --hosted it looks at that file, at what its replicas share, at its
    issuers and its address, and with --token at what a person's token says. With --update-notice it asks
    the package index for a newer version. Then it lists every setting, and where it comes from.
    """
    import anyio

    from cliniko_mcp.doctor.in_force import in_force

    settings, checks = _settings(flags)
    if token is not None and settings.hosted is None:
        raise click.UsageError("--token is looked at by what --hosted says: name that file too")
    readable = checks[0].status == "ok"
    from_flags = frozenset(name for name, value in flags.items() if value is not None)
    if readable and (demo := _demo_check(settings)):
        settings = settings.model_copy(update={"sandbox": True})
        checks.append(demo)
        from_flags |= {"sandbox"}
    if not as_json:
        for check in checks:
            _show(check)
    checks += anyio.run(_run_checks, settings, not as_json, token)
    found = in_force(settings, from_flags) if readable else []
    if as_json:
        body: dict[str, JsonValue] = {
            "checks": [{**check.as_json()} for check in checks],
            "settings": [{**setting.as_json()} for setting in found],
        }
        click.echo(json_for(body, sys.stdout, indent=2))
    else:
        click.echo("".join(f"\n{part}" for part in (_table(found), _summary(checks)) if part))
    leave(ExitCode.FAILED if any(check.status == "failed" for check in checks) else ExitCode.DONE)


def _settings(flags: dict[str, object]) -> tuple[Settings, list[Check]]:
    """The settings, and the check of whether they could be read."""
    from cliniko_mcp.doctor.check import failed, ok
    from cliniko_mcp.errors import ConfigurationError

    try:
        return Settings.load(flags), [ok("settings", "every flag and variable can be read")]
    except ConfigurationError as problem:
        wrong = failed(
            "settings", problem.message, "Correct the flag or the variable CLINIKO_MCP_... of the same name."
        )
        return Settings.load({"sandbox": flags.get("sandbox")}, {}), [wrong]


def _demo_check(settings: Settings) -> Check | None:
    """The check that says that the demo clinic is looked at because nothing else is set up; None where something is."""
    from cliniko_mcp.doctor.check import ok
    from cliniko_mcp.doctor.demo_setup import demo_hosts
    from cliniko_mcp.hosts.table import this_computer

    titles = demo_hosts(settings, this_computer())
    if not titles:
        return None
    return ok(
        "clinic",
        f"the demo clinic, in which {' and '.join(titles)} {'works' if len(titles) == 1 else 'work'}; "
        "for your own clinic run `cliniko-mcp install` without --sandbox",
    )


async def _run_checks(settings: Settings, show: bool, token: str | None = None) -> list[Check]:
    from cliniko_mcp.approvals.paths import state_folder
    from cliniko_mcp.doctor import DoctorContext, examine
    from cliniko_mcp.doctor.safety import browser_name
    from cliniko_mcp.hosts.table import this_computer

    checks: list[Check] = []
    if settings.login is not None or settings.hosted is not None:
        # Its keys are those of the people who log in, or sealed, and its assistants are elsewhere: the way in counts.
        if settings.hosted is not None:
            from cliniko_mcp.doctor.hosted import examine_hosted

            found = examine_hosted(settings.hosted, token=token)
        else:
            from cliniko_mcp.doctor.login import examine_login

            found = examine_login(settings.public_url or "")
        async for check in found:
            checks.append(check)
            if show:
                _show(check)
        return checks
    context = DoctorContext(
        settings=settings,
        computer=this_computer(),
        state=state_folder(),
        now=lambda: datetime.now(UTC),  # noqa: TID251 - a command begins now
        browser=browser_name,
        python=sys.version_info[:3],
    )
    async for check in examine(context):
        checks.append(check)
        if show:
            _show(check)
    return checks


def _table(settings: "list[SettingInForce]") -> str:
    """A line for each setting: its name, its value, and where it comes from."""
    width = max((len(setting.name) for setting in settings), default=0)
    return "".join(f"\n{setting.name:<{width}}  {setting.value}  ({setting.where})" for setting in settings)


def _show(check: Check) -> None:
    mark, plain, colour = MARKS[check.status]
    # A Windows console in an old code page has no tick.
    try:
        mark.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        mark = plain
    name = f"{check.name:<{_NAME_WIDTH}}"
    heading, indent = f"{click.style(mark, fg=colour, bold=True)} {name}", " " * (_NAME_WIDTH + 2)
    for number, line in enumerate(_lines(check.detail)):
        click.echo(f"{indent if number else heading} {line}")
    for line in _lines(check.fix):
        click.echo(f"{indent} {click.style(line, dim=True)}")


def _lines(text: str) -> list[str]:
    """The text for the column beside the names: in a terminal wrapped to its width, else one line."""
    if not sys.stdout.isatty():
        return [text] if text else []
    width = max(shutil.get_terminal_size().columns - _NAME_WIDTH - 3, 30)
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


def _summary(checks: list[Check]) -> str:
    count = {status: sum(check.status == status for check in checks) for status in MARKS}
    return f"\n{count['ok']} passed, {count['warning']} with a warning, {count['failed']} failed."
