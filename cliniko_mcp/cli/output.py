"""Printing to any console: a character that a pipe or an old console cannot show is replaced and raises no error."""

import io
import json
import sys
from typing import NoReturn, TextIO

import click

from cliniko_mcp.errors import ExitCode, JsonValue
from cliniko_mcp.redaction import SECRETS


def leave(code: ExitCode) -> NoReturn:
    """End the command with this exit code."""
    raise SystemExit(int(code))


def any_console() -> None:
    """Let standard output and error accept every character, which Windows pipes and old code pages do not."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def json_for(value: JsonValue, stream: TextIO, indent: int | None = None) -> str:
    """The value as JSON text without our secrets; with escapes where the stream cannot encode every character, so that
    none is lost."""
    value = SECRETS.json(value)
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    try:
        text.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent)
    return text


def bold(text: str) -> str:
    """A heading for a terminal."""
    return click.style(text, bold=True)
