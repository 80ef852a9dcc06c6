"""A built-in login in this process, with the demo clinic behind it, a clock that is set, and a program that asks."""

import base64
import hashlib
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
from starlette.applications import Starlette

from cliniko_mcp.directory.keys import Keys
from cliniko_mcp.directory.whose import Proof
from cliniko_mcp.identity.builtin import BuiltinLogin, BuiltinTokens
from cliniko_mcp.identity.cimd import Documents
from cliniko_mcp.identity.edge import Edge
from cliniko_mcp.identity.limits import Addresses, Often
from cliniko_mcp.identity.metadata import Resource
from cliniko_mcp.pages.connections import ConnectionPages
from cliniko_mcp.pages.login import LoginPages
from cliniko_mcp.pages.setup import SetupPages
from cliniko_mcp.pages.site import Parts, Site
from cliniko_mcp.sandbox.core import Sandbox
from cliniko_mcp.sandbox.transport import SandboxTransport
from cliniko_mcp.shared_state.keys import KeyRing
from cliniko_mcp.shared_state.logins_sqlite import SqliteLogins

URL = "https://mcp.example.org/mcp"
ORIGIN = "https://mcp.example.org"
LOOPBACK = "http://127.0.0.1:33418/callback"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
ALL = "cliniko:read cliniko:write cliniko:destroy"
KEY = "demo-au1"
DESK = "demo-receptionist-au1"


@dataclass
class Stage:
    """The whole, and the program that asks."""

    logins: SqliteLogins
    keys: Keys
    ring: KeyRing
    site: Site
    login: BuiltinLogin
    documents: Documents
    verifier: BuiltinTokens
    http: httpx2.AsyncClient
    clock: list[float]
    said: list[str] = field(default_factory=list[str])

    async def register(self, *redirects: str, **more: Any) -> httpx2.Response:
        body = {"redirect_uris": list(redirects), "token_endpoint_auth_method": "none", **more}
        return await self.http.post("/register", json=body)

    async def program(self, *redirects: str, **more: Any) -> dict[str, Any]:
        answer = await self.register(*(redirects or (LOOPBACK,)), **more)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def authorize(self, client_id: str, redirect: str = LOOPBACK, **more: str) -> httpx2.Response:
        asked = {"response_type": "code", "client_id": client_id, "redirect_uri": redirect, "state": "s t&te"}
        asked |= {"code_challenge": CHALLENGE, "code_challenge_method": "S256", "scope": ALL, "resource": URL} | more
        return await self.http.get("/authorize", params={name: value for name, value in asked.items() if value})

    async def send(self, page: httpx2.Response, origin: str = ORIGIN, **fields: str) -> httpx2.Response:
        found = re.search(r'name="csrf" value="([^"]+)"', page.text)
        fields = {"csrf": found.group(1) if found else ""} | fields
        headers = {"origin": origin, "content-type": "application/x-www-form-urlencoded"}
        answer = await self.http.post(str(page.url), content=urlencode(fields), headers=headers)
        return await self.http.get(answer.headers["location"]) if answer.status_code == 303 else answer

    async def page(self, client_id: str, redirect: str = LOOPBACK, **more: str) -> httpx2.Response:
        answer = await self.authorize(client_id, redirect, **more)
        assert answer.status_code == 302, answer.text
        return await self.http.get(answer.headers["location"])

    async def agreed(self, page: httpx2.Response, key: str = KEY, may: str = "cliniko:read") -> dict[str, str]:
        """What the program is told after yes; in `said` where."""
        second = await self.send(page, step="key", key=key, may=may)
        assert second.status_code == 200, second.text
        return told(await self.send(second, step="yes"))

    async def exchange(
        self, client: dict[str, Any], code: str, redirect: str = LOOPBACK, **more: str
    ) -> httpx2.Response:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "code_verifier": VERIFIER}
        form |= {"client_id": client["client_id"], "resource": URL}
        form |= {"client_secret": client["client_secret"]} if client.get("client_secret") else {}
        return await self.http.post("/token", data={name: value for name, value in (form | more).items() if value})

    async def refresh(self, client: dict[str, Any], token: str, **more: str) -> httpx2.Response:
        form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": client["client_id"]}
        return await self.http.post("/token", data=form | more)

    async def tokens(self, key: str = KEY, may: str = "cliniko:read") -> tuple[dict[str, Any], dict[str, Any]]:
        """A program of its own, and the tokens that it was given."""
        client = await self.program()
        code = (await self.agreed(await self.page(client["client_id"]), key, may))["code"]
        answer = await self.exchange(client, code)
        assert answer.status_code == 200, answer.text
        return client, answer.json()

    async def good(self, token: str) -> bool:
        from cliniko_mcp.identity.person import TokenRefused

        try:
            await self.verifier.person_of(token)
        except TokenRefused:
            return False
        return True


def handed(page: httpx2.Response) -> str:
    """Where a page hands over to."""
    found = re.search(r'http-equiv=refresh content="0;url=([^"]+)"', page.text)
    assert found, page.text
    return found.group(1).replace("&amp;", "&")


def told(page: httpx2.Response) -> dict[str, str]:
    """What the program is told by the page that hands over."""
    return {name: values[0] for name, values in parse_qs(urlsplit(handed(page)).query).items()}


class Chance:
    """Bytes and texts that nobody else has."""

    def __init__(self) -> None:
        self._count = 0

    def bytes(self, count: int) -> bytes:
        self._count += 1
        return hashlib.shake_256(str(self._count).encode()).digest(count)

    def text(self) -> str:
        return base64.urlsafe_b64encode(self.bytes(32)).decode().rstrip("=")


@asynccontextmanager
async def staged(
    folder: Path, sandbox: Sandbox, admit: Sequence[str] = ("account:4711",), documents: Documents | None = None
) -> AsyncGenerator[Stage]:
    """A login of its own in this folder."""
    clock, chance = [1_800_000_000.0], Chance()
    logins = SqliteLogins(folder / "logins.sqlite")
    ring = KeyRing([b"a ring for tests of forty characters or so"], chance.bytes)

    def now() -> float:
        return clock[0]

    keys = Keys(logins, ring, now)
    await keys.check_ring()
    proof = Proof("a@b.example", sandbox.base_url, SandboxTransport(sandbox), lambda: datetime.now(UTC))
    resource = Resource.parse(URL)
    addresses = Addresses(())
    site = Site(Parts(logins, keys, ring, proof, resource, addresses, admit, chance.text, now, now))
    documents = documents or Documents((), now)
    login = BuiltinLogin(
        logins,
        documents,
        resource,
        secret_keys=ring.derived("client"),
        client_hosts=(),
        token=chance.text,
        now=now,
    )
    edge = Edge(
        login,
        resource,
        error_page=site.stop_page,
        address=addresses.of,
        ready=site.ready,
        registrations=Often(10_000, 3600.0, now),
    )

    pages = (LoginPages(site, login), SetupPages(site), ConnectionPages(site))
    routes = [*edge.routes(), *(route for group in pages for route in group.routes())]
    transport = httpx2.ASGITransport(app=Starlette(routes=routes))
    async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as http:
        verifier = BuiltinTokens(logins, resource, now, logins.person)
        yield Stage(logins, keys, ring, site, login, documents, verifier, http, clock)
    logins.close()
