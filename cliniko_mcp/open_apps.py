"""The apps that are open in a server for many: one an account, closed when idle, never while a call is under way."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

import anyio
from anyio.abc import TaskGroup, TaskStatus

from cliniko_mcp.app import App, open_app

if TYPE_CHECKING:
    import httpx2

    from cliniko_mcp.errors import KeyRefused
    from cliniko_mcp.guards.parts import Parts
    from cliniko_mcp.guards.watch import Watch
    from cliniko_mcp.identity.person import Person
    from cliniko_mcp.settings import Settings

IDLE_SECONDS: Final = 600.0
MAX_OPEN: Final = 2_000

Made = Callable[[], "tuple[Settings, Parts]"]
"""What an app is opened with."""


class Pool(Protocol):
    """Gives each person the app that their calls go to."""

    @property
    def apps(self) -> OpenApps:
        """All that are open."""
        ...

    async def app_of(self, person: Person | None) -> App:
        """The app of this person. Raises KeyRefused where there is no key for them."""
        ...

    async def key_refused(self, person: Person | None, problem: KeyRefused) -> KeyRefused:
        """What a person is told whose key Cliniko refused, `problem` or more."""
        ...


@dataclass(slots=True)
class _Held:
    app: App
    version: int
    used: float
    over: anyio.Event


class OpenApps:
    """The open apps, by account and the version of its key."""

    def __init__(
        self,
        tasks: TaskGroup,
        network: httpx2.AsyncBaseTransport,
        monotonic: Callable[[], float] = anyio.current_time,
        max_open: int = MAX_OPEN,
    ) -> None:
        """The apps live among `tasks`; `network` is lent to all of them."""
        self.network = network
        self.watch: Watch | None = None
        """Whoever watches the apps that are opened from now on."""
        self._tasks = tasks
        self._monotonic = monotonic
        self._max_open = max_open
        self._held: dict[str, _Held] = {}
        self._opening = anyio.Lock()

    def lent(self) -> httpx2.AsyncBaseTransport:
        """The network, for whoever closes what they were given."""
        from cliniko_mcp.client.transport import Lent

        return Lent(self.network)

    async def app(self, account: str, version: int, made: Made) -> App:
        """The app of this account, opened with what `made` gives where it is not open in this version of its key."""
        held = self._current(account, version)
        if held is None:
            async with self._opening:
                held = self._current(account, version) or await self._open(account, version, made)
        held.used = self._monotonic()
        return held.app

    def _current(self, account: str, version: int) -> _Held | None:
        held = self._held.get(account)
        return held if held is not None and held.version == version else None

    async def _open(self, account: str, version: int, made: Made) -> _Held:
        self.close(account)
        settings, parts = made()
        parts = replace(parts, watch=self.watch)
        self._close_idle()
        held = self._held[account] = await self._tasks.start(self._hold, version, settings, parts)
        return held

    async def _hold(self, version: int, settings: Settings, parts: Parts, *, task_status: TaskStatus[_Held]) -> None:
        async with open_app(settings, parts) as app:
            held = _Held(app, version, self._monotonic(), anyio.Event())
            task_status.started(held)
            await held.over.wait()
            await app.close()

    def close(self, account: str) -> None:
        """Close the app of this account, if one is open, once its calls have ended."""
        if (held := self._held.pop(account, None)) is not None:
            held.over.set()

    def close_all(self) -> None:
        """Close every app, each when its calls have ended."""
        for account in tuple(self._held):
            self.close(account)

    def _close_idle(self) -> None:
        now = self._monotonic()
        quiet = [account for account, held in self._held.items() if not held.app.busy]
        idle = [account for account in quiet if now - self._held[account].used > IDLE_SECONDS]
        if len(self._held) >= self._max_open and not idle:
            # With every one of them at work there is one more for a while.
            idle = sorted(quiet, key=lambda account: self._held[account].used)[:1]
        for account in idle:
            self.close(account)

    # What a stop asks of all apps

    @property
    def waits(self) -> OpenApps:
        """The waits of all apps."""
        return self

    def end(self) -> None:
        """End what waits for a person."""
        for held in self._held.values():
            held.app.waits.end()

    @property
    def busy(self) -> bool:
        """Whether anything is under way."""
        return any(held.app.busy for held in self._held.values())

    def interrupt(self) -> None:
        """End the calls under way."""
        for held in self._held.values():
            held.app.interrupt()

    def __len__(self) -> int:
        return len(self._held)


@asynccontextmanager
async def opened_apps(
    network: httpx2.AsyncBaseTransport | None = None, max_open: int = MAX_OPEN
) -> AsyncGenerator[OpenApps]:
    """No app yet, and the connections of all, for the length of a run; `network` stands in for the real one."""
    from cliniko_mcp.client.transport import OF_MANY, Network

    own = network or Network(OF_MANY)
    try:
        async with anyio.create_task_group() as tasks:
            apps = OpenApps(tasks, own, max_open=max_open)
            yield apps
            apps.close_all()
    finally:
        await own.aclose()
