"""A server for several clinics within the test: its pool, and the page on which people give their own keys."""

import base64
import json
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import httpx2
from starlette.applications import Starlette

from cliniko_mcp.app import demo_clinic
from cliniko_mcp.clinic_pool import ClinicPool, OwnKeys, wall_clock
from cliniko_mcp.directory.clinics_changes import add_clinic
from cliniko_mcp.directory.open_directory import OpenDirectory, open_directory
from cliniko_mcp.directory.person_keys import PersonKeys
from cliniko_mcp.directory.whose import Proof
from cliniko_mcp.guards.pipeline import Caller
from cliniko_mcp.hosted_file import HostedFile
from cliniko_mcp.identity.metadata import Resource
from cliniko_mcp.identity.people_file import PersonEntry, digest_of
from cliniko_mcp.identity.person import Person
from cliniko_mcp.open_apps import opened_apps
from cliniko_mcp.pages.connect import ConnectPages
from cliniko_mcp.pages.login_at_issuer import PageLogin
from cliniko_mcp.pages.people_codes import LocalOnce, PeopleCodes
from cliniko_mcp.pages.sessions import IssuerSessions, LocalSessions
from cliniko_mcp.sandbox.transport import SandboxTransport
from cliniko_mcp.settings import Settings
from tests.directory.stores import OLD, entry, ring

ADMINISTRATOR, PRACTITIONER, RECEPTIONIST = "demo-au1", "demo-practitioner-au1", "demo-receptionist-au1"
ELSEWHERE = "elsewhere-au1"
"""A key of another clinic."""
ORIGIN = "https://mcp.example.org"
PEOPLE = ("tom", "finn", "eve")


class Cliniko(httpx2.AsyncBaseTransport):
    """The demo clinic, which knows a key of another clinic, and forgets keys that their users deleted."""

    def __init__(self) -> None:
        self.sandbox = demo_clinic(Settings(sandbox=True, rate_limit=0))
        self.within = SandboxTransport(self.sandbox)
        self.deleted: set[str] = set()
        self.asked: list[tuple[str, str]] = []
        """Who asked for what, by key and path."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        key = base64.b64decode(request.headers["authorization"].partition(" ")[2]).decode().rstrip(":")
        self.asked.append((key, request.url.path))
        if key in self.deleted:
            return httpx2.Response(401, json={"message": "no"})
        if key != ELSEWHERE:
            return await self.within.handle_async_request(request)
        known = base64.b64encode(f"{ADMINISTRATOR}:".encode()).decode()
        headers = dict(request.headers) | {"authorization": f"Basic {known}"}
        answer = await self.within.handle_async_request(httpx2.Request(request.method, request.url, headers=headers))
        body = json.loads(await answer.aread())
        if "account" in body:
            body["account"] |= {"id": "9999", "name": "Southside"}
        return httpx2.Response(200, json=body, headers={"x-cliniko-sandbox": "demo"})


class Browser:
    """Somebody's browser."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http
        self.text = ""

    async def open(self, path: str) -> httpx2.Response:
        answer = await self._http.get(path)
        self.text = answer.text
        return answer

    async def send(self, path: str, origin: str = ORIGIN, **fields: str) -> httpx2.Response:
        """Send the form of the page that is open, with these fields in place of its own."""
        hidden = dict(re.findall(r'<input type=hidden name="(\w+)" value="([^"]*)"', self.text))
        answer = await self._http.post(path, data=hidden | fields, headers={"origin": origin})
        if answer.status_code == 303:
            return await self.open(answer.headers["location"])
        self.text = answer.text
        return answer


