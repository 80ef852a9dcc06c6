"""The table of questions through their lives: carried out, ended, taken back, lifted, and forms that nobody answers."""

from dataclasses import replace
from typing import Any

import pytest

from cliniko_mcp.approvals.question_table import (
    MAX_KEPT,
    MAX_KEPT_EACH,
    MAX_SHOWN,
    MAX_SHOWN_APART,
    MAX_SHOWN_EACH,
    Questions,
)
from cliniko_mcp.approvals.questions import PendingQuestion, Verdict
from cliniko_mcp.errors import Rejected
from tests.approvals.desktop import seen
from tests.approvals.test_questions import ANA, Noted, Table

CASES = replace(ANA, arguments="others")
"""Another call on the same record."""
BO = replace(ANA, principal="bo")


@pytest.fixture
def table() -> Table:
    return Table()


def done(table: Table, matter: Any = ANA, made_by: str = "") -> PendingQuestion:
    """A question of this tool call that ended with what was asked for."""
    asked = table.questions.create(matter, seen(), made_by=made_by)
    assert table.questions.start(asked, "form")
    table.questions.finish(asked, "done")
    return asked


def test_the_limits_are_the_ones_that_the_guide_names() -> None:
    assert (MAX_KEPT, MAX_KEPT_EACH, MAX_SHOWN, MAX_SHOWN_EACH) == (1_000, 200, 20, 10)


def test_a_table_is_given_what_another_held(table: Table) -> None:
    waiting, ended = table.shown(), done(table, BO)
    taken_over = Questions(table.clock, lambda: "nonce", table.questions.holds)
    assert taken_over.waiting() == [waiting] and taken_over.recent() == [ended]


def test_of_one_principal_ten_wait_on_the_page_and_an_answered_one_makes_room(table: Table) -> None:
    asked = [table.shown(table.about(number)) for number in range(10)]
    later, other = table.create(table.about(10)), table.create(table.about(10, "bo"))
    assert not table.questions.show(later)
    assert not later.shown
    assert table.questions.show(other)
    assert table.questions.decide(asked[0].question.challenge, True, "page")
    assert table.questions.show(later)


def test_the_two_hundred_newest_questions_of_one_principal_are_kept_and_those_of_others_beside_them(
    table: Table,
) -> None:
    other = table.create(table.about(0, "bo"))
    asked = [table.create(table.about(number)) for number in range(200)]
    assert table.questions.find(asked[0].question.challenge) is asked[0]
    table.create(table.about(200))
    found = [table.questions.find(item.question.challenge) is item for item in (other, *asked[:2])]
    assert found == [True, False, True]


def test_a_question_is_used_up_once_whether_it_is_taken_or_begun(table: Table) -> None:
    taken, begun = table.create(), table.create(table.about(2))
    assert [table.questions.take(taken) for _ in range(2)] == [True, False]
    assert [table.questions.start(begun, "terminal") for _ in range(2)] == [True, False]
    assert (begun.acting, begun.place, begun.verdict, begun.ending) == (True, "terminal", Verdict.YES, None)
    assert not table.questions.start(taken, "form")
    assert (taken.acting, taken.place) == (False, "page")
    assert table.questions.recent() == [begun]


def test_what_is_being_carried_out_is_not_forgotten_and_its_end_is_for_ten_minutes(table: Table) -> None:
    asked = table.create()
    assert table.questions.start(asked, "form")
    table.clock.pass_(hours=1)
    assert table.questions.ended(ANA) is asked
    table.questions.finish(asked, "failed", problem := Rejected("no"))
    assert (asked.ending, asked.ended, asked.problem) == ("failed", table.clock.now.timestamp(), problem)
    table.clock.pass_(seconds=599)
    table.questions.finish(asked, "done", Rejected("never mind"))
    assert (asked.ending, asked.problem) == ("failed", problem)
    assert table.questions.find(asked.question.challenge) is asked
    table.clock.pass_(seconds=1)
    assert table.questions.find(asked.question.challenge) is None


@pytest.mark.parametrize("way", ["start", "unused", "find", "take_back"])
def test_each_way_to_an_approved_question_looks_at_the_clock(table: Table, way: str) -> None:
    asked = table.shown()
    challenge, questions = asked.question.challenge, table.questions
    assert questions.decide(challenge, True, "page")
    ways: dict[str, Any] = {
        "start": lambda: questions.start(asked, "page"),
        "unused": questions.unused,
        "find": lambda: questions.find(challenge),
        "take_back": lambda: questions.take_back(challenge),
    }
    table.clock.pass_(minutes=10)
    assert not ways[way]()


