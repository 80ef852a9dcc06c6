"""How clients and people behave when a person has to be asked, in both eras: each time both learn how it ended."""

import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Literal

import anyio
import anyio.lowlevel
import anyio.to_thread
import mcp_types as types
import pytest
from conftest import DECLINE, NOW, UNTICKED, YES, Answer, Assistant, callback_for
from mcp.client.client import Client
from mcp.shared.exceptions import MCPError

from cliniko_mcp.app import open_app
from cliniko_mcp.approvals import decisions
from cliniko_mcp.approvals.local_ipc import Server, servers
from cliniko_mcp.approvals.paths import audit_file, state_folder
from cliniko_mcp.guards import acts, confirm
from cliniko_mcp.guards.hash_chain import HashChain
from cliniko_mcp.protocol.server import build_server
from cliniko_mcp.settings import Settings

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])]
APPROVE, DENY, OTHER = decisions.Answer.APPROVE, decisions.Answer.DENY, decisions.Answer.OTHER
Mode = Literal["legacy", "2026-07-28"]


@asynccontextmanager
async def clinic(
    mode: Mode, *, answer: Answer | None = None, callback: Any = None, name: str = "mcp", **settings: Any
) -> AsyncGenerator[Assistant]:
    """A client of this name in this era, beside a person who has `cliniko-mcp approve` at hand."""
    defaults = {"sandbox": True, "sandbox_now": NOW, "sandbox_clock": "frozen", "rate_limit": 0, "approval_wait": 0}
    asked: list[str] = []
    info = types.Implementation(name=name, version="1")
    callback = callback or (callback_for(answer, asked) if answer else None)
    async with open_app(Settings.load({"requests_per_minute": 60_000} | defaults | settings, {})) as app, Client(
        build_server(app), mode=mode, elicitation_callback=callback, client_info=info
    ) as client:  # fmt: skip
        assistant = Assistant(client, asked, app)
        yield assistant
        check_log(assistant)


def lines(**wanted: str) -> list[dict[str, Any]]:
    """The lines of the audit log with these values."""
    chain = HashChain(audit_file(demo=True))
    return [
        dict(entry)
        for entry in (chain.entries() if chain.begun else ())
        if all(entry.get(name) == value for name, value in wanted.items())
    ]


def check_log(assistant: Assistant) -> None:
    """Whoever reads the audit log afterwards knows as well: each removal once, with a person's yes, each call's end."""
    removed = [
        line["channel"]
        for line in lines(outcome="ok")
        if str(line["operation"]).startswith(("archive_", "delete_", "cancel_"))
    ]
    assert len(removed) == len(removals(assistant))
    assert set(removed) <= {"form", "terminal", "page"}
    assert {line["n"] for line in lines(outcome="begun")} == {line["of"] for line in lines() if "of" in line}
    assert HashChain(audit_file(demo=True)).verify().problem is None


class Person:
    """Whoever sits at this computer."""

    @property
    def server(self) -> Server:
        (server,) = servers(state_folder(), lambda: secrets.token_hex(8))
        return server

    def sees(self) -> list[str]:
        """The acts that wait for an answer."""
        return [waiting.act for waiting in self.server.waiting()]

    async def answers(self, answer: decisions.Answer, *, place: int = 0) -> str:
        """What they are told in the end of the question at this place."""

        def decide() -> tuple[str, decisions.Outcome]:
            challenge = self.server.waiting()[place].challenge
            return challenge, self.server.decide(challenge, answer)

        challenge, outcome = await anyio.to_thread.run_sync(decide)
        if outcome is not decisions.Outcome.APPROVED:
            return outcome.value
        with anyio.fail_after(60):
            await until(lambda: self.server.story(challenge)[1])
        return self.server.story(challenge)[0]


async def until(true: Callable[[], bool]) -> None:
    """Look, in a thread, until this is true."""
    while not await anyio.to_thread.run_sync(true):
        await anyio.lowlevel.checkpoint()


async def patient(assistant: Assistant, place: int = 0) -> str:
    return (await assistant.rows("list_patients", limit=3))[place]["id"]


def removals(assistant: Assistant) -> list[str]:
    return [request for request in assistant.changes() if request.endswith(("/archive", "/cancel"))]


