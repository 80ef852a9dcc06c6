"""The app: settings in; the clinic, its guards and the calls of tools out. It knows nothing of MCP."""

from __future__ import annotations

import logging
import secrets  # noqa: TID251 - chance is handed from here to everything below
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import anyio
from anyio.abc import TaskGroup

from cliniko_mcp.approvals.digest import canonical, digest
from cliniko_mcp.approvals.ledger import Ledger, LocalLedger
from cliniko_mcp.approvals.question_table import MAX_SHOWN, MAX_SHOWN_APART, Questions
from cliniko_mcp.approvals.waits import Waits
from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.errors import (
    ConfigurationError,
    JsonValue,
    NoSuchName,
    NotFound,
    RateLimited,
    Unavailable,
)
from cliniko_mcp.guards.audit_copy import copy_of
from cliniko_mcp.guards.cut_off import stopped
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.guards.memory import Course, Memory
from cliniko_mcp.guards.parts import Parts, local_parts
from cliniko_mcp.guards.pipeline import Caller, Guard
from cliniko_mcp.guards.progress import increasing, waiting
from cliniko_mcp.results.cursor import Cursors
from cliniko_mcp.results.envelope import Answer, Envelope
from cliniko_mcp.settings import Settings
from cliniko_mcp.tools.boundary import check_size
from cliniko_mcp.tools.catalogue import Catalogue
from cliniko_mcp.tools.tool import CALL_AGAIN, Arguments, Tool
from cliniko_mcp.tools.views import View, view_of

if TYPE_CHECKING:
    import httpx2

    from cliniko_mcp.client.clinic import Clinic
    from cliniko_mcp.guards.audit_copy import Copy
    from cliniko_mcp.guards.hash_chain import HashChain
    from cliniko_mcp.sandbox.core import Sandbox


class _Behind(NamedTuple):
    """What stands behind every guarded clinic of a run; kept as one, so that no call finds a client without guards."""

    client: Clinic
    questions: Ledger
    guards: tuple[Guard, ...]
    memory: Memory