@pytest.mark.parametrize("way", ["recent", "find", "ended", "removed", "done_by"])
def test_each_way_to_a_question_that_ended_looks_at_the_clock(table: Table, way: str) -> None:
    asked, questions = done(table, made_by="x"), table.questions
    ways: dict[str, Any] = {
        "recent": questions.recent,
        "find": lambda: questions.find(asked.question.challenge),
        "ended": lambda: questions.ended(ANA),
        "removed": lambda: questions.removed(ANA),
        "done_by": lambda: questions.done_by("local", "x"),
    }
    assert ways[way]() in (asked, [asked])
    table.clock.pass_(minutes=10)
    assert not ways[way]()


@pytest.mark.parametrize("way", ["reopen", "denials", "denied"])
def test_each_way_to_a_no_looks_at_the_clock(table: Table, way: str) -> None:
    asked, questions = table.shown(), table.questions
    questions.deny(asked)
    ways: dict[str, Any] = {
        "reopen": lambda: questions.reopen(asked.question.challenge),
        "denials": questions.denials,
        "denied": lambda: questions.denied(ANA),
    }
    table.clock.pass_(minutes=15)
    assert not ways[way]()


def test_every_other_look_at_the_table_is_taken_under_its_lock(table: Table) -> None:
    questions, noted = table.questions, Noted()
    asked = table.shown()
    challenge = asked.question.challenge
    questions._lock = noted  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    looks: list[Any] = [
        questions.unused,
        questions.recent,
        lambda: questions.find(challenge),
        lambda: questions.ended(ANA),
        lambda: questions.removed(ANA),
        lambda: questions.done_by("local", "x"),
        lambda: questions.take_back(challenge),
        lambda: questions.reopen(challenge),
        questions.denials,
        lambda: questions.elsewhere(ANA),
        lambda: questions.sent(asked),
        lambda: questions.heard("local"),
        lambda: questions.unheard(ANA),
        lambda: questions.start(asked, "page"),
        lambda: questions.finish(asked, "done"),
    ]
    for number, look in enumerate(looks, 1):
        look()
        assert noted.held == number


def test_whoever_waits_hears_of_everything_that_becomes_of_a_question(table: Table) -> None:
    heard: list[str] = []
    table.questions.on_change = heard.append
    questions, used, denied = table.questions, table.shown(), table.shown(table.about(2))
    steps: list[tuple[PendingQuestion, Any]] = [
        (used, lambda: questions.decide(used.question.challenge, True, "page")),
        (used, lambda: questions.start(used, "page")),
        (used, lambda: questions.finish(used, "done")),
        (denied, lambda: questions.decide(denied.question.challenge, False, "page")),
        (denied, lambda: questions.reopen(denied.question.challenge)),
        (denied, lambda: questions.deny(denied)),
    ]
    for asked, step in steps:
        before = asked.changes
        heard.clear()
        step()
        assert asked.changes > before and {*heard} == {asked.question.challenge}


@pytest.mark.parametrize(("told", "tells"), [({}, True), ({"told": False}, False)])
def test_a_call_tells_how_it_ends_unless_it_is_begun_without_one(
    table: Table, told: dict[str, bool], tells: bool
) -> None:
    asked = table.create()
    assert table.questions.start(asked, "page", **told)
    assert (asked.told, asked.place, asked.verdict) == (tells, "page", Verdict.YES)


def test_the_newest_end_is_told_first_and_only_of_the_same_call(table: Table) -> None:
    first, other, second = done(table), done(table, CASES), done(table)
    assert table.questions.recent() == [second, other, first]
    assert table.questions.ended(ANA) is second
    assert table.questions.ended(CASES) is other
    assert table.questions.ended(BO) is None


def test_the_thousand_newest_ends_are_kept(table: Table) -> None:
    ends = [done(table, table.about(number, f"p{number}")) for number in range(1_000)]
    assert table.questions.find(ends[0].question.challenge) is ends[0]
    ends.append(done(table, table.about(1_000, "p1000")))
    assert table.questions.recent() == ends[:0:-1]


