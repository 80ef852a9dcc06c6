"""The apps of those who logged in: one a person, in their own key."""

from __future__ import annotations

import secrets  # noqa: TID251 - chance is handed from here to each app
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from pydantic import SecretStr

from cliniko_mcp.app import App, audit_log
from cliniko_mcp.directory.keys import Keys
from cliniko_mcp.directory.whose import Proof
from cliniko_mcp.errors import KeyRefused
from cliniko_mcp.guards.log import LocalLog
from cliniko_mcp.guards.parts import LocalKeys, Parts
from cliniko_mcp.identity.person import Person
from cliniko_mcp.open_apps import OpenApps, opened_apps
from cliniko_mcp.settings import Settings
from cliniko_mcp.shared_state.logins import Logins, PersonRow

if TYPE_CHECKING:
    import httpx2


class AccountPool:
    """Gives each person the app in their own key, opened when they first call."""

    def __init__(
        self,
        settings: Settings,
        logins: Logins,
        keys: Keys,
        proof: Proof,
        apps: OpenApps,
        address: str,
    ) -> None:
        """`settings` are everybody's; `address` is where people connect again."""
        self._settings = settings
        self._logins = logins
        self._keys = keys
        self._proof = proof
        self._address = address
        self._log = LocalLog(audit_log(settings))
        self._secret = secrets.token_bytes(32)
        self.apps = apps

    async def app_of(self, person: Person | None) -> App:
        """The app in this person's key. Raises KeyRefused for nobody, and where their key is gone."""
        row = await self._logins.person(person.subject) if person is not None else None
        if row is None or not row.sealed:
            raise self._gone()
        return await self.apps.app(row.id, row.version, lambda: self._made(row))

    def _made(self, row: PersonRow) -> tuple[Settings, Parts]:
        key = self._keys.open(row)
        if key is None:
            raise self._gone()
        settings = self._settings.model_copy(update={"api_key": SecretStr(key), "login": None})
        return settings, Parts(LocalKeys(self._secret), account=row.id, log=self._log, network=self.apps.network)

    async def key_refused(self, person: Person | None, problem: KeyRefused) -> KeyRefused:
        """What a person is told whose key Cliniko refused, once it is proven that it does; `problem` where not."""
        row = await self._logins.person(person.subject) if person is not None else None
        if row is None or not await self._keys.refused(row.id, row.version, self._proof):
            return problem
        self.apps.close(row.id)
        return self._gone()

    def _gone(self) -> KeyRefused:
        return KeyRefused(
            "Cliniko no longer takes this person's API key, so the connection has ended.",
            f"Tell the person to connect {self._address} again in their assistant, with a new key from Cliniko.",
        )


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
    async with opened_apps(network) as apps:
        yield AccountPool(settings, logins, keys, proof, apps, address)