class App:
    """What one run is made of: the tools that are listed or may be called, and the clinic, opened when first needed."""

    def __init__(
        self,
        settings: Settings,
        view: View,
        stack: AsyncExitStack,
        tasks: TaskGroup | None = None,
        parts: Parts | None = None,
    ) -> None:
        """`parts` are what it shares with other processes; by default it shares nothing."""
        self._tasks = tasks
        self.settings, self.view = settings, view
        self.parts = parts or local_parts(secrets.token_bytes(32))
        cursors = Cursors(*self.parts.keys.derived("cursor", self.parts.account))
        self.catalogue = Catalogue(cursors, view.excluded, view.changing)
        self.catalogue.unread = view.forbidden
        self._stack = stack
        self._opening = anyio.Lock()
        self._behind: _Behind | None = None
        self._sandbox: Sandbox | None = None
        self._under_way: set[anyio.Event] = set()
        self._calls: set[anyio.CancelScope] = set()
        self.waits = Waits()
        """The calls that wait for a person's answer to a form."""

    @property
    def sandbox(self) -> Sandbox:
        """The demo clinic of this run, made when first needed."""
        if self._sandbox is None:
            self._sandbox = demo_clinic(self.settings)
            self.on_close(self._sandbox.close)
        return self._sandbox

    def use_sandbox(self, sandbox: Sandbox) -> None:
        """Work in this demo clinic instead of one of its own; before the first call."""
        self._sandbox = sandbox

    @property
    def demo(self) -> bool:
        """Whether the clinic of this run is a demo, by the settings or as its answers have said so far."""
        return self.settings.demo or (self._behind is not None and self._behind.client.demo)

    def on_close(self, close: Callable[[], None]) -> None:
        """Have this called when the app closes."""
        self._stack.callback(close)

    def clock(self) -> Callable[[], datetime]:
        """The clock of this run: the demo clinic's, a start that was set and runs on, or this computer's."""
        if self.settings.sandbox:
            return lambda: self.sandbox.clock.now()
        if (start := self.settings.clock_start) is not None:
            began = datetime.now(UTC)  # noqa: TID251 - the clock of a run starts here
            frozen = self.settings.sandbox_clock == "frozen"
            return lambda: start if frozen else start + (datetime.now(UTC) - began)  # noqa: TID251 - the same
        return lambda: datetime.now(UTC)  # noqa: TID251 - the same

    async def call(self, name: str, arguments: Arguments | None, caller: Caller) -> dict[str, JsonValue]:
        """What the tool of this name answers, see `run`. Raises UnknownTool for a name that does not exist."""
        return (await self.run(self.catalogue.get(name), arguments or {}, caller)).body

    async def run(self, tool: Tool, arguments: Arguments, caller: Caller) -> Envelope:
        """What this tool of the catalogue answers, as the envelope.

        Raises AskFirst where a person has to be asked by a repeated call, and the error tree for everything that goes
        wrong.
        """
        check_size(arguments, tool.max_argument_bytes)
        with self.under_way(), anyio.CancelScope() as scope:
            self._calls.add(scope)
            try:
                return await self._run(tool, arguments, caller)
            finally:
                self._calls.discard(scope)
        raise stopped(tool.risk, CALL_AGAIN if tool.repeatable else None)

    async def _run(self, tool: Tool, arguments: Arguments, caller: Caller) -> Envelope:
        called = digest(tool.name, canonical(arguments))
        caller = replace(caller, call=called, progress=increasing(caller.progress))
        guarded = await self.guarded_clinic(tool.name, caller, tool.risk_of(arguments))
        from cliniko_mcp.client.rate_limit import one_call

        with one_call(caller.principal, partial(waiting, caller.progress)):
            try:
                answer = await self._answered(tool, guarded, arguments)
            except NotFound:
                # What is gone may be gone because a person said yes to this very call while nobody waited.
                before = await self._behind.questions.done_by(caller.principal, caller.call) if self._behind else None
                if before is None:
                    raise
                from cliniko_mcp.guards.confirm_words import done

                raise done(before) from None
            return await answer.finished(guarded, tool.room(arguments))

    async def _answered(self, tool: Tool, clinic: GuardedClinic, arguments: Arguments) -> Answer:
        """What the tool answers. Before a name is said to be nobody's, what came from memory is read once more."""
        try:
            try:
                return await tool.run(clinic, arguments)
            except NoSuchName:
                if not clinic.look_again():
                    raise
            return await tool.run(clinic, arguments)
        except (RateLimited, Unavailable):
            clinic.course.cut_off = True  # whatever it was that could not be read
            raise
        finally:
            clinic.answered()

    def start(self, work: Callable[[], Coroutine[object, object, None]]) -> None:
        """Do this apart from every call, until the app closes; how it ends is its own matter."""

        async def apart() -> None:
            try:
                await work()
            except Exception:  # it would end the app
                logging.getLogger(__name__).exception("what was done apart from every call failed")

        if self._tasks is not None:
            self._tasks.start_soon(apart)

    @contextmanager
    def under_way(self) -> Generator[None]:
        """What goes on within is waited for when the app closes."""
        ended = anyio.Event()
        self._under_way.add(ended)
        try:
            yield
        finally:
            self._under_way.discard(ended)
            ended.set()

    @property
    def busy(self) -> bool:
        """Whether anything is under way."""
        return bool(self._under_way)

    def interrupt(self) -> None:
        """End the calls under way; each is answered with what its caller has to know."""
        for scope in tuple(self._calls):
            scope.cancel()

    async def close(self) -> None:
        """Wait for the calls under way, which somebody has to have ended, and close everything that was opened."""
        for ended in tuple(self._under_way):
            await ended.wait()
        await self._stack.aclose()
        self._behind = None  # it refers to this app, and a server for many has no time to look for circles

    async def questions(self) -> Ledger:
        """The questions that are put to people here."""
        return (await self._opened()).questions

    async def _opened(self) -> _Behind:
        async with self._opening:
            if self._behind is None:
                client = await self._stack.enter_async_context(_client(self))
                questions, guards = _guards(self, client)
                memory = Memory(anyio.current_time, client.now, self.parts.elsewhere)
                self._behind = _Behind(client, questions, guards, memory)
        return self._behind

    def forget(self) -> None:
        """Drop what is remembered of the clinic, for whoever changes it from elsewhere and cannot wait two minutes."""
        if self._behind is not None:
            self._behind.memory.forget_all()

    @property
    def kept_bytes(self) -> int:
        """Bytes that are kept of long lists for calls that go on, compressed."""
        return self._behind.memory.pages.held if self._behind is not None else 0

    async def guarded_clinic(self, tool: str, caller: Caller, risk: Risk = Risk.WRITE) -> GuardedClinic:
        """What this tool acts through for this caller: the clinic behind the guards.

        `risk` is what it may do: what a change depends on is read afresh where it may change something.
        """
        client, _, guards, memory = await self._opened()
        await memory.catch_up()
        folder = self.settings.upload_folder
        log = audit_log(self.settings) if self.parts.log is None else None
        return GuardedClinic(client, guards, caller, tool, memory, upload_folder=folder, log=log, course=Course(risk))


