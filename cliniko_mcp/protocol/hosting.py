"""What a server for many is run with: its file, its key ring, and what its replicas share."""

from __future__ import annotations

import hashlib
import secrets  # noqa: TID251 - seals need chance
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from cliniko_mcp.app import App
from cliniko_mcp.approvals.page_at import PageAt
from cliniko_mcp.client.credentials import user_agent
from cliniko_mcp.clinic_pool import ClinicPool, log_of
from cliniko_mcp.directory.clinics import Clinics, opened_key
from cliniko_mcp.directory.keys import read_ring
from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.guards.hash_chain import HashChain
from cliniko_mcp.guards.parts import Parts
from cliniko_mcp.guards.shared_parts import shared_parts
from cliniko_mcp.hosted_file import HostedFile, address_of_redis, hosted_by
from cliniko_mcp.identity.metadata import Resource
from cliniko_mcp.identity.people_file import People
from cliniko_mcp.open_apps import OpenApps, Pool, opened_apps
from cliniko_mcp.pages.approvals import PATH, ApprovalPages, Ledgers, LocalOnce
from cliniko_mcp.protocol.clinic_paths import ClinicPaths
from cliniko_mcp.protocol.sealed_sessions import SealedSessions
from cliniko_mcp.settings import Settings, secret_at
from cliniko_mcp.shared_state.connection import SharedState, open_state
from cliniko_mcp.shared_state.once import SharedOnce

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.routing import Route
    from starlette.types import ASGIApp

    from cliniko_mcp.shared_state.keys import KeyRing


ProtocolOf = Callable[[App, Pool], "tuple[Starlette, ASGIApp]"]
"""Makes the protocol that lists the tools of an app, with calls to those of a pool."""


@dataclass(frozen=True, slots=True)
class Hosting:
    """A run of `serve --hosted`."""

    file: HostedFile
    ring: KeyRing | None = None
    state: SharedState | None = None
    """What the replicas share; None where there is one."""
    parts: Parts | None = None
    """Those of the account that the settings name; None where it shares nothing."""
    clinics: Clinics | None = None
    """None where there is one, of the key in the environment."""
    page: PageAt | None = None
    """Where people answer questions; None where nobody has a way to log in there."""
    sessions: SealedSessions | None = None
    """How any replica reads what a client of the older era said to another; None where it has to come back."""

    @asynccontextmanager
    async def clinic_paths(
        self, settings: Settings, protocol_of: ProtocolOf
    ) -> AsyncGenerator[tuple[ClinicPaths, OpenApps, Ledgers]]:
        """What answers for every clinic, their apps, and the questions of each person."""
        assert self.clinics is not None and self.ring is not None  # the file has been checked
        async with opened_apps(max_open=self.file.most_open) as apps, anyio.create_task_group() as tasks:
            pool = ClinicPool(settings, self.clinics, self.ring, self.state, apps, self.page)
            made = partial(_with_pool, protocol_of, pool)
            yield ClinicPaths(settings, self.clinics, self.ring, tasks, made), apps, pool.ledgers
            tasks.cancel_scope.cancel()

    @property
    def ready(self) -> dict[str, Callable[[], Awaitable[bool]]]:
        """What has to hold for calls to be answered."""
        return {} if self.state is None else {"shared state": self.state.ping}

    def logs(self, settings: Settings) -> list[HashChain]:
        """The audit logs of the clinics."""
        return [HashChain(log_of(settings, id)) for id in self.clinics.known] if self.clinics is not None else []

    def routes(self, ledgers: Ledgers) -> list[Route]:
        """The approvals page, where there is one."""
        if self.page is None or self.ring is None or self.file.people is None:
            return []
        clock = partial(datetime.now, UTC)  # noqa: TID251 - tokens and codes expire in real time
        people = People(Path(self.file.people), clock, anyio.current_time)
        once = LocalOnce() if self.state is None else SharedOnce(self.state)
        return ApprovalPages(
            people.entries,
            ledgers,
            self.ring,
            Resource.parse(self.file.public_url or ""),
            once,
            token=partial(secrets.token_urlsafe, 32),
            now=time.time,  # noqa: TID251 - the same
        ).routes()


def _with_pool(protocol_of: ProtocolOf, pool: Pool, listing: App) -> tuple[Starlette, ASGIApp]:
    return protocol_of(listing, pool)


@asynccontextmanager
async def open_hosting(settings: Settings) -> AsyncGenerator[Hosting]:
    """What the file of these settings asks for, for the length of a run.

    Raises ConfigurationError for a file that cannot be used, and Unavailable where Redis does not answer.
    """
    file = hosted_by(settings)
    if settings.sandbox and (file.redis is not None or file.clinics is not None):
        raise ConfigurationError(
            "--sandbox makes a demo clinic in this process; [redis] and clinics are for clinics that are elsewhere.",
            "Serve it apart with `cliniko-mcp sandbox` and name it by --base-url.",
        )
    async with AsyncExitStack() as stack:
        ring = read_ring(file.keys, _secret, secrets.token_bytes) if file.keys else None
        clinics = Clinics(Path(file.clinics), anyio.current_time) if file.clinics else None
        if clinics is not None and ring is not None:
            user_agent(settings.contact_email or "")
            for entry in clinics.known.values():
                opened_key(ring, entry)  # a wrong ring is said at the start
        state, parts, sessions = None, None, None
        if file.redis is not None:
            state = await stack.enter_async_context(open_state(address_of_redis(file.redis.url)))
        if ring is not None and file.redis is not None and file.redis.sessions == "sealed":
            sessions = SealedSessions(ring, time.time)  # noqa: TID251 - sessions grow old in real time
        page = None
        if file.people and file.public_url and ring is not None:
            page = PageAt(f"{Resource.parse(file.public_url).origin}{PATH}")
        if ring is not None and clinics is None:
            account = account_of(settings)
            if state is None:
                parts = Parts(ring, account, page=page)
            else:
                parts = shared_parts(state, ring, account, per_minute=settings.pace, page=page)
        yield Hosting(file, ring, state, parts, clinics, page, sessions)


def account_of(settings: Settings) -> str:
    """A name for the account of these settings, the same in every replica, that tells nothing of its key."""
    key = "demo" if settings.sandbox else settings.require_account()[0]
    return hashlib.sha256(f"cliniko-mcp account\0{settings.base_url or ''}\0{key}".encode()).hexdigest()[:32]


def _secret(reference: str) -> str:
    return secret_at(reference).get_secret_value()
