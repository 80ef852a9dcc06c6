"""Which clinic a request is for: `/mcp/north` names it, `/mcp` means the only one of whoever calls.

It stands behind the gate. Clinics that list the same tools share a server; each person's calls go to their clinic's
app.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import anyio
from anyio.abc import TaskGroup, TaskStatus

from cliniko_mcp.app import App
from cliniko_mcp.directory.clinics import Clinics
from cliniko_mcp.guards.parts import Parts
from cliniko_mcp.identity.gate import Refusals, nobody_told
from cliniko_mcp.identity.metadata import MCP_PATH, clinic_in
from cliniko_mcp.identity.person import Person
from cliniko_mcp.settings import Settings
from cliniko_mcp.shared_state.keys import KeyRing
from cliniko_mcp.tools.views import view_of

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.types import ASGIApp, Receive, Scope, Send

ProtocolOf = Callable[[App], "tuple[Starlette, ASGIApp]"]
"""Makes the protocol that lists the tools of an app: what has to run meanwhile, and what answers."""

_NOT_YOURS: Final = (
    "There is no such clinic here, or you may not work in it. Where you work in several, give your assistant the "
    "address of one, which ends in its name.\n"
)


_AWAY: Final = "Which clinics there are cannot be known just now; try again in half a minute.\n"


class ClinicPaths:
    """Leads each request to the protocol of its clinic, whose id it puts into the person."""

    def __init__(
        self,
        settings: Settings,
        clinics: Clinics,
        ring: KeyRing,
        tasks: TaskGroup,
        protocol_of: ProtocolOf,
        refused: Refusals = nobody_told,
    ) -> None:
        """`settings` are what a clinic does not say itself; the protocols run among `tasks`.

        `refused` hears whom no clinic let in."""
        self._settings = settings
        self._clinics = clinics
        self._ring = ring
        self._tasks = tasks
        self._protocol_of = protocol_of
        self._refused = refused
        self._protocols: dict[Settings, ASGIApp] = {}
        self._starting = anyio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; 403 for a clinic that there is not or that is not this person's.

        503 where that cannot be known.
        """
        if scope["type"] == "lifespan":
            from starlette.applications import Starlette

            await Starlette()(scope, receive, send)  # there is nothing to start: protocols start with their first call
            return
        person: object = scope.get("state", {}).get("person")
        path = str(scope["path"])
        named = clinic_in(path)
        if not isinstance(person, Person) or (named is None and path.rstrip("/") != MCP_PATH):
            await _answer(scope, receive, send, 404, "Not found.\n")
            return
        if self._clinics.away:
            await _answer(scope, receive, send, 503, _AWAY)
            return
        entry = self._clinics.of(person, named)
        if entry is None:
            self._refused(403, "clinic")
            await _answer(scope, receive, send, 403, _NOT_YOURS)
            return
        state = {**scope["state"], "person": replace(person, clinic=entry.id)}
        inner = {**scope, "path": MCP_PATH, "raw_path": MCP_PATH.encode(), "state": state}
        await (await self._protocol(entry.profile(self._settings)))(inner, receive, send)

    async def _protocol(self, profile: Settings) -> ASGIApp:
        if (found := self._protocols.get(profile)) is None:
            async with self._starting:
                found = self._protocols.get(profile) or await self._tasks.start(self._run, profile)
        return found

    async def _run(self, profile: Settings, *, task_status: TaskStatus[ASGIApp]) -> None:
        async with AsyncExitStack() as stack:
            # What lists the tools: no call ever goes to it.
            listing = App(profile, view_of(profile), stack, parts=Parts(self._ring, "clinics"))
            runs, answers = self._protocol_of(listing)
            async with runs.router.lifespan_context(runs):
                self._protocols[profile] = answers
                task_status.started(answers)
                await anyio.sleep_forever()


async def _answer(scope: Scope, receive: Receive, send: Send, status: int, words: str) -> None:
    from starlette.responses import PlainTextResponse

    wait = {"Retry-After": "30"} if status == 503 else {}
    await PlainTextResponse(words, status, {"Cache-Control": "no-store"} | wait)(scope, receive, send)