def test_what_was_removed_is_found_by_record_and_effect_of_the_same_principal(table: Table) -> None:
    gone = done(table)
    failed = table.create()
    table.questions.finish(failed, "failed")
    assert table.questions.removed(CASES) is gone
    assert table.questions.removed(BO) is None
    assert table.questions.removed(replace(ANA, target="patients/2")) is None


def test_what_a_tool_call_led_to_is_found_again_by_that_call_of_the_same_principal(table: Table) -> None:
    done(table)
    gone = done(table, table.about(2), "x")
    failed = table.questions.create(table.about(3), seen(), made_by="x")
    table.questions.finish(failed, "failed")
    assert table.questions.done_by("local", "x") is gone
    assert [table.questions.done_by(*other) for other in (("bo", "x"), ("local", "y"), ("local", ""))] == [None] * 3


def test_only_a_yes_that_was_not_used_can_be_taken_back_and_then_it_is_a_no(table: Table) -> None:
    asked = table.shown()
    challenge = asked.question.challenge
    assert not table.questions.take_back(challenge)
    assert not table.questions.take_back("unknown")
    assert table.questions.decide(challenge, True, "terminal")
    assert table.questions.unused() == [asked]
    assert table.questions.take_back(challenge)
    assert (asked.verdict, asked.ending, asked.place) == (Verdict.NO, "withdrawn", "terminal")
    assert table.questions.unused() == []
    assert table.questions.denied(ANA)
    assert not table.questions.take_back(challenge)


@pytest.mark.parametrize(("seconds", "waits"), [(599, True), (600, False)])
def test_a_no_that_is_lifted_lets_the_question_wait_again_while_it_has_time_left(
    table: Table, seconds: int, waits: bool
) -> None:
    other, asked = table.shown(table.about(2)), table.shown()
    challenge = asked.question.challenge
    for item in (other, asked):
        assert table.questions.decide(item.question.challenge, False, "page")
        item.told = True
    assert table.questions.denials() == [other, asked]
    table.clock.pass_(seconds=seconds)
    assert table.questions.reopen(challenge)
    assert (asked.told, other.told) == (False, True)
    assert table.questions.denials() == [other]
    assert not table.questions.denied(ANA)
    assert not table.questions.reopen(challenge)
    assert table.questions.waiting() == ([asked] if waits else [])
    assert (asked.verdict, asked.ending) == ((Verdict.NONE, None) if waits else (Verdict.NO, "denied"))
    assert asked not in table.questions.recent()


def test_a_question_that_was_on_no_page_waits_nowhere_when_its_no_is_lifted(table: Table) -> None:
    asked = table.create()
    table.questions.deny(asked)
    assert (asked.verdict, asked.place) == (Verdict.NO, "form")
    assert table.questions.reopen(asked.question.challenge)
    assert asked.ending == "denied"
    assert table.questions.find(asked.question.challenge) is None


def test_a_no_ends_the_other_questions_about_the_same_and_no_more(table: Table) -> None:
    asked, same = table.shown(), table.shown()
    others = [table.shown(BO), table.shown(table.about(2))]
    assert table.questions.decide(asked.question.challenge, False, "page")
    assert (same.ending, same.verdict) == ("denied", Verdict.NONE)
    assert table.questions.waiting() == others


def test_the_later_no_to_the_same_is_the_one_that_holds(table: Table) -> None:
    first, other = table.create(), table.create(table.about(2))
    table.questions.deny(first)
    table.questions.deny(other)
    table.clock.pass_(minutes=10)
    second = table.create()
    table.questions.deny(second)
    assert table.questions.denials() == [other, second]
    table.clock.pass_(minutes=14)
    assert table.questions.denials() == [second]


def test_not_like_this_lets_one_other_call_through_until_it_is_asked_about(table: Table) -> None:
    asked = table.shown()
    assert table.questions.decide(asked.question.challenge, False, "page", other=True)
    third = replace(ANA, arguments="third")
    assert [table.questions.denied(matter) for matter in (ANA, CASES, third)] == [True, False, False]
    table.create(CASES)
    assert [table.questions.denied(matter) for matter in (ANA, CASES, third)] == [True, False, True]
    table.create(third)
    assert [table.questions.denied(matter) for matter in (ANA, CASES, third)] == [True, False, True]


def test_a_newer_question_replaces_only_another_call_of_its_principal_on_its_record(table: Table) -> None:
    kept = [table.shown(), table.shown(replace(CASES, principal="bo")), table.shown(table.about(2))]
    assert kept[0].asked_at == table.clock.now.timestamp()
    table.shown()
    assert [item.ending for item in kept] == [None] * 3
    table.create(CASES)
    assert [item.ending for item in kept] == ["replaced", None, None]


