"""Sessions of the older era that no replica keeps: the session's id itself says what its client declared.

The protocol below answers each request by itself. On `initialize` the answer gets an `Mcp-Session-Id` that holds the
client's name and what it can do, sealed for the person who asked; with each later request that is opened again, by
whichever replica. Nothing rides on it but that: whoever has the id of another person has nothing.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.identity.bodies import buffered
from cliniko_mcp.protocol.declared import Declared
from cliniko_mcp.shared_state.keys import KeyRing, Unsealable

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

SESSION_SECONDS: Final = 43_200
"""How old a session may be: twelve hours."""
_HEADER: Final = b"mcp-session-id"
_VERSION: Final = "v1."
_MAX_NAME: Final = 100
_MAX_ID: Final = 4_096


class SealedSessions:
    """The ids of sessions, sealed and opened."""

    def __init__(self, ring: KeyRing, clock: Callable[[], float]) -> None:
        """`clock` is the time of day in Unix seconds."""
        self._ring = ring
        self._clock = clock

    def of(self, declared: Declared, principal: str) -> str:
        """An id for this client of this person, in letters that a header may hold."""
        text = json.dumps([int(self._clock()), declared.program[:_MAX_NAME], sorted(declared.elicitation)])
        sealed = self._ring.seal(text.encode(), "session", bound=principal.encode())
        return _VERSION + base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def open(self, session: str, principal: str) -> Declared | None:
        """What the client declared; None for an id that was not sealed for this person, or is too old."""
        if not session.startswith(_VERSION) or len(session) > _MAX_ID:
            return None
        text = session.removeprefix(_VERSION)
        try:
            sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            found = self._ring.unseal(sealed, "session", bound=principal.encode())
        except (binascii.Error, ValueError, Unsealable):
            return None
        begun, program, ways = json.loads(found)
        if not 0 <= self._clock() - begun + _SKEW_SECONDS < SESSION_SECONDS + _SKEW_SECONDS:
            return None
        return Declared(program, frozenset(ways))


_SKEW_SECONDS: Final = 60


class StatelessSessions:
    """Gives and takes sealed ids before a protocol that keeps no sessions. It stands behind the gate."""

    def __init__(self, app: ASGIApp, sessions: SealedSessions, max_body_bytes: int) -> None:
        self._app = app
        self._sessions = sessions
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with `declared` in its state; 404 for an id that is none of this person's,
        405 for a stream without a call."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "GET":  # there is nothing that the server could send by itself
            await _empty(send, 405, (b"allow", b"POST, DELETE"))
            return
        principal = str(scope.get("state", {}).get("principal", ""))
        session = next((value for name, value in scope["headers"] if name == _HEADER), None)
        if session is not None:
            declared = self._sessions.open(session.decode("latin-1"), principal)
            if declared is None:
                await _empty(send, 404)
                return
            if scope["method"] == "DELETE":
                await _empty(send, 200)
                return
            scope.setdefault("state", {})["declared"] = declared
            await self._app(scope, receive, send)
            return
        if scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        body = await buffered(receive, self._max_body_bytes)
        declared = _declared(body.text) if body.whole else None
        session_id = self._sessions.of(declared, principal).encode() if declared is not None else None

        async def replying(message: Message) -> None:
            if session_id is not None and message["type"] == "http.response.start" and message["status"] == 200:
                message = {**message, "headers": [*message.get("headers", ()), (_HEADER, session_id)]}
            await send(message)

        await self._app(scope, body.again, replying)


async def _empty(send: Send, status: int, *headers: tuple[bytes, bytes]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0"), *headers]})
    await send({"type": "http.response.body", "body": b""})


def _declared(body: bytes) -> Declared | None:
    """What the client says of itself in a request to `initialize`; None where the body is none."""
    if b'"initialize"' not in body:
        return None
    try:
        request: JsonValue = json.loads(body)
    except (ValueError, RecursionError):
        return None
    match request:
        case {"method": "initialize", "params": {**params}}:
            pass
        case _:
            return None
    client, capabilities = _object(params.get("clientInfo")), _object(params.get("capabilities"))
    program, elicitation = client.get("name"), capabilities.get("elicitation")
    ways = frozenset[str]()
    if isinstance(elicitation, dict):
        # Without a word it is forms that are meant.
        ways = frozenset(way for way in ("form", "url") if way in elicitation) or frozenset({"form"})
    return Declared(program if isinstance(program, str) else "", ways)


def _object(value: JsonValue) -> Mapping[str, JsonValue]:
    return value if isinstance(value, dict) else {}
