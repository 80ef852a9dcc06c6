"""A question that ends while no call waits stands in the audit log all the same: a no, a lapse, a newer question."""

import json
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from cliniko_mcp.approvals.questions import Verdict
from cliniko_mcp.errors import ApprovalNeeded, Declined
from cliniko_mcp.guards.audit import FIELDS, Audit
from cliniko_mcp.guards.hash_chain import HashChain
from cliniko_mcp.guards.log import LocalLog
from cliniko_mcp.guards.pipeline import Caller
from tests.client.virtual import run
from tests.guards.every_kind import PATIENT_FIELDS, an_app
from tests.guards.gate import App, Form, RoundTrip, call, on_its_way, passed
from tests.guards.test_confirm import ARCHIVE, CANCEL, DONE, asked

AWAY = call("cancel_individual_appointment", id="20", cancellation_reason="away")


class Office:
    """The guards with an audit log, and the server that goes on between the calls."""

    def __init__(self, chain: HashChain, app: App | None = None) -> None:
        self.chain, self.app = chain, app or App()
        self.audit = Audit(LocalLog(chain), self.app.clock)
        self.app.confirm.acts.note = self.audit.question_ended

    def play(self, story: Callable[["Office"], Awaitable[object]]) -> None:
        """The story, with a server that is told to stop when it is over."""

        async def whole() -> None:
            async with anyio.create_task_group() as tasks:

                def start(work: Callable[[], Coroutine[object, object, None]]) -> None:
                    tasks.start_soon(work)

                self.app.confirm.acts.start = start
                await story(self)
                tasks.cancel_scope.cancel()

        run(whole)

    async def waiting(self, called: Any = ARCHIVE, **caller: Any) -> str:
        """The challenge of the question that this call put on the page."""
        with pytest.raises(ApprovalNeeded, match="a person has been asked"):
            await self.app.act(called, Caller(**caller), guards=[self.audit])
        return self.app.questions.waiting()[-1].question.challenge

    def lines(self) -> list[dict[str, Any]]:
        """What was written down apart from the calls."""
        lines = [json.loads(line) for line in self.chain.path.read_text().splitlines()]
        assert {name for line in lines for name in line} <= set(FIELDS)
        return [line for line in lines if line.get("for") == "question"]

    @property
    def outcomes(self) -> list[str]:
        """Of every line, those of the calls as well."""
        return [json.loads(line)["outcome"] for line in self.chain.path.read_text().splitlines()]

    @property
    def ends(self) -> list[tuple[str, str]]:
        return [(line["outcome"], line["channel"]) for line in self.lines()]


@pytest.fixture
def office(chain: HashChain) -> Office:
    return Office(chain)


@pytest.mark.parametrize("place", ["page", "terminal"])
@pytest.mark.parametrize("other", [False, True])
def test_a_no_that_no_call_comes_back_for_is_written_down(office: Office, place: Any, other: bool) -> None:
    async def story(office: Office) -> None:
        challenge = await office.waiting(principal="p")
        assert office.app.questions.decide(challenge, False, place, other=other)
        await anyio.sleep(1)
        assert office.ends == [("declined", place)]
        (line,) = office.lines()
        shown = {name: line[name] for name in ("tool", "operation", "ids", "principal", "route")}
        assert shown == {
            "tool": "archive_patient",
            "operation": "archive_patient",
            "ids": {"id": "1"},
            "principal": "p",
            "route": "stdio",
        }
        assert "of" not in line and line["arguments"]

    office.play(story)
    assert len(office.ends) == 1
    assert office.chain.verify().problem is None


def test_a_question_that_nobody_answers_is_written_down_when_it_runs_out(office: Office) -> None:
    async def story(office: Office) -> None:
        await office.waiting()
        office.app.clock.pass_(seconds=599)
        await anyio.sleep(1)
        assert office.ends == []
        office.app.clock.pass_(seconds=1)
        await anyio.sleep(1)
        assert office.ends == [("lapsed", "none")]

    office.play(story)
    assert len(office.ends) == 1


def test_a_form_that_never_comes_back_is_written_down_when_it_runs_out(office: Office) -> None:
    async def story(office: Office) -> None:
        await asked(office.app, route="http")
        await anyio.sleep(24.5)
        assert not office.chain.path.exists()
        office.app.clock.pass_(minutes=10)
        await anyio.sleep(1)
        assert office.ends == [("lapsed", "none")]

    office.play(story)


