"""Pages and addresses of our own beside the protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from starlette.routing import Route, Router

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


class Routed:
    """Answers these addresses, and passes everything else on."""

    def __init__(self, app: ASGIApp, routes: Sequence[Route]) -> None:
        self._app = app
        self._router = Router(routes, redirect_slashes=False, default=app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer where a route fits. What is no request, such as the start of a server, is the app's alone."""
        await (self._router if scope["type"] == "http" else self._app)(scope, receive, send)
