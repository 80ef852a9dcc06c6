"""The command line: one module a command, imported when it is called; only this package prints or exits."""

import logging
from importlib import import_module
from typing import Final

import click

from cliniko_mcp import __version__
from cliniko_mcp.cli.logs import log_to_stderr
from cliniko_mcp.cli.output import any_console, leave, tell
from cliniko_mcp.errors import ClinikoMcpError, ExitCode
from cliniko_mcp.redaction import SECRETS
from cliniko_mcp.sanitize import clean

COMMANDS: Final = {
    "serve": "Serve assistants over MCP (the default command).",
    "install": "Set this server up in an assistant, such as Claude Desktop.",
    "login": "Keep the API key and the contact email on this computer.",
    "doctor": "Check everything that has to work, and say what to do.",
    "demo": "Play a front-desk conversation with the demo clinic.",
    "tools": "List the tools of a view.",
    "call": "Call one tool and print its answer.",
    "diary": "Show the diary in columns, or write it as a page to look at.",
    "report": "Show a report of the clinic, or write it for a spreadsheet or as a page.",
    "export": "Write a whole list to a CSV or JSON Lines file.",
    "when": "Print what a phrase of time is understood as.",
    "sandbox": "Serve the demo clinic on a local port, for any Cliniko client.",
    "approve": "Approve or deny what assistants are waiting to do.",
    "people": "Add, list or revoke the people who may use a server over HTTP.",
    "clinics": "Add, list, change or remove the clinics of a server for many.",
    "logins": "See and end what people have connected by the built-in login.",
    "admit": "Say who may log in at the built-in login.",
    "audit": "Verify, show or export the audit log.",
    "completion": "Print the completion script of bash, zsh, fish or PowerShell.",
    "manifest": "Write or check the generated lists (for developers).",
}


class Commands(click.Group):
    """The group of commands; the module of a command is imported when it runs or its help is shown."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, its module imported; None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        # The module of a command is known by name only, so that a command imports no other; hence getattr.
        command: object = getattr(import_module(f"cliniko_mcp.cli.{cmd_name}"), cmd_name)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write name and summary of each command; no module is imported for it."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command with its name and arguments; flags without a command are those of `serve`."""
        if args and args[0] not in COMMANDS and args[0].startswith("-"):
            args = ["serve", *args]
        elif args and args[0] not in COMMANDS and not ctx.resilient_parsing:
            raise click.UsageError(_no_such_command(args[0]), ctx)
        return super().resolve_command(ctx, args)


def _no_such_command(name: str) -> str:
    """What to say of a command that does not exist: the nearest one, or how a tool of this name is called."""
    from cliniko_mcp.cli.names import nearest
    from cliniko_mcp.tools.index import entries

    unknown = f"No such command {clean(name, 60)!r}."
    if name in entries():
        return f"{unknown} It is a tool: cliniko-mcp call {name}"
    near = nearest(name, [*COMMANDS])
    return f"{unknown} Did you mean {near}?" if near else unknown


@click.command(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "ignore_unknown_options": True, "allow_extra_args": True},
)
@click.version_option(__version__, prog_name="cliniko-mcp")
@click.pass_context
def commands(ctx: click.Context) -> None:
    """An MCP server for Cliniko. Without a command it serves over stdio; `cliniko-mcp serve --help` lists its flags."""
    from cliniko_mcp.settings import no_colour

    ctx.color = False if no_colour() else None
    if ctx.invoked_subcommand is None:
        from cliniko_mcp.cli.serve import serve

        ctx.invoke(serve)


def _leave_no_core() -> None:
    """Have no crash of this process leave a file of its memory, in which the key would stand."""
    try:
        import resource
    except ImportError:  # Windows, where there are none
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def main() -> None:
    """Run the command line; an expected error is one line on stderr and exit code 1, and Ctrl-C ends quietly.

    An unexpected error is logged by its types and code locations only: its message may quote records or the key.
    """
    any_console()
    log_to_stderr()
    _leave_no_core()
    try:
        commands.main(prog_name="cliniko-mcp", standalone_mode=False)
    except click.ClickException as problem:
        message = " ".join(SECRETS.text(problem.format_message()).split())
        if isinstance(problem, click.UsageError) and problem.ctx:
            message += f"{'' if message.endswith(('.', '?')) else '.'} See {problem.ctx.command_path} --help."
        tell(f"cliniko-mcp: {message}", err=True)
        leave(ExitCode.NOT_UNDERSTOOD if isinstance(problem, click.UsageError) else ExitCode.FAILED)
    except ClinikoMcpError as problem:
        advice = f" {problem.fix}" if problem.fix else ""
        tell(f"cliniko-mcp: {clean(SECRETS.text(problem.message + advice), lines=True)}", err=True)
        leave(ExitCode.FAILED)
    except (KeyboardInterrupt, click.Abort):
        leave(ExitCode.INTERRUPTED)
    except Exception:
        logging.getLogger(__name__).exception("stopped by a mistake in this program; please report it")
        leave(ExitCode.FAILED)
