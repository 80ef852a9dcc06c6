"""What leaves by the protocol: no result and no error, of any method, holds the key or the token."""

from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from pydantic import BaseModel

from cliniko_mcp.redaction import SECRETS


async def without_secrets(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """The result of the request, our secrets struck out. Raises MCPError, struck too, where the request failed."""
    try:
        return struck(await call_next(ctx))
    except MCPError as problem:
        raise MCPError(problem.code, SECRETS.text(problem.message), SECRETS.json(problem.data)) from None


def struck(result: HandlerResult) -> HandlerResult:
    """The result, the same object where nothing had to be struck out."""
    if isinstance(result, BaseModel):
        if not SECRETS.holds(result.model_dump_json(by_alias=True)):
            return result
        return type(result).model_validate(SECRETS.json(result.model_dump(mode="json", by_alias=True)))
    return None if result is None else SECRETS.object(result)
