"""What stands before the protocol over HTTP, outermost first: pages' preflights, health, metadata, then the gate."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import anyio

from cliniko_mcp.hosted_file import HostedFile
from cliniko_mcp.identity.gate import Gate
from cliniko_mcp.identity.metadata import Metadata, Resource
from cliniko_mcp.identity.one_token import OneToken
from cliniko_mcp.identity.person import Verifier
from cliniko_mcp.identity.verifiers import verifier_of
from cliniko_mcp.protocol.bearer import Health, Token

if TYPE_CHECKING:
    from starlette.routing import Route
    from starlette.types import ASGIApp

    from cliniko_mcp.protocol.builtin_login import Login


PagesOf = Callable[[Verifier], AbstractAsyncContextManager[Sequence["Route"]]]
"""The addresses of pages, given what tells whose a token is."""


@asynccontextmanager
async def _no_pages(verifier: Verifier) -> AsyncGenerator[Sequence[Route]]:
    yield ()


@asynccontextmanager
async def entrance(
    app: ASGIApp,
    hosted: HostedFile,
    token: Token | None,
    max_body_bytes: int,
    login: Login | None = None,
    pages: PagesOf | None = None,
) -> AsyncGenerator[ASGIApp]:
    """The app behind everything that says who calls; `token` is everybody's, None where people have their own.

    `pages` see to that themselves.

    Raises ConfigurationError for people and issuers that cannot be used.
    """
    if token is not None:
        yield _for_pages(Health(Gate(app, OneToken(token.text), max_body_bytes=max_body_bytes)), hosted.allow_origin)
        return
    if login is not None:
        from cliniko_mcp.protocol.routed import Routed

        gate = Gate(app, login.verifier, max_body_bytes=max_body_bytes, resource=login.resource)
        documented = Metadata(gate, login.resource, [login.resource.origin])
        yield _for_pages(Health(Routed(documented, login.routes)), hosted.allow_origin)
        return
    clock = partial(datetime.now, UTC)  # noqa: TID251 - tokens expire in real time, whatever the clinic's clock says
    async with (
        verifier_of(hosted, clock, anyio.current_time) as verifier,
        (pages or _no_pages)(verifier) as routes,
    ):
        # Only a server that gives tokens can be logged in at: without one there is nothing to send a client to.
        resource = Resource.parse(hosted.public_url) if hosted.public_url and hosted.issuer else None
        scopes = hosted.ask_scopes
        gate = Gate(app, verifier, max_body_bytes=max_body_bytes, resource=resource, ask_scopes=scopes)
        issuers = [issuer.url for issuer in hosted.issuer]
        open_to_all: ASGIApp = Metadata(gate, resource, issuers, scopes) if resource is not None else gate
        if routes:
            from cliniko_mcp.protocol.routed import Routed

            open_to_all = Routed(open_to_all, routes)
        yield _for_pages(Health(open_to_all), hosted.allow_origin)


def _for_pages(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """The app with what a browser asks before a page of another origin may call it (CORS); only for pages allowed."""
    if not origins:
        return app
    from starlette.middleware.cors import CORSMiddleware

    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=("GET", "POST", "DELETE"),
        allow_headers=("*",),
        expose_headers=("WWW-Authenticate", "Mcp-Session-Id", "Mcp-Protocol-Version"),
    )
