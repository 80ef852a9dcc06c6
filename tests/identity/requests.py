"""Requests to an ASGI app without a server, and an app that tells who came through."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio

from cliniko_mcp.identity.person import Person, TokenRefused

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that stands until it is moved, as wall time and as seconds."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return (self.now - NOON).total_seconds()

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Known:
    """A verifier that knows these tokens, and counts how often it was asked."""

    people: dict[str, Person]
    asked: int = 0

    async def person_of(self, token: str) -> Person:
        self.asked += 1
        if token not in self.people:
            raise TokenRefused("unknown")
        return self.people[token]


@dataclass
class Behind:
    """The app behind a gate: what reached it, body and all."""

    scopes: list[Any] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body", False):
                break
        self.scopes.append(scope)
        self.bodies.append(body)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"through"})


@dataclass
class Answer:
    """What an app answered."""

    status: int
    headers: dict[str, str]
    body: bytes


def ask(
    app: Any, path: str = "/mcp", headers: Sequence[tuple[str, str]] = (), body: bytes = b"", method: str = "POST"
) -> Answer:
    """What this app answers to one request, whose body comes in two pieces."""
    return anyio.run(answered, app, path, headers, body, method)


async def answered(
    app: Any, path: str, headers: Sequence[tuple[str, str]] = (), body: bytes = b"", method: str = "POST"
) -> Answer:
    """The same within a loop."""
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
    }
    half = len(body) // 2
    pieces = [
        {"type": "http.request", "body": body[:half], "more_body": True},
        {"type": "http.request", "body": body[half:], "more_body": False},
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return pieces.pop(0) if pieces else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start = sent[0]
    found = {name.decode().lower(): value.decode("latin-1") for name, value in start["headers"]}
    return Answer(start["status"], found, b"".join(part.get("body", b"") for part in sent[1:]))
