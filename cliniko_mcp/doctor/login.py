"""The hosts' way to a login, walked from outside: each step of it is a check, and the first that fails is the last."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

import httpx2

from cliniko_mcp.doctor.check import Check, failed, ok
from cliniko_mcp.errors import ConfigurationError, JsonValue
from cliniko_mcp.identity.metadata import WELL_KNOWN, Resource
from cliniko_mcp.identity.scopes import SCOPES

if TYPE_CHECKING:
    from collections.abc import Mapping

CALLBACK: Final = "http://127.0.0.1:33418/callback"
_PROXY: Final = "Look at the proxy: every path of this name has to reach the server, and be answered unchanged."
_NAME: Final = (
    "Start the server, and see that the name leads to this computer, that ports 80 and 443 are open, and that the "
    "certificate is good."
)


class _Stopped(Exception):
    """A step that failed, beyond which nothing can be tried."""

    def __init__(self, name: str, detail: str, fix: str) -> None:
        super().__init__(detail)
        self.check: Check = failed(name, detail, fix)


async def examine_login(public_url: str, transport: httpx2.AsyncBaseTransport | None = None) -> AsyncGenerator[Check]:
    """Yield each step as it is done, up to the page on which a person would go on; nobody is logged in.

    A program is registered on the way, which the server forgets within an hour or two.
    """
    try:
        resource = Resource.parse(public_url)
        async with httpx2.AsyncClient(timeout=15.0, transport=transport, trust_env=True) as http:
            async for check in _walk(http, resource):
                yield check
    except ConfigurationError as problem:
        yield failed("address", problem.message, "Give --public-url as people give it to their assistants.")
    except _Stopped as stopped:
        yield stopped.check
    except httpx2.HTTPError as problem:
        yield failed("address", f"{urlsplit(public_url).netloc} does not answer ({type(problem).__name__})", _NAME)


async def _walk(http: httpx2.AsyncClient, resource: Resource) -> AsyncGenerator[Check]:
    answer = await http.post(resource.url, json={})
    challenge = answer.headers.get("www-authenticate", "")
    if answer.status_code != 401 or f'resource_metadata="{resource.metadata_of("")}"' not in challenge:
        told = f"{resource.url} answers {answer.status_code} without saying where to log in"
        raise _Stopped("challenge", told, f"Is it started with --login builtin and this --public-url? {_PROXY}")
    yield ok("challenge", "without a token it is answered with 401 and where to log in")

    documents = [await _json(http, "resource", f"{resource.origin}{WELL_KNOWN}{path}") for path in ("", resource.path)]
    if any(found.get("resource") != resource.url for found in documents):
        raise _Stopped("resource", f"the metadata names another address than {resource.url}", _PROXY)
    if any(found.get("authorization_servers") != [resource.origin] for found in documents):
        raise _Stopped("resource", "the metadata sends assistants to log in elsewhere", _PROXY)
    yield ok("resource", "its metadata is at both addresses and names this one")

    servers = [
        await _json(http, "login server", f"{resource.origin}/.well-known/{name}{path}")
        for name in ("oauth-authorization-server", "openid-configuration")
        for path in ("", resource.path)
    ]
    server = servers[0]
    if any(found != server for found in servers) or server.get("issuer") != resource.origin:
        raise _Stopped("login server", f"its metadata is not the same everywhere, or not of {resource.origin}", _PROXY)
    yield ok("login server", "its metadata is the same at all four addresses")

    body = {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none", "client_name": "cliniko-mcp doctor"}
    answer = await http.post(f"{resource.origin}/register", json=body)
    if answer.status_code != 201:
        told = f"a program that registers is answered with {answer.status_code}"
        raise _Stopped("registration", told, "After 429 wait an hour; else look at the proxy.")
    client_id = str(answer.json()["client_id"])
    yield ok("registration", "a program can register")

    page = await _page(http, resource, client_id)
    policy = page.headers.get("content-security-policy", "")
    if "form-action 'self'" not in policy or page.headers.get("referrer-policy") != "same-origin":
        told = "the page comes without its own headers, so that browsers would refuse its form"
        raise _Stopped("page", told, "Let the proxy pass Content-Security-Policy and Referrer-Policy unchanged.")
    cookie = page.headers.get("set-cookie", "")
    if resource.origin.startswith("https") and "__Host-cm-" not in cookie:
        raise _Stopped("page", "the page's cookie does not arrive", "Let the proxy pass Set-Cookie unchanged.")
    yield ok("page", "the browser gets the page, with its headers and its cookie")

    form = {"grant_type": "authorization_code", "code": "none", "code_verifier": "v" * 43, "client_id": client_id}
    answer = await http.post(f"{resource.origin}/token", data=form | {"redirect_uri": CALLBACK})
    if answer.status_code != 400 or answer.json().get("error") != "invalid_grant":
        raise _Stopped("tokens", f"a wrong code is answered with {answer.status_code}", _PROXY)
    yield ok("tokens", "codes are taken; what is left is a person's yes, in an assistant")


async def _page(http: httpx2.AsyncClient, resource: Resource, client_id: str) -> httpx2.Response:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(b"v" * 43).digest()).decode().rstrip("=")
    query = {"response_type": "code", "client_id": client_id, "redirect_uri": CALLBACK, "resource": resource.url}
    query |= {
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "scope": " ".join(SCOPES),
        "state": "doctor",
    }
    answer = await http.get(f"{resource.origin}/authorize?{urlencode(query)}")
    where = answer.headers.get("location", "")
    if answer.status_code == 400 and "not set up yet" in answer.text:
        raise _Stopped("page", "the server is bound to no clinic yet", "Run `cliniko-mcp logins setup`.")
    if answer.status_code != 302 or not where.startswith(f"{resource.origin}/login/"):
        raise _Stopped("page", f"a login is answered with {answer.status_code} and leads to no page of ours", _PROXY)
    page = await http.get(where)
    if page.status_code != 200 or "<form method=post" not in page.text:
        raise _Stopped("page", f"the page of the login is answered with {page.status_code}", _PROXY)
    return page


async def _json(http: httpx2.AsyncClient, name: str, url: str) -> Mapping[str, JsonValue]:
    answer = await http.get(url)
    try:
        found: JsonValue = answer.json() if answer.status_code == 200 else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise _Stopped(name, f"{url} is answered with {answer.status_code} and no document", _PROXY)
    return found
