"""The other surfaces as the server wires them: prompts, resources and completions, each imported when it is used."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError

from cliniko_mcp.errors import ClinikoMcpError, JsonValue
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.guards.pipeline import Caller
from cliniko_mcp.results.envelope import compact, error_body

if TYPE_CHECKING:
    from cliniko_mcp.protocol.completions import Completions

Context = ServerRequestContext[Any, Any]
Paged = types.PaginatedRequestParams | None
Answered = Callable[[str, Mapping[str, object], Caller], Awaitable[dict[str, JsonValue]]]
"""Tool, arguments and caller -> the tool's envelope, through every guard."""


def surfaces(
    call: Answered,
    clinic: Callable[[str, Caller], Awaitable[GuardedClinic]],
    excluded: frozenset[str],
    caller: Callable[[Context], Caller],
) -> dict[str, Any]:
    """What the SDK's server takes for prompts, resources and completions, by its own argument names.

    `call` and `desk` go through the guards of the house; `caller` says who asks.
    """
    memory: list[Completions] = []

    async def list_prompts(_: Context, __: Paged) -> types.ListPromptsResult:
        from cliniko_mcp.protocol.prompts import listed

        return listed()

    async def get_prompt(_: Context, params: types.GetPromptRequestParams) -> types.GetPromptResult:
        from cliniko_mcp.protocol.prompts import filled

        return filled(params.name, params.arguments or {})

    async def list_resources(_: Context, __: Paged) -> types.ListResourcesResult:
        from cliniko_mcp.protocol.resources import listed

        return listed(excluded)

    async def list_resource_templates(_: Context, __: Paged) -> types.ListResourceTemplatesResult:
        from cliniko_mcp.protocol.resources import templates

        return templates(excluded)

    async def read_resource(ctx: Context, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        from cliniko_mcp.protocol.resources import MIME, target

        operation, arguments = target(params.uri)
        try:
            body = await call(operation, arguments, caller(ctx))
        except ClinikoMcpError as problem:
            raise MCPError(types.INVALID_PARAMS, problem.message, error_body(problem)) from None
        text = types.TextResourceContents(uri=params.uri, mime_type=MIME, text=compact(body))
        return types.ReadResourceResult(contents=[text])

    async def completion(ctx: Context, params: types.CompleteRequestParams) -> types.CompleteResult:
        from cliniko_mcp.protocol.completions import Completions

        if not memory:
            memory.append(Completions())
        return await memory[0].answer(params, lambda tool: clinic(tool, caller(ctx)))

    return {
        "on_list_prompts": list_prompts,
        "on_get_prompt": get_prompt,
        "on_list_resources": list_resources,
        "on_list_resource_templates": list_resource_templates,
        "on_read_resource": read_resource,
        "on_completion": completion,
    }
