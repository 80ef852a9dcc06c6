"""Sessions of the older era that no replica keeps: what a client declared is in the id, for its own person alone."""

import json
import random
from typing import Any

import anyio
import pytest

from cliniko_mcp.protocol.declared import Declared
from cliniko_mcp.protocol.sealed_sessions import SealedSessions, StatelessSessions
from cliniko_mcp.shared_state.keys import KeyRing

CLAUDE = Declared("claude-code", frozenset({"form"}))


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def sessions(clock: Clock | None = None, secret: bytes = b"s" * 32) -> SealedSessions:
    return SealedSessions(KeyRing([secret], random.Random(1).randbytes), clock or Clock())


def test_another_replica_opens_an_id_for_the_same_person_and_for_nobody_else() -> None:
    made = sessions().of(CLAUDE, "ana")
    assert made.isascii() and made.isprintable() and " " not in made
    assert sessions().open(made, "ana") == CLAUDE
    altered = made[:-2] + ("A" if made[-2] != "A" else "B") + made[-1]
    refused = [sessions().open(made, "eve"), sessions(secret=b"t" * 32).open(made, "ana")]
    refused += [sessions().open(wrong, "ana") for wrong in (altered, "", "v1.", "v1.!", "x" + made, made * 100)]
    assert refused == [None] * 8
    long = Declared("n" * 200, frozenset({"form", "url"}))
    assert sessions().open(sessions().of(long, "ana"), "ana") == Declared("n" * 100, long.elicitation)


def test_an_id_is_good_for_twelve_hours() -> None:
    clock = Clock()
    made = sessions(clock).of(CLAUDE, "ana")
    for seconds, holds in ((43_199, True), (43_200, False), (-59, True), (-61, False)):
        clock.now = Clock.now + seconds
        assert (sessions(clock).open(made, "ana") == CLAUDE) is holds, seconds


class Protocol:
    """The protocol below: says 200 with what it was sent."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.declared: list[object] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.bodies.append(body)
        self.declared.append(scope.get("state", {}).get("declared"))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})


def asked(
    protocol: Protocol, body: bytes = b"", session: str | None = None, method: str = "POST", principal: str = "ana"
) -> tuple[int, str | None]:
    """The status of the answer, and the session that it gives."""
    app = StatelessSessions(protocol, sessions(), 1_000)
    half = len(body) // 2
    coming = [
        {"type": "http.request", "body": body[:half], "more_body": True},
        {"type": "http.request", "body": body[half:], "more_body": False},
    ]
    sent: list[dict[str, Any]] = []
    headers = [(b"mcp-session-id", session.encode())] if session is not None else []
    scope = {"type": "http", "method": method, "headers": headers, "state": {"principal": principal}}

    async def receive() -> dict[str, Any]:
        return coming.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    anyio.run(app, scope, receive, send)
    found = dict(sent[0]["headers"]).get(b"mcp-session-id")
    return sent[0]["status"], found.decode() if found else None


def initialize(**capabilities: Any) -> bytes:
    client = {"name": "claude-code", "version": "2"}
    params = {"protocolVersion": "2025-11-25", "clientInfo": client, "capabilities": capabilities}
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}).encode()


@pytest.mark.parametrize(
    ("capabilities", "ways"),
    [
        ({}, set[str]()),
        ({"elicitation": {}}, {"form"}),
        ({"elicitation": {"form": {}}}, {"form"}),
        ({"elicitation": {"url": {}}}, {"url"}),
        ({"elicitation": {"form": {}, "url": {}}}, {"form", "url"}),
        ({"elicitation": "yes"}, set[str]()),
    ],
)
def test_the_first_answer_gives_an_id_by_which_later_requests_are_known(
    capabilities: dict[str, Any], ways: set[str]
) -> None:
    protocol, body = Protocol(), initialize(**capabilities)
    status, session = asked(protocol, body)
    assert status == 200 and session is not None and protocol.bodies == [body]
    assert asked(protocol, b'{"method": "tools/list"}', session) == (200, None)
    assert protocol.declared == [None, Declared("claude-code", frozenset(ways))]


def test_an_id_of_somebody_else_leads_nowhere_and_ending_a_session_needs_nothing() -> None:
    protocol = Protocol()
    _, session = asked(protocol, initialize())
    assert asked(protocol, b"{}", session, principal="eve") == (404, None)
    assert asked(protocol, b"{}", "0123456789abcdef") == (404, None)
    assert asked(protocol, b"", session, "DELETE") == (200, None)
    assert len(protocol.bodies) == 1


@pytest.mark.parametrize(
    "body",
    [
        b'{"method": "tools/list", "params": {"initialize": 1}}',
        b'"initialize"',
        b'[{"method": "initialize"}]',
        b'{"method": "initialize"}',
        b'{"method": "initialize"',
        b'{"method": "initialize", "params": {}, "more": "' + b"x" * 2_000 + b'"}',
    ],
)
def test_whatever_else_comes_first_is_passed_on_as_it_is_and_gets_no_id(body: bytes) -> None:
    protocol = Protocol()
    assert asked(protocol, body) == (200, None)
    assert protocol.bodies == [body]
