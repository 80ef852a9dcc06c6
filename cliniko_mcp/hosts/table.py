"""The hosts that `install` knows: where each keeps its list of MCP servers on every system, and which settings suit it.

Paths and formats follow the hosts' own documentation; the view and the output follow how each host finds tools and
reads results.
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
"""The name of this server in a host's configuration, unless `--name` gives another."""


@dataclass(frozen=True, slots=True)
class Computer:
    """The facts that decide where a host's files are: the system, the user's home folder and the environment."""

    system: System
    home: Path
    environment: Mapping[str, str] = field(default_factory=dict[str, str])

    def folder(self, variable: str, *usual: str) -> Path:
        """The folder that the environment variable names, else the usual one in the home folder."""
        named = self.environment.get(variable, "")
        return Path(named) if named else self.home.joinpath(*usual)

    @property
    def applications(self) -> Path:
        """The folder in which applications keep their settings for this user."""
        if self.system == "win32":
            return self.folder("APPDATA", "AppData", "Roaming")
        if self.system == "darwin":
            return self.home / "Library" / "Application Support"
        return self.folder("XDG_CONFIG_HOME", ".config")


def this_computer() -> Computer:
    """The computer that this runs on, for its present user."""
    system: System = "darwin" if sys.platform == "darwin" else "win32" if sys.platform == "win32" else "linux"
    return Computer(system, Path.home(), environment_for_others())


@dataclass(frozen=True, slots=True)
class Host:
    """A program that starts MCP servers: its configuration file, and how this server is set up in it."""

    name: str
    title: str
    file: Callable[[Computer], Path]
    section: str = "mcpServers"
    comments: bool = False
    """Whether the host itself reads comments in its configuration."""
    view: Literal["core", "all"] = "core"
    output: Literal["both", "text"] = "both"
    entry_type: str | None = None
    """The value of `type` in an entry, for hosts that want one."""
    extra: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    after: str = ""
    """The instruction that is printed after installing."""

    def entry(self, command: list[str], flags: list[str], environment: Mapping[str, str]) -> dict[str, JsonValue]:
        """The entry for this server in this host's format, as JSON."""
        entry: dict[str, JsonValue] = {"type": self.entry_type} if self.entry_type else {}
        entry |= {"command": command[0], "args": [*command[1:], "serve", *flags]}
        if environment:
            entry["env"] = dict(environment)
        return {**entry, **self.extra}

    def flags(self) -> dict[str, str]:
        """The settings that this host needs, by name, where they differ from the defaults."""
        different: dict[str, str] = {}
        if self.view != "core":
            different["view"] = self.view
        if self.output != "both":
            different["output"] = self.output
        return different


def _claude_desktop(computer: Computer) -> Path:
    folder = computer.applications / "Claude"
    if computer.system == "win32":
        # Installed from the Microsoft Store or by MSIX, it sees a folder of its own in place of the usual one.
        packages = computer.folder("LOCALAPPDATA", "AppData", "Local") / "Packages"
        candidates = sorted(package / "LocalCache" / "Roaming" / "Claude" for package in packages.glob("Claude_*"))
        # Updates can leave several packages; the one in use has a folder already.
        folder = next((path for path in candidates if path.is_dir()), candidates[0] if candidates else folder)
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
    host.name: host
    for host in (
        Host(
            "claude-desktop",
            "Claude Desktop",
            _claude_desktop,
            after="Quit Claude Desktop completely and start it again; then ask: who works at the clinic today?",
        ),
        # Claude Code searches tools once their list is long, so listing all of them costs nothing.
        Host(
            "claude-code",
            "Claude Code",
            _claude_code,
            view="all",
            entry_type="stdio",
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
        # VS Code sends a model at most 128 tools where it does not search them.
        Host(
            "vscode",
            "VS Code",
            _vscode,
            section="servers",
            comments=True,
            entry_type="stdio",
            after="Run the command MCP: List Servers, and start cliniko.",
        ),
        # Copilot sends structured content and text together, so every result would count twice.
        Host(
            "copilot-cli",
            "Copilot CLI",
            _copilot_cli,
            output="text",
            entry_type="local",
            extra={"tools": ["*"]},
            after="Start a new session; /mcp show lists the connection.",
        ),
        Host("other", "another host", _other, after="Put the block into that host's configuration and restart it."),
    )
}


def found_hosts(computer: Computer) -> list[Host]:
    """The hosts that seem to be installed on this computer: their configuration file or its folder exists."""
    found: list[Host] = []
    for host in HOSTS.values():
        path = host.file(computer)
        own_folder = path.parent != computer.home and path.parent.is_dir()
        if host.name != "other" and (path.exists() or own_folder):
            found.append(host)
    return found