def test_what_waits_when_the_server_is_told_to_stop_has_lapsed(office: Office) -> None:
    office.play(Office.waiting)
    assert office.ends == [("lapsed", "none")]


def test_a_yes_that_was_taken_back_is_a_no(office: Office) -> None:
    async def story(office: Office) -> None:
        challenge = await office.waiting()
        assert office.app.questions.decide(challenge, True, "page")
        assert office.app.questions.take_back(challenge)
        await anyio.sleep(1)

    office.play(story)
    assert office.ends == [("declined", "page")]
    assert office.app.clinic.destroyed == []


def test_a_yes_that_is_taken_back_before_it_is_used_is_a_no_at_once(office: Office) -> None:
    async def story(office: Office) -> None:
        challenge = await office.waiting()
        assert office.app.questions.decide(challenge, True, "page")
        await anyio.sleep(0.35)
        assert office.app.questions.take_back(challenge)
        await anyio.sleep(2)
        assert office.ends == [("declined", "page")]

    office.play(story)
    assert office.app.clinic.destroyed == []


def test_a_yes_whose_facts_have_changed_when_a_call_comes_back_is_written_down_at_once(office: Office) -> None:
    async def story(office: Office) -> None:
        challenge = await office.waiting()
        assert office.app.questions.decide(challenge, True, "page")
        office.app.clinic.records["patients"]["1"]["last_name"] = "Silva"
        await office.waiting()
        await anyio.sleep(2)
        assert office.ends == [("changed", "none")]

    office.play(story)
    assert office.app.clinic.destroyed == []


def test_a_yes_is_not_carried_out_a_second_time_while_a_call_does_it(office: Office) -> None:
    async def slowly() -> None:
        await anyio.sleep(2)
        await office.app.clinic.perform(ARCHIVE)

    async def story(office: Office) -> None:
        challenge = await office.waiting()
        assert office.app.questions.decide(challenge, True, "page")
        await anyio.sleep(0.35)
        passing = on_its_way(ARCHIVE, clinic=office.app.clinic)
        await passed([office.audit, office.app.confirm], passing, slowly)
        await anyio.sleep(1)

    office.play(story)
    assert office.app.clinic.destroyed == DONE
    assert office.outcomes == ["begun", "approval_needed", "begun", "ok"]


def test_a_yes_that_turns_out_to_be_about_changed_facts_is_written_down_by_the_call_that_saw_it(office: Office) -> None:
    async def story(office: Office) -> None:
        challenge = await office.waiting()
        assert office.app.questions.decide(challenge, True, "page")
        office.app.clinic.records["patients"]["1"]["last_name"] = "Silva"
        await anyio.sleep(2)
        assert office.ends == []

    office.play(story)
    assert office.app.clinic.destroyed == []
    assert office.outcomes == ["begun", "approval_needed"] * 2 + ["lapsed"]


def test_an_older_question_whose_place_a_newer_one_takes_is_written_down(office: Office) -> None:
    async def story(office: Office) -> None:
        await office.waiting(CANCEL)
        await office.waiting(AWAY)
        await anyio.sleep(1)
        assert office.ends == [("replaced", "none")]
        office.app.clinic.records["patients"]["1"]["last_name"] = "Silva"
        await office.waiting(AWAY)
        await anyio.sleep(1)

    office.play(story)
    assert office.ends == [("replaced", "none"), ("changed", "none"), ("lapsed", "none")]


def test_a_no_that_was_lifted_and_given_again_is_written_down_twice(office: Office) -> None:
    async def story(office: Office) -> None:
        challenge = await office.waiting()
        for told in (1, 2):
            assert office.app.questions.decide(challenge, False, "page")
            await anyio.sleep(1)
            assert len(office.ends) == told
            assert office.app.questions.reopen(challenge)
            await anyio.sleep(1)
        assert office.app.questions.decide(challenge, True, "page")
        await anyio.sleep(1)
        assert office.app.clinic.destroyed == DONE

    office.play(story)
    assert office.ends == [("declined", "page")] * 2


