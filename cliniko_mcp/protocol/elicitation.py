"""Asking the person behind a client by a form, in both eras of the protocol.

From 2026-07-28 the question is returned and the call is repeated with the answer (multi round-trip; the SDK seals the
state). Before that the server sends the client a request and waits, as long as `Confirm` lets it, because some hosts
declare forms and never answer. A server that was told to stop asks nobody any more.
"""

from collections.abc import Mapping
from typing import Any, Final

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError, NoBackChannelError
from pydantic import ValidationError

from cliniko_mcp.approvals.questions import Asker, AskFirst, Question, Verdict
from cliniko_mcp.approvals.waits import Waits
from cliniko_mcp.errors import ApprovalNeeded

FORM: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "approve": {
            "type": "boolean",
            "title": "Yes, do this",
            "description": "Tick to go ahead. Left empty, nothing happens.",
            "default": False,
        }
    },
    "required": ["approve"],
}
KEY: Final = "approval"
MODERN: Final = "2026-07-28"


def asker_of(ctx: ServerRequestContext[Any, Any], params: types.CallToolRequestParams, waits: Waits) -> Asker | None:
    """The way to ask this client by a form; None where it did not declare forms. `waits` are those of this server."""
    capabilities = ctx.session.client_capabilities
    declared = capabilities.elicitation if capabilities else None
    if declared is None or (declared.form is None and declared.url is not None):
        return None
    if ctx.protocol_version >= MODERN:
        return RoundTrip(params.request_state, params.input_responses or {}, waits)
    return Form(ctx, waits)


def text_of(question: Question) -> str:
    """The question as a client shows it."""
    return f"{question.title}\n\n{question.text}"


def as_input_required(first: AskFirst) -> types.InputRequiredResult:
    """The result that asks the client to put the question to its user and to repeat the call."""
    form = types.ElicitRequestFormParams(message=text_of(first.question), requested_schema=FORM)
    return types.InputRequiredResult(
        input_requests={KEY: types.ElicitRequest(params=form)}, request_state=first.question.challenge
    )


class RoundTrip:
    """The newer era: the answer comes only with a repeated call, beside the state that went out with the question."""

    def __init__(self, state: str | None, responses: Mapping[str, object], waits: Waits) -> None:
        self._state = state
        self._responses = responses
        self._waits = waits

    @property
    def answered(self) -> str | None:
        """The challenge that came back; the SDK has verified that this process sealed it."""
        return self._state if self._responses else None

    async def ask(self, question: Question) -> Verdict:
        """The answer that came with this call to exactly this question.

        Raises AskFirst when there is none, and ApprovalNeeded where the server was told to stop.
        """
        response = self._responses.get(KEY)
        if self._state != question.challenge or response is None:
            raise _stopped(question) if self._waits.over else AskFirst(question)
        if not isinstance(response, types.ElicitResult):
            return Verdict.NONE
        return verdict_of(response)


class Form:
    """The older era: a request from server to client. Some never answer, so the caller bounds the wait."""

    def __init__(self, ctx: ServerRequestContext[Any, Any], waits: Waits) -> None:
        self._ctx = ctx
        self._waits = waits

    @property
    def answered(self) -> str | None:
        """Nothing: in this era answers come while the call waits."""
        return None

    async def ask(self, question: Question) -> Verdict:
        """The person's answer; NONE when the client cannot be asked after all.

        Raises ApprovalNeeded where the server was told to stop before an answer came.
        """
        if self._waits.over:
            raise _stopped(question)
        with self._waits.one():
            try:
                result = await self._ctx.session.elicit_form(
                    text_of(question), FORM, related_request_id=self._ctx.request_id
                )
            except (MCPError, NoBackChannelError, ValidationError):
                return Verdict.NONE
            return verdict_of(result)
        raise _stopped(question)


def verdict_of(result: types.ElicitResult) -> Verdict:
    """Only an accepted form with the box ticked is a yes; everything else that came back is a no."""
    approved = result.action == "accept" and (result.content or {}).get("approve") is True
    return Verdict.YES if approved else Verdict.NO


def _stopped(question: Question) -> ApprovalNeeded:
    """Nobody answered before the server was told to stop."""
    return ApprovalNeeded(
        f"{question.preview.act}: not done. The server is being stopped, and nobody had answered. Nothing was changed.",
        "Call again with the same arguments in half a minute; the person is then asked anew. An answer to the question "
        "that was shown until now changes nothing.",
    )
