"""The flags of the commands that run a server, generated from the fields of the settings, so that both agree."""

from collections.abc import Callable, Collection
from typing import Any, Final, Literal, TypeVar, get_args, get_origin

import click

from cliniko_mcp.settings import SECRET_SETTINGS, Settings, flag, variable

OF_DOCTOR: Final = ("update_notice",)
"""Settings that no other command acts on."""
CommandT = TypeVar("CommandT", bound=Callable[..., Any])

SERVING: Final = (
    "transport", "host", "port", "http_token_file", "output", "output_schemas", "view", "approval_wait", "sandbox_port",
    "hosted", "people", "public_url", "login", "admit", "login_file", "login_key", "client_host", "trusted_proxies",
    "allow_origin", "log_format",
)  # fmt: skip
"""Settings of a server alone: commands that call a tool themselves have no flags for them."""
READING: Final = (*SERVING, "resources", "tools", "confirm", "allow_destroy", "read_only", "upload_folder")
"""What commands that only read have no flags for either."""


def settings_options(
    *, only: Collection[str] | None = None, leave_out: Collection[str] = (), usual: bool = False
) -> Callable[[CommandT], CommandT]:
    """A decorator that adds a flag for each setting in `only` but not in `leave_out`; a missing flag arrives as None.

    Without `only` it is every setting but those of `doctor`. With `usual` the help text names the default.
    """

    names = [name for name in Settings.model_fields if name not in OF_DOCTOR] if only is None else only

    def decorate(command: CommandT) -> CommandT:
        for name, field in reversed(Settings.model_fields.items()):
            if name in names and name not in (*SECRET_SETTINGS, *leave_out):
                text = f"{field.description}{_default_text(field.default) if usual else ''} [{variable(name)}]"
                attributes = _option_attributes(field.annotation)
                command = click.option(flag(name), name, default=None, help=text, **attributes)(command)
        return command

    return decorate


def _default_text(default: object) -> str:
    return f" Without it: {default}." if default else ""


def _option_attributes(annotation: object) -> dict[str, Any]:
    """The keyword arguments of `click.option` for a setting of this type."""
    if annotation is bool:
        return {"is_flag": True, "flag_value": True}
    if get_origin(annotation) is Literal:
        choices = get_args(annotation)

        def complete(_context: click.Context, _parameter: click.Parameter, prefix: str) -> list[str]:
            return [choice for choice in choices if choice.startswith(prefix)]

        # Not a click.Choice: the settings themselves refuse a wrong choice, from a flag or a variable.
        return {"metavar": "|".join(choices), "shell_complete": complete}
    if annotation in (int, float, int | None):
        return {"metavar": "N"}
    return {"metavar": "A,B" if get_origin(annotation) is tuple else "TEXT"}