def test_a_no_that_a_call_told_is_written_down_when_it_is_lifted_and_given_again_unheard(office: Office) -> None:
    async def story(office: Office) -> None:
        challenge = await office.waiting()
        for calls in (1, 0):
            assert office.app.questions.decide(challenge, False, "page")
            for _ in range(calls):
                with pytest.raises(Declined):
                    await office.app.act(ARCHIVE, guards=[office.audit])
            await anyio.sleep(1)
            assert len(office.ends) == 1 - calls
            office.app.questions.reopen(challenge)
            await anyio.sleep(1)
        office.app.board.answer(False)

    office.play(story)
    assert office.ends == [("declined", "page")] * 2


def test_what_a_call_tells_is_not_written_down_once_more(office: Office) -> None:
    async def told(caller: Caller) -> None:
        with pytest.raises(Declined):
            await office.app.act(ARCHIVE, caller, guards=[office.audit])

    async def story(office: Office) -> None:
        office.app.confirm.channels.wait = 40
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(told, Caller(program="claude-code"))
            await anyio.sleep(1)
            office.app.board.answer(False)
        await anyio.sleep(1)
        office.app.clock.pass_(minutes=16)
        await told(Caller(asker=Form(Verdict.NO)))
        office.app.clock.pass_(minutes=16)
        question = await asked(office.app)
        await told(Caller(asker=RoundTrip(question.challenge, Verdict.NO)))
        office.app.clock.pass_(minutes=16)
        await anyio.sleep(6)

    office.play(story)
    assert office.ends == []


def test_a_yes_is_written_down_by_the_call_that_carries_it_out(office: Office) -> None:
    async def story(office: Office) -> None:
        await office.waiting()
        office.app.board.answer(True)
        await anyio.sleep(1)

    office.play(story)
    assert (office.ends, office.app.clinic.destroyed) == ([], DONE)


@pytest.mark.parametrize("stopped_at_once", [False, True])
def test_a_form_that_could_not_be_shown_leaves_the_end_to_the_page(office: Office, stopped_at_once: bool) -> None:
    async def story(office: Office) -> None:
        question = await asked(office.app)
        with pytest.raises(ApprovalNeeded):
            await office.app.act(ARCHIVE, Caller(asker=RoundTrip(question.challenge, Verdict.NONE)))
        if not stopped_at_once:
            await anyio.sleep(6)
            office.app.clock.pass_(minutes=10)
            await anyio.sleep(6)

    office.play(story)
    assert office.ends == [("lapsed", "none")]


def test_the_effect_of_an_update_stands_beside_the_no(chain: HashChain) -> None:
    office = Office(chain, an_app())
    emptying = call("update_patient", id="3", clear=PATIENT_FIELDS)

    async def story(office: Office) -> None:
        await office.waiting(emptying)
        office.app.board.answer(False)
        await anyio.sleep(1)

    office.play(story)
    (line,) = office.lines()
    assert (line["outcome"], line["effect"]) == ("declined", "emptied")
    assert "ana@example.com" not in office.chain.path.read_text()


def test_where_nothing_goes_on_between_the_calls_or_a_call_cannot_be_made_again_nothing_is_followed() -> None:
    app, begun = App(start=None), list[object]()

    async def story() -> None:
        with pytest.raises(ApprovalNeeded):
            await app.act(ARCHIVE)
        app.confirm.acts.start = begun.append
        with pytest.raises(ApprovalNeeded):
            await passed([app.confirm], on_its_way(CANCEL, clinic=app.clinic), checkpoint)
        assert (len(app.questions.waiting()), begun) == (2, [])
        with pytest.raises(ApprovalNeeded):
            await app.act(AWAY)
        assert len(begun) == 1

    run(story)


@pytest.mark.parametrize(("seconds", "ended"), [(54.5, True), (55.5, False)])
def test_what_is_carried_out_when_the_server_is_told_to_stop_has_55_seconds(
    office: Office, seconds: float, ended: bool
) -> None:
    acted: list[str] = []

    async def slow(_: object) -> None:
        await anyio.sleep(seconds)
        acted.append("done")

    async def story(office: Office) -> None:
        await office.waiting()
        (pending,) = office.app.questions.waiting()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(office.app.confirm.acts.carry_out, pending, slow)
            await anyio.sleep(1)
            tasks.cancel_scope.cancel()

    office.play(story)
    assert bool(acted) is ended
