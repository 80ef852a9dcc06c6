"""What a server for many is run with: its file, its key ring, and what its replicas share."""

from __future__ import annotations

import hashlib
import secrets  # noqa: TID251 - seals need chance
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import anyio
import httpx2

from cliniko_mcp.app import App, audit_log
from cliniko_mcp.approvals.clinic_questions import ClinicQuestions
from cliniko_mcp.approvals.page_at import PageAt
from cliniko_mcp.client.credentials import user_agent
from cliniko_mcp.clinic_pool import ClinicPool, OwnKeys, wall_clock
from cliniko_mcp.directory.clinics import ClinicEntry, Clinics, asked_on_the_page, opened_key
from cliniko_mcp.directory.keys import read_ring
from cliniko_mcp.directory.open_directory import OpenDirectory, open_directory
from cliniko_mcp.directory.person_keys import PersonKeys
from cliniko_mcp.directory.whose import Proof
from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.guards.anchors import telling
from cliniko_mcp.guards.clinic_logs import ClinicLogs, FileLogs, QueuedLogs, file_of, queued_logs
from cliniko_mcp.guards.hash_chain import HashChain
from cliniko_mcp.guards.parts import Parts
from cliniko_mcp.guards.shared_parts import shared_parts
from cliniko_mcp.hosted_file import AuditSection, HostedFile, address_of_redis, hosted_by, postgres_at
from cliniko_mcp.identity.gate import nobody_told
from cliniko_mcp.identity.key_set import KeySet
from cliniko_mcp.identity.metadata import Resource
from cliniko_mcp.identity.people_file import People
from cliniko_mcp.identity.relying_party import RelyingParty
from cliniko_mcp.identity.scopes import APPROVE
from cliniko_mcp.open_apps import OpenApps, Pool, opened_apps
from cliniko_mcp.pages.approvals import PATH, ApprovalPages, QuestionsOf
from cliniko_mcp.pages.connect import PATH as CONNECT
from cliniko_mcp.pages.connect import ConnectPages
from cliniko_mcp.pages.login_at_issuer import CALLBACK, PageLogin
from cliniko_mcp.pages.people_codes import LocalOnce, PeopleCodes
from cliniko_mcp.pages.sessions import IssuerSessions, LocalSessions
from cliniko_mcp.protocol.clinic_paths import ClinicPaths
from cliniko_mcp.protocol.sealed_sessions import SealedSessions
from cliniko_mcp.settings import Settings, secret_at
from cliniko_mcp.shared_state.audit_sql import SERVER
from cliniko_mcp.shared_state.connection import SharedState, open_state
from cliniko_mcp.shared_state.once import SharedOnce
from cliniko_mcp.shared_state.sessions import SharedSessions

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.routing import Route
    from starlette.types import ASGIApp

    from cliniko_mcp.identity.person import Person, Verifier
    from cliniko_mcp.shared_state.audit_postgres import PostgresAudit
    from cliniko_mcp.shared_state.keys import KeyRing
    from cliniko_mcp.telemetry.watch import Watch


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
    directory: OpenDirectory | None = None
    """Where the clinics are, and the keys of people who work in their own; None as above."""
    keys: PersonKeys | None = None
    """The latter; None as above."""
    clinic_logs: ClinicLogs | None = None
    """The audit logs; None where there is one, in the file that the settings name."""
    audit: PostgresAudit | None = None
    """The database that they are in; None where they are files."""
    page: PageAt | None = None
    """Where people answer questions; None where nobody has a way to log in there."""
    strict: bool = False
    """Whether a yes needs a fresh login in the one clinic."""
    sessions: SealedSessions | None = None
    """How any replica reads what a client of the older era said to another; None where it has to come back."""

    def watched_by(self, watch: Watch) -> None:
        """Let it see how long Redis and Postgres take, and what waits for them."""
        if self.state is not None:
            self.state.timed = watch.redis
        if self.audit is not None:
            self.audit.timed = watch.postgres
        if isinstance(logs := self.clinic_logs, QueuedLogs):
            watch.count_queue(lambda: logs.queued)

    def settings(self, settings: Settings) -> Settings:
        """The settings of the one clinic's app, by what the file says."""
        return asked_on_the_page(settings) if self.file.approve_by == "second" else settings

    @asynccontextmanager
    async def clinic_paths(
        self, settings: Settings, protocol_of: ProtocolOf, watch: Watch | None = None
    ) -> AsyncGenerator[tuple[ClinicPaths, ClinicPool]]:
        """What answers for every clinic, and their apps."""
        # the file has been checked
        assert self.clinics is not None and self.ring is not None
        assert self.clinic_logs is not None and self.keys is not None
        async with opened_apps(max_open=self.file.most_open) as apps, anyio.create_task_group() as tasks:
            origin = Resource.parse(self.file.public_url or "").origin if self.page is not None else ""
            address = f"{origin}{CONNECT}" if origin else None
            own = OwnKeys(self.keys, partial(_proof, settings, apps), address)
            pool = ClinicPool(settings, self.clinics, self.ring, self.state, apps, own, self.clinic_logs, self.page)
            made = partial(_with_pool, protocol_of, pool)
            refused = nobody_told
            if watch is not None:
                apps.watch, refused = watch, watch.refused
                watch.count_apps(partial(len, apps))
            yield ClinicPaths(settings, self.clinics, self.ring, tasks, made, refused), pool
            tasks.cancel_scope.cancel()

    @property
    def ready(self) -> dict[str, Callable[[], Awaitable[bool]]]:
        """What has to hold for calls to be answered."""
        found: dict[str, Callable[[], Awaitable[bool]]] = {}
        if self.state is not None:
            found["shared state"] = self.state.ping
        if self.clinics is not None and self.directory is not None and self.directory.in_table:
            found["clinics"] = partial(_is_there, self.clinics)
        return found

    def logs(self, settings: Settings) -> list[HashChain]:
        """The audit logs that are files of this replica alone."""
        if self.audit is not None:
            return []
        own = audit_log(settings)
        return [own] if self.clinics is None else [HashChain(file_of(own.path, id)) for id in self.clinics.known]

    def anchoring(self, tell: Callable[[str], None]) -> AbstractAsyncContextManager[None]:
        """While inside, the last line of every chain is told every hour, where the chains are in a database."""
        return telling(self.audit.heads, tell) if self.audit is not None else nullcontext()

    async def questions_of(self, app: App, person: Person) -> list[ClinicQuestions]:
        """The questions of the one clinic, in which everybody works."""
        ledger = await app.questions()
        return [ClinicQuestions(ledger, strict=self.strict, second=self.file.approve_by == "second")]

    def second_person_approves(self) -> bool:
        """Whether there is a clinic in which somebody else than who asked has to say yes."""
        return self.file.approve_by == "second" or (self.clinics is not None and _wants_second(self.clinics))

    @asynccontextmanager
    async def pages(
        self, questions: QuestionsOf, verifier: Verifier, pool: ClinicPool | None = None
    ) -> AsyncGenerator[Sequence[Route]]:
        """The pages on which people log in, where there are any; `verifier` knows whose the tokens of calls are.

        With the `pool` of several clinics also those on which people give their keys.
        """
        if self.page is None or self.ring is None:
            yield ()
            return
        now, token = time.time, partial(secrets.token_urlsafe, 32)  # noqa: TID251 - logins grow old in real time
        async with httpx2.AsyncClient(timeout=5.0, follow_redirects=False) as client:
            login = self._login(client, verifier, self.ring, token, now)
            routes = [*login.routes(), *ApprovalPages(login, questions, token=token, now=now).routes()]
            if pool is not None:
                keys = ConnectPages(login, pool, self.ring, token=token, now=now, monotonic=anyio.current_time)
                routes += keys.routes()
            yield routes

    def _login(
        self,
        client: httpx2.AsyncClient,
        verifier: Verifier,
        ring: KeyRing,
        token: Callable[[], str],
        now: Callable[[], float],
    ) -> PageLogin:
        resource = Resource.parse(self.file.public_url or "")
        once = LocalOnce(anyio.current_time) if self.state is None else SharedOnce(self.state)
        sessions = LocalSessions(anyio.current_time) if self.state is None else SharedSessions(self.state)
        codes = None
        if self.file.people is not None:
            people = People(Path(self.file.people), wall_clock, anyio.current_time)
            codes = PeopleCodes(people.entries, sessions, ring, once, now=now)
        issuers = [
            RelyingParty(
                issuer.url,
                issuer.page,
                _secret(issuer.page.client_secret),
                client,
                KeySet(issuer.url, client, anyio.current_time, issuer.jwks_url),
                verifier,
                resource=resource.url,
                redirect_uri=f"{resource.origin}{CALLBACK}",
                scopes=issuer.page.scopes or self.file.ask_scopes,
                clock=wall_clock,
                algorithms=issuer.algorithms,
            )
            for issuer in self.file.issuer
            if issuer.page is not None
        ]
        kept = IssuerSessions(sessions, ring, token=token, now=now)

        def more_scopes() -> Sequence[str]:
            return (APPROVE,) if self.second_person_approves() else ()

        return PageLogin(issuers, codes, kept, ring, resource, once, token, now, more_scopes)


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
        clinics, directory, keys = None, None, None
        if file.clinics and ring is not None:
            user_agent(settings.contact_email or "")
            directory = await stack.enter_async_context(open_directory(file))
            clinics = await directory.live(anyio.current_time, file)
            keys = PersonKeys(directory.directory, ring, time.time)  # noqa: TID251 - keys grow old in real time
            await _check_directory(file, ring, clinics, keys)
        state, parts, sessions = None, None, None
        if file.redis is not None:
            state = await stack.enter_async_context(open_state(address_of_redis(file.redis.url)))
        if ring is not None and file.redis is not None and file.redis.sessions == "sealed":
            sessions = SealedSessions(ring, time.time)  # noqa: TID251 - sessions grow old in real time
        page = None
        if file.has_page and file.public_url:
            page = PageAt(f"{Resource.parse(file.public_url).origin}{PATH}")
        audit, logs = None, FileLogs(audit_log(settings).path)
        if file.audit is not None:
            audit, logs = await _audit(stack, file.audit)
        if ring is not None and clinics is None:
            account, log = account_of(settings), None if audit is None else logs.of(SERVER)
            if state is None:
                parts = Parts(ring, account, log=log, page=page)
            else:
                parts = shared_parts(state, ring, account, per_minute=settings.pace, log=log, page=page)
        if page is None and (file.approve_by == "second" or (clinics is not None and _wants_second(clinics))):
            raise ConfigurationError("approve_by = second needs the approvals page.", _NO_PAGE)
        if page is None and clinics is not None and _has_own_keys(clinics):
            raise ConfigurationError('keys = "person" needs the page on which people give their keys.', _NO_PAGE)
        if clinics is not None:
            await stack.enter_async_context(clinics.watched())
        strict = settings.confirm == "strict"
        yield Hosting(file, ring, state, parts, clinics, directory, keys, logs, audit, page, strict, sessions)


