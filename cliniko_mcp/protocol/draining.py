"""A stop over HTTP that loses nothing: no new calls, time for those under way, then an honest answer to the rest."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

import anyio

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.identity.bodies import buffered

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

DRAIN_SECONDS: Final = 55.0
"""How long calls under way may go on after a stop; packaging/ gives the process 70 seconds."""
_LAST_WORDS_SECONDS: Final = 3.0
_LAST_WRITE_SECONDS: Final = 0.2
"""For what was answered last to be written to its stream."""
_PAUSE_SECONDS: Final = 0.05
_RETRY_AFTER_SECONDS: Final = 30


class Waits(Protocol):
    """What waits for people."""

    def end(self) -> None:
        """End it, undone."""


class Calls(Protocol):
    """What is under way: an app, or all of a pool."""

    @property
    def waits(self) -> Waits:
        """What waits for people."""
        ...

    @property
    def busy(self) -> bool:
        """Whether anything is under way."""
        ...

    def interrupt(self) -> None:
        """End the calls under way."""


class Draining:
    """Passes requests on, and after a stop only what belongs to calls under way, such as an answer to a form."""

    def __init__(self, app: ASGIApp, calls: Calls, max_body_bytes: int, *, notice: float = 0.0) -> None:
        """`notice` is how many seconds a stop is only told to balancers, while all goes on as before."""
        self._app = app
        self._calls = calls
        self._max_body_bytes = max_body_bytes
        self._notice = notice
        self.ready = True
        """Whether new calls should come here."""
        self._stopping = False
        self._posts = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; a new call or stream after a stop is answered 503, with when to try again."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if not self.ready:
            send = _last(send)
        if self._stopping:
            body = await buffered(receive, self._max_body_bytes) if scope["method"] == "POST" else None
            if scope["method"] != "DELETE" and (body is None or not body.whole or _asks(body.text)):
                from starlette.responses import PlainTextResponse

                headers = {"Retry-After": str(_RETRY_AFTER_SECONDS)}
                await PlainTextResponse("The server is stopping.\n", 503, headers)(scope, receive, send)
                return
            if body is not None:
                receive = body.again
        posts = scope["method"] == "POST"
        self._posts += posts
        try:
            await self._app(scope, receive, send)
        finally:
            self._posts -= posts

    async def drain(self, hurried: Callable[[], bool], seconds: float = DRAIN_SECONDS) -> None:
        """Take no new calls, wait for those under way, at most so long and not once `hurried`, and end the others.

        What waits for a person ends at once, undone: nobody is to decide about it in a hurry.
        """
        self.ready = False
        await self._until(self._notice, hurried)
        self._stopping = True
        self._calls.waits.end()
        await self._wait(seconds, hurried)
        self._calls.interrupt()
        await self._wait(_LAST_WORDS_SECONDS, lambda: False)
        await anyio.sleep(_LAST_WRITE_SECONDS)

    async def _wait(self, seconds: float, hurried: Callable[[], bool]) -> None:
        await self._until(seconds, lambda: hurried() or not (self._posts or self._calls.busy))

    async def _until(self, seconds: float, over: Callable[[], bool]) -> None:
        with anyio.move_on_after(seconds):
            while not over():  # noqa: ASYNC110 - a signal sets no event
                await anyio.sleep(_PAUSE_SECONDS)


def _last(send: Send) -> Send:
    """The same, with every answer the last one of its connection: a balancer that only joins connections would go on
    leading the calls of one that stays open to a replica that is about to end."""

    async def with_end(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
        await send(message)

    return with_end


def _asks(body: bytes) -> bool:
    """Whether the message asks for an answer, so that it is neither an answer nor a notification; or cannot be read."""
    try:
        message: JsonValue = json.loads(body)
    except (ValueError, RecursionError):
        return True
    if not isinstance(message, dict):
        return True
    return "id" in message if "method" in message else not message.keys() & {"result", "error"}
