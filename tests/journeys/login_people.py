"""People who connect an assistant at the built-in login with a browser of their own: pages asked, forms sent."""

import re
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2
from mcp.client.auth import OAuthClientProvider

from tests.identity.real_issuer import Keeps, Redirected

KEY = "demo-au1"
DESK = "demo-receptionist-au1"


class Browser:
    """Keeps cookies, follows our own redirects, and stops where a page hands over."""

    def __init__(self) -> None:
        self.cookies = httpx2.Cookies()
        self.page: httpx2.Response | None = None

    async def ask(self, method: str, address: str, **more: Any) -> httpx2.Response:
        async with httpx2.AsyncClient(timeout=60, trust_env=False, cookies=self.cookies) as http:
            answer = await http.request(method, address, **more)
            self.cookies = http.cookies
        return answer

    async def open(self, address: str) -> httpx2.Response:
        self.page = await self.ask("GET", address)
        while self.page.is_redirect and "/callback" not in self.page.headers["location"]:
            self.page = await self.ask("GET", str(self.page.url.join(self.page.headers["location"])))
        return self.page

    async def send(self, **fields: str) -> httpx2.Response:
        """Send the form of the page, as the button pressed would."""
        assert self.page is not None
        found = re.search(r'name="csrf" value="([^"]+)"', self.page.text)
        address = str(self.page.url)
        origin = f"{urlsplit(address).scheme}://{urlsplit(address).netloc}"
        body = urlencode({"csrf": found.group(1) if found else "", **fields})
        headers = {"origin": origin, "content-type": "application/x-www-form-urlencoded"}
        self.page = await self.ask("POST", address, content=body, headers=headers)
        if self.page.is_redirect:
            return await self.open(str(self.page.url.join(self.page.headers["location"])))
        return self.page

    def handed(self) -> str:
        """Where the last page hands over to."""
        assert self.page is not None
        found = re.search(r'http-equiv=refresh content="0;url=([^"]+)"', self.page.text)
        assert found, self.page.text
        return found.group(1).replace("&amp;", "&")


class Person(Redirected):
    """Somebody who logs in with this key, and chooses this scope, whenever a client sends them there."""

    def __init__(self, key: str = KEY, may: str = "cliniko:read") -> None:
        super().__init__()
        self.key, self.may = key, may
        self.browser = Browser()
        self.provider: OAuthClientProvider | None = None

    async def open(self, address: str) -> None:
        self.logins += 1
        await self.browser.open(address)
        await self.browser.send(step="key", key=self.key, may=self.may)
        await self.browser.send(step="yes")
        self._came = self.browser.handed()
        assert "code=" in self._came, self._came

    def auth(self, address: str, keeps: Keeps) -> OAuthClientProvider:
        self.provider = super().auth(address, keeps)
        return self.provider
