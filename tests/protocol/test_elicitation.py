"""How a client is asked, by what it declared, in which era, and whether its session is kept."""

from dataclasses import dataclass, field
from typing import Any, cast

import anyio
import mcp_types as types
import pytest
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError, UrlElicitationRequiredError

from cliniko_mcp.approvals.questions import AskFirst, Question
from cliniko_mcp.approvals.waits import Waits
from cliniko_mcp.protocol import elicitation
from cliniko_mcp.protocol.declared import Declared
from tests.approvals.desktop import seen
from tests.guards.gate import run

NEWER, OLDER, OLDEST = "2026-07-28", "2025-11-25", "2025-06-18"
QUESTION = Question(seen(), "c" * 64, 0.0)
ADDRESS = "https://mcp.example.org/approvals/" + QUESTION.challenge
FORM, URL = types.FormElicitationCapability(), types.UrlElicitationCapability()
PARAMS = types.CallToolRequestParams(name="archive_patient")


@dataclass
class Session:
    """The session of a client, as far as asking needs it."""

    client_capabilities: types.ClientCapabilities | None
    can_send_request: bool = True
    answer: types.ElicitResult | Exception | None = None
    sent: list[Any] = field(default_factory=list[Any])
    shown: anyio.Event = field(default_factory=anyio.Event)

    async def elicit_url(self, *told: object, **more: object) -> types.ElicitResult:
        self.sent.append((told, more))
        self.shown.set()
        if self.answer is None:
            await anyio.sleep_forever()
        if isinstance(self.answer, Exception):
            raise self.answer
        assert self.answer is not None
        return self.answer

    async def send_elicit_complete(self, *told: object, **more: object) -> None:
        self.sent.append((told, more))


@dataclass
class Context:
    protocol_version: str
    session: Session
    request: Any = None
    request_id: int = 7


@dataclass
class Request:
    """An HTTP request whose session id says this."""

    declared: Declared

    @property
    def scope(self) -> dict[str, Any]:
        return {"state": {"declared": self.declared}}


def of(version: str, elicited: types.ElicitationCapability | None, **more: Any) -> Any:
    """What a call brings along of a client that declared this."""
    capabilities = types.ClientCapabilities(elicitation=elicited)
    return cast("ServerRequestContext[Any, Any]", Context(version, Session(capabilities, **more)))


def sealed(version: str, *ways: str) -> Any:
    context = Context(version, Session(None, can_send_request=False), Request(Declared("older", frozenset(ways))))
    return cast("ServerRequestContext[Any, Any]", context)


def ways(context: Any) -> tuple[str, str]:
    """The kinds of what asks by a form and by an address; empty for none."""
    asker, opener = (find(context, PARAMS, Waits()) for find in (elicitation.asker_of, elicitation.opener_of))
    return tuple("" if way is None else type(way).__name__ for way in (asker, opener))  # pyright: ignore[reportReturnType]


@pytest.mark.parametrize(
    ("declared", "named"),
    [
        (None, {}),
        (types.ElicitationCapability(), {"form"}),
        (types.ElicitationCapability(form=FORM), {"form"}),
        (types.ElicitationCapability(url=URL), {"url"}),
        (types.ElicitationCapability(form=FORM, url=URL), {"form", "url"}),
    ],
)
def test_a_client_is_asked_in_no_way_that_it_did_not_declare(declared: Any, named: set[str]) -> None:
    form, url = "form" in named, "url" in named
    assert ways(of(NEWER, declared)) == ("RoundTrip" if form else "", "RoundTrip" if url else "")
    assert ways(of(OLDER, declared)) == ("Form" if form else "", "Link" if url else "")
    assert ways(of(OLDEST, declared)) == ("Form" if form else "", ""), "before addresses were in the protocol"


