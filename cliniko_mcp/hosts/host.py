"""What is known of a host: its configuration file, how an entry is written there, and how it is offered as a link."""

import base64
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.hosts.abilities import Abilities
from cliniko_mcp.settings import environment_for_others

System = Literal["darwin", "win32", "linux"]
Syntax = Literal["json", "jsonc", "toml", "yaml"]
Link = Literal["cursor", "vscode", "lm-studio"]
"""The forms of the links that add a server with a click."""
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
    syntax: Syntax = "json"
    """How its file is written; jsonc where the host itself reads comments in JSON."""
    view: Literal["core", "all"] = "core"
    output: Literal["both", "text"] = "both"
    entry_type: str | None = None
    """The value of `type` in an entry, for hosts that want one."""
    extra: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    """What else stands in every entry."""
    keys: tuple[str, str, str] = ("command", "args", "env")
    """What the host calls the program, its arguments and its environment."""
    named: bool = False
    """Whether the entry repeats its own name under `name`."""
    remote: Mapping[str, JsonValue] | None = None
    """The entry of a server at an address, which stands where `{url}` does; None where the file takes none."""
    link: Link | None = None
    source: str = ""
    """The page on which its format was read: the host's own, or one that quotes it."""
    read: str = ""
    """When that page was read, as an ISO date."""
    abilities: Abilities = field(default_factory=Abilities)
    """What it can show and ask."""
    after: str = ""
    """The instruction that is printed after installing."""
    instead: str = ""
    """What to do about a server at an address where the file takes none."""

    @property
    def comments(self) -> bool:
        """Whether the host reads comments in its JSON."""
        return self.syntax == "jsonc"

    def entry(
        self, command: list[str], flags: list[str], environment: Mapping[str, str], name: str = ENTRY
    ) -> dict[str, JsonValue]:
        """The entry for this server in this host's format."""
        program, arguments, variables = self.keys
        entry: dict[str, JsonValue] = {"type": self.entry_type} if self.entry_type else {}
        entry |= {"name": name} if self.named else {}
        entry |= {program: command[0], arguments: [*command[1:], "serve", *flags]}
        if environment:
            entry[variables] = dict(environment)
        return {**entry, **self.extra}

    def remote_entry(self, url: str, name: str = ENTRY) -> dict[str, JsonValue] | None:
        """The entry for this server at an address; None where the host takes such servers elsewhere."""
        if self.remote is None:
            return None
        entry: dict[str, JsonValue] = {key: url if value == "{url}" else value for key, value in self.remote.items()}
        return {**entry, **({"name": name} if self.named else {}), **self.extra}

    def standard(self, entry: JsonValue) -> JsonValue:
        """An entry of this host under the usual names (`command`, `args`, `env`), without what `install` adds."""
        if not isinstance(entry, dict):
            return entry
        usual = dict(zip(self.keys, ("command", "args", "env"), strict=True))
        ours: dict[str, JsonValue] = {**self.extra, **({"type": self.entry_type} if self.entry_type else {})}
        return {
            usual.get(key, key): value
            for key, value in entry.items()
            if not (key in ours and ours[key] == value) and not (self.named and key == "name")
        }

    def address(self, name: str, entry: Mapping[str, JsonValue]) -> str | None:
        """The link that adds this entry with a click; None where the host documents none.

        A variable's value never stands in it: links are pasted and logged.
        """
        bare: dict[str, JsonValue] = {key: value for key, value in entry.items() if key != self.keys[2]}
        text = json.dumps(bare, separators=(",", ":"))
        packed = quote(base64.b64encode(text.encode()).decode(), safe="")
        match self.link:
            case "cursor":
                return f"cursor://anysphere.cursor-deeplink/mcp/install?name={quote(name, safe='')}&config={packed}"
            case "lm-studio":
                return f"lmstudio://add_mcp?name={quote(name, safe='')}&config={packed}"
            case "vscode":
                return f"vscode:mcp/install?{quote(json.dumps({'name': name, **bare}, separators=(',', ':')), safe='')}"
            case None:
                return None

    def web_address(self, name: str, entry: Mapping[str, JsonValue]) -> str | None:
        """The same link for pages that let no other scheme through than https, such as a README at GitHub.

        It leads to the maker's own page, which hands it on to the program: Cursor's and LM Studio's take what the
        program's link takes (https://cursor.com/docs/mcp/install-links, https://lmstudio.ai/docs/app/mcp/deeplink),
        VS Code's the whole link.
        """
        address = self.address(name, entry)
        match self.link:
            case "cursor":
                base = "https://cursor.com/install-mcp"
            case "lm-studio":
                base = "https://lmstudio.ai/install-mcp"
            case "vscode":
                return f"https://vscode.dev/redirect?url={quote(address or '', safe='')}"
            case None:
                return None
        return f"{base}?{(address or '').partition('?')[2]}"

    def flags(self) -> dict[str, str]:
        """The settings that this host needs, by name, where they differ from the defaults."""
        different: dict[str, str] = {}
        if self.view != "core":
            different["view"] = self.view
        if self.output != "both":
            different["output"] = self.output
        return different