@pytest.mark.long
async def test_a_client_that_gives_up_after_five_seconds_hears_before_that_whom_to_wait_for(mode: Mode) -> None:
    async with clinic(mode, approval_wait=40) as assistant:
        target = await patient(assistant)
        with anyio.fail_after(5):
            told = await assistant.call("archive_patient", id=target)
        assert told["code"] == "approval_needed"
        assert "a person has been asked" in told["message"] and "do not call again before they say" in told["fix"]
        assert Person().sees() == ["Archive this patient"]
        assert (await Person().answers(APPROVE)).startswith("Archived at 9:00 am.")
        with anyio.fail_after(5):
            assert (await assistant.call("archive_patient", id=target))["done"].startswith("Done: Archived at")


@pytest.mark.long_but_one
async def test_what_is_approved_is_done_though_nobody_calls_again(mode: Mode) -> None:
    async with clinic(mode) as assistant:
        target = await patient(assistant)
        assert (await assistant.call("archive_patient", id=target))["code"] == "approval_needed"
        assert removals(assistant) == []
        assert (await Person().answers(APPROVE)).startswith("Archived at 9:00 am.")
        assert removals(assistant) == [f"POST /v1/patients/{target}/archive"]


@pytest.mark.long
async def test_whoever_comes_back_hears_that_it_was_done_when_and_by_whose_yes(mode: Mode) -> None:
    async with clinic(mode) as assistant:
        target = await patient(assistant)
        await assistant.call("archive_patient", id=target)
        await Person().answers(APPROVE)
        for name in ("archive_patient", "delete_patient"):
            told = await assistant.call(name, id=target)
            assert told["done"] == "Done: Archived at 9:00 am, approved in a terminal."
        assert len(removals(assistant)) == 1


@pytest.mark.long
async def test_a_no_is_written_down_though_nobody_calls_again(mode: Mode) -> None:
    async with clinic(mode) as assistant:
        target = await patient(assistant)
        await assistant.call("archive_patient", id=target)
        assert (await Person().answers(DENY)).startswith("Denied. Nothing was changed.")
        with anyio.fail_after(60):
            await until(lambda: bool(lines(outcome="declined")))
        (line,) = lines(outcome="declined")
        assert (line["operation"], line["ids"], line["channel"]) == ("archive_patient", {"id": target}, "terminal")
        assert (await assistant.call("archive_patient", id=target))["code"] == "declined"
        assert removals(assistant) == []


@pytest.mark.long
async def test_a_question_that_nobody_answers_is_open_for_ten_minutes_and_then_written_down(mode: Mode) -> None:
    async with clinic(mode) as assistant:
        target = await patient(assistant)
        await assistant.call("archive_patient", id=target)
        assert assistant.app is not None
        assistant.app.sandbox.clock.advance(timedelta(minutes=10))
        with anyio.fail_after(60):
            await until(lambda: bool(lines(outcome="lapsed")))
        assert Person().sees() == []
        assert (await assistant.call("archive_patient", id=target))["code"] == "approval_needed"
        assert removals(assistant) == []


