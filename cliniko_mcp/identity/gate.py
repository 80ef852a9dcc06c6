"""The gate: before anything of the protocol, who calls and whether their token grants what the call needs.

It challenges; what a token may do is enforced by the guards, so no request can step round it. In order: what is for
everyone passes, the length of the body, one Authorization header, the token, the scopes
(https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization, RFC 6750, RFC 9728).
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.identity.bodies import buffered
from cliniko_mcp.identity.metadata import Resource, clinic_in
from cliniko_mcp.identity.person import REASONS, Clock, IssuerUnavailable, Person, TokenRefused, Verifier
from cliniko_mcp.identity.scopes import SCOPES, allowed, grants, needed, risk_of_tool

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_TOKEN_LENGTH: Final = 16_384
REMEMBERED_SECONDS: Final = 60.0
"""The longest that a token may be good after its issuer or the directory took it back."""
_MAX_REMEMBERED: Final = 10_000
_RETRY_AFTER_SECONDS: Final = 10

Passes = Callable[[str], bool]
"""Whether a request to this path needs no token."""
Refusals = Callable[[int, str], None]
"""Told of each refusal: its status, and a reason of `REASONS`, or missing, header, body, scope, unavailable."""


def nothing_passes(path: str) -> bool:
    """No path is for everyone."""
    return False


def nobody_told(status: int, reason: str) -> None:
    """Refusals are not counted."""


class FirstOf:
    """Several verifiers as one: the first that knows the token decides."""

    def __init__(self, verifiers: Sequence[Verifier]) -> None:
        self._verifiers = tuple(verifiers)

    async def person_of(self, token: str) -> Person:
        """Whose token this is. Raises as `Verifier` does, with the reason of the one that knew it."""
        for verifier in self._verifiers:
            try:
                return await verifier.person_of(token)
            except TokenRefused as refused:
                if refused.reason != "unknown":
                    raise
        raise TokenRefused("unknown")


class Remembered:
    """What a verifier said of a token, kept by the token's digest for a minute at most, and never past its end.

    For verifiers that compute or ask long; those that look up a revocation need none. Refusals are not kept.
    """

    def __init__(self, verifier: Verifier, clock: Clock, seconds: float = REMEMBERED_SECONDS) -> None:
        self._verifier = verifier
        self._clock = clock
        self._kept_for = timedelta(seconds=seconds)
        self._known: OrderedDict[bytes, tuple[Person, datetime]] = OrderedDict()

    async def person_of(self, token: str) -> Person:
        """Whose token this is. Raises as `Verifier` does."""
        key, now = hashlib.sha256(token.encode()).digest(), self._clock()
        if (found := self._known.get(key)) is not None and now < found[1]:
            return found[0]
        self._known.pop(key, None)
        person = await self._verifier.person_of(token)
        until = now + self._kept_for
        self._known[key] = (person, min(until, person.expires) if person.expires else until)
        while len(self._known) > _MAX_REMEMBERED:
            self._known.popitem(last=False)
        return person

    def forget(self) -> None:
        """Ask again for every token."""
        self._known.clear()


class Gate:
    """Lets requests through with their person in `scope["state"]`, under `person` and `principal`."""

    def __init__(
        self,
        app: ASGIApp,
        verifier: Verifier,
        *,
        max_body_bytes: int,
        resource: Resource | None = None,
        passes: Passes = nothing_passes,
        ask_scopes: Sequence[str] = SCOPES,
        refused: Refusals = nobody_told,
    ) -> None:
        """`resource` names the metadata in the challenges; None where no authorization server gives tokens.

        `ask_scopes` is what a first login asks for: all that a person may ever need, because a client is held to what
        it registered with first.
        """
        self._app = app
        self._verifier = verifier
        self._max_body_bytes = max_body_bytes
        self._resource = resource
        self._passes = passes
        self._ask_scopes = tuple(ask_scopes)
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it: 400 two headers, 401 token, 403 scopes, 413 body, 503 issuer away."""
        if scope["type"] != "http" or self._passes(scope["path"]):
            await self._app(scope, receive, send)
            return
        length = _header(scope, b"content-length")
        if length is not None and length.isdigit() and int(length) > self._max_body_bytes:
            await self._answer(scope, send, 413, "body", "The request is too large.")
            return
        headers = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(headers) > 1:
            await self._answer(scope, send, 400, "header", "Send one Authorization header.")
            return
        token = _token(headers[0]) if headers else None
        if token is None:
            await self._answer(scope, send, 401, "missing", "A bearer token is needed.", self._challenge(scope))
            return
        try:
            person = await self._person(token, clinic_in(scope["path"]))
        except TokenRefused as refused:
            challenge = self._challenge(scope, error="invalid_token")
            words = f"The token was refused: {REASONS[refused.reason]}."
            await self._answer(scope, send, 401, refused.reason, words, challenge)
            return
        except IssuerUnavailable:
            words = "Who gives the tokens does not answer just now; try again."
            await self._answer(scope, send, 503, "unavailable", words, retry_after=_RETRY_AFTER_SECONDS)
            return
        risk, receive = await self._risk(scope, receive, person)
        if not grants(person.scopes, risk):
            scopes = needed(risk)
            challenge = self._challenge(scope, error="insufficient_scope", scopes=scopes)
            words = f"This needs a token with the scope {scopes[-1]}."
            await self._answer(scope, send, 403, "scope", words, challenge)
            return
        _name(scope, person)
        await self._app(scope, receive, send)

    async def _person(self, token: bytes, clinic: str | None) -> Person:
        if len(token) > MAX_TOKEN_LENGTH or not token.isascii():
            raise TokenRefused("malformed")
        person = await self._verifier.person_of(token.decode("ascii"))
        if clinic is not None and person.clinic not in (None, clinic):
            raise TokenRefused("audience")
        return person

    async def _risk(self, scope: Scope, receive: Receive, person: Person) -> tuple[Risk, Receive]:
        """The most that the request may do, and what gives its body, which had to be read where no header names a
        tool. A body that cannot be read needs no more than reading: the protocol answers it."""
        if scope["method"] != "POST" or allowed(person.scopes) in (None, Risk.DESTRUCTIVE):
            return Risk.READ, receive
        method, name = _header(scope, b"mcp-method"), _header(scope, b"mcp-name")
        if method is not None:
            called = name if method == b"tools/call" else None
            return (risk_of_tool(called.decode("latin-1").strip()) if called else Risk.READ), receive
        body = await buffered(receive, self._max_body_bytes)
        return risk_of_tool(tool_in(body.text)), body.again

    def _challenge(self, scope: Scope, *, error: str = "", scopes: Sequence[str] = ()) -> str:
        parts = {"error": error} if error else {}
        if self._resource is not None:
            parts["resource_metadata"] = self._resource.metadata_of(scope["path"])
        parts["scope"] = " ".join(scopes or self._ask_scopes)
        return "Bearer " + ", ".join(f'{name}="{text}"' for name, text in parts.items())

    async def _answer(
        self,
        scope: Scope,
        send: Send,
        status: int,
        reason: str,
        words: str,
        challenge: str | None = None,
        *,
        retry_after: int | None = None,
    ) -> None:
        from starlette.responses import PlainTextResponse

        self._refused(status, reason)
        headers = {"Cache-Control": "no-store"}
        if challenge is not None:
            headers["WWW-Authenticate"] = challenge
        if retry_after is not None:
            headers["Retry-After"] = str(retry_after)
        await PlainTextResponse(f"{words}\n", status, headers)(scope, _nothing, send)


