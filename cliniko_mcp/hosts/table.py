"""The hosts that `install` knows: where each keeps its servers on every system, and what suits it.

Paths and shapes are those of the hosts' own documents; the view and the output follow how each host finds tools and
reads answers.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.settings import environment_for_others

System = Literal["darwin", "win32", "linux"]
ENTRY: Final = "cliniko"
"""What hosts call this server, unless the person says otherwise."""


@dataclass(frozen=True, slots=True)
class Computer:
    """What decides where a host's files are: the system, the person's home folder and the environment."""

    system: System
    home: Path
    environment: Mapping[str, str] = field(default_factory=dict[str, str])

    def folder(self, variable: str, *usual: str) -> Path:
        """The folder that the variable names, else the usual one below the home folder."""
        named = self.environment.get(variable, "")
        return Path(named) if named else self.home.joinpath(*usual)

    @property
    def applications(self) -> Path:
        """Where applications keep what they remember for this person."""
        if self.system == "win32":
            return self.folder("APPDATA", "AppData", "Roaming")
        if self.system == "darwin":
            return self.home / "Library" / "Application Support"
        return self.folder("XDG_CONFIG_HOME", ".config")


def this_computer() -> Computer:
    """The computer this runs on, for the person it runs for."""
    system: System = "darwin" if sys.platform == "darwin" else "win32" if sys.platform == "win32" else "linux"
    return Computer(system, Path.home(), environment_for_others())


@dataclass(frozen=True, slots=True)
class Host:
    """A program that starts MCP servers: its configuration, and how this server should be set up for it."""

    name: str
    title: str
    file: Callable[[Computer], Path]
    section: str = "mcpServers"
    comments: bool = False
    """Whether the host itself reads comments in its configuration."""
    view: Literal["core", "all"] = "core"
    output: Literal["both", "text"] = "both"
    kind: str | None = None
    extra: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    after: str = ""
    """What the person does next."""

    def entry(self, command: list[str], flags: list[str], environment: Mapping[str, str]) -> dict[str, JsonValue]:
        """The entry as this host wants it."""
        kind: dict[str, JsonValue] = {"type": self.kind} if self.kind else {}
        found: dict[str, JsonValue] = {**kind, "command": command[0], "args": [*command[1:], "serve", *flags]}
        if environment:
            found["env"] = dict(environment)
        return {**found, **self.extra}

    def flags(self) -> dict[str, str]:
        """The settings that suit this host, where they differ from the usual ones."""
        different: dict[str, str] = {}
        if self.view != "core":
            different["view"] = self.view
        if self.output != "both":
            different["output"] = self.output
        return different


def _claude_desktop(computer: Computer) -> Path:
    folder = computer.applications / "Claude"
    if computer.system == "win32":
        # From the Microsoft Store, or installed by MSIX, it sees a folder of its own in place of the usual one.
        packages = computer.folder("LOCALAPPDATA", "AppData", "Local") / "Packages"
        seen = sorted(package / "LocalCache" / "Roaming" / "Claude" for package in packages.glob("Claude_*"))
        # Of several, as updates leave them, the one that is in use has a folder already.
        folder = next((each for each in seen if each.is_dir()), seen[0] if seen else folder)
    return folder / "claude_desktop_config.json"


def _claude_code(computer: Computer) -> Path:
    return computer.folder("CLAUDE_CONFIG_DIR") / ".claude.json"


def _cursor(computer: Computer) -> Path:
    return computer.home / ".cursor" / "mcp.json"


def _vscode(computer: Computer) -> Path:
    return computer.applications / "Code" / "User" / "mcp.json"


def _copilot_cli(computer: Computer) -> Path:
    return computer.folder("COPILOT_HOME", ".copilot") / "mcp-config.json"


def _other(computer: Computer) -> Path:
    return computer.home / "mcp.json"


HOSTS: Final[Mapping[str, Host]] = {
    each.name: each
    for each in (
        Host(
            "claude-desktop",
            "Claude Desktop",
            _claude_desktop,
            after="Quit Claude Desktop altogether and start it again; then ask: who works at the clinic today?",
        ),
        # Claude Code looks tools up by search once their list is long, so nothing is lost by listing all.
        Host(
            "claude-code",
            "Claude Code",
            _claude_code,
            view="all",
            kind="stdio",
            after="Start a new session; /mcp shows the connection.",
        ),
        # Cursor gives a model the first 40 tools.
        Host(
            "cursor",
            "Cursor",
            _cursor,
            comments=True,
            after="Restart Cursor; then see under Settings, MCP, that cliniko is on.",
        ),
        # VS Code sends at most 128 tools where it does not look them up by search.
        Host(
            "vscode",
            "VS Code",
            _vscode,
            section="servers",
            comments=True,
            kind="stdio",
            after="Run the command MCP: List Servers, and start cliniko.",
        ),
        # Copilot passes structured content and text on together, so each answer would be paid for twice.
        Host(
            "copilot-cli",
            "Copilot CLI",
            _copilot_cli,
            output="text",
            kind="local",
            extra={"tools": ["*"]},
            after="Start a new session; /mcp show lists the connection.",
        ),
        Host("other", "another host", _other, after="Put the block into that host's configuration and restart it."),
    )
}


def found_hosts(computer: Computer) -> list[Host]:
    """The hosts that seem to be on this computer: their configuration, or the folder for it, is there."""
    found: list[Host] = []
    for host in HOSTS.values():
        path = host.file(computer)
        own_folder = path.parent != computer.home and path.parent.is_dir()
        if host.name != "other" and (path.exists() or own_folder):
            found.append(host)
    return found
