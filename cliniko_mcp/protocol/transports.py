"""How assistants reach the server: stdio, Streamable HTTP at /mcp, and SSE at /sse for older clients."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from contextvars import Context
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

import anyio
from pydantic import ValidationError

from cliniko_mcp.app import App, audit_log
from cliniko_mcp.approvals.paths import state_folder
from cliniko_mcp.client.credentials import is_loopback
from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.protocol.bearer import Token, bearer_token
from cliniko_mcp.protocol.web_server import listen, listening_socket, serve_asgi, url
from cliniko_mcp.settings import Settings

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server
    from mcp.server.sse import SseServerTransport
    from mcp.server.transport_security import TransportSecuritySettings
    from mcp.shared.message import SessionMessage
    from mcp_types import ErrorData
    from starlette.applications import Starlette
    from starlette.types import ASGIApp, Receive, Scope, Send

    from cliniko_mcp.hosted_file import HostedFile
    from cliniko_mcp.open_apps import Pool
    from cliniko_mcp.protocol.builtin_login import Login
    from cliniko_mcp.protocol.draining import Calls, Draining
    from cliniko_mcp.protocol.entrance import PagesOf
    from cliniko_mcp.protocol.hosting import Hosting
    from cliniko_mcp.protocol.readiness import Ready
    from cliniko_mcp.telemetry.watch import Watch

Announce = Callable[[str], None]
WILDCARDS = ("0.0.0.0", "::")
MAX_BODY_BYTES = 16 * 1024 * 1024


async def serve(app: App, announce: Announce, hosting: Hosting | None = None) -> None:
    """Serve until the client goes away (stdio) or the process is told to stop (http, sse).

    `announce` is given one line for each thing that listens; `hosting` is that of --hosted. Raises ConfigurationError
    before anything listens.
    """
    settings = app.settings
    own_tokens = settings.transport == "stdio" or settings.people or settings.hosted or settings.login
    token = None if own_tokens else bearer_token(settings, state_folder())
    from cliniko_mcp.guards.cut_off import cut_off
    from cliniko_mcp.protocol.server import build_server

    logs = [audit_log(settings)] if hosting is None else hosting.logs(settings)
    changes = [change for log in logs for change in cut_off(log)]
    for change in changes:
        announce(f"cut off when the server last ended, look whether it took effect: {change}")
    # Over HTTP a client may be somebody else than whose change it was.
    async with sandbox_port(app, announce), _login(app, announce) as login:
        if settings.transport == "stdio":
            await serve_stdio(build_server(app, changes))
            return
        from cliniko_mcp.hosted_file import hosted_by
        from cliniko_mcp.identity.gate import nobody_told
        from cliniko_mcp.protocol.draining import Draining
        from cliniko_mcp.protocol.entrance import entrance
        from cliniko_mcp.protocol.readiness import admin_port
        from cliniko_mcp.protocol.watching import opened_watch

        hosted = hosting.file if hosting is not None else hosted_by(settings)
        async with (
            opened_watch(settings, hosted, announce) as watch,
            _protocol(app, hosted, hosting, login, watch) as (protocol, calls, pages),
        ):
            refused = nobody_told if watch is None else watch.refused
            draining = Draining(protocol, calls, MAX_BODY_BYTES, notice=hosted.notice)
            started = partial(_announce_address, settings, hosted, token, announce)
            ready = _ready(draining, hosting)
            async with (
                entrance(draining, hosted, token, MAX_BODY_BYTES, login, pages, refused) as served,
                admin_port(hosted.admin, ready, announce, watch),
                hosting.anchoring(announce) if hosting is not None else nullcontext(),
            ):
                await listen(served, settings.host, settings.port, started, draining.drain)


def _ready(draining: Draining, hosting: Hosting | None) -> Ready:
    async def serving() -> bool:
        return draining.ready

    return {"serving": serving} | (hosting.ready if hosting is not None else {})


@asynccontextmanager
async def _protocol(
    app: App, hosted: HostedFile, hosting: Hosting | None, login: Login | None, watch: Watch | None
) -> AsyncGenerator[tuple[ASGIApp, Calls, PagesOf | None]]:
    """What answers the protocol, the calls that a stop waits for (of one app, or of a pool), and pages beside it."""
    from cliniko_mcp.protocol.server import build_server

    settings = app.settings
    security = transport_security(settings, hosted)

    def over_http(listing: App, pool: Pool | None) -> tuple[Starlette, ASGIApp]:
        server = build_server(listing, (), pool, watch)
        runs = server.streamable_http_app(
            transport_security=security,
            host=settings.host,
            max_request_body_size=MAX_BODY_BYTES,
            stateless_http=hosting is not None and hosting.sessions is not None,
        )
        if hosting is None or hosting.sessions is None:
            return runs, runs
        from cliniko_mcp.protocol.sealed_sessions import StatelessSessions

        return runs, StatelessSessions(runs, hosting.sessions, MAX_BODY_BYTES)

    if watch is not None and hosting is not None:
        hosting.watched_by(watch)
    if hosting is not None and hosting.clinics is not None:
        async with hosting.clinic_paths(settings, over_http, watch) as (paths, clinics):
            yield paths, clinics.apps, partial(hosting.pages, clinics.questions, pool=clinics)
    elif settings.transport == "sse":
        app.parts = replace(app.parts, watch=watch)
        yield _sse_app(build_server(app, (), None, watch), security), app, None
    else:
        pool = login.pool if login is not None else None
        if pool is None:
            app.parts = replace(app.parts, watch=watch)
        else:
            pool.apps.watch = watch
        if watch is not None:
            watch.count_apps(lambda: 1 if pool is None else len(pool.apps))
        pages = partial(hosting.pages, partial(hosting.questions_of, app)) if hosting is not None else None
        yield over_http(app, pool)[1], app if pool is None else pool.apps, pages


@asynccontextmanager
async def _login(app: App, announce: Announce) -> AsyncGenerator[Login | None]:
    """The built-in login, where the settings ask for it."""
    if app.settings.login is None:
        yield None
        return
    from cliniko_mcp.protocol.builtin_login import builtin_login

    async with builtin_login(app, announce) as login:
        yield login


def _announce_address(
    settings: Settings, hosted: HostedFile, token: Token | None, announce: Announce, port: int
) -> None:
    address = url(settings.host, port) + ("/mcp" if settings.transport == "http" else "/sse")
    announce(f"listening on {address}")
    if hosted.public_url:
        announce(f"people give their assistants {hosted.public_url}")
    for issuer in hosted.issuer:
        announce(f"people log in at {issuer.url}")
    if hosted.people:
        announce(f"people send tokens of their own, from {hosted.people}; `cliniko-mcp people add` makes one")
    if token is None:
        return
    if token.made_in is not None:
        announce(f"clients send the bearer token that is in {token.made_in}")
        # A file or a log that keeps standard error is not to hold the token.
        if sys.stderr.isatty():
            announce(f"for an assistant's file:\n{token.configuration(address, settings.transport)}")


async def serve_stdio(server: Server[dict[str, Any]]) -> None:
    """Serve the one client on standard input and output; the SDK keeps every other byte off standard output."""
    from mcp.server.stdio import stdio_server

    async with stdio_server() as (read, write):
        await server.run(ReadableMessages(read, write), write, server.create_initialization_options())


class Incoming(Protocol):
    """The client's messages as the SDK's transports give them: each line read, or why it could not be."""

    async def receive(self) -> SessionMessage | Exception:
        """The next message, or why its line could not be read. Raises EndOfStream when the client has left."""
        ...

    async def aclose(self) -> None:
        """Stop reading."""


class Outgoing(Protocol):
    """Where messages to the client go."""

    async def send(self, item: SessionMessage, /) -> None:
        """Send one message; it waits while the client reads none."""


class ReadableMessages:
    """The messages of a stream that can be read. A line that cannot is answered here, because the SDK would drop it.

    JSON-RPC 2.0 section 5: the answer's id is null, as the message's own is not known.
    """

    def __init__(self, read: Incoming, write: Outgoing) -> None:
        self._read = read
        self._write = write

    @property
    def last_context(self) -> Context | None:
        """The context in which the last message was sent, which the SDK asks its streams for."""
        # Some of the SDK's streams have it, and none of its public types says so.
        return getattr(self._read, "last_context", None)

    async def receive(self) -> SessionMessage | Exception:
        """The next message that can be read."""
        from mcp.shared.message import SessionMessage
        from mcp_types import JSONRPCError

        while isinstance(item := await self._read.receive(), Exception):
            if (problem := unreadable(item)) is not None:
                await self._write.send(SessionMessage(JSONRPCError(jsonrpc="2.0", id=None, error=problem)))
        return item

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def aclose(self) -> None:
        """Close the stream below."""
        await self._read.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        await self.aclose()


def unreadable(problem: Exception) -> ErrorData | None:
    """The error of JSON-RPC for a line that could not be read; None for an empty line, which is no message."""
    from mcp_types import INVALID_REQUEST, PARSE_ERROR, ErrorData

    if not isinstance(problem, ValidationError):
        return None
    first = problem.errors(include_url=False)[0]
    if first["type"] != "json_invalid":
        return ErrorData(code=INVALID_REQUEST, message="Invalid Request: not a JSON-RPC message")
    return ErrorData(code=PARSE_ERROR, message="Parse error") if str(first["input"]).strip() else None


@asynccontextmanager
async def sandbox_port(app: App, announce: Announce) -> AsyncGenerator[None]:
    """While inside, the demo clinic of this run also answers on its own port, where one is asked for."""
    settings = app.settings
    if settings.sandbox_port is None:
        yield
        return
    from cliniko_mcp.sandbox.port import asgi_app

    sandbox = app.sandbox
    bound = listening_socket("127.0.0.1", settings.sandbox_port)
    sandbox.base_url = f"http://127.0.0.1:{bound.getsockname()[1]}/v1"
    listening = anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(lambda: serve_asgi(asgi_app(sandbox), bound, started=listening.set, lifespan="off"))
        await listening.wait()
        for line in sandbox_lines(sandbox.keys, sandbox.base_url):
            announce(line)
        yield
        group.cancel_scope.cancel()


def sandbox_lines(keys: Mapping[str, str], base_url: str) -> list[str]:
    """What a person needs to use a demo clinic on a port: a key for each role, the address, a command to try."""
    lines = [f"key {role} {key}" for role, key in keys.items()]
    first = next(iter(keys.values()))
    lines.append(f"url {base_url}")
    lines.append(f"curl -u {first}: -A 'curl (you@example.org)' '{base_url}/practitioners'")
    return lines


def transport_security(settings: Settings, hosted: HostedFile) -> TransportSecuritySettings:
    """Which Host and Origin headers are answered: on loopback only local ones, against DNS rebinding.

    With a public address that one as well, and the pages that are allowed. Beyond loopback clients carry a token, which
    a page in a browser cannot; on a named address no foreign Origin is answered either, on a wildcard address the names
    that lead here are not known without the public one. Raises ConfigurationError for a public address that is none.
    """
    from mcp.server.transport_security import TransportSecuritySettings

    from cliniko_mcp.identity.metadata import Resource

    host, public = settings.host, Resource.parse(hosted.public_url) if hosted.public_url else None
    if host in WILDCARDS and public is None:
        if hosted.allow_origin:
            raise ConfigurationError(f"--allow-origin on {host} needs --public-url, by which foreign pages are told")
        return TransportSecuritySettings(enable_dns_rebinding_protection=False)
    local = ["127.0.0.1", "localhost", "[::1]"] if is_loopback(host) else [host, f"[{host}]"]
    names = () if host in WILDCARDS else local
    hosts = [allowed for name in names for allowed in (name, f"{name}:*")]
    origins = [*(f"http://{name}" for name in hosts), *hosted.allow_origin]
    if public is not None:
        hosts += public.hosts
        origins.append(public.origin)
    return TransportSecuritySettings(enable_dns_rebinding_protection=True, allowed_hosts=hosts, allowed_origins=origins)


def _sse_app(server: Server[dict[str, Any]], security: TransportSecuritySettings) -> Starlette:
    from mcp.server.sse import SseServerTransport
    from starlette.applications import Starlette
    from starlette.routing import Mount, Route

    transport = SseServerTransport("/messages/", security_settings=security, max_request_body_size=MAX_BODY_BYTES)
    return Starlette(
        routes=[
            Route("/sse", endpoint=_Streams(server, transport), methods=["GET"]),
            Mount("/messages/", app=transport.handle_post_message),
        ]
    )


class _Streams:
    """One SSE stream a request, for as long as its client stays."""

    def __init__(self, server: Server[dict[str, Any]], transport: SseServerTransport) -> None:
        self._server = server
        self._transport = transport

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with AsyncExitStack() as stack:
            try:
                read, write = await stack.enter_async_context(self._transport.connect_sse(scope, receive, send))
            except ValueError:  # a foreign Host or Origin, which the transport has already answered
                return
            await self._server.run(read, write, self._server.create_initialization_options())
