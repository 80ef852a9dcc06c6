"""Clients that open an address for their person: when they are asked to, and what it means what they say of it."""

from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from typing import Any

import anyio
import pytest

from cliniko_mcp.approvals.host_waits import UNKNOWN_SECONDS
from cliniko_mcp.approvals.questions import AskFirst, Opened, PendingQuestion, Question, Verdict
from cliniko_mcp.errors import AlreadyDone, ApprovalNeeded, Declined, Unavailable
from cliniko_mcp.guards.pipeline import Caller
from tests.client.virtual import run as in_virtual_time
from tests.guards.every_kind import PATIENT_FIELDS, an_app
from tests.guards.gate import App, Form, call, run
from tests.guards.test_confirm import ARCHIVE, DONE, asked
from tests.guards.test_lives_of_updates import ONE_MORE, fill
from tests.guards.test_yes_to_many import TWO_MORE, a_busy_app

WAIT = 40.0


class Led:
    """The opener of a session: its client says something of each address after a while."""

    def __init__(self, said: Opened = "accept", *, shows: Callable[[], Awaitable[Opened]] | None = None) -> None:
        """`shows` takes its time until it says something."""
        self._said: Opened = said
        self._shows = shows
        self.addresses: list[str] = []
        self.closed: list[str] = []

    @property
    def answered(self) -> str | None:
        return None

    async def open(self, question: Question, address: str) -> Opened:
        await anyio.lowlevel.checkpoint()
        self.addresses.append(address)
        return self._said if self._shows is None else await self._shows()

    async def close(self, question: Question) -> None:
        self.closed.append(question.challenge)


class Returning(Led):
    """The opener of the newer era: what is said of an address comes with a repeated call."""

    def __init__(self, challenge: str | None = None, said: Opened = "accept") -> None:
        super().__init__(said)
        self._challenge = challenge

    @property
    def answered(self) -> str | None:
        return self._challenge

    async def open(self, question: Question, address: str) -> Opened:
        if question.challenge != self._challenge:
            raise AskFirst(question, address)
        return await super().open(question, address)


def hosted(**options: Any) -> App:
    """A server with a page at an address; a call waits for it as long as in a server that nothing else is said to."""
    told: dict[str, Any] = {"page_for": "http", "wait": WAIT} | options
    app = App(**told)
    app.board.address = "https://page"
    return app


def caller(opener: Led, **more: Any) -> Caller:
    told: dict[str, Any] = {"route": "http"} | more
    return Caller(opener=opener, **told)


def timed(story: Callable[[], Awaitable[Any]]) -> float:
    """How many seconds the story takes."""
    seconds: list[float] = []

    async def inner() -> None:
        begun = anyio.current_time()
        await story()
        seconds.append(anyio.current_time() - begun)

    in_virtual_time(inner)
    return seconds[0]


async def waited_in_vain(app: App, opener: Led, **more: Any) -> None:
    with pytest.raises(ApprovalNeeded, match="a person has been asked"):
        await app.act(ARCHIVE, caller(opener, **more))


async def led(app: App, called: Any = ARCHIVE) -> str:
    """The challenge of the question to whose address the client is to lead its person."""
    with pytest.raises(AskFirst) as first:
        await app.act(called, caller(Returning()))
    challenge = first.value.question.challenge
    assert first.value.address == f"https://page/{challenge}"
    return challenge


def test_a_yes_at_the_address_is_carried_out_by_the_call_that_waits_for_it() -> None:
    app, opener = hosted(), Led()

    async def story() -> None:
        async with anyio.create_task_group() as tasks:

            async def answer() -> None:
                await anyio.sleep(30)
                app.board.answer(True)

            tasks.start_soon(answer)
            passing = await app.act(ARCHIVE, caller(opener))
            assert passing.outcome.channel == "page"

    assert timed(story) == pytest.approx(30)
    (question,) = app.questions.recent()
    assert (app.clinic.destroyed, question.ending) == (DONE, "done")
    assert opener.addresses == [f"https://page/{question.question.challenge}"]
    assert opener.closed == [question.question.challenge]


def test_who_opens_an_address_for_a_person_waits_as_long_as_they_take_and_everybody_else_as_their_host_does() -> None:
    assert timed(lambda: waited_in_vain(hosted(), Led("accept"))) == pytest.approx(WAIT)
    assert timed(lambda: waited_in_vain(hosted(), Led("cancel"))) == pytest.approx(UNKNOWN_SECONDS)
    assert timed(lambda: waited_in_vain(hosted(), Led("cancel"), program="claude-code")) == pytest.approx(WAIT)


