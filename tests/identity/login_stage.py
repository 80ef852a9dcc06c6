"""A built-in login in this process, with the demo clinic behind it, a clock that is set, and a program that asks."""

import base64
import hashlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx2
from starlette.applications import Starlette

from cliniko_mcp.directory.keys import Keys
from cliniko_mcp.directory.whose import Proof
from cliniko_mcp.identity.builtin import BuiltinLogin, BuiltinTokens
from cliniko_mcp.identity.cimd import Documents
from cliniko_mcp.identity.edge import Edge
from cliniko_mcp.identity.limits import Addresses, Often
from cliniko_mcp.identity.lives import Lives
from cliniko_mcp.identity.metadata import Resource
from cliniko_mcp.pages.connections import ConnectionPages
from cliniko_mcp.pages.login import LoginPages
from cliniko_mcp.pages.setup import SetupPages
from cliniko_mcp.pages.site import Parts, Site
from cliniko_mcp.protocol.builtin_login import REQUESTS_IN_TEN_MINUTES
from cliniko_mcp.sandbox.core import Sandbox
from cliniko_mcp.sandbox.transport import SandboxTransport
from cliniko_mcp.shared_state.keys import KeyRing
from cliniko_mcp.shared_state.logins import Told, nobody_told
from cliniko_mcp.shared_state.logins_sqlite import SqliteLogins
from tests.identity.asking import ORIGIN, URL, Asking


@dataclass
class Stage(Asking):
    """The whole, and the program that asks."""

    logins: SqliteLogins
    keys: Keys
    ring: KeyRing
    site: Site
    login: BuiltinLogin
    documents: Documents
    verifier: BuiltinTokens
    clock: list[float]

    async def good(self, token: str) -> bool:
        from cliniko_mcp.identity.person import TokenRefused

        try:
            await self.verifier.person_of(token)
        except TokenRefused:
            return False
        return True


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
    folder: Path,
    sandbox: Sandbox,
    admit: Sequence[str] = ("account:4711",),
    documents: Documents | None = None,
    told: Told = nobody_told,
    lives: Lives | None = None,
    transport: httpx2.AsyncBaseTransport | None = None,
) -> AsyncGenerator[Stage]:
    """A login of its own in this folder."""
    clock, chance = [1_800_000_000.0], Chance()
    logins = SqliteLogins(folder / "logins.sqlite", told)
    ring = KeyRing([b"a ring for tests of forty characters or so"], chance.bytes)

    def now() -> float:
        return clock[0]

    keys = Keys(logins, ring, now)
    await keys.check_ring()
    proof = Proof("a@b.example", sandbox.base_url, transport or SandboxTransport(sandbox), lambda: datetime.now(UTC))
    resource = Resource.parse(URL)
    addresses = Addresses(())
    site = Site(Parts(logins, keys, ring, proof, resource, addresses, admit, chance.text, now, now, told))
    documents = documents or Documents((), now)
    login = BuiltinLogin(
        logins,
        documents,
        resource,
        secret_key=await keys.program_key(),
        client_hosts=(),
        token=chance.text,
        now=now,
        lives=lives,
    )
    edge = Edge(
        login,
        resource,
        error_page=site.stop_page,
        address=addresses.of,
        ready=site.ready,
        registrations=Often(10_000, 3600.0, now),
        requests=Often(REQUESTS_IN_TEN_MINUTES, 600.0, now),
    )

    pages = (LoginPages(site, login), SetupPages(site), ConnectionPages(site))
    routes = [*edge.routes(), *(route for group in pages for route in group.routes())]
    served = httpx2.ASGITransport(app=Starlette(routes=routes))
    async with httpx2.AsyncClient(transport=served, base_url=ORIGIN) as http:
        verifier = BuiltinTokens(logins, resource, now, logins.person)
        yield Stage(http, logins, keys, ring, site, login, documents, verifier, clock)
    logins.close()
