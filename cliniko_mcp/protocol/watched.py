"""What a watched server tells of each message: its method, the tool, who called by a digest, and how it ended."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, InputRequiredResult
from pydantic import ValidationError

from cliniko_mcp.errors import INTERNAL_CODE
from cliniko_mcp.protocol.responder import person_of
from cliniko_mcp.telemetry.message import Message
from cliniko_mcp.tools.index import entries

if TYPE_CHECKING:
    from cliniko_mcp.telemetry.watch import Watch

OTHER: Final = "other"
_METHODS: Final = frozenset(
    {
        "completion/complete",
        "initialize",
        "logging/setLevel",
        "notifications/cancelled",
        "notifications/initialized",
        "notifications/progress",
        "ping",
        "prompts/get",
        "prompts/list",
        "resources/list",
        "resources/read",
        "resources/templates/list",
        "server/discover",
        "subscriptions/listen",
        "tools/call",
        "tools/list",
    }
)
_VERSION: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_CODE: Final = re.compile(r"[a-z_]{1,40}")


class Watched:
    """Middleware that stands in for the SDK's own, which puts the words of errors and whatever name was called into
    its spans: either may name a person."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """The result of the message, which is told of."""
        message = _message(ctx)
        with self._watch.message(message, ctx.meta):
            try:
                result = await call_next(ctx)
            except MCPError as problem:
                message.outcome = _code_in(problem.data) or str(problem.code)
                raise
            except ValidationError:
                message.outcome = "invalid_arguments"
                raise
            except Exception:
                message.outcome = INTERNAL_CODE
                raise
            message.outcome = _outcome(result)
            return result


def _message(ctx: ServerRequestContext[Any, Any]) -> Message:
    person = person_of(ctx) if ctx.request is not None else None
    name = ctx.params.get("name") if ctx.params and ctx.method == "tools/call" else None
    tool = "" if name is None else name if isinstance(name, str) and name in entries() else OTHER
    return Message(
        method=ctx.method if ctx.method in _METHODS else OTHER,
        tool=tool,
        version=ctx.protocol_version if _VERSION.fullmatch(ctx.protocol_version or "") else "",
        clinic=(person.clinic or "") if person is not None else "",
        person=person.digest if person is not None else "",
    )


def _outcome(result: HandlerResult) -> str:
    """`ok`, `asked`, or the code of the error that the result tells."""
    if isinstance(result, InputRequiredResult):
        return "asked"
    if isinstance(result, CallToolResult):
        return _code_of(result.model_dump(mode="json", by_alias=True)) if result.is_error else "ok"
    if isinstance(result, dict):
        if result.get("isError") is True:
            return _code_of(result)
        return "asked" if "inputRequests" in result else "ok"
    return "ok"


def _code_of(result: dict[str, Any]) -> str:
    """The code of a failed call, from its structured answer, or from its text where it has that alone."""
    if (code := _code_in(result.get("structuredContent"))) is not None:
        return code
    content: list[dict[str, Any]] = result.get("content") or [{}]
    try:
        return _code_in(json.loads(str(content[0].get("text")))) or "failed"
    except ValueError:
        return "failed"


def _code_in(body: object) -> str | None:
    match body:
        case {"code": str(code)} if _CODE.fullmatch(code):
            return code
        case _:
            return None
