"""`cliniko-mcp doctor`: shows on one screen what works, what does not, and what to do."""

import shutil
import sys
import textwrap
from datetime import UTC, datetime
from typing import Final

import click

from cliniko_mcp.cli.options import settings_options
from cliniko_mcp.cli.output import json_for
from cliniko_mcp.doctor.check import Check, Status

SETTINGS: Final = (
    "view",
    "resources",
    "tools",
    "exclude_tools",
    "read_only",
    "sandbox",
    "base_url",
    "requests_per_minute",
    "audit_file",
)
MARKS: Final[dict[Status, tuple[str, str, str]]] = {
    "ok": ("✓", "ok", "green"),
    "warning": ("!", "!", "yellow"),
    "failed": ("✗", "X", "red"),
}

_NAME_WIDTH: Final = 20
"""Width of the column of names, in characters."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help='Print {"checks": [{"name", "status", "detail", "fix"}]}.')
@settings_options(only=SETTINGS)
def doctor(as_json: bool, **flags: object) -> None:
    """Check everything that has to work, and say what to do. Exit code 1 when something failed.

    Reads from the clinic a few times and changes nothing. With --sandbox it looks at the demo clinic.
    """
    import anyio

    checks = anyio.run(_run_checks, flags, not as_json)
    if as_json:
        click.echo(json_for({"checks": [check.as_json() for check in checks]}, sys.stdout, indent=2))
    else:
        click.echo(_summary(checks))
    sys.exit(1 if any(check.status == "failed" for check in checks) else 0)


async def _run_checks(flags: dict[str, object], show: bool) -> list[Check]:
    from cliniko_mcp.approvals.paths import state_folder
    from cliniko_mcp.doctor import DoctorContext, examine
    from cliniko_mcp.doctor.check import failed, ok
    from cliniko_mcp.doctor.safety import browser_name
    from cliniko_mcp.errors import ConfigurationError
    from cliniko_mcp.hosts.table import this_computer
    from cliniko_mcp.settings import Settings

    checks: list[Check] = []

    def add(check: Check) -> None:
        checks.append(check)
        if show:
            _show(check)

    try:
        settings = Settings.load(flags)
        add(ok("settings", "every flag and variable can be read"))
    except ConfigurationError as problem:
        add(failed("settings", problem.message, "Correct the flag or the variable CLINIKO_MCP_... of the same name."))
        settings = Settings.load({"sandbox": flags.get("sandbox")}, {})
    context = DoctorContext(
        settings=settings,
        computer=this_computer(),
        state=state_folder(),
        now=lambda: datetime.now(UTC),  # noqa: TID251 - a command begins now
        browser=browser_name,
        python=sys.version_info[:3],
    )
    async for check in examine(context):
        add(check)
    return checks


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