def test_without_a_session_only_an_address_can_go_out_and_only_where_the_session_s_id_says_so() -> None:
    assert ways(sealed(OLDER, "form", "url")) == ways(sealed(OLDER, "url")) == ("", "LinkFirst")
    assert ways(sealed(OLDER, "form")) == ways(sealed(OLDER)) == ("", "")
    assert ways(sealed(OLDEST, "form", "url")) == ("", "")
    assert ways(sealed(NEWER, "form", "url")) == ("", ""), "the newer era declares with each request"


def test_an_address_goes_out_as_the_version_of_the_protocol_has_it() -> None:
    first = AskFirst(QUESTION, ADDRESS)
    result = elicitation.as_asked(first, NEWER)
    assert result.request_state == QUESTION.challenge and result.input_requests is not None
    told = result.input_requests["approval"].model_dump(by_alias=True, exclude_none=True)["params"]
    assert (told["mode"], told["url"], "elicitationId" in told) == ("url", ADDRESS, False)
    assert QUESTION.title in told["message"] and QUESTION.preview.text not in told["message"]
    with pytest.raises(UrlElicitationRequiredError) as required:
        elicitation.as_asked(first, OLDER)
    (led,) = required.value.error.data["elicitations"]
    assert (led["mode"], led["url"], led["elicitationId"]) == ("url", ADDRESS, QUESTION.challenge)
    assert ADDRESS in required.value.message and "call again with the same arguments" in required.value.message


@pytest.mark.parametrize("said", ["accept", "decline", "cancel"])
def test_what_a_client_says_of_an_address_is_handed_on_and_it_is_told_when_that_is_over(said: Any) -> None:
    async def story() -> None:
        context = of(OLDER, types.ElicitationCapability(url=URL), answer=types.ElicitResult(action=said))
        link = elicitation.Link(context, Waits())
        assert await link.open(QUESTION, ADDRESS) == said
        await link.close(QUESTION)
        (asked, of_call), (over, of_same) = context.session.sent
        assert asked[1:] == (ADDRESS, *over) == (ADDRESS, QUESTION.challenge)
        assert of_call == of_same == {"related_request_id": 7}
        responses = {elicitation.KEY: types.ElicitResult(action=said)}
        assert await elicitation.RoundTrip(QUESTION.challenge, responses, Waits()).open(QUESTION, ADDRESS) == said

    run(story)


def test_a_client_that_cannot_open_an_address_after_all_has_said_nothing_of_it() -> None:
    async def story() -> None:
        context = of(OLDER, types.ElicitationCapability(url=URL), answer=MCPError(-32601, "no such method"))
        assert await elicitation.Link(context, Waits()).open(QUESTION, ADDRESS) == "cancel"
        other = {elicitation.KEY: types.ListRootsResult(roots=[])}
        assert await elicitation.RoundTrip(QUESTION.challenge, other, Waits()).open(QUESTION, ADDRESS) == "cancel"

    run(story)


@pytest.mark.parametrize("state", [None, "another", QUESTION.challenge])
def test_what_comes_back_with_another_question_or_with_nothing_leads_to_this_one_first(state: str | None) -> None:
    async def story() -> None:
        responses = {elicitation.KEY: types.ElicitResult(action="accept")} if state == "another" else {}
        for way in (elicitation.RoundTrip(state, responses, Waits()), elicitation.LinkFirst()):
            assert way.answered == (state if responses and isinstance(way, elicitation.RoundTrip) else None)
            with pytest.raises(AskFirst) as first:
                await way.open(QUESTION, ADDRESS)
            assert first.value.address == ADDRESS
            await way.close(QUESTION)

    run(story)


def test_a_server_that_is_told_to_stop_leads_nobody_anywhere_any_more() -> None:
    async def story() -> None:
        waits, context, said = Waits(), of(OLDER, types.ElicitationCapability(url=URL)), list[str]()
        link = elicitation.Link(context, waits)

        async def opened() -> None:
            said.append(await link.open(QUESTION, ADDRESS))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(opened)
            await context.session.shown.wait()
            waits.end()
        await opened()
        assert (said, len(context.session.sent)) == (["cancel", "cancel"], 1)

    run(story)
