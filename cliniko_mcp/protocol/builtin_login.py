"""The built-in login of a run, put together: the store, the keys, the provider, its addresses and pages, the pool."""

from __future__ import annotations

import secrets  # noqa: TID251 - tokens, codes and seals are not to be guessed
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from starlette.routing import Route

from cliniko_mcp.account_pool import AccountPool, open_pool
from cliniko_mcp.app import App, audit_log
from cliniko_mcp.approvals.paths import state_folder
from cliniko_mcp.directory.admission import admits, parse_rule
from cliniko_mcp.directory.keys import Keys, made_ring, made_secret, read_ring
from cliniko_mcp.directory.login_log import LoginLog
from cliniko_mcp.directory.whose import Proof, Whose
from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.guards.log import LocalLog
from cliniko_mcp.identity.builtin import ISSUER, BuiltinLogin, BuiltinTokens
from cliniko_mcp.identity.cimd import Documents
from cliniko_mcp.identity.edge import Edge
from cliniko_mcp.identity.limits import Addresses, Often
from cliniko_mcp.identity.lives import Lives
from cliniko_mcp.identity.metadata import Resource
from cliniko_mcp.identity.person import Verifier
from cliniko_mcp.pages.connections import ConnectionPages
from cliniko_mcp.pages.login import LoginPages
from cliniko_mcp.pages.setup import SETUP_FACT, SetupPages, setup_link
from cliniko_mcp.pages.site import Parts, Site
from cliniko_mcp.settings import Settings, secret_at
from cliniko_mcp.shared_state.keys import KeyRing
from cliniko_mcp.shared_state.logins import Logins, PersonRow, Told, nobody_told
from cliniko_mcp.shared_state.logins_sqlite import SqliteLogins

if TYPE_CHECKING:
    import httpx2

REGISTRATIONS_AN_HOUR = 20
REQUESTS_IN_TEN_MINUTES = 60
"""Logins begun from one address of the network."""


@dataclass(frozen=True, slots=True)
class Login:
    """What a run with the built-in login is made of."""

    resource: Resource
    verifier: Verifier
    pool: AccountPool
    routes: list[Route]


@asynccontextmanager
async def open_store(settings: Settings, told: Told = nobody_told) -> AsyncGenerator[Logins]:
    """What keeps the logins: a database that several servers share, else a file of this computer's.

    Raises ConfigurationError where it cannot be used.
    """
    if settings.login_store:
        from cliniko_mcp.shared_state.logins_postgres import open_logins

        async with open_logins(secret_at(settings.login_store).get_secret_value(), told) as shared:
            yield shared
        return
    path = Path(settings.login_file) if settings.login_file else state_folder() / "logins.sqlite"
    logins = SqliteLogins(path, told)
    try:
        yield logins
    finally:
        logins.close()


def ring_of(settings: Settings) -> KeyRing:
    """The operator's ring: the one that is named, else one in a file of its own. Raises ConfigurationError."""
    references = settings.login_key
    if not references:
        from platformdirs import user_config_path

        path = user_config_path("cliniko-mcp", appauthor=False) / "login.key"
        references = (f"file:{made_ring(path, secrets.token_bytes)}",)
    return read_ring(references, _secret, secrets.token_bytes)


def _secret(reference: str) -> str:
    """The secret at a reference; that of the keychain is made there where there is none."""
    if reference != "keychain":
        return secret_at(reference).get_secret_value()
    from cliniko_mcp.stored_keys import keychain_secret

    return keychain_secret("login-key", partial(made_secret, secrets.token_bytes))


def now() -> float:
    """Seconds since 1970."""
    return time.time()  # noqa: TID251 - logins expire in real time, whatever the clinic's clock says


