"""The addresses of the built-in login that programs use: metadata, registration, codes, tokens, revocation.

The SDK's handlers answer; what they lack is added here, before and after them.
"""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from mcp.server.auth.handlers.authorize import AuthorizationHandler
from mcp.server.auth.handlers.register import RegistrationHandler
from mcp.server.auth.handlers.token import TokenHandler
from mcp.server.auth.middleware.client_auth import AuthenticationError, ClientAuthenticator
from mcp.server.auth.provider import RegistrationError
from mcp.server.auth.settings import ClientRegistrationOptions
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cliniko_mcp.identity.bodies import body_within
from cliniko_mcp.identity.builtin import BuiltinLogin
from cliniko_mcp.identity.clients import known_scopes
from cliniko_mcp.identity.limits import Often
from cliniko_mcp.identity.metadata import Resource
from cliniko_mcp.identity.scopes import SCOPES

if TYPE_CHECKING:
    from mcp.shared.auth import OAuthClientInformationFull

    from cliniko_mcp.errors import JsonValue

MAX_BODY_BYTES: Final = 16_384
_NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_ANYWHERE: Final = {"Access-Control-Allow-Origin": "*"}
_LOG = logging.getLogger(__name__)

ErrorPage = Callable[[Request, str], Response]
"""A page for a person whose login cannot go on, with why."""
Address = Callable[[Request], str]
"""From which address of the network a request came."""
Ready = Callable[[], Awaitable[bool]]


def metadata(resource: Resource) -> dict[str, JsonValue]:
    """The authorization server's metadata (RFC 8414): made of one text, so that all who compare find it the same."""
    issuer = resource.origin
    methods: list[JsonValue] = ["none", "client_secret_post", "client_secret_basic"]
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "registration_endpoint": f"{issuer}/register",
        "revocation_endpoint": f"{issuer}/revoke",
        "scopes_supported": [*SCOPES, "offline_access"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "code_challenge_methods_supported": ["S256"],
        "client_id_metadata_document_supported": True,
        "authorization_response_iss_parameter_supported": True,
    }


class _Registering:
    """The provider for one registration, which knows from where it came."""

    def __init__(self, login: BuiltinLogin, address: str) -> None:
        self._login = login
        self._address = address

    async def register_client(self, client_info: OAuthClientInformationFull) -> None:
        """See `BuiltinLogin.register`."""
        await self._login.register(client_info, self._address)


