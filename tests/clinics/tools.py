"""A server's tools at work in a generated clinic: over the HTTP client and the demo clinic's transport, in process."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio

from cliniko_mcp.app import App, open_app
from cliniko_mcp.errors import ClinikoMcpError
from cliniko_mcp.guards.pipeline import Caller
from cliniko_mcp.results.envelope import error_body
from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.core import Sandbox
from cliniko_mcp.settings import Settings

from .rows import Clinic, Row

Change = tuple[str, Row | None, Row | None]
"""A table, a row before and the row after: None where it was not there."""


class Tools:
    """Calls tools, and sees which rows a call changed."""

    def __init__(self, app: App, clinic: Clinic) -> None:
        self._app = app
        self.clinic = clinic

    async def call(self, tool: str, /, **arguments: Any) -> Row:
        """The answer's JSON, that of an error too; anything else that is raised is a crash."""
        try:
            return await self._app.call(tool, arguments, Caller())
        except ClinikoMcpError as problem:
            return error_body(problem)

    def forget(self) -> None:
        """Drop what the tools remember of the clinic."""
        self._app.forget()

    def rows(self) -> dict[tuple[str, str], Row]:
        """Every row of the clinic as it is now, by table and id."""
        tables = self._app.sandbox.context.store.tables()
        return {(name, key): dict(row) for name, table in tables.items() for key, row in table.rows.items()}

    async def changed(self, tool: str, /, **arguments: Any) -> tuple[Row, list[Change]]:
        """The answer, and each row that is another than before the call."""
        before = self.rows()
        answer = await self.call(tool, **arguments)
        after = self.rows()
        keys = [*before, *(key for key in after if key not in before)]
        return answer, [(key[0], before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key)]


@asynccontextmanager
async def tools(clinic: Clinic) -> AsyncGenerator[Tools]:
    """The tools in this clinic; destructive operations need no person's yes."""

    def fill(context: RequestContext) -> None:
        for table, rows in clinic.whole().items():
            for row in rows:
                context.store.put(table, dict(row))

    settings = {
        "sandbox": True,
        "rate_limit": 0,
        "requests_per_minute": 60_000,
        "allow_destroy": ["cancel_individual_appointment", "cancel_attendee"],
    }
    async with open_app(Settings.load(settings, {})) as app:
        app.use_sandbox(Sandbox(now=clinic.now, frozen=True, rate_limit=0, seed_with=fill))
        yield Tools(app, clinic)


def play(clinic: Clinic, act: Callable[[Tools], Awaitable[None]]) -> None:
    """Do this in the clinic, in an event loop of its own: hypothesis calls plain functions."""

    async def opened() -> None:
        async with tools(clinic) as opened_tools:
            await act(opened_tools)

    anyio.run(opened)
