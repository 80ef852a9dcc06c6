"""`cliniko-mcp completion`: prints the script with which a shell completes commands and flags."""

from typing import Final

import click

from cliniko_mcp.cli.names import Choice

VARIABLE: Final = "_CLINIKO_MCP_COMPLETE"
HOW: Final = {
    "bash": 'eval "$(cliniko-mcp completion bash)"   in ~/.bashrc',
    "zsh": 'eval "$(cliniko-mcp completion zsh)"   in ~/.zshrc',
    "fish": "cliniko-mcp completion fish | source   in ~/.config/fish/config.fish",
    "powershell": "cliniko-mcp completion powershell | Out-String | Invoke-Expression   in the file of $PROFILE",
}

# A new zsh does not load its completion by itself; without this the script ends in "command not found: compdef".
_BEFORE: Final = {"zsh": "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i }\n"}


@click.command(epilog="\b\n" + "\n".join(HOW.values()))
@click.argument("shell", type=Choice(list(HOW)))
def completion(shell: str) -> None:
    """Print the completion script of a shell; put the line below into its start-up file."""
    from click.shell_completion import get_completion_class

    from cliniko_mcp.cli import commands

    completion_class = get_completion_class(shell)
    if completion_class is None:
        raise click.ClickException(f"there is no completion for {shell}")
    script = completion_class(commands, {}, "cliniko-mcp", VARIABLE)
    click.echo(_BEFORE.get(shell, ""), nl=False)
    # The template, not `source()`, which asks the installed bash for its version first.
    click.echo(script.source_template % script.source_vars())
