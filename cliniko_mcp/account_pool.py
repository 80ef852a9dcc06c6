"""The apps of a server for many: one a person, in their own key, opened when they first call and closed when idle."""

from __future__ import annotations

import secrets  # noqa: TID251 - chance is handed from here to each app
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import anyio
from anyio.abc import TaskGroup, TaskStatus
from pydantic import SecretStr

from cliniko_mcp.app import App, audit_log, open_app
from cliniko_mcp.directory.keys import Keys
from cliniko_mcp.directory.whose import Proof
from cliniko_mcp.errors import KeyRefused
from cliniko_mcp.guards.log import LocalLog
from cliniko_mcp.guards.parts import LocalKeys, Parts
from cliniko_mcp.identity.person import Person
from cliniko_mcp.settings import Settings
from cliniko_mcp.shared_state.logins import Logins, PersonRow

if TYPE_CHECKING:
    import httpx2

IDLE_SECONDS: Final = 600.0
MAX_OPEN: Final = 2_000


@dataclass(slots=True)
class _Held:
    app: App
    version: int
    used: float
    over: anyio.Event


class AccountPool:
    """Gives each person the app in their own key."""

    def __init__(
        self,
        settings: Settings,
        logins: Logins,
        keys: Keys,
        proof: Proof,
        tasks: TaskGroup,
        network: httpx2.AsyncBaseTransport,
        address: str,
        monotonic: Callable[[], float] = anyio.current_time,
    ) -> None:
        """`settings` are everybody's; `network` is lent to all; `address` is where people connect again."""
        self._settings = settings
        self._logins = logins
        self._keys = keys
        self._proof = proof
        self._tasks = tasks
        self._network = network
        self._address = address
        self._monotonic = monotonic
        self._log = LocalLog(audit_log(settings))
        self._secret = secrets.token_bytes(32)
        self._held: dict[str, _Held] = {}
        self._opening = anyio.Lock()

    async def app_of(self, person: Person | None) -> App:
        """The app in this person's key. Raises KeyRefused for nobody, and where their key is gone."""
        row = await self._logins.person(person.subject) if person is not None else None
        if row is None:
            raise self._gone()
        held = self._current(row)
        if held is None:
            async with self._opening:
                held = self._current(row) or await self._open(row)
        held.used = self._monotonic()
        return held.app

    def _current(self, row: PersonRow) -> _Held | None:
        """What is open in the key that the person has now."""
        held = self._held.get(row.id)
        return held if held is not None and held.version == row.version and row.sealed else None

    async def _open(self, row: PersonRow) -> _Held:
        if row.id in self._held:
            self._close(row.id)
        key = self._keys.open(row)
        if key is None:
            raise self._gone()
        self._close_idle()
        held = self._held[row.id] = await self._tasks.start(self._hold, row, key)
        return held

    async def _hold(self, row: PersonRow, key: str, *, task_status: TaskStatus[_Held]) -> None:
        settings = self._settings.model_copy(update={"api_key": SecretStr(key), "login": None})
        parts = Parts(LocalKeys(self._secret), account=row.id, log=self._log, network=self._network)
        async with open_app(settings, parts) as app:
            held = _Held(app, row.version, self._monotonic(), anyio.Event())
            task_status.started(held)
            await held.over.wait()
            await app.close()

    def _close(self, id: str) -> None:
        self._held.pop(id).over.set()

    def _close_idle(self) -> None:
        now = self._monotonic()
        idle = [id for id, held in self._held.items() if not held.app.busy and now - held.used > IDLE_SECONDS]
        if len(self._held) >= MAX_OPEN and not idle:
            idle = sorted(self._held, key=lambda id: self._held[id].used)[:1]
        for id in idle:
            self._close(id)

    async def key_refused(self, person: Person | None, problem: KeyRefused) -> KeyRefused:
        """What a person is told whose key Cliniko refused, once it is proven that it does; `problem` where not."""
        row = await self._logins.person(person.subject) if person is not None else None
        if row is None or not await self._keys.refused(row.id, row.version, self._proof):
            return problem
        if row.id in self._held:
            self._close(row.id)
        return self._gone()

    def _gone(self) -> KeyRefused:
        return KeyRefused(
            "Cliniko no longer takes this person's API key, so the connection has ended.",
            f"Tell the person to connect {self._address} again in their assistant, with a new key from Cliniko.",
        )

    # What a stop asks of all apps

    @property
    def waits(self) -> AccountPool:
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

    def close(self) -> None:
        """Close every app, each when its calls have ended."""
        for id in tuple(self._held):
            self._close(id)


@asynccontextmanager
async def open_pool(
    settings: Settings,
    logins: Logins,
    keys: Keys,
    proof: Proof,
    address: str,
    network: httpx2.AsyncBaseTransport | None = None,
) -> AsyncGenerator[AccountPool]:
    """The pool for the length of a run; `network` stands in for the real one."""
    from cliniko_mcp.client.transport import Network

    own = network or Network()
    try:
        async with anyio.create_task_group() as tasks:
            pool = AccountPool(settings, logins, keys, proof, tasks, own, address)
            yield pool
            pool.close()
    finally:
        await own.aclose()