def test_an_address_goes_out_once_for_a_question() -> None:
    app, opener = hosted(wait=0), Led("cancel")

    async def story() -> None:
        for _ in range(2):
            await waited_in_vain(app, opener)
        app.board.answer(True)
        await app.act(ARCHIVE, caller(opener))

    in_virtual_time(story)
    assert (len(opener.addresses), app.board.invited, app.clinic.destroyed) == (1, 1, DONE)


def test_in_the_newer_era_the_repeated_call_waits_and_acts() -> None:
    app = hosted()

    async def story() -> None:
        challenge = await led(app)
        await waited_in_vain(app, Returning("another"))
        app.board.answer(True)
        await app.act(ARCHIVE, caller(Returning(challenge)))
        with pytest.raises(AlreadyDone):
            await app.act(ARCHIVE, caller(Returning(challenge)))

    in_virtual_time(story)
    assert app.clinic.destroyed == DONE


def test_of_an_update_it_is_told_to_the_repeated_call_that_it_was_done_without_it() -> None:
    app, emptied = hosted(), call("update_patient", id="3", clear=PATIENT_FIELDS)
    app.clinic.records |= an_app().clinic.records

    async def story() -> None:
        challenge = await led(app, emptied)
        app.board.answer(True)
        await app.goes_on()
        for _ in range(2):
            with pytest.raises(AlreadyDone):
                await app.act(emptied, caller(Returning(challenge)))

    in_virtual_time(story)
    assert len(app.clinic.updates) == 1


@pytest.mark.parametrize("approved", [True, False])
def test_one_answer_at_the_address_is_about_the_lot_of_many_changes(approved: bool) -> None:
    app = a_busy_app()
    app.board.address = "https://page"

    async def story() -> None:
        await fill(app)
        with pytest.raises(AskFirst) as first:
            await app.act(ONE_MORE, caller(Returning(), route="stdio"))
        app.board.answer(approved)
        for changed in (ONE_MORE, TWO_MORE):
            asked = Returning(first.value.question.challenge if changed is ONE_MORE else None)
            with nullcontext() if approved else pytest.raises(Declined):
                await app.act(changed, caller(asked, route="stdio"))

    in_virtual_time(story)
    assert len(app.clinic.updates) == (32 if approved else 30)


def test_what_changed_since_is_put_anew_at_an_address_of_its_own() -> None:
    app = hosted()

    async def story() -> None:
        challenge = await led(app)
        app.clinic.records["patients"]["1"]["last_name"] = "Silva"
        with pytest.raises(AskFirst) as second:
            await app.act(ARCHIVE, caller(Returning(challenge)))
        assert second.value.question.challenge != challenge and "Silva" in second.value.question.text

    run(story)
    assert app.clinic.destroyed == []


@pytest.mark.parametrize("newer", [True, False])
def test_that_a_person_does_not_want_to_open_it_is_a_no_that_holds(newer: bool) -> None:
    app = hosted()

    async def story() -> None:
        opener = Returning(await led(app), "decline") if newer else Led("decline")
        for again in (opener, Led("accept"), Returning()):
            with pytest.raises(Declined, match="said no"):
                await app.act(ARCHIVE, caller(again))
        assert opener.closed == [], "at the address nobody answered"

    assert timed(story) < 1
    (denied,) = app.questions.denials()
    assert (denied.place, denied.told, app.clinic.destroyed) == ("form", True, [])


def test_who_says_yes_there_and_then_does_not_want_to_open_it_has_taken_the_yes_back() -> None:
    app = hosted()

    async def story() -> None:
        challenge = await led(app)
        app.board.answer(True)
        with pytest.raises(Declined, match="took their yes back"):
            await app.act(ARCHIVE, caller(Returning(challenge, "decline")))

    run(story)
    assert app.clinic.destroyed == []


def test_an_answer_at_the_address_ends_what_the_client_still_shows() -> None:
    app, ended = hosted(), list[str]()

    async def shows() -> Opened:
        app.board.answer(False)
        try:
            await anyio.sleep(45)
        finally:
            ended.append("closed")
        return "accept"

    opener = Led(shows=shows)

    async def story() -> None:
        with pytest.raises(Declined):
            await app.act(ARCHIVE, caller(opener))

    assert timed(story) < 1
    assert (ended, len(opener.closed)) == (["closed"], 1)


