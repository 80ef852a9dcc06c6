"""The one bearer token of a server without people of its own, set by the operator or made at the first start."""

from __future__ import annotations

import json
import os
import secrets  # noqa: TID251 - a token is not to be guessed
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.private_files import create_file, private_folder, read_private
from cliniko_mcp.redaction import SECRETS
from cliniko_mcp.settings import Settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_MIN_TOKEN_LENGTH: Final = 16
_MADE_NAME: Final = "http-token"


class Token(NamedTuple):
    """The bearer token, and the file where a token lies that this program made; None where the operator gave it."""

    text: str
    made_in: Path | None = None

    def configuration(self, address: str, transport: str) -> str:
        """What an assistant's file needs to reach the server at this address. It holds the token."""
        headers = {"Authorization": f"Bearer {self.text}"}
        entry = {"type": transport, "url": address, "headers": headers}
        return json.dumps({"mcpServers": {"cliniko": entry}}, indent=2)


def bearer_token(settings: Settings, folder: Path) -> Token:
    """The token that clients must send: the operator's, else that in `folder`, which is made where there is none yet.

    Raises ConfigurationError for a file that others may read or that cannot be read or made, and for a token that is
    too short.
    """
    if settings.http_token_file:
        token = Token(_in_file(Path(settings.http_token_file)))
    elif settings.http_token:
        token = Token(settings.http_token.get_secret_value().strip())
    else:
        token = _made(folder)
    if len(token.text) < _MIN_TOKEN_LENGTH:
        where = f" in {token.made_in}" if token.made_in else ""
        raise ConfigurationError(f"the bearer token{where} is shorter than {_MIN_TOKEN_LENGTH} characters")
    SECRETS.learn(token.text)
    return token


def _in_file(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        token = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(f"--http-token-file {path} cannot be read") from None
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigurationError(f"--http-token-file {path} can be read by others: chmod 600 it")
    return token


def _made(folder: Path) -> Token:
    path = folder / _MADE_NAME
    try:
        private_folder(folder)
        with suppress(FileExistsError):  # made at an earlier start, or by another server that was quicker
            create_file(path, f"{secrets.token_urlsafe(32)}\n".encode())
        return Token(read_private(path).strip(), path)
    except OSError as problem:
        raise ConfigurationError(
            f"clients must send a bearer token, and none can be kept in {path} ({problem.strerror or problem}): "
            "set --http-token-file or CLINIKO_MCP_HTTP_TOKEN"
        ) from None


class Health:
    """Answers /healthz to everyone with an empty 200: that the port is served, and nothing else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a GET or HEAD of /healthz here, and pass everything else on."""
        if scope["type"] == "http" and scope["path"] == "/healthz" and scope["method"] in ("GET", "HEAD"):
            from starlette.responses import Response

            await Response()(scope, receive, send)
            return
        await self._app(scope, receive, send)
