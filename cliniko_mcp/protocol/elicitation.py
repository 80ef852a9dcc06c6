"""Asking the person behind a client, by a form or by an address that it opens, in both eras of the protocol.

From 2026-07-28 the question is returned and the call is repeated with the answer (multi round-trip; the SDK seals the
state). Before that the server sends the client a request and waits, as long as `Channels` lets it, because some hosts
declare forms and never answer. Where no session is kept it cannot: an address then goes out as the error that asks for
it, and forms do not go out at all. A server that was told to stop shows no form and waits for no client any more.
"""

from collections.abc import Mapping
from typing import Any, Final

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError, NoBackChannelError, UrlElicitationRequiredError
from pydantic import ValidationError

from cliniko_mcp.approvals.questions import Asker, AskFirst, Opened, Opener, Question, Verdict
from cliniko_mcp.approvals.waits import Waits
from cliniko_mcp.errors import ApprovalNeeded
from cliniko_mcp.protocol.declared import declared_in

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
URL_SINCE: Final = "2025-11-25"
"""The first version of the protocol that sends people to an address."""


def asker_of(ctx: ServerRequestContext[Any, Any], params: types.CallToolRequestParams, waits: Waits) -> Asker | None:
    """The way to ask this client by a form; None where it did not declare forms. `waits` are those of this server."""
    if "form" not in ways_of(ctx):
        return None
    return _round_trip(params, waits) if ctx.protocol_version >= MODERN else Form(ctx, waits)


def opener_of(ctx: ServerRequestContext[Any, Any], params: types.CallToolRequestParams, waits: Waits) -> Opener | None:
    """The way to have this client open an address; None where it did not declare that it can."""
    if "url" not in ways_of(ctx):
        return None
    if ctx.protocol_version >= MODERN:
        return _round_trip(params, waits)
    return Link(ctx, waits) if ctx.session.can_send_request else LinkFirst()


def ways_of(ctx: ServerRequestContext[Any, Any]) -> frozenset[str]:
    """The ways to ask its person that this client declared: `form`, `url`; forms where it named neither."""
    capabilities = ctx.session.client_capabilities
    if capabilities is None:
        kept_by_nobody = URL_SINCE <= ctx.protocol_version < MODERN
        # Without a session a form's answer would have nowhere to go.
        return declared_in(ctx).elicitation - {"form"} if kept_by_nobody else frozenset()
    declared = capabilities.elicitation
    if declared is None:
        return frozenset()
    ways = {"form": declared.form, "url": declared.url}
    named = frozenset(way for way, how in ways.items() if how is not None) or frozenset({"form"})
    return named if ctx.protocol_version >= URL_SINCE else named - {"url"}


def text_of(question: Question) -> str:
    """The question as a form shows it."""
    return f"{question.title}\n\n{question.text}"


def lead_to(question: Question) -> str:
    """What a client shows with the address at which the question is answered; what there is to know stands there."""
    return f"{question.title}\n\nRead it and answer on your approvals page. That you open it approves nothing yet."


def as_asked(first: AskFirst, protocol_version: str) -> types.InputRequiredResult:
    """The result that asks the client to put the question to its user, or to lead them to it, and to repeat the call.

    Before that result was known, an address goes out as an error. Raises UrlElicitationRequiredError then.
    """
    question = first.question
    params: types.ElicitRequestFormParams | types.ElicitRequestURLParams
    if not first.address:
        params = types.ElicitRequestFormParams(message=text_of(question), requested_schema=FORM)
    elif protocol_version >= MODERN:
        params = types.ElicitRequestURLParams(message=lead_to(question), url=first.address)
    else:
        led = types.ElicitRequestURLParams(
            message=lead_to(question), url=first.address, elicitation_id=question.challenge
        )
        raise UrlElicitationRequiredError(
            [led],
            f"{question.preview.act}: not done yet. The person has to approve it on their approvals page, "
            f"{first.address}. Tell them, and call again with the same arguments when they say that they answered.",
        )
    return types.InputRequiredResult(
        input_requests={KEY: types.ElicitRequest(params=params)}, request_state=question.challenge
    )


def _round_trip(params: types.CallToolRequestParams, waits: Waits) -> "RoundTrip":
    return RoundTrip(params.request_state, params.input_responses or {}, waits)


class RoundTrip:
    """The newer era: the answer comes only with a repeated call, beside the state that went out with the question."""

    def __init__(self, state: str | None, responses: Mapping[str, object], waits: Waits) -> None:
        self._state = state
        self._responses = responses
        self._waits = waits

    @property
    def answered(self) -> str | None:
        """The challenge that came back; the SDK has verified that this server sealed it."""
        return self._state if self._responses else None

    async def ask(self, question: Question) -> Verdict:
        """The answer that came with this call to exactly this question.

        Raises AskFirst when there is none, and ApprovalNeeded where the server was told to stop.
        """
        if self._state != question.challenge or self._responses.get(KEY) is None:
            raise _stopped(question) if self._waits.over else AskFirst(question)
        response = self._response
        return Verdict.NONE if response is None else verdict_of(response)

    async def open(self, question: Question, address: str) -> Opened:
        """What came with this call about the address of exactly this question. Raises AskFirst when nothing did."""
        if self.answered != question.challenge:
            raise AskFirst(question, address)
        response = self._response
        return "cancel" if response is None else response.action

    async def close(self, question: Question) -> None:
        """Nothing: the call that comes back is told how it ended."""

    @property
    def _response(self) -> types.ElicitResult | None:
        response = self._responses.get(KEY)
        return response if isinstance(response, types.ElicitResult) else None


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


class Link:
    """The older era with a session: a request from server to client, and word to it when the question is answered."""

    def __init__(self, ctx: ServerRequestContext[Any, Any], waits: Waits) -> None:
        self._ctx = ctx
        self._waits = waits

    @property
    def answered(self) -> str | None:
        """Nothing: in this era the client answers while the call waits."""
        return None

    async def open(self, question: Question, address: str) -> Opened:
        """What the client says; `cancel` where it cannot be asked after all, or the server was told to stop."""
        if self._waits.over:
            return "cancel"
        with self._waits.one():
            try:
                result = await self._ctx.session.elicit_url(
                    lead_to(question), address, question.challenge, related_request_id=self._ctx.request_id
                )
            except (MCPError, NoBackChannelError, ValidationError):
                return "cancel"
            return result.action
        return "cancel"

    async def close(self, question: Question) -> None:
        """Tell the client that what it led its person to is over."""
        await self._ctx.session.send_elicit_complete(question.challenge, related_request_id=self._ctx.request_id)


class LinkFirst:
    """The older era without a session: the call ends with the address, and is made anew once a person answered."""

    @property
    def answered(self) -> str | None:
        """Nothing: a call that is made anew says nothing of the one before."""
        return None

    async def open(self, question: Question, address: str) -> Opened:
        """Nothing comes back here. Raises AskFirst."""
        raise AskFirst(question, address)

    async def close(self, question: Question) -> None:
        """Nothing: without a session there is nobody to tell."""


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
