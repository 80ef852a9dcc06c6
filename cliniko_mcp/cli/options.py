"""The flags of the commands that run a server, made from the fields of the settings so that they cannot disagree."""

from collections.abc import Callable, Collection
from typing import Any, Literal, TypeVar, get_args, get_origin

import click

from cliniko_mcp.settings import Settings, flag, variable

F = TypeVar("F", bound=Callable[..., Any])
SECRETS = ("api_key", "http_token")
"""Never flags: a process's arguments are visible to everyone on the computer."""


def settings_options(
    *, only: Collection[str] = tuple(Settings.model_fields), leave_out: Collection[str] = (), usual: bool = False
) -> Callable[[F], F]:
    """A decorator that adds a flag for each setting, or for `only` these; what was not given arrives as None.

    With `usual` the help says what holds without the flag.
    """

    def decorate(command: F) -> F:
        for name, field in reversed(Settings.model_fields.items()):
            if name in only and name not in (*SECRETS, *leave_out):
                words = f"{field.description}{_usual(field.default) if usual else ''} [{variable(name)}]"
                command = click.option(flag(name), name, default=None, help=words, **_kind(field.annotation))(command)
        return command

    return decorate


def _usual(default: object) -> str:
    return f" Without it: {default}." if default else ""


def _kind(annotation: Any) -> dict[str, Any]:
    if annotation is bool:
        return {"is_flag": True, "flag_value": True}
    if get_origin(annotation) is Literal:
        words = get_args(annotation)
        # Not a click.Choice: the settings refuse a wrong word themselves, wherever it comes from.
        return {"metavar": "|".join(words), "shell_complete": lambda ctx, param, begun: _begun_with(words, begun)}  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    if annotation in (int, float, int | None):
        return {"metavar": "N"}
    return {"metavar": "A,B" if get_origin(annotation) is tuple else "TEXT"}


def _begun_with(words: tuple[str, ...], begun: str) -> list[str]:
    return [word for word in words if word.startswith(begun)]