def demo_clinic(settings: Settings) -> Sandbox:
    """A demo clinic by these settings; its records are made when the first request needs them.

    Raises ConfigurationError for faults that nobody knows and a file that cannot be used.
    """
    from cliniko_mcp.sandbox.core import Fault, Sandbox

    try:
        faults = [Fault.parse(fault) for fault in settings.faults]
    except ValueError as problem:
        raise ConfigurationError(f"--faults: {problem}") from None
    persistence = None
    if settings.sandbox_file:
        from cliniko_mcp.sandbox.clinic_file import ClinicFile

        persistence = ClinicFile(settings.sandbox_file)
    sandbox = Sandbox(
        now=settings.sandbox_now or datetime.now(UTC),  # noqa: TID251 - the demo clinic opens now
        frozen=settings.sandbox_clock == "frozen",
        seed=settings.seed,
        rate_limit=settings.rate_limit,
        persistence=persistence,
        faults=faults,
    )
    chosen = settings.model_fields_set
    wall = partial(datetime.now, UTC)  # noqa: TID251 - Cliniko's resets are told in real time
    sandbox.persist_clock(wall, keep_now="sandbox_now" in chosen, keep_frozen="sandbox_clock" in chosen)
    return sandbox


@asynccontextmanager
async def _client(app: App) -> AsyncGenerator[Clinic]:
    """The client of the clinic: the account, another address, or the demo clinic, all through the same HTTP client."""
    from cliniko_mcp.client.clinic import Clinic
    from cliniko_mcp.client.credentials import Credentials, parse_base_url, user_agent

    settings = app.settings
    transport: httpx2.AsyncBaseTransport | None = None
    if app.parts.network is not None:
        from cliniko_mcp.client.transport import Lent

        transport = Lent(app.parts.network)
    if settings.sandbox:
        from cliniko_mcp.sandbox.transport import SandboxTransport

        transport = SandboxTransport(app.sandbox)
        key, email = next(iter(app.sandbox.keys.values())), "demo@example.org"
    else:
        key, email = settings.require_account()
    credentials = Credentials.parse(key)
    base_url = credentials.base_url
    if settings.sandbox:
        base_url = app.sandbox.base_url
    elif settings.base_url:
        base_url = parse_base_url(settings.base_url)
    async with Clinic.open(
        base_url=base_url,
        key=credentials.key,
        user_agent=user_agent(email),
        transport=transport,
        per_minute=settings.pace,
        tokens=app.parts.tokens,
        attempts=app.parts.watch.attempts(app.parts.account) if app.parts.watch is not None else None,
        now=app.clock(),
    ) as clinic:
        yield clinic


