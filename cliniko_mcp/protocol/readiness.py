"""Whether new calls should come to this replica and what it does, on a port that people do not reach."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio

from cliniko_mcp.protocol.web_server import listening_socket, serve_asgi, url

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from cliniko_mcp.hosted_file import AdminSection
    from cliniko_mcp.telemetry.watch import Watch

Ready = Mapping[str, Callable[[], Awaitable[bool]]]
"""What has to hold, by name."""


@asynccontextmanager
async def admin_port(
    where: AdminSection | None, ready: Ready, announce: Callable[[str], None], watch: Watch | None = None
) -> AsyncGenerator[None]:
    """While inside, `/readyz` is answered there: 200, or 503 with what does not hold; and `/metrics`, of `watch`.

    Raises ConfigurationError where the port cannot be had.
    """
    if where is None:
        yield
        return
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse, PlainTextResponse
    from starlette.routing import Route

    async def readyz(_: Request) -> Response:
        found = {name: await holds() for name, holds in ready.items()}
        return JSONResponse({"ready": all(found.values()), "parts": found}, 200 if all(found.values()) else 503)

    routes = [Route("/readyz", readyz, methods=["GET", "HEAD"])]
    if watch is not None and (metrics := watch.metrics) is not None:
        from cliniko_mcp.telemetry.metrics import CONTENT_TYPE

        async def shown(_: Request) -> Response:
            return PlainTextResponse(metrics.text(), headers={"Content-Type": CONTENT_TYPE})

        routes.append(Route("/metrics", shown, methods=["GET", "HEAD"]))
    app = Starlette(routes=routes)
    bound = listening_socket(where.host, where.port)
    listening = anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(lambda: serve_asgi(app, bound, started=listening.set, lifespan="off"))
        await listening.wait()
        announce(f"says whether it is ready on {url(where.host, bound.getsockname()[1])}/readyz")
        yield
        group.cancel_scope.cancel()