async def test_a_form_whose_client_never_comes_back_is_written_down_when_it_runs_out(
    mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    if mode == "legacy":
        pytest.skip("in this era a form is answered while its call waits")
    monkeypatch.setattr(acts, "_FORM_LOOK_SECONDS", 0.1)
    async with clinic(mode, answer=YES) as assistant:
        target = await patient(assistant)
        result = await assistant.client.session.call_tool("archive_patient", {"id": target}, allow_input_required=True)
        assert isinstance(result, types.InputRequiredResult)
        assert assistant.app is not None
        assistant.app.sandbox.clock.advance(timedelta(minutes=10))
        with anyio.fail_after(60):
            await until(lambda: bool(lines(outcome="lapsed")))
        assert removals(assistant) == []


@pytest.mark.long
async def test_a_curated_tool_that_is_called_again_tells_the_same_story(mode: Mode) -> None:
    async with clinic(mode) as assistant:
        visit = await assistant.first("list_individual_appointments", starts_at=">2026-11-25", limit=1)
        call = {"appointment": visit["id"], "reason": "sick"}
        assert (await assistant.call("cancel_appointment", **call))["code"] == "approval_needed"
        assert (await Person().answers(APPROVE)).startswith("Cancelled at 9:00 am.")
        told = await assistant.call("cancel_appointment", **call)
        assert told["done"] == "Done: Cancelled at 9:00 am, approved in a terminal."
        assert len(removals(assistant)) == 1


@pytest.mark.long
async def test_a_client_that_leaves_while_it_waits_finds_the_outcome_when_it_is_back(mode: Mode) -> None:
    async with clinic(mode, name="claude-ai", approval_wait=40) as assistant:
        target = await patient(assistant)
        with pytest.raises((MCPError, TimeoutError)):
            await assistant.client.call_tool("archive_patient", {"id": target}, read_timeout_seconds=1)
        assert (await Person().answers(APPROVE)).startswith("Archived at")
        assert (await assistant.call("archive_patient", id=target))["done"].startswith("Done: Archived at")
        assert len(removals(assistant)) == 1


@pytest.mark.long
async def test_a_host_that_waits_gets_the_answer_in_the_call_that_asked(mode: Mode) -> None:
    async with clinic(mode, name="claude-code", approval_wait=40) as assistant, anyio.create_task_group() as tasks:
        target = await patient(assistant)
        answers: list[dict[str, Any]] = []

        async def ask() -> None:
            answers.append(await assistant.call("archive_patient", id=target))

        tasks.start_soon(ask)
        with anyio.fail_after(30):
            await until(lambda: bool(list(servers(state_folder(), lambda: "n"))) and bool(Person().sees()))
        assert (await Person().answers(APPROVE)).startswith("Archived at")
        with anyio.fail_after(30):
            await until(lambda: bool(answers))
        assert answers[0]["done"] == f"Archived patient {target}."
        assert len(removals(assistant)) == 1


@pytest.mark.long
async def test_an_answer_that_comes_too_late_does_nothing_and_says_so(mode: Mode) -> None:
    async with clinic(mode) as assistant:
        target = await patient(assistant)
        await assistant.call("archive_patient", id=target)
        server = Person().server
        late = server.waiting()[0].challenge
        assert assistant.app is not None
        assistant.app.sandbox.clock.advance(timedelta(minutes=10))
        assert server.decide(late, APPROVE) is decisions.Outcome.GONE
        assert "no longer open" in decisions.Outcome.GONE.value
        with anyio.fail_after(60):
            await until(lambda: bool(lines(outcome="lapsed", operation="archive_patient")))
        assert (await assistant.call("archive_patient", id=target))["code"] == "approval_needed"
        assert removals(assistant) == []
        assert Person().sees() == ["Archive this patient"]


@pytest.mark.parametrize("answer", [DECLINE, UNTICKED], ids=["declines by itself", "sends the box empty"])
async def test_a_client_that_declines_by_itself_ends_it_for_every_name_of_the_same_thing(
    mode: Mode, answer: Callable[[str], dict[str, Any]]
) -> None:
    async with clinic(mode, answer=answer) as assistant:
        target = await patient(assistant)
        for name in ("archive_patient", "delete_patient", "archive_patient"):
            told = await assistant.call(name, id=target)
            assert told["code"] == "declined" and "nobody is asked about it again" in told["fix"]
        assert len(assistant.asked) == 1
        assert removals(assistant) == []


@pytest.mark.long
async def test_a_client_that_declares_forms_and_shows_none_is_led_to_the_page(
    mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confirm, "MAX_CALL_WAIT", 0.5)
    monkeypatch.setattr(confirm, "_TIME_TO_ANSWER", 0.0)

    async def hanging(*_: object) -> types.ElicitResult:
        await anyio.sleep_forever()
        raise AssertionError

    async with clinic(mode, callback=hanging) as assistant:
        target, other = await patient(assistant), await patient(assistant, 1)
        if mode == "legacy":
            assert (await assistant.call("archive_patient", id=target))["code"] == "approval_needed"
        else:
            for _ in range(2):
                result = await assistant.client.session.call_tool(
                    "archive_patient", {"id": target}, allow_input_required=True
                )
                assert isinstance(result, types.InputRequiredResult)
            assert (await assistant.call("archive_patient", id=target))["code"] == "approval_needed"
        assert Person().sees() == ["Archive this patient"]
        assert assistant.app is not None
        assistant.app.sandbox.clock.advance(timedelta(seconds=6))  # two at once are not yet two without an answer
        with anyio.fail_after(4):
            assert (await assistant.call("archive_patient", id=other))["code"] == "approval_needed"
        assert (await Person().answers(APPROVE)).startswith("Archived at")
        assert (await assistant.call("archive_patient", id=target))["done"].startswith("Done: ")


async def test_of_two_calls_at_once_one_acts_and_the_other_hears_of_it(mode: Mode) -> None:
    async with clinic(mode, answer=YES) as assistant:
        target = await patient(assistant)
        told: list[str] = []

        async def ask() -> None:
            told.append((await assistant.call("archive_patient", id=target))["done"])

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            tasks.start_soon(ask)
        assert len(removals(assistant)) == 1
        assert sorted(words.partition(" ")[0] for words in told) == ["Archived", "Done:"]


@pytest.mark.long
async def test_of_two_questions_each_has_its_own_answer(mode: Mode) -> None:
    async with clinic(mode) as assistant:
        first, second = await patient(assistant), await patient(assistant, 1)
        for target in (first, second):
            await assistant.call("archive_patient", id=target)
        assert (await Person().answers(DENY)).startswith("Denied.")
        assert (await Person().answers(APPROVE)).startswith("Archived at")
        assert (await assistant.call("archive_patient", id=first))["code"] == "declined"
        assert (await assistant.call("archive_patient", id=second))["done"].startswith("Done: ")
        assert removals(assistant) == [f"POST /v1/patients/{second}/archive"]


@pytest.mark.long
async def test_a_no_is_not_walked_round_by_other_words_or_reasons(mode: Mode) -> None:
    async with clinic(mode) as assistant:
        visit = await assistant.first("list_individual_appointments", starts_at=">2026-11-25", limit=1)
        call: dict[str, Any] = {"id": visit["id"], "cancellation_reason": "sick"}
        for number in range(12):
            await assistant.call("cancel_individual_appointment", **call, cancellation_note=f"wording {number}")
        assert Person().sees() == ["Cancel this appointment"], "a newer question takes the place of the older"
        await Person().answers(DENY)
        for reason in ("sick", "away", "work", "other"):
            told = await assistant.call("cancel_individual_appointment", **call | {"cancellation_reason": reason})
            assert told["code"] == "declined"
        assert (await assistant.call("archive_individual_appointment", id=visit["id"]))["code"] == "declined"
        assert Person().sees() == []
        assert removals(assistant) == []


@pytest.mark.long
async def test_not_like_this_lets_one_changed_call_through(mode: Mode) -> None:
    async with clinic(mode) as assistant:
        visit = await assistant.first("list_individual_appointments", starts_at=">2026-11-25", limit=1)
        call: dict[str, Any] = {"id": visit["id"], "cancellation_reason": "sick"}
        await assistant.call("cancel_individual_appointment", **call)
        assert (await Person().answers(OTHER)).startswith("Not like this.")
        told = await assistant.call("cancel_individual_appointment", **call)
        assert told["code"] == "declined" and "not like this" in told["message"]
        changed = await assistant.call("cancel_individual_appointment", **call, cancellation_note="will ring")
        assert changed["code"] == "approval_needed"
        again = await assistant.call("cancel_individual_appointment", **call, cancellation_note="anything else")
        assert again["code"] == "declined"
        assert (await Person().answers(APPROVE)).startswith("Cancelled at 9:00 am.")
        assert len(removals(assistant)) == 1


@pytest.mark.long
async def test_what_changed_meanwhile_is_not_done_and_asked_about_as_it_is_now(mode: Mode) -> None:
    async with clinic(mode) as assistant:
        target = await patient(assistant)
        await assistant.call("archive_patient", id=target)
        await assistant.call("update_patient", id=target, last_name="Renamed")
        assert "has changed since" in await Person().answers(APPROVE)
        assert removals(assistant) == []
        (waiting,) = Person().server.waiting()
        assert "Renamed" in waiting.preview
        assert (await Person().answers(APPROVE)).startswith("Archived at")