def audit_log(settings: Settings, copy: Copy | None = None) -> HashChain:
    """The audit log of a run: where the settings put it, else in the usual place, the demo clinic's apart."""
    from cliniko_mcp.approvals.paths import audit_file
    from cliniko_mcp.guards.hash_chain import HashChain

    return HashChain(Path(settings.audit_file) if settings.audit_file else audit_file(demo=settings.demo), copy=copy)


def _guards(app: App, client: Clinic) -> tuple[Ledger, tuple[Guard, ...]]:
    """The ledger of questions, and the guards around every operation on this clinic, outermost first."""
    from cliniko_mcp.approvals.approval_page import approval_page
    from cliniko_mcp.approvals.paths import state_folder
    from cliniko_mcp.guards.audit import Audit
    from cliniko_mcp.guards.confirm import Confirm
    from cliniko_mcp.guards.exclusion import Exclusion
    from cliniko_mcp.guards.log import LocalLog
    from cliniko_mcp.guards.read_only import ReadOnly
    from cliniko_mcp.guards.scopes import Scopes

    settings, parts, now, page = app.settings, app.parts, client.now, app.parts.page
    if parts.ledger is not None:
        questions = parts.ledger(now)
    else:
        table = Questions(now, partial(secrets.token_hex, 16), most_shown=MAX_SHOWN_APART if page else MAX_SHOWN)
        questions = LocalLedger(table)
        if settings.transport == "stdio" and page is None:
            page = approval_page(table, state_folder(), now)
            app.on_close(page.close)
    log = parts.log
    if log is None:
        if (copy := copy_of(settings.audit_copy)) is not None:
            app.on_close(copy.close)
        log = LocalLog(audit_log(settings, copy))
    audit = Audit(log, now)
    if parts.watch is not None:
        questions.became = parts.watch.question
    confirm = Confirm(
        questions,
        now=now,
        policy=settings.confirm,
        allowed=frozenset(settings.allow_destroy),
        page=page,
        wait=settings.approval_wait,
        demo=lambda: app.demo,
        start=app.start,
        under_way=app.under_way,
        note=audit.question_ended,
        locks=parts.locks,
        still=parts.still,
        page_for="stdio" if parts.page is None else "http",
    )
    read_only = (ReadOnly(),) if settings.read_only else ()
    return questions, (audit, Exclusion(app.view.excluded_from, app.view.forbidden), *read_only, Scopes(), confirm)


def check_account(settings: Settings) -> None:
    """Raise ConfigurationError at start, not at the first question, when the key, the email or the address is wrong."""
    from cliniko_mcp.client.credentials import Credentials, parse_base_url, user_agent

    if settings.base_url:
        parse_base_url(settings.base_url)
    if not settings.sandbox and settings.login is None:
        key, email = settings.require_account()
        Credentials.parse(key)
        user_agent(email)


@asynccontextmanager
async def open_app(settings: Settings, parts: Parts | None = None, *, keyed: bool = True) -> AsyncGenerator[App]:
    """The app for the length of a run, with what it shares with other processes; not `keyed` where it only lists tools.

    Raises ConfigurationError for settings that cannot work.
    """
    if keyed:
        check_account(settings)
    copy_of(settings.audit_copy)  # a wrong one is said at the start
    async with AsyncExitStack() as stack:
        try:
            async with anyio.create_task_group() as tasks:
                yield App(settings, view_of(settings), stack, tasks, parts)
                tasks.cancel_scope.cancel()
        except BaseExceptionGroup as wrapped:  # by the task group, also where one thing alone went wrong
            raise wrapped.exceptions[0] from None