@pytest.mark.parametrize(("seconds", "on_page", "busy"), [(49, False, True), (50, False, False), (300, True, True)])
def test_somebody_elses_question_about_the_record_is_in_the_way_while_it_is_before_somebody(
    table: Table, seconds: int, on_page: bool, busy: bool
) -> None:
    asked = table.shown(BO) if on_page else table.create(BO)
    table.clock.pass_(seconds=seconds)
    assert table.questions.elsewhere(ANA) is busy
    assert not table.questions.elsewhere(BO)
    assert not table.questions.elsewhere(table.about(2))
    table.clock.pass_(minutes=10)
    assert not table.questions.elsewhere(ANA)
    assert asked.ending is None


def test_two_rounds_without_an_answer_show_that_a_form_is_not_shown(table: Table) -> None:
    questions = table.questions
    for expected in (False, True):
        assert questions.unheard(ANA) is False
        questions.sent(table.create())
        assert questions.unheard(ANA) is expected
    assert not questions.unheard(BO)
    questions.heard("bo")
    assert questions.unheard(ANA)
    questions.heard("local")
    assert not questions.unheard(ANA)


@pytest.mark.parametrize(("seconds", "silent"), [(4.9, False), (5, True)])
def test_questions_about_other_records_count_as_unanswered_from_five_seconds_on(
    table: Table, seconds: float, silent: bool
) -> None:
    for number in (2, 3):
        table.questions.sent(table.create(table.about(number)))
    table.clock.pass_(seconds=seconds)
    assert table.questions.unheard(ANA) is silent


def test_one_that_waited_as_long_as_a_call_may_counts_as_several_at_once(table: Table) -> None:
    table.questions.sent(table.create(table.about(2)), 2)
    assert table.questions.unheard(ANA)


@pytest.mark.parametrize(("seconds", "silent"), [(599, True), (600, False)])
def test_what_went_unanswered_is_forgotten_after_ten_minutes(table: Table, seconds: int, silent: bool) -> None:
    first, second, third = (table.create(table.about(number)) for number in (2, 3, 4))
    table.questions.sent(first)
    table.questions.sent(second)
    table.clock.pass_(seconds=seconds)
    assert table.questions.unheard(ANA) is silent
    third.asked_at = table.clock.now.timestamp()
    table.questions.sent(third, 2)
    assert table.questions.unheard(ANA)


@pytest.mark.parametrize(("minutes", "silent"), [(5, True), (11, False)])
def test_one_that_went_unanswered_long_ago_does_not_count_beside_a_new_one(
    table: Table, minutes: int, silent: bool
) -> None:
    table.questions.sent(table.create())
    table.clock.pass_(minutes=minutes)
    table.questions.sent(table.create())
    assert table.questions.unheard(ANA) is silent


def test_a_yes_that_was_withdrawn_begins_nothing_although_the_question_waits_again(table: Table) -> None:
    asked = table.shown()
    assert table.questions.decide(asked.question.challenge, True, "page")
    # A call has seen the yes and waits for its turn when the person changes their mind, and then opens it again.
    assert table.questions.take_back(asked.question.challenge) and table.questions.reopen(asked.question.challenge)
    assert not table.questions.start(asked, "page")
    assert table.questions.waiting() == [asked]
    assert table.questions.decide(asked.question.challenge, True, "page") and table.questions.start(asked, "page")


def test_where_each_person_sees_their_own_two_who_ask_for_much_keep_nobody_from_asking(table: Table) -> None:
    questions = Questions(table.clock, lambda: "nonce", most_shown=MAX_SHOWN_APART)
    for who in ("eve", "mallory"):
        for number in range(MAX_SHOWN_EACH):
            assert questions.show(questions.create(table.about(number, who), seen()))
    assert questions.show(questions.create(table.about(0, "ana"), seen()))
    assert not table_of_one_page_takes(table, "ana")


def table_of_one_page_takes(table: Table, who: str) -> bool:
    """Whether there is room for this person where one page shows all, and two others ask for much."""
    for other in ("eve", "mallory"):
        for number in range(MAX_SHOWN_EACH):
            table.questions.show(table.create(table.about(number, other)))
    return table.questions.show(table.create(table.about(0, who)))
