"""The body of a request within a limit: read ahead and given to the app all the same, or answered here."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Message, Receive


class Body(NamedTuple):
    """A body as far as it was read."""

    text: bytes
    """Empty where it is larger than the limit."""
    whole: bool
    """Whether it was read to its end: it is within the limit, and its client has not left."""
    again: Receive
    """Gives all that was read, and then the rest."""


async def buffered(receive: Receive, limit: int) -> Body:
    """The body of a request, as far as it is within the limit."""
    read: list[Message] = []
    text, whole = b"", False
    while len(text) <= limit and not whole:
        message = await receive()
        read.append(message)
        if message["type"] != "http.request":
            break
        text += message.get("body", b"")
        whole = not message.get("more_body", False)
    left = iter(read)

    async def again() -> Message:
        message = next(left, None)
        return await receive() if message is None else message

    within = len(text) <= limit
    return Body(text if within else b"", whole and within, again)


async def body_within(request: Request, limit: int) -> bytes | None:
    """The body of a request, which is answered here; None where it is larger than the limit."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            return None
    return body
