"""What leaves by the protocol: no result and no error holds the key or the token, and only one has the icons."""

from collections.abc import Mapping
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import SERVER_INFO_META_KEY
from pydantic import BaseModel
from pydantic_core import to_json

from cliniko_mcp.redaction import SECRETS


async def without_secrets(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """The result of the request, our secrets struck out. Raises MCPError, struck too, where the request failed."""
    try:
        return struck(await call_next(ctx))
    except MCPError as problem:
        raise MCPError(problem.code, SECRETS.text(problem.message), SECRETS.json(problem.data)) from None


async def with_icons_once(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """The result of the request; whoever does not ask what this server is gets its name and version without icons.

    From 2026-07-28 every result says whose it is, which the icons would make several kilobytes longer.
    """
    result = await call_next(ctx)
    if ctx.method != "server/discover" and isinstance(result, dict):
        meta: dict[str, Any] = result.get("_meta") or {}
        server: dict[str, Any] = meta.get(SERVER_INFO_META_KEY) or {}
        server.pop("icons", None)
    return result


def struck(result: HandlerResult) -> HandlerResult:
    """The result, the same object where nothing had to be struck out."""
    if isinstance(result, BaseModel):
        if not SECRETS.holds(result.model_dump_json(by_alias=True)):
            return result
        return type(result).model_validate(SECRETS.json(result.model_dump(mode="json", by_alias=True)))
    if result is None or _holds_none(result):
        return result
    return SECRETS.object(result)


def _holds_none(result: Mapping[str, Any]) -> bool:
    """Whether the result of a tool is free of secrets. Its text is the JSON of the structured answer: both are looked
    through at once, and not made into JSON again."""
    match result:
        case {"structuredContent": dict(), "content": [{"type": "text", "text": str(text)}], **others}:
            return not SECRETS.holds(text) and not SECRETS.holds(to_json(others).decode())
        case _:
            return False
