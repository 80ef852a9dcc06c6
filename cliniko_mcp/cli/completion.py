"""`cliniko-mcp completion`: what a shell needs to complete commands and flags."""

from typing import Final

import click

VARIABLE: Final = "_CLINIKO_MCP_COMPLETE"
HOW: Final = {
    "bash": 'eval "$(cliniko-mcp completion bash)"   in ~/.bashrc',
    "zsh": 'eval "$(cliniko-mcp completion zsh)"   in ~/.zshrc',
    "fish": "cliniko-mcp completion fish | source   in ~/.config/fish/config.fish",
}

# A new zsh completes nothing until it is told to; without this the script would end in "command not found: compdef".
_BEFORE: Final = {"zsh": "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i }\n"}


@click.command(epilog="\b\n" + "\n".join(HOW.values()))
@click.argument("shell", type=click.Choice(list(HOW)))
def completion(shell: str) -> None:
    """Print the completion script of a shell; put the line below into its start-up file."""
    from click.shell_completion import get_completion_class

    from cliniko_mcp.cli import commands

    found = get_completion_class(shell)
    if found is None:
        raise click.ClickException(f"there is no completion for {shell}")
    made = found(commands, {}, "cliniko-mcp", VARIABLE)
    click.echo(_BEFORE.get(shell, ""), nl=False)
    # Without its `source`, which asks the installed bash for its version first.
    click.echo(made.source_template % made.source_vars())