@dataclass
class Stage:
    folder: Path
    cliniko: Cliniko
    directory: OpenDirectory
    pool: ClinicPool
    pages: Starlette
    people: list[PersonEntry]
    clock: list[float] = field(default_factory=lambda: [0.0])

    def person(self, who: str, clinic: str = "north") -> Person:
        return Person("people", who, who.title(), frozenset({"cliniko:read"}), clinic)

    async def call(self, who: str, tool: str, clinic: str = "north", **arguments: Any) -> dict[str, Any]:
        app = await self.pool.app_of(self.person(who, clinic))
        return await app.call(tool, arguments, Caller(principal=f"people|{who}", route="http"))

    @asynccontextmanager
    async def browser(self, who: str = "") -> AsyncGenerator[Browser]:
        """A browser that came with the person's code, or with none."""
        transport = httpx2.ASGITransport(app=self.pages)
        async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as http:
            browser = Browser(http)
            if who:
                await browser.send("/login", code=f"code of {who}", to="/connect/north")
            yield browser

    async def give(self, who: str, key: str, clinic: str = "north") -> str:
        """Give this key on the page; the page that follows."""
        async with self.browser(who) as browser:
            await browser.open(f"/connect/{clinic}")
            await browser.send(f"/connect/{clinic}", key=key)
            if "Is this right?" in browser.text:
                await browser.send(f"/connect/{clinic}", step="yes")
            return browser.text

    def log(self, clinic: str = "north") -> list[dict[str, Any]]:
        path = self.folder / f"audit-{clinic}.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def people() -> list[PersonEntry]:
    until = datetime(2099, 1, 1, tzinfo=UTC)
    return [
        PersonEntry(
            id=who,
            name=who.title(),
            token=digest_of(f"cmp_{who}"),
            code=digest_of(f"code of {who}"),
            code_expires=until,
        )
        for who in PEOPLE
    ]


@asynccontextmanager
async def staged(folder: Path) -> AsyncGenerator[Stage]:
    """Two clinics: `north`, where everybody works in a key of their own, and `south` with one for all."""
    cliniko, keyring, file = Cliniko(), ring(OLD), HostedFile(clinics=str(folder / "clinics.toml"), keys=("env:RING",))
    known, clock = people(), [0.0]
    settings = Settings.load(
        {"transport": "http", "audit_file": str(folder / "audit.jsonl"), "base_url": cliniko.sandbox.base_url},
        {"CLINIKO_CONTACT_EMAIL": "t@example.org"},
    )
    numbers = iter(range(10**6))

    def token() -> str:
        return f"token-{next(numbers)}"

    async with open_directory(file) as directory, opened_apps(cliniko) as apps:
        await add_clinic(directory.store, entry("north", "a", "tom", "finn", keys="person"), keyring, ADMINISTRATOR)
        await add_clinic(directory.store, entry("south", "b", "tom", "eve"), keyring, ADMINISTRATOR)
        clinics = await directory.live(lambda: anyio.current_time() + clock[0], file)
        keys = PersonKeys(directory.directory, keyring, lambda: 1_700_000_000.0 + clock[0])
        proof = Proof("t@example.org", cliniko.sandbox.base_url, cliniko, wall_clock)
        own = OwnKeys(keys, lambda _: proof, f"{ORIGIN}/connect")
        pool = ClinicPool(settings, clinics, keyring, None, apps, own)
        sessions, now = LocalSessions(anyio.current_time), lambda: 1_700_000_000.0 + clock[0]
        resource, once = Resource.parse(f"{ORIGIN}/mcp"), Reused(anyio.current_time)
        codes = PeopleCodes(lambda: known, sessions, keyring, once, now=now)
        kept = IssuerSessions(sessions, keyring, token=token, now=now)
        login = PageLogin((), codes, kept, keyring, resource, once, token, now)
        pages = ConnectPages(login, pool, keyring, token=token, now=now, monotonic=anyio.current_time)
        app = Starlette(routes=[*login.routes(), *pages.routes()])
        yield Stage(folder, cliniko, directory, pool, app, known, clock)


class Reused(LocalOnce):
    """Codes that are good again and again, so that a person can have several browsers."""

    async def first(self, name: str, seconds: float) -> bool:
        return True
