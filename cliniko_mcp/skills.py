"""The routines as Agent Skills, and as a plugin of Claude Code: files made from the table that the prompts come from.

A skill is a folder with instructions (https://agentskills.io/specification), a plugin a folder with a description of
itself, skills and MCP servers (https://code.claude.com/docs/en/plugins-reference).
"""

import json
from pathlib import Path
from typing import Final

from cliniko_mcp import __version__
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.hosts.table import HOSTS
from cliniko_mcp.protocol.routines import ROUTINES, Routine
from cliniko_mcp.published import PACKAGE

FOLDER: Final = Path("packaging/claude-code-plugin")
DESCRIPTION: Final = "A clinic's routines in Cliniko, with the server that carries them out."


def skill_name(routine: Routine) -> str:
    """Its name as a skill, which is also that of its folder: small letters and hyphens."""
    return routine.name.replace("_", "-")


def skill(routine: Routine) -> str:
    """The instructions of a routine: when it is used, what is done, where it stops."""
    usual = [f"`{name}` is {value} unless the person says otherwise." for name, value in routine.usual.items()]
    choices = "".join(f"- `{choice.name}`: {choice.description}\n" for choice in routine.choices)
    parts = [
        f"---\nname: {skill_name(routine)}\ndescription: {_described(routine)}\n---",
        f"# {routine.title}",
        f"With the tools of the MCP server `{PACKAGE}`, which this plugin calls `cliniko`.",
        f"What the person may choose:\n\n{choices.rstrip()}",
        routine.steps,
        f"Limits: {routine.limits}",
        " ".join(usual),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _described(routine: Routine) -> str:
    return json.dumps(f"{routine.description} {routine.limits} For a clinic that works in Cliniko.", ensure_ascii=False)


def plugin(address: str) -> dict[str, JsonValue]:
    """The plugin.json, with the links of this address."""
    return {
        "name": "cliniko",
        "version": __version__,
        "description": DESCRIPTION,
        "author": {"name": f"The {PACKAGE} project", "url": address},
        "homepage": f"{address}#readme",
        "repository": address,
        "license": "MIT",
        "keywords": ["cliniko", "clinic", "appointments", "practice management"],
    }


def servers() -> dict[str, JsonValue]:
    """The plugin's .mcp.json: the server as `install` sets it up in Claude Code, fetched by uvx in this version."""
    host = HOSTS["claude-code"]
    flags = [word for name, value in host.flags().items() for word in (f"--{name}", value)]
    return {host.section: {"cliniko": host.entry(["uvx", f"{PACKAGE}=={__version__}"], flags, {})}}


def plugin_files(address: str) -> dict[Path, str]:
    """Every file of the plugin by its path from the project's folder."""
    files = {
        FOLDER / ".claude-plugin" / "plugin.json": json.dumps(plugin(address), indent=2) + "\n",
        FOLDER / ".mcp.json": json.dumps(servers(), indent=2) + "\n",
    }
    for routine in ROUTINES:
        files[FOLDER / "skills" / skill_name(routine) / "SKILL.md"] = skill(routine)
    return files
