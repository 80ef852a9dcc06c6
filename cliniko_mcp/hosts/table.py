"""The hosts that `install` knows, a row each: where its list of MCP servers is on every system, and what suits it.

Where the format of a row was read, and when, stands in it: the host's own page, or one that quotes it. The view and the
output follow how each host finds tools and reads results.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cliniko_mcp.hosts.abilities import APPS, DECLARED, DOCUMENTED, Abilities
from cliniko_mcp.hosts.host import ENTRY as ENTRY
from cliniko_mcp.hosts.host import Computer as Computer
from cliniko_mcp.hosts.host import Host as Host
from cliniko_mcp.hosts.host import System as System
from cliniko_mcp.hosts.host import this_computer as this_computer

_READ: Final = "2026-11-29"


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


def _codex_cli(computer: Computer) -> Path:
    return computer.folder("CODEX_HOME", ".codex") / "config.toml"


def _gemini_cli(computer: Computer) -> Path:
    return computer.home / ".gemini" / "settings.json"


def _windsurf(computer: Computer) -> Path:
    return computer.home / ".codeium" / "windsurf" / "mcp_config.json"


def _zed(computer: Computer) -> Path:
    if computer.system == "win32":
        return computer.applications / "Zed" / "settings.json"
    if computer.system == "darwin":
        return computer.home / ".config" / "zed" / "settings.json"
    return computer.folder("XDG_CONFIG_HOME", ".config") / "zed" / "settings.json"


def _jetbrains(computer: Computer) -> Path:
    return computer.home / ".junie" / "mcp" / "mcp.json"


def _lm_studio(computer: Computer) -> Path:
    folders = (computer.home / ".lmstudio", computer.home / ".cache" / "lm-studio")
    # Installations that were set up long ago keep their folder under ~/.cache.
    return next((folder for folder in folders if folder.is_dir()), folders[0]) / "mcp.json"


def _goose(computer: Computer) -> Path:
    if computer.system == "win32":
        return computer.applications / "Block" / "goose" / "config" / "config.yaml"
    if computer.system == "darwin":
        return computer.home / ".config" / "goose" / "config.yaml"
    return computer.folder("XDG_CONFIG_HOME", ".config") / "goose" / "config.yaml"


def _cline(computer: Computer) -> Path:
    named = computer.environment.get("CLINE_MCP_SETTINGS_PATH")
    if named:
        return Path(named)
    extension = computer.applications / "Code" / "User" / "globalStorage" / "saoudrizwan.claude-dev" / "settings"
    alone = computer.home / ".cline" / "data" / "settings"
    # In a terminal, without VS Code, it has a folder of its own.
    folder = alone if alone.is_dir() and not extension.is_dir() else extension
    return folder / "cline_mcp_settings.json"


def _other(computer: Computer) -> Path:
    return computer.home / "mcp.json"


HOSTS: Final[Mapping[str, Host]] = {
    host.name: host
    for host in (
        Host(
            "claude-desktop",
            "Claude Desktop",
            _claude_desktop,
            source="https://scalar.com/learn/mcp/connect-mcp-server-to-claude",
            read=_READ,
            abilities=Abilities(
                form="no",
                link="no",
                apps="some versions",
                prompts="yes",
                resources="yes",
                read=_READ,
                sources=("https://github.com/anthropics/claude-ai-mcp/issues/153", APPS, DOCUMENTED),
            ),
            after="Quit Claude Desktop completely and start it again; then ask: who works at the clinic today?",
            instead="add it under Settings, Connectors, Add custom connector",
        ),
        # Claude Code searches tools once their list is long, so listing all of them costs nothing.
        Host(
            "claude-code",
            "Claude Code",
            _claude_code,
            view="all",
            entry_type="stdio",
            remote={"type": "http", "url": "{url}"},
            source="https://www.developersdigest.tech/mcp-servers/clients/claude-code",
            read=_READ,
            abilities=Abilities(
                form="yes",
                link="no",
                apps="no",
                prompts="yes",
                resources="yes",
                progress="yes",
                read=_READ,
                sources=("https://github.com/anthropics/claude-code/issues/88075", DOCUMENTED),
            ),
            after="Start a new session; /mcp shows the connection.",
        ),
        # Cursor gives a model the first 40 tools.
        Host(
            "cursor",
            "Cursor",
            _cursor,
            syntax="jsonc",
            remote={"url": "{url}"},
            link="cursor",
            source="https://cursor.com/docs/mcp/install-links",
            read=_READ,
            abilities=Abilities(
                form="yes",
                apps="yes",
                prompts="yes",
                resources="yes",
                read=_READ,
                sources=(DECLARED, APPS, DOCUMENTED),
            ),
            after="Restart Cursor; then see under Settings, MCP, that cliniko is on.",
        ),
        # VS Code sends a model at most 128 tools where it does not search them.
        Host(
            "vscode",
            "VS Code",
            _vscode,
            section="servers",
            syntax="jsonc",
            entry_type="stdio",
            remote={"type": "http", "url": "{url}"},
            link="vscode",
            source="https://code.visualstudio.com/docs/copilot/reference/mcp-configuration",
            read=_READ,
            abilities=Abilities(
                form="yes",
                link="yes",
                apps="yes",
                prompts="yes",
                resources="yes",
                progress="yes",
                read=_READ,
                sources=(DECLARED, APPS, DOCUMENTED),
            ),
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
            remote={"type": "http", "url": "{url}"},
            source="https://docs.github.com/en/copilot/how-tos/copilot-cli/customize-copilot/add-mcp-servers",
            read=_READ,
            abilities=Abilities(read=_READ, sources=(DECLARED,)),
            after="Start a new session; /mcp show lists the connection.",
        ),
        Host(
            "codex-cli",
            "Codex CLI",
            _codex_cli,
            section="mcp_servers",
            syntax="toml",
            remote={"url": "{url}"},
            source="https://developers.openai.com/codex/mcp",
            read=_READ,
            abilities=Abilities(
                form="some versions",
                read=_READ,
                sources=(DECLARED, "https://github.com/openai/codex/issues/13405"),
            ),
            after="Start a new session; /mcp shows the connection.",
        ),
        Host(
            "gemini-cli",
            "Gemini CLI",
            _gemini_cli,
            syntax="jsonc",
            remote={"httpUrl": "{url}"},
            source="https://github.com/google-gemini/gemini-cli/blob/main/docs/tools/mcp-server.md",
            read=_READ,
            abilities=Abilities(
                form="no",
                prompts="yes",
                resources="yes",
                read=_READ,
                sources=(DECLARED, "https://www.mintlify.com/google-gemini/gemini-cli/tools/mcp-server"),
            ),
            after="Start a new session; /mcp shows the connection.",
        ),
        Host(
            "windsurf",
            "Windsurf",
            _windsurf,
            remote={"serverUrl": "{url}"},
            source="https://docs.windsurf.com/windsurf/cascade/mcp",
            read=_READ,
            abilities=Abilities(prompts="yes", resources="yes", read=_READ, sources=(DECLARED, DOCUMENTED)),
            after="Press refresh in the list of MCP servers of Cascade.",
        ),
        Host(
            "zed",
            "Zed",
            _zed,
            section="context_servers",
            syntax="jsonc",
            remote={"url": "{url}"},
            source="https://zed.dev/docs/ai/mcp",
            read=_READ,
            abilities=Abilities(
                form="no",
                prompts="yes",
                resources="no",
                read=_READ,
                sources=("https://zed.dev/docs/ai/mcp", DOCUMENTED),
            ),
            after="See in Settings, AI, MCP Servers, that cliniko is on.",
        ),
        Host(
            "jetbrains",
            "JetBrains Junie",
            _jetbrains,
            source="https://www.jetbrains.com/help/junie/model-context-protocol-mcp.html",
            read=_READ,
            after="See in Settings, Tools, Junie, MCP Settings, that cliniko is on.",
            instead="Junie documents servers on this computer alone: leave --url out",
        ),
        Host(
            "lm-studio",
            "LM Studio",
            _lm_studio,
            remote={"url": "{url}"},
            link="lm-studio",
            source="https://lmstudio.ai/docs/app/mcp/deeplink",
            read=_READ,
            after="Switch cliniko on under Program, in the list of tools.",
        ),
        Host(
            "goose",
            "Goose",
            _goose,
            section="extensions",
            syntax="yaml",
            entry_type="stdio",
            extra={"enabled": True, "timeout": 300},
            keys=("cmd", "args", "envs"),
            named=True,
            remote={"type": "streamable_http", "uri": "{url}"},
            source="https://github.com/aaif-goose/goose/blob/main/documentation/docs/guides/config-files.md",
            read=_READ,
            abilities=Abilities(apps="yes", prompts="yes", resources="yes", read=_READ, sources=(DECLARED, APPS)),
            after="Start a new session of Goose.",
        ),
        Host(
            "cline",
            "Cline",
            _cline,
            remote={"type": "streamableHttp", "url": "{url}"},
            source="https://docs.cline.bot/mcp/configuring-mcp-servers",
            read=_READ,
            abilities=Abilities(resources="yes", read=_READ, sources=(DECLARED,)),
            after="See under MCP Servers, Configure, that cliniko is on.",
        ),
        Host(
            "other",
            "another host",
            _other,
            remote={"type": "http", "url": "{url}"},
            after="Put the block into that host's configuration and restart it.",
        ),
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
