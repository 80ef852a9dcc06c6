"""Pages and addresses of our own beside the protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from starlette.responses import PlainTextResponse
from starlette.routing import Route, Router

from cliniko_mcp.errors import Unavailable

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_RETRY_AFTER_SECONDS: Final = "30"


class Routed:
    """Answers these addresses, and passes everything else on; 503 while what they are kept in is away."""

    def __init__(self, app: ASGIApp, routes: Sequence[Route]) -> None:
        self._app = app
        self._router = Router(routes, redirect_slashes=False, default=app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer where a route fits. What is no request, such as the start of a server, is the app's alone."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            await self._router(scope, receive, send)
        except Unavailable as problem:
            headers = {"Retry-After": _RETRY_AFTER_SECONDS, "Cache-Control": "no-store"}
            await PlainTextResponse(f"{problem.message} {problem.fix}\n", 503, headers)(scope, receive, send)
