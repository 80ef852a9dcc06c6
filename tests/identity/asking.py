"""A program that asks at the built-in login, and the person whom it sends there, both over HTTP."""

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2

URL = "https://mcp.example.org/mcp"
ORIGIN = "https://mcp.example.org"
LOOPBACK = "http://127.0.0.1:33418/callback"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
ALL = "cliniko:read cliniko:write cliniko:destroy"
KEY = "demo-au1"
DESK = "demo-receptionist-au1"


@dataclass
class Asking:
    """Asks over this client, which keeps the person's cookies."""

    http: httpx2.AsyncClient

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
        """What the program is told after yes."""
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
        form |= {"client_secret": client["client_secret"]} if client.get("client_secret") else {}
        return await self.http.post("/token", data=form | more)

    async def tokens(
        self, key: str = KEY, may: str = "cliniko:read", **program: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """A program of its own, and the tokens that it was given."""
        client = await self.program(**program)
        code = (await self.agreed(await self.page(client["client_id"]), key, may))["code"]
        answer = await self.exchange(client, code)
        assert answer.status_code == 200, answer.text
        return client, answer.json()


def handed(page: httpx2.Response) -> str:
    """Where a page hands over to."""
    found = re.search(r'http-equiv=refresh content="0;url=([^"]+)"', page.text)
    assert found, page.text
    return found.group(1).replace("&amp;", "&")


def told(page: httpx2.Response) -> dict[str, str]:
    """What the program is told by the page that hands over."""
    return {name: values[0] for name, values in parse_qs(urlsplit(handed(page)).query).items()}
