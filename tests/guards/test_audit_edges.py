"""Audit lines at their edges: answers that pass through, names that are too long, reasons that have no number."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from cliniko_mcp import private_files
from cliniko_mcp.approvals.questions import AskFirst, Question
from cliniko_mcp.errors import NotAllowed
from cliniko_mcp.guards.audit import Audit
from cliniko_mcp.guards.hash_chain import HashChain
from cliniko_mcp.guards.log import LocalLog
from cliniko_mcp.guards.pipeline import Caller, GuardedCall
from tests.approvals.desktop import seen
from tests.guards.gate import Clock, call, on_its_way, passed, run

READ = call("get_patient", id="1")
ARCHIVE = call("archive_patient", id="1")


@pytest.fixture
def chain(tmp_path: Path) -> HashChain:
    return HashChain(tmp_path / "audit.jsonl")


def acted(chain: HashChain, passing: GuardedCall) -> Any:
    async def act() -> str:
        return "the clinic's answer"

    return run(lambda: passed([Audit(LocalLog(chain), Clock())], passing, act))


@pytest.mark.parametrize("called", [READ, ARCHIVE])
def test_the_clinics_answer_passes_through(chain: HashChain, called: Any) -> None:
    assert acted(chain, on_its_way(called)) == "the clinic's answer"


def test_names_that_others_chose_take_up_no_more_than_their_place(chain: HashChain) -> None:
    acted(chain, on_its_way(READ, Caller(principal="p" * 200, name="n" * 200), "t" * 200))
    line = json.loads(chain.path.read_bytes())
    assert (line["tool"], line["principal"], line["name"]) == ("t" * 64, "p" * 80, "n" * 79 + "…")


def test_the_log_names_a_caller_as_they_are_to_be_logged(chain: HashChain) -> None:
    acted(chain, on_its_way(READ, Caller(principal="mei@clinic.example", logged="person 7")))
    assert json.loads(chain.path.read_bytes())["principal"] == "person 7"


@pytest.mark.parametrize(("who", "written"), [("", None), ("person 7", None), ("person 8", "person 8")])
def test_the_log_says_who_said_yes_where_that_is_somebody_else_than_who_asked(
    chain: HashChain, who: str, written: str | None
) -> None:
    passing = on_its_way(READ, Caller(logged="person 7"))
    passing.outcome.approved_by = who
    acted(chain, passing)
    assert json.loads(chain.path.read_bytes()).get("approved_by") == written


def test_room_for_the_line_of_an_operation_is_there_from_its_beginning_until_it_is_written(chain: HashChain) -> None:
    came = list[str]()

    class Roomy(LocalLog):
        @asynccontextmanager
        async def room(self) -> AsyncGenerator[None]:
            came.append("room")
            yield
            came.append("left")

        async def note(self, entry: Any) -> None:
            came.append("noted")

    async def act() -> None:
        came.append("acted")

    run(lambda: passed([Audit(Roomy(chain), Clock())], on_its_way(READ), act))
    assert came == ["room", "acted", "noted", "left"]


def test_a_caller_for_whom_nobody_vouches_has_no_name_in_the_log(chain: HashChain) -> None:
    acted(chain, on_its_way(READ))
    assert "name" not in json.loads(chain.path.read_bytes())


@pytest.mark.long
def test_a_change_waits_for_the_log_and_says_who_holds_it(chain: HashChain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_files, "_PATIENCE", 0.01)
    chain.append({})
    with (
        chain.path.with_name("audit.jsonl.head").open("r+") as head,
        private_files.locked(head.fileno()),
        pytest.raises(NotAllowed, match=r"cannot be written \(another process holds the file\)"),
    ):
        acted(chain, on_its_way(ARCHIVE))


def test_a_question_on_its_way_says_nothing_of_what_it_asks() -> None:
    first = AskFirst(Question(seen("Ana Lima"), "challenge", 0))
    assert str(first) == "a person has to be asked first"
    assert "Lima" not in repr(first)
    assert first.question.text.startswith("Patient: Ana Lima")
