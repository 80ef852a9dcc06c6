"""What the server answers, method by method: MCP's requests in, the app's answers out as MCP's results.

Prompts, resources and completions are each imported when they are first asked for.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError

from cliniko_mcp.app import App
from cliniko_mcp.approvals.questions import AskFirst
from cliniko_mcp.approvals.waits import Waits
from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.errors import (
    INTERNAL_CODE,
    AlreadyDone,
    ClinikoMcpError,
    JsonValue,
    KeyRefused,
    UnknownTool,
)
from cliniko_mcp.guards.pipeline import Caller
from cliniko_mcp.protocol.declared import declared_in
from cliniko_mcp.protocol.elicitation import as_asked, asker_of, opener_of
from cliniko_mcp.results.envelope import Envelope, compact, error_body
from cliniko_mcp.tools.index import entries

if TYPE_CHECKING:
    from starlette.requests import Request

    from cliniko_mcp.guards.guarded_clinic import GuardedClinic
    from cliniko_mcp.identity.person import Person
    from cliniko_mcp.open_apps import Pool
    from cliniko_mcp.protocol.completions import Completions

logger = logging.getLogger(__name__)

Context = ServerRequestContext[Any, Any]
Paged = types.PaginatedRequestParams | None

ListedT = TypeVar("ListedT", bound=types.CacheableResult)
LIST_KEPT_MS: Final = 300_000
"""Milliseconds for which a client may keep a list."""

UNEXPECTED: dict[str, JsonValue] = {
    "code": INTERNAL_CODE,
    "message": "Something went wrong inside this server. Check whether a change took effect before repeating it.",
    "fix": "Try once more; if it fails again, tell the person who looks after this server to read its log.",
}


class Responder:
    """Answers the requests of every client of a run; each method is one of MCP's."""

    def __init__(self, app: App, tools: types.ListToolsResult, pool: Pool | None = None) -> None:
        """`app` says what is listed; calls are its as well, or with a `pool` those of each person's own app."""
        self._app = app
        self._pool = pool
        self._tools = tools
        self._narrowed: dict[Risk, types.ListToolsResult] = {}
        self._completions: Completions | None = None

    async def _app_of(self, ctx: Context) -> App:
        return self._app if self._pool is None else await self._pool.app_of(person_of(ctx))

    async def list_tools(self, ctx: Context, _: Paged) -> types.ListToolsResult:
        """The tools of the view that the caller may call, in one page.

        A list that leaves some out may not be kept: it is longer once the person logged in for more.
        """
        may = reader_of(ctx).may
        if may is Risk.DESTRUCTIVE:
            return self._tools
        if may not in self._narrowed:
            known = entries()
            callable_tools = [tool for tool in self._tools.tools if known[tool.name].highest_risk.within(may)]
            self._narrowed[may] = types.ListToolsResult(tools=callable_tools, ttl_ms=0, cache_scope="private")
        return self._narrowed[may]

    async def call_tool(
        self, ctx: Context, params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        """The tool's envelope, its error as a result, or the question that a person has to answer first.

        Raises MCPError for a name that no tool has, and where the question goes out as an error.
        """
        try:
            app = await self._app_of(ctx)
            tool = app.catalogue.get(params.name)
        except UnknownTool as problem:
            raise MCPError(types.INVALID_PARAMS, problem.message, problem.as_json()) from None
        except ClinikoMcpError as problem:
            return self._failed(error_body(problem))
        try:
            return self._result(await app.run(tool, params.arguments or {}, caller_of(ctx, params, app.waits)))
        except AskFirst as first:
            return as_asked(first, ctx.protocol_version)
        except AlreadyDone as before:
            return self._result(Envelope.of({"done": before.message, "notes": [before.fix]}))
        except KeyRefused as problem:
            told = problem if self._pool is None else await self._pool.key_refused(person_of(ctx), problem)
            return self._failed(error_body(told))
        except ClinikoMcpError as problem:
            return self._failed(error_body(problem))
        except Exception:
            logger.exception("%s failed", params.name)
            return self._failed(UNEXPECTED)

    async def list_prompts(self, _: Context, __: Paged) -> types.ListPromptsResult:
        """The day's routines."""
        from cliniko_mcp.protocol.prompts import listed

        return kept(listed(), self._app)

    async def get_prompt(self, _: Context, params: types.GetPromptRequestParams) -> types.GetPromptResult:
        """One routine with what the person chose. Raises MCPError where there is none of that name."""
        from cliniko_mcp.protocol.prompts import filled

        return filled(params.name, params.arguments or {})

    async def list_resources(self, _: Context, __: Paged) -> types.ListResourcesResult:
        """The records that can be attached without an id, and the pages that hosts show beside answers."""
        from cliniko_mcp.protocol.apps import offer
        from cliniko_mcp.protocol.resources import listed

        records = listed(self._app.view.excluded)
        return kept(types.ListResourcesResult(resources=[*records.resources, *offer.listed()]), self._app)

    async def list_resource_templates(self, _: Context, __: Paged) -> types.ListResourceTemplatesResult:
        """The kinds of records that can be attached by id."""
        from cliniko_mcp.protocol.resources import templates

        return kept(templates(self._app.view.excluded), self._app)

    async def read_resource(self, ctx: Context, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        """One record as its get operation reads it, through every guard, or a page of ours, which holds nobody's data.

        Raises MCPError where it cannot be read.
        """
        from cliniko_mcp.protocol.apps import offer
        from cliniko_mcp.protocol.resources import MIME, target

        if (page := offer.read(params.uri, demo=self._app.demo)) is not None:
            return types.ReadResourceResult(contents=[page])
        operation, arguments = target(params.uri)
        try:
            body = await (await self._app_of(ctx)).call(operation.name, arguments, reader_of(ctx))
        except ClinikoMcpError as problem:
            raise MCPError(types.INVALID_PARAMS, problem.message, error_body(problem)) from None
        text = types.TextResourceContents(uri=params.uri, mime_type=MIME, text=compact(body))
        return types.ReadResourceResult(contents=[text])

    async def complete(self, ctx: Context, params: types.CompleteRequestParams) -> types.CompleteResult:
        """What may stand for an argument that a person is typing."""
        from cliniko_mcp.protocol.completions import Completions

        if self._completions is None:
            self._completions = Completions()
        caller = reader_of(ctx)

        async def clinic_of(tool: str) -> GuardedClinic:
            return await (await self._app_of(ctx)).guarded_clinic(tool, caller)

        return await self._completions.answer(params, clinic_of)

    def _failed(self, body: dict[str, JsonValue]) -> types.CallToolResult:
        return self._result(Envelope.of(body), failed=True)

    def _result(self, answer: Envelope, *, failed: bool = False) -> types.CallToolResult:
        text = types.TextContent(type="text", text=answer.text)
        structured = None if self._app.settings.output == "text" else answer.body
        return types.CallToolResult(content=[text], structured_content=structured, is_error=failed)


def kept(listed: ListedT, app: App) -> ListedT:
    """The list, with how long a client may keep it: nothing in it changes while a server runs.

    Over HTTP it differs by what whoever asks may do, so that it is kept for them alone.
    """
    alone = app.settings.transport == "stdio" and not app.parts.hosted
    listed.ttl_ms, listed.cache_scope = LIST_KEPT_MS, "public" if alone else "private"
    return listed


def caller_of(ctx: Context, params: types.CallToolRequestParams, waits: Waits) -> Caller:
    """Who calls, by what the protocol says of them; `waits` are those for people in this server."""
    reported = 0.0

    async def progress(done: float, total: float | None, message: str) -> None:
        nonlocal reported
        if done > reported:  # the protocol wants it strictly increasing
            reported = done
            await ctx.session.report_progress(done, total, message)

    client = ctx.session.client_params
    return replace(
        reader_of(ctx),
        asker=asker_of(ctx, params, waits),
        opener=opener_of(ctx, params, waits),
        progress=progress,
        program=client.client_info.name if client else declared_in(ctx).program,
    )


def reader_of(ctx: Context) -> Caller:
    """Who reads a record or completes a name: nothing there asks a person or takes long enough to tell of progress."""
    if ctx.request is None:
        return Caller()
    person = person_of(ctx)
    if person is None:
        return Caller(route="http")
    from cliniko_mcp.identity.scopes import allowed

    may = allowed(person.scopes) or Risk.READ
    return Caller(principal=person.principal, route="http", may=may, logged=person.logged, name=person.name)


def principal_of(ctx: Context) -> str:
    """What an answer is bound to: the person of the bearer token over HTTP and their clinic; on stdio the local one."""
    person = person_of(ctx) if ctx.request is not None else None
    return f"{person.principal} {person.clinic or ''}".rstrip() if person is not None else "local"


def person_of(ctx: Context) -> Person | None:
    """Who sent this request over HTTP; None where no gate stands before the protocol, as on stdio."""
    from cliniko_mcp.identity.person import Person

    # The SDK hands on the request as Starlette made it, in whose scope the gate put the person.
    request: Request | None = ctx.request
    state: Mapping[str, object] = request.scope.get("state", {}) if request is not None else {}
    person = state.get("person")
    return person if isinstance(person, Person) else None