class Edge:
    """The routes, and what stands before the SDK's handlers."""

    def __init__(
        self,
        login: BuiltinLogin,
        resource: Resource,
        *,
        error_page: ErrorPage,
        address: Address,
        ready: Ready,
        registrations: Often,
        requests: Often,
    ) -> None:
        """`ready` says whether the server is set up; `registrations` and `requests` (logins begun) limit addresses."""
        self._login = login
        self._resource = resource
        self._error_page = error_page
        self._address = address
        self._ready = ready
        self._registrations = registrations
        self._requests = requests
        self._authenticator = ClientAuthenticator(login)

    def routes(self) -> list[Route]:
        """Everything that programs ask for."""
        path = self._resource.path
        known = [
            f"/.well-known/{name}{suffix}"
            for name in ("oauth-authorization-server", "openid-configuration")
            for suffix in dict.fromkeys(("", path))
        ]
        return [
            *(Route(address, self._metadata, methods=["GET", "OPTIONS"]) for address in known),
            Route("/authorize", self._authorize, methods=["GET", "POST"]),
            Route("/token", self._token, methods=["POST", "OPTIONS"]),
            Route("/register", self._register, methods=["POST", "OPTIONS"]),
            Route("/revoke", self._revoke, methods=["POST", "OPTIONS"]),
        ]

    async def _metadata(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return _preflight("GET")
        headers = _ANYWHERE | {"Cache-Control": "public, max-age=300"}
        return JSONResponse(metadata(self._resource), headers=headers)

    async def _authorize(self, request: Request) -> Response:
        if request.method == "POST":
            form = await _form(request)
            if form is None:
                return self._error_page(request, "The request is too large.")
            request = _get(request, form)
        if not await self._ready():
            return self._error_page(
                request, "This server is not set up yet. Ask whoever looks after it to finish that."
            )
        if len(request.url.query) > 8000:
            return self._error_page(request, "The address is too long.")
        if not self._requests.allows(self._address(request)):
            return self._error_page(request, "Too many logins were begun from here. Wait ten minutes, then try again.")
        answer = await AuthorizationHandler(self._login).handle(request)
        where = answer.headers.get("location", "")
        if answer.status_code == 302 and not where.startswith(f"{self._resource.origin}/login/"):
            # What the SDK sends back for an error does not say who says so.
            joined = "&" if urlsplit(where).query else "?"
            answer.headers["location"] = f"{where}{joined}iss={quote(self._resource.origin, safe='')}"
        if answer.status_code != 302:
            _LOG.warning("a login was refused before the page: unknown program, or an address that it did not register")
            return self._error_page(
                request,
                "The program that sent you here is not known to this server, or asked for the answer to go somewhere "
                "else than it had said. Remove the connection in the program and add it again.",
            )
        return answer

    async def _token(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return _preflight("POST")
        form = await _form_of_program(request)
        if form is None:
            return _refused(413, "invalid_request", "too large")
        if form.get("grant_type") not in ("authorization_code", "refresh_token"):
            return _refused(400, "unsupported_grant_type", "authorization_code or refresh_token")
        named = form.get("resource")
        if named is not None and named.rstrip("/") != self._resource.url:
            return _refused(400, "invalid_target", "this server is another resource")
        if form.get("scope") is not None:
            # What is not ours, such as offline_access, is nothing that could be given or refused.
            scopes = known_scopes(form["scope"])
            form.pop("scope")
            form |= {"scope": " ".join(scopes)} if scopes else {}
        answer = await TokenHandler(self._login, self._authenticator).handle(_with_form(request, form))
        answer.headers.update(_ANYWHERE)
        return answer

    async def _register(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return _preflight("POST")
        body = await body_within(request, MAX_BODY_BYTES)
        if body is None:
            return _refused(413, "invalid_client_metadata", "too large")
        address = self._address(request)
        if not self._registrations.allows(address):
            return _refused(429, "invalid_client_metadata", "too many registrations; try again in an hour")
        registering = _Registering(self._login, address)
        options = ClientRegistrationOptions(enabled=True)
        handler = RegistrationHandler(registering, options)  # type: ignore[arg-type]
        try:
            answer = await handler.handle(_with_body(request, body))
        except RegistrationError as problem:
            return _refused(400, problem.error, problem.error_description or "")
        answer.headers.update(_ANYWHERE | _NO_STORE)
        return answer

    async def _revoke(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return _preflight("POST")
        form = await _form_of_program(request)
        if form is None or not form.get("token"):
            return _refused(400, "invalid_request", "token is missing")
        try:
            client = await self._authenticator.authenticate_request(_with_form(request, form))
        except AuthenticationError as problem:
            return _refused(401, "invalid_client", problem.message)
        await self._login.revoke(form["token"], client.client_id)
        return Response(status_code=200, headers=_NO_STORE | _ANYWHERE)


def _refused(status: int, error: str, why: str) -> Response:
    return JSONResponse({"error": error, "error_description": why}, status, headers=_NO_STORE | _ANYWHERE)


def _preflight(methods: str) -> Response:
    allowed = {"Access-Control-Allow-Methods": methods, "Access-Control-Allow-Headers": "*"}
    return Response(status_code=204, headers=_ANYWHERE | allowed)


async def _form(request: Request) -> dict[str, str] | None:
    """The fields of a form; None where it is too large, or a field stands there twice."""
    body = await body_within(request, MAX_BODY_BYTES)
    if body is None:
        return None
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=40)
    except ValueError:
        return None
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else None


async def _form_of_program(request: Request) -> dict[str, str] | None:
    """The fields of a form with the program that sends it, which may stand in the header (RFC 6749 section 2.3.1)."""
    form = await _form(request)
    kind, _, text = request.headers.get("authorization", "").partition(" ")
    if form is None or kind.lower() != "basic":
        return form
    try:
        name = base64.b64decode(text, validate=True).decode().partition(":")[0]
    except (ValueError, binascii.Error):
        return form
    return {"client_id": unquote(name), **form}


def _with_form(request: Request, form: Mapping[str, str]) -> Request:
    return _with_body(request, urlencode(form).encode(), "application/x-www-form-urlencoded")


def _with_body(request: Request, body: bytes, kind: str | None = None) -> Request:
    """The request with this body, read already or changed."""
    headers: Sequence[tuple[bytes, bytes]] = request.scope["headers"]
    if kind is not None:
        headers = [pair for pair in headers if pair[0] not in (b"content-type", b"content-length")]
        headers = [*headers, (b"content-type", kind.encode())]

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request({**request.scope, "headers": list(headers)}, receive)


def _get(request: Request, form: Mapping[str, str]) -> Request:
    return Request({**request.scope, "method": "GET", "query_string": urlencode(form).encode()})
