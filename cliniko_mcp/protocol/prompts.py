"""Prompts for a clinic's routines: what a person picks from a menu instead of typing it every time."""

from collections.abc import Mapping
from typing import Final

import mcp_types as types
from mcp.shared.exceptions import MCPError

from cliniko_mcp.protocol.routines import ROUTINES
from cliniko_mcp.sanitize import clean, label

MAX_CHARACTERS: Final = 200


def listed() -> types.ListPromptsResult:
    """Every routine with what it does and what it will not do."""
    prompts = [
        types.Prompt(
            name=routine.name,
            title=routine.title,
            description=f"{routine.description} {routine.limits}",
            arguments=list(routine.choices),
        )
        for routine in ROUTINES
    ]
    return types.ListPromptsResult(prompts=prompts)


def filled(name: str, arguments: Mapping[str, str]) -> types.GetPromptResult:
    """The routine `name` as a message from the person, with what they chose.

    Raises MCPError for a routine or an argument that does not exist.
    """
    routine = next((routine for routine in ROUTINES if routine.name == name), None)
    if routine is None:
        known = ", ".join(routine.name for routine in ROUTINES)
        raise MCPError(types.INVALID_PARAMS, f"There is no prompt called {label(name)}; there are {known}.")
    known_arguments = [choice.name for choice in routine.choices]
    if unknown := sorted(set(arguments) - set(known_arguments)):
        raise MCPError(types.INVALID_PARAMS, f"{name} takes {', '.join(known_arguments)}, not {label(unknown[0])}.")
    cleaned = {key: clean(value, MAX_CHARACTERS) for key, value in arguments.items()}
    chosen = {key: value for key, value in cleaned.items() if value}
    lines = [f"{key.replace('_', ' ').capitalize()}: {value}" for key, value in {**routine.usual, **chosen}.items()]
    parts = [routine.steps, f"Limits: {routine.limits}", "\n".join(lines)]
    content = types.TextContent(type="text", text="\n\n".join(part for part in parts if part))
    return types.GetPromptResult(
        description=f"{routine.description} {routine.limits}",
        messages=[types.PromptMessage(role="user", content=content)],
    )