def _name(scope: Scope, person: Person) -> None:
    """Tell the app who calls; by its user the SDK binds a session to whoever opened it."""
    from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
    from mcp.server.auth.provider import AccessToken

    state = scope.setdefault("state", {})
    state["person"] = person
    state["principal"] = person.principal
    token = AccessToken(
        token="",
        client_id=person.principal,
        scopes=sorted(person.scopes),
        subject=person.subject,
        claims={"iss": person.issuer},
    )
    scope["user"] = AuthenticatedUser(token)


def _header(scope: Scope, name: bytes) -> bytes | None:
    return next((value for header, value in scope["headers"] if header == name), None)


def _token(header: bytes) -> bytes | None:
    """What follows the word Bearer; None for another scheme, and where nothing does."""
    kind, _, token = header.partition(b" ")
    return token.strip() if kind.lower() == b"bearer" and token.strip() else None


def tool_in(body: bytes) -> str:
    """The tool that a message of the protocol calls; empty where it calls none or cannot be read."""
    try:
        message: JsonValue = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(message, dict) or message.get("method") != "tools/call":
        return ""
    params = message.get("params")
    name = params.get("name") if isinstance(params, dict) else None
    return name if isinstance(name, str) else ""


async def _nothing() -> Message:
    return {"type": "http.disconnect"}
