"""The checks of this computer: Python, the packages, the list of tools, the assistants."""

import json
import shlex
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cliniko_mcp import __version__
from cliniko_mcp.doctor.check import Check, failed, ok, warning
from cliniko_mcp.doctor.demo_setup import works_in_the_demo
from cliniko_mcp.errors import ConfigurationError, JsonValue
from cliniko_mcp.hosts.configuration import installed_servers
from cliniko_mcp.hosts.previous_entry import previous_entry
from cliniko_mcp.hosts.table import ENTRY, Computer, Host, found_hosts

if TYPE_CHECKING:
    from cliniko_mcp.doctor import DoctorContext

MIN_PYTHON: Final = (3, 11)
TOKEN_BUDGETS: Final = {"core": 4_000, "all": 32_000}
"""The tokens that the tool list of each view may take of an assistant's context."""


def examine_machine(context: "DoctorContext") -> Iterator[Check]:
    """Yield the checks that need no request to Cliniko."""
    yield python(context.python)
    yield packages()
    yield view(context)
    yield from hosts(context.computer, demo=context.settings.sandbox)


def python(found: tuple[int, ...]) -> Check:
    """Whether this Python is new enough."""
    shown = ".".join(map(str, found[:3]))
    if found[:2] < MIN_PYTHON:
        return failed("python", f"Python {shown} is too old", "Install Python 3.11 or newer, then this program again.")
    return ok("python", f"Python {shown}")


def packages(package: str = "cliniko-mcp") -> Check:
    """Whether the libraries are installed in versions that fit; another program may have changed them since."""
    reinstall = (
        "Install it again from its folder, as it was installed: `pip install .` in its environment, "
        "`pipx install --force .` or `uv tool install --reinstall .`."
    )
    try:
        from packaging.requirements import Requirement
    except ImportError:  # it is one of the libraries looked for
        return failed("packages", "packaging is missing", reinstall)
    try:
        wanted = requires(package) or []
    except PackageNotFoundError:
        return warning("packages", f"cliniko-mcp {__version__} runs from a folder and was not installed", reinstall)
    wrong: list[str] = []
    fitting: list[str] = []
    for requirement in map(Requirement, wanted):
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        name, bounds = requirement.name, requirement.specifier
        try:
            found = version(name)
        except PackageNotFoundError:
            wrong.append(f"{name} is missing")
            continue
        if not bounds.contains(found, prereleases=True):
            wrong.append(f"{name} {found} does not fit {bounds}")
        elif name in ("mcp", "httpx2", "pydantic"):
            fitting.append(f"{name} {found}")
    if wrong:
        return failed("packages", "; ".join(wrong), reinstall)
    return ok("packages", f"cliniko-mcp {__version__}, {', '.join(fitting)}")


def view(context: "DoctorContext") -> Check:
    """Whether the listed tools fit into an assistant's context; four bytes count as a token."""
    from cliniko_mcp.tools.index import entries
    from cliniko_mcp.tools.views import view_of

    settings = context.settings
    try:
        listed = view_of(settings).listed
    except ConfigurationError as problem:
        return failed("view", problem.message, "Correct the flag.")
    known = entries()
    if not listed:
        return failed("view", "no tool would be listed", "Take back --resources, --tools or --exclude-tools.")
    shown: list[JsonValue] = [
        {
            "name": known[name].name,
            "description": known[name].description,
            "inputSchema": dict(known[name].input_schema),
            "annotations": dict(known[name].annotations),
        }
        for name in listed
    ]
    tokens = len(json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode()) // 4
    detail = f"{settings.view}: {len(listed)} tools, about {tokens:,} tokens"
    if tokens > TOKEN_BUDGETS[settings.view] * 1.25:
        return warning("view", detail, "Take --view core, or fewer --resources.")
    return ok("view", detail)


def hosts(computer: Computer, *, demo: bool = False) -> Iterator[Check]:
    """Yield a check for each assistant on this computer: whether it starts this server and can, and whether that is in
    the clinic that is looked at: the `demo` clinic or a real one."""
    found = found_hosts(computer)
    for host in found:
        yield _host(host, host.file(computer), demo=demo)
        if host.name == "claude-code" and (hook := _answering_hook(computer)):
            yield hook
    if not found:
        yield warning(
            "host", "no assistant was found on this computer", "Install one; then `cliniko-mcp install --client NAME`."
        )


def _host(host: Host, path: Path, *, demo: bool) -> Check:
    name = f"host {host.name}"
    again = f"Run `cliniko-mcp install --client {host.name}`."
    try:
        servers = installed_servers(host, path)
    except ConfigurationError as problem:
        return warning(name, f"{host.title}: {problem.message}", problem.fix)
    if not servers:
        return warning(name, f"{host.title} is here, and does not start this server yet", again)
    for server, entry in servers.items():
        command = str(entry.get("command", ""))
        again = f"Run `{shlex.join(_reinstall_command(host, server, entry))}`."
        if Path(command).is_absolute() and not Path(command).exists():
            return failed(name, f"{host.title} starts {command}, which is not there any more", again)
        environment = entry.get("env")
        if isinstance(environment, Mapping) and environment.get("CLINIKO_API_KEY"):
            return warning(name, f"the API key stands in plain text in {path}", f"Run `cliniko-mcp login`. {again}")
    demos = [] if demo else [server for server, entry in servers.items() if works_in_the_demo(entry)]
    if demos == [*servers]:
        own = [word for word in _reinstall_command(host, demos[0], servers[demos[0]]) if word != "--sandbox"]
        return warning(
            name,
            f"{host.title} works in the demo clinic, where nothing is real, and not in your own",
            f"For your own clinic run `{shlex.join(own)}`.",
        )
    starts = ", ".join(f"{server} (in the demo clinic)" if server in demos else server for server in servers)
    return ok(name, f"{host.title} starts it as {starts}; {host.abilities.in_words()}")


def _reinstall_command(host: Host, server: str, entry: Mapping[str, JsonValue]) -> list[str]:
    """The command that rewrites this entry and keeps its flags, so that following it does not lose `--read-only`."""
    name = [] if server == ENTRY else ["--name", server]
    try:
        before = previous_entry(dict(entry))
    except ConfigurationError:
        before = None  # install says what is wrong with it
    flags = before.arguments() if before else []
    return ["cliniko-mcp", "install", "--client", host.name, *name, *flags]


def _answering_hook(computer: Computer) -> Check | None:
    """A warning where a hook of Claude Code may answer the forms that servers send, so that no person is asked."""
    path = computer.folder("CLAUDE_CONFIG_DIR", ".claude") / "settings.json"
    try:
        settings: JsonValue = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    hooks = settings.get("hooks") if isinstance(settings, dict) else None
    if isinstance(hooks, dict) and any(event.startswith("Elicitation") for event in hooks):
        return warning(
            "hooks",
            f"a hook in {path} may answer in the person's place when something is to be archived or cancelled",
            "Remove the hook, or start the server with --confirm strict.",
        )
    return None
