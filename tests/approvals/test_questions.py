"""The table of questions by itself: what has expired counts nowhere, and every look at it is taken under its lock."""

import threading
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from cliniko_mcp.approvals.question_table import MAX_SHOWN_APART, Questions
from cliniko_mcp.approvals.questions import Matter, PendingQuestion, Verdict
from tests.approvals.desktop import seen
from tests.guards.gate import Clock

ANA = Matter("local", "archive_patient", "{}", "patients/1", "facts")


class Table:
    def __init__(self) -> None:
        self.clock = Clock()
        numbers = count()
        self.questions = Questions(self.clock, lambda: f"nonce-{next(numbers)}")

    def create(self, matter: Matter = ANA) -> PendingQuestion:
        return self.questions.create(matter, seen())

    def about(self, number: int, principal: str = "local") -> Matter:
        return Matter(principal, "archive_patient", "{}", f"patients/{number}", "facts")

    def shown(self, matter: Matter = ANA) -> PendingQuestion:
        asked = self.create(matter)
        assert self.questions.show(asked)
        return asked


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.mark.parametrize(("seconds", "still"), [(599, True), (600, False)])
def test_a_question_is_open_for_ten_minutes_and_not_a_second_longer(table: Table, seconds: int, still: bool) -> None:
    asked = table.shown()
    table.clock.pass_(seconds=seconds)
    assert (table.questions.recognise(asked.question.challenge, ANA) is asked) == still


@pytest.mark.parametrize("way", ["knows", "recognise", "take", "shown", "waiting", "decide"])
def test_each_way_to_a_question_looks_at_the_clock(table: Table, way: str) -> None:
    asked = table.shown()
    challenge, questions = asked.question.challenge, table.questions
    ways: dict[str, Any] = {
        "knows": lambda: questions.knows(challenge, ANA),
        "recognise": lambda: questions.recognise(challenge, ANA),
        "take": lambda: questions.take(asked),
        "shown": lambda: questions.shown(ANA),
        "waiting": questions.waiting,
        "decide": lambda: questions.decide(challenge, True, "page"),
    }
    table.clock.pass_(minutes=10)
    assert not ways[way]()
    assert asked.verdict is Verdict.NONE


def test_a_question_is_known_by_its_challenge_for_its_own_call_whatever_its_facts_are_by_now(table: Table) -> None:
    challenge = table.create().question.challenge
    later, other = replace(ANA, facts="others"), replace(ANA, target="patients/2")
    assert [table.questions.knows(challenge, matter) for matter in (ANA, later, other)] == [True, True, False]
    assert [table.questions.knows(unknown, ANA) for unknown in (None, "", "x")] == [False] * 3
    assert table.questions.recognise(challenge, other) is None
    assert table.questions.recognise(challenge, ANA) is not None
    assert table.questions.recognise(challenge, later) is None
    assert not table.questions.knows(challenge, ANA)


def test_expired_questions_leave_their_room_on_the_page(table: Table) -> None:
    for number in range(20):
        table.shown(table.about(number, f"p{number}"))
    table.clock.pass_(minutes=5)
    later = table.create()
    assert not table.questions.show(later)
    table.clock.pass_(minutes=5)
    assert table.questions.show(later)


def test_an_answered_question_leaves_its_room_on_the_page(table: Table) -> None:
    asked = [table.shown(table.about(number, f"p{number}")) for number in range(20)]
    later = table.create()
    assert not table.questions.show(later)
    assert table.questions.decide(asked[0].question.challenge, True, "page")
    assert table.questions.show(later)


def test_where_each_person_sees_their_own_two_hundred_may_wait_at_once(table: Table) -> None:
    questions = Questions(table.clock, lambda: "nonce", most_shown=MAX_SHOWN_APART)
    asked = [questions.create(table.about(number, f"p{number}"), seen()) for number in range(201)]
    assert [questions.show(item) for item in asked] == [True] * 200 + [False]


def test_a_page_lists_what_waits_what_is_approved_what_ended_and_every_no_each_apart(table: Table) -> None:
    waiting, approved, begun, denied = (table.shown(table.about(number)) for number in range(4))
    assert table.questions.decide(approved.question.challenge, True, "page")
    assert table.questions.decide(begun.question.challenge, True, "page") and table.questions.start(begun, "page")
    assert table.questions.decide(denied.question.challenge, False, "page")
    assert table.questions.listed() == [[waiting], [approved], [denied, begun], [denied]]


@pytest.mark.parametrize("approved", [True, False])
def test_who_answered_stays_with_the_question(table: Table, approved: bool) -> None:
    asked, other = table.shown(), table.shown(table.about(2))
    assert table.questions.decide(asked.question.challenge, approved, "page", by="people:ana")
    assert not table.questions.decide(asked.question.challenge, approved, "page", by="people:bo")
    assert (asked.answered_by, other.answered_by) == ("people:ana", "")


def test_a_question_whose_facts_have_changed_goes_from_the_page_unanswered(table: Table) -> None:
    asked = table.shown()
    changed = Matter(ANA.principal, ANA.operation, ANA.arguments, ANA.target, "other facts")
    assert table.questions.shown(changed) is None
    assert table.questions.waiting() == []
    assert not table.questions.take(asked)


def test_a_no_on_the_page_is_remembered_and_ends_the_question(table: Table) -> None:
    asked = table.shown()
    assert table.questions.decide(asked.question.challenge, False, "page")
    assert table.questions.denied(ANA)
    assert not table.questions.take(asked)


def test_the_thousand_newest_questions_and_denials_are_kept(table: Table) -> None:
    asked = [table.create(table.about(number, f"p{number}")) for number in range(1_000)]
    assert table.questions.recognise(asked[0].question.challenge, asked[0].matter)
    asked.append(table.create(table.about(1_000, "p1000")))
    kept = [table.questions.recognise(item.question.challenge, item.matter) is item for item in asked[:2]]
    assert kept == [False, True]
    for item in asked[:1_000]:
        table.questions.deny(item)
    assert table.questions.denied(asked[0].matter)
    table.questions.deny(asked[1_000])
    assert [table.questions.denied(item.matter) for item in asked[:2]] == [False, True]


def test_a_denial_ends_by_itself(table: Table) -> None:
    table.questions.deny(table.create())
    table.clock.pass_(minutes=14, seconds=59)
    assert table.questions.denied(ANA)
    table.clock.pass_(seconds=1)
    assert not table.questions.denied(ANA)


class Noted:
    """A lock that notes how often it was held."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.held = 0

    def __enter__(self) -> None:
        self.lock.acquire()
        self.held += 1

    def __exit__(self, *_: object) -> None:
        self.lock.release()


def test_every_look_at_the_table_is_taken_under_its_lock(table: Table) -> None:
    questions, noted = table.questions, Noted()
    asked = table.create()
    questions._lock = noted  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    challenge = asked.question.challenge
    looks: list[Any] = [
        table.create,
        lambda: questions.knows(challenge, ANA),
        lambda: questions.recognise(challenge, ANA),
        lambda: questions.show(asked),
        lambda: questions.shown(ANA),
        questions.waiting,
        lambda: questions.decide(challenge, True, "page"),
        lambda: questions.denied(ANA),
        lambda: questions.take(asked),
        lambda: questions.deny(asked),
    ]
    for number, look in enumerate(looks, 1):
        look()
        assert noted.held == number