@pytest.mark.parametrize("approved", [True, False])
def test_a_client_whose_person_answered_at_the_address_before_it_said_anything_is_asked_to_open_the_next_one_too(
    approved: bool,
) -> None:
    app = hosted()

    async def shows() -> Opened:
        app.board.answer(approved)
        await anyio.sleep(1_000)
        return "accept"

    opener = Led(shows=shows)

    async def story() -> None:
        for patient in ("1", "2"):
            with nullcontext() if approved else pytest.raises(Declined):
                await app.act(call("archive_patient", id=patient), caller(opener))

    assert timed(story) < 1
    assert len(opener.addresses) == 2


def test_a_client_whose_question_a_no_to_another_closed_meanwhile_is_asked_to_open_the_next_one_too() -> None:
    app = hosted()

    async def shows() -> Opened:
        app.questions.finish(app.questions.waiting()[0], "denied")
        await anyio.sleep(1_000)
        return "accept"

    opener = Led(shows=shows)

    async def story() -> None:
        for patient in ("1", "2"):
            with pytest.raises(Declined):
                await app.act(call("archive_patient", id=patient), caller(opener))

    assert timed(story) < 1
    assert len(opener.addresses) == 2


def test_a_client_that_says_something_of_an_address_is_sent_forms_again() -> None:
    app = hosted(wait=0)

    async def story() -> None:
        await asked(app, route="http")
        await waited_in_vain(app, Led("cancel"))
        app.clock.pass_(minutes=2)  # until a form of another record counts too
        for _ in range(2):
            await asked(app, call("archive_patient", id="2"), route="http")

    run(story)


def test_a_client_that_says_nothing_of_an_address_is_asked_to_open_no_other() -> None:
    async def nothing() -> Opened:
        await anyio.sleep(1_000)
        return "accept"

    app, opener = hosted(), Led(shows=nothing)

    async def story() -> None:
        for patient in ("1", "2"):
            with pytest.raises(ApprovalNeeded, match="a person has been asked"):
                await app.act(call("archive_patient", id=patient), caller(opener))

    assert timed(story) == pytest.approx(50 + UNKNOWN_SECONDS)
    assert len(opener.addresses) == 1


def test_a_client_that_says_something_is_asked_to_open_the_next_one_too() -> None:
    app, opener = hosted(wait=0), Led("cancel")

    async def story() -> None:
        for patient in ("1", "2"):
            with pytest.raises(ApprovalNeeded):
                await app.act(call("archive_patient", id=patient), caller(opener))

    run(story)
    assert len(opener.addresses) == 2


def test_a_form_comes_first_except_where_forms_are_not_trusted() -> None:
    for policy, addresses in (("auto", 0), ("strict", 1)):
        app, opener, form = hosted(policy=policy, wait=0), Led("cancel"), Form(Verdict.NO)

        async def story(app: App = app, opener: Led = opener, form: Form = form) -> None:
            with pytest.raises((Declined, ApprovalNeeded)):
                await app.act(ARCHIVE, caller(opener, asker=form))

        run(story)
        assert (len(opener.addresses), len(form.asked)) == (addresses, 1 - addresses)


def test_a_form_that_does_not_work_after_all_leaves_the_address() -> None:
    app, opener = hosted(wait=0), Led("cancel")
    run(lambda: waited_in_vain(app, opener, asker=Form(Verdict.NONE)))
    assert len(opener.addresses) == 1


@pytest.mark.parametrize("without", ["address", "page", "route"])
def test_without_a_page_at_an_address_for_these_callers_no_client_is_asked_to_open_one(without: str) -> None:
    app, opener = hosted(paged=without != "page", wait=0), Led()
    if without == "address":
        app.board.address = ""

    async def story() -> None:
        with pytest.raises(ApprovalNeeded):
            await app.act(ARCHIVE, caller(opener, route="stdio" if without == "route" else "http"))

    run(story)
    assert opener.addresses == [] and app.clinic.destroyed == []


def test_where_the_ledger_cannot_be_reached_while_an_address_is_open_the_call_says_so() -> None:
    app = hosted()

    async def away(pending: PendingQuestion, seen: int, seconds: float) -> None:
        raise Unavailable("It cannot be reached.", "Call again.")

    async def shows() -> Opened:
        app.ledger.changed = away
        await anyio.sleep(30)
        return "accept"

    async def story() -> None:
        with pytest.raises(Unavailable):
            await app.act(ARCHIVE, caller(Led(shows=shows)))

    in_virtual_time(story)
    assert app.clinic.destroyed == []