@asynccontextmanager
async def builtin_login(app: App, announce: Callable[[str], None]) -> AsyncGenerator[Login]:
    """The login for the length of a run. Raises ConfigurationError where it cannot be had safely."""
    settings = app.settings
    if not settings.public_url:
        raise ConfigurationError(
            "--login builtin needs --public-url: the address that people give their assistants, with https"
        )
    resource = Resource.parse(settings.public_url)
    for rule in settings.admit:
        parse_rule(rule)
    ring, lives = ring_of(settings), Lives.parse(settings.login_lives)
    told = LoginLog(LocalLog(audit_log(settings)), now, ISSUER)
    async with open_store(settings, told) as logins:
        token = partial(secrets.token_urlsafe, 32)
        keys = Keys(logins, ring, now)
        await keys.check_ring()
        proof, network, base_url = _proof(app)
        parts = Parts(
            logins,
            keys,
            ring,
            proof,
            resource,
            Addresses(settings.trusted_proxies),
            settings.admit,
            token,
            now,
            anyio.current_time,
            told,
        )
        site = Site(parts)
        await _set_up(site, announce)
        login = BuiltinLogin(
            logins,
            Documents(settings.client_host, anyio.current_time),
            resource,
            secret_key=await keys.program_key(),
            client_hosts=settings.client_host,
            token=token,
            now=now,
            lives=lives,
        )

        async def still_good(person: str) -> PersonRow | None:
            row = await logins.person(person)
            if row is None:
                return None
            rules = await site.rules()
            good = admits(rules, Whose.of(row)) and await keys.still_admitted(row, proof, partial(admits, rules))
            return row if good else None

        edge = Edge(
            login,
            resource,
            error_page=site.stop_page,
            address=parts.addresses.of,
            ready=site.ready,
            registrations=Often(REGISTRATIONS_AN_HOUR, 3600.0, anyio.current_time),
            requests=Often(REQUESTS_IN_TEN_MINUTES, 600.0, anyio.current_time),
        )
        pages = (LoginPages(site, login), SetupPages(site), ConnectionPages(site))
        routes = [*edge.routes(), *(route for group in pages for route in group.routes())]
        verifier = BuiltinTokens(logins, resource, now, still_good)
        person_settings = settings.model_copy(
            update={"sandbox": False, "base_url": base_url, "contact_email": _email(settings)}
        )
        async with open_pool(person_settings, logins, keys, proof, resource.url, network) as pool:
            yield Login(resource, verifier, pool, routes)


def _email(settings: Settings) -> str:
    if settings.sandbox:
        return settings.contact_email or "demo@example.org"
    email = settings.contact_email
    if not email:
        from cliniko_mcp.stored_keys import kept

        email = kept().contact_email
    if not email:
        raise ConfigurationError(
            "no contact email: set CLINIKO_CONTACT_EMAIL to an address where Cliniko can reach you"
        )
    return email


def _proof(app: App) -> tuple[Proof, httpx2.AsyncBaseTransport | None, str | None]:
    """What asks whose a key is, over what network, and where instead of Cliniko's own addresses."""
    settings, transport, base_url = app.settings, None, app.settings.base_url
    if settings.sandbox:
        from cliniko_mcp.sandbox.transport import SandboxTransport

        transport, base_url = SandboxTransport(app.sandbox), app.sandbox.base_url
    return Proof(_email(settings), base_url, transport, app.clock()), transport, base_url


async def _set_up(site: Site, announce: Callable[[str], None]) -> None:
    """Where nobody may log in yet, show the link that sets the server up, to a terminal alone."""
    parts = site.parts
    if await site.ready():
        return
    if sys.stderr.isatty():
        link = await setup_link(parts.logins, parts.resource.origin, secrets.token_urlsafe(16), parts.now())
        announce(f"set this server up, within half an hour: {link}")
        return
    if await parts.logins.fact(SETUP_FACT) is None:
        raise ConfigurationError(
            "--login builtin lets nobody in yet.",
            "Run `cliniko-mcp logins setup` for a link that binds it to your clinic, or give --admit account:NUMBER.",
        )