_NO_PAGE: Final = "Name keys and public_url, and people or [issuer.page]."


def _wants_second(clinics: Clinics) -> bool:
    return any(entry.approve_by == "second" for entry in clinics.known.values())


def _has_own_keys(clinics: Clinics) -> bool:
    return any(entry.keys == "person" for entry in clinics.known.values())


async def _check_directory(file: HostedFile, ring: KeyRing, clinics: Clinics, keys: PersonKeys) -> None:
    """Raise ConfigurationError where the ring does not open what is kept, and where replicas would not share it."""
    for entry in clinics.known.values():
        opened_key(ring, entry)
    if not _has_own_keys(clinics):
        return
    if file.redis is not None and file.clinics and postgres_at(file.clinics) is None and file.person_keys is None:
        raise ConfigurationError(
            "people work in keys of their own, and what is given at one replica has to be known at the others.",
            'Name where they are kept together: person_keys = "env:DATABASE_URL", an address of Postgres.',
        )
    await keys.check_ring()


async def _is_there(clinics: Clinics) -> bool:
    return not clinics.away


def _proof(settings: Settings, apps: OpenApps, entry: ClinicEntry) -> Proof:
    email, base_url = settings.contact_email or "", entry.base_url or settings.base_url
    return Proof(email, base_url, apps.lent(), wall_clock)


async def _audit(stack: AsyncExitStack, where: AuditSection) -> tuple[PostgresAudit, ClinicLogs]:
    """The database of the audit logs, and the log of each clinic there.

    Raises ConfigurationError where it cannot be used or its role could change what was written down.
    """
    from cliniko_mcp.shared_state.audit_postgres import open_audit

    try:
        audit = await stack.enter_async_context(open_audit(_secret(where.postgres)))
        await audit.check()
    except OSError as problem:
        raise ConfigurationError(f"the audit log cannot be written: {problem}") from None
    return audit, await stack.enter_async_context(queued_logs(audit, partial(secrets.token_hex, 8)))


def account_of(settings: Settings) -> str:
    """A name for the account of these settings, the same in every replica, that tells nothing of its key."""
    key = "demo" if settings.sandbox else settings.require_account()[0]
    return hashlib.sha256(f"cliniko-mcp account\0{settings.base_url or ''}\0{key}".encode()).hexdigest()[:32]


def _secret(reference: str) -> str:
    return secret_at(reference).get_secret_value()
