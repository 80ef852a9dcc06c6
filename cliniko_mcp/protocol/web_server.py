"""A port of this process: an ASGI app served on it until the process is told to stop."""

from __future__ import annotations

import signal
import socket
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import TYPE_CHECKING, Literal

from cliniko_mcp.errors import ConfigurationError

if TYPE_CHECKING:
    from starlette.types import ASGIApp

Drain = Callable[[Callable[[], bool]], Awaitable[None]]


async def listen(
    app: ASGIApp, host: str, port: int, started: Callable[[int], None], drain: Drain | None = None
) -> None:
    """Serve an ASGI app until the process is told to stop; `drain` then has its time, and is told of a second signal.

    `started` is given the port that was bound.
    """
    bound = listening_socket(host, port)
    number: int = bound.getsockname()[1]
    await serve_asgi(app, bound, started=lambda: started(number), drain=drain)


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket bound to this address. Raises ConfigurationError where it is taken or cannot be used."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because the event loop sends at once (TCP_NODELAY) only on sockets that name theirs:
    # without it every answer waits about 40 ms for the client's delayed acknowledgement.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError as problem:
        bound.close()
        raise ConfigurationError(f"cannot listen on {host} port {port}: {problem.strerror or problem}") from None
    bound.listen(128)
    return bound


async def serve_asgi(
    app: ASGIApp,
    bound: socket.socket,
    *,
    started: Callable[[], None],
    lifespan: Literal["on", "off"] = "on",
    drain: Drain | None = None,
) -> None:
    """Serve on this socket until a stop, or until cancelled; `started` is called once it listens."""
    import uvicorn

    stops: list[int] = []

    class Announcing(uvicorn.Server):
        """Says that it listens once it does, signals included: a stop sent right afterwards is a quiet one.

        While it drains it still listens, so that new calls are told when to come again.
        """

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            started()

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            if drain is None:
                super().handle_exit(sig, frame)
            else:  # `should_exit` would end the SSE streams at once, on which calls are answered
                stops.append(sig)

        async def on_tick(self, counter: int) -> bool:
            if drain is not None and stops:
                await drain(lambda: len(stops) > 1)
                self.should_exit = True
            return await super().on_tick(counter)

    # Without a log of its own: what uvicorn says goes where everything goes, and is redacted there.
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="warning",
        access_log=False,
        # Whom to believe about where a request came from is said by --trusted-proxies alone.
        proxy_headers=False,
        server_header=False,
        lifespan=lifespan,
        timeout_graceful_shutdown=2,
    )
    await Announcing(config).serve(sockets=[bound])
    # What uvicorn has captured it raises again before it returns, and SIGTERM would end the process before those who
    # called have written down what they have to.
    if signal.SIGINT in stops:
        signal.raise_signal(signal.SIGINT)


def url(host: str, port: int) -> str:
    """The address as people write it."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
