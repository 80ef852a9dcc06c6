"""`cliniko-mcp doctor`: one screen that says what works, what does not, and what to do."""

import shutil
import sys
import textwrap
from datetime import UTC, datetime
from typing import Any, Final

import click

from cliniko_mcp.cli.options import settings_options
from cliniko_mcp.cli.output import json_for
from cliniko_mcp.doctor.check import Check, Status

KEPT: Final = (
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

_NAME: Final = 20
"""Columns for the name of a check."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help='Print {"checks": [{"name", "status", "detail", "fix"}]}.')
@settings_options(only=KEPT)
def doctor(as_json: bool, **flags: Any) -> None:
    """Check everything that has to work, and say what to do. Exit code 1 when something failed.

    Reads from the clinic a few times and changes nothing. With --sandbox it looks at the demo clinic.
    """
    import anyio

    found = anyio.run(_examined, flags, not as_json)
    if as_json:
        click.echo(json_for({"checks": [each.as_json() for each in found]}, sys.stdout, indent=2))
    else:
        click.echo(_summary(found))
    sys.exit(1 if any(each.status == "failed" for each in found) else 0)


async def _examined(flags: dict[str, Any], show: bool) -> list[Check]:
    from cliniko_mcp.approvals.paths import state_folder
    from cliniko_mcp.doctor import DoctorContext, examine
    from cliniko_mcp.doctor.check import failed, ok
    from cliniko_mcp.doctor.safety import browser_name
    from cliniko_mcp.errors import ConfigurationError
    from cliniko_mcp.hosts.table import this_computer
    from cliniko_mcp.settings import Settings

    found: list[Check] = []

    def add(check: Check) -> None:
        found.append(check)
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
        now=lambda: datetime.now(UTC),
        browser=browser_name,
        python=sys.version_info[:3],
    )
    async for check in examine(context):
        add(check)
    return found


def _show(check: Check) -> None:
    mark, plain, colour = MARKS[check.status]
    # A Windows console in an old code page has no tick.
    try:
        mark.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        mark = plain
    name = f"{check.name:<{_NAME}}"
    for number, line in enumerate(_lines(check.detail)):
        click.echo(f"{' ' * (_NAME + 2) if number else f'{click.style(mark, fg=colour, bold=True)} {name}'} {line}")
    for line in _lines(check.fix):
        click.echo(f"{' ' * (_NAME + 2)} {click.style(line, dim=True)}")


def _lines(words: str) -> list[str]:
    """The words as they fit beside the names: in a terminal on several lines, so that the names stand alone."""
    if not sys.stdout.isatty():
        return [words] if words else []
    room = max(shutil.get_terminal_size().columns - _NAME - 3, 30)
    return textwrap.wrap(words, room, break_long_words=False, break_on_hyphens=False)


def _summary(found: list[Check]) -> str:
    count = {status: sum(each.status == status for each in found) for status in MARKS}
    if count["failed"]:
        return f"\n{count['failed']} failed, {count['warning']} to know about, {count['ok']} well."
    return f"\nAll that has to work works; {count['warning']} to know about."
