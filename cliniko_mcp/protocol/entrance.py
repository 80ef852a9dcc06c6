"""What stands before the protocol over HTTP, outermost first: pages' preflights, health, then the gate."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from cliniko_mcp.identity.gate import Gate
from cliniko_mcp.identity.one_token import OneToken
from cliniko_mcp.identity.people_file import People
from cliniko_mcp.identity.person import Verifier
from cliniko_mcp.protocol.bearer import Health, Token
from cliniko_mcp.settings import Settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp


def entrance(app: ASGIApp, settings: Settings, token: Token | None, max_body_bytes: int) -> ASGIApp:
    """The app behind everything that says who calls; `token` is everybody's, None where people have their own.

    Raises ConfigurationError for a file of people that cannot be used.
    """
    gate = Gate(app, verifier_of(settings, token), max_body_bytes=max_body_bytes)
    return _for_pages(Health(gate), settings)


def verifier_of(settings: Settings, token: Token | None) -> Verifier:
    """What tells whose a token is."""
    if token is not None:
        return OneToken(token.text)
    clock = partial(datetime.now, UTC)  # noqa: TID251 - tokens expire in real time, whatever the clinic's clock says
    return People(Path(settings.people or ""), clock, anyio.current_time)


def _for_pages(app: ASGIApp, settings: Settings) -> ASGIApp:
    """The app with what a browser asks before a page of another origin may call it (CORS); only for pages allowed."""
    if not settings.allow_origin:
        return app
    from starlette.middleware.cors import CORSMiddleware

    return CORSMiddleware(
        app,
        allow_origins=settings.allow_origin,
        allow_methods=("GET", "POST", "DELETE"),
        allow_headers=("*",),
        expose_headers=("WWW-Authenticate", "Mcp-Session-Id", "Mcp-Protocol-Version"),
    )
