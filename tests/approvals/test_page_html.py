"""The approval page as a document: what a person sees, for none, one and several questions."""

import re

import pytest

from cliniko_mcp.approvals.decisions import Outcome
from cliniko_mcp.approvals.page_html import mark, outcome_page, policy, questions_page
from cliniko_mcp.approvals.questions import Matter, PendingQuestion, Question
from tests.approvals.desktop import seen

NOW = 1_000_000.0


def asked(challenge: str = "c1", *, program: str = "", seconds: float = 600) -> PendingQuestion:
    question = Question(seen("Ana & Bo", "Archive <patient>"), challenge, NOW + seconds)
    return PendingQuestion(Matter("local", "archive_patient", challenge, "patients/1", ""), question, program)


def page(*waiting: PendingQuestion, needs_pin: bool = False) -> str:
    return questions_page(waiting, csrf="the-csrf", nonce="the-nonce", needs_pin=needs_pin, now=NOW)


def title(text: str) -> str:
    return re.findall("<title>(.*)</title>", text)[0]


def test_without_a_question_it_says_what_it_is_for_and_waits_by_itself() -> None:
    text = page()
    assert title(text) == "Nothing is waiting - Cliniko approvals"
    assert (
        "When an assistant wants to archive, delete or cancel something in Cliniko, the question appears here." in text
    )
    assert f'data-mark="{mark([])}" data-idle="yes"' in text
    assert "<form" not in text


def test_one_question_and_several_are_told_apart() -> None:
    one, two = page(asked()), page(asked("c1"), asked("c2"))
    assert title(one) == "(1) One question for you - Cliniko approvals"
    assert title(two) == "(2) 2 questions for you - Cliniko approvals"
    assert [text.count("<form") for text in (one, two)] == [1, 2]
    assert re.findall('name=question value="(.*?)"', two) == ["c1", "c2"]
    assert 'id="what1"' in two and 'id="what2"' in two and 'id="what3"' not in two
    assert 'data-idle=""' in one
    assert "Nothing happens unless you approve." in one


def test_what_others_wrote_is_shown_as_text() -> None:
    text = page(asked(program="Host"))
    assert "Archive &lt;patient&gt;?" in text
    assert "Ana &amp; Bo" in text
    assert "Asked through Host." in text
    assert "Asked through" not in page(asked())


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-5, "1 more minute."), (59, "1 more minute."), (119, "1 more minute."), (120, "2 more minutes."),
     (600, "10 more minutes.")],
)  # fmt: skip
def test_whole_minutes_that_are_left_are_said_and_at_least_one(seconds: float, said: str) -> None:
    assert f"Open for {said}" in page(asked(seconds=seconds))


def test_return_presses_yes_only_where_a_pin_was_typed_for_it() -> None:
    plain, guarded = page(asked()), page(asked(), needs_pin=True)
    assert plain.index("Deny</button>") < plain.index("Approve</button>")
    assert guarded.index("Approve</button>") < guarded.index("Deny</button>")
    assert "<input type=password" in guarded and "<input type=password" not in plain


@pytest.mark.parametrize(
    ("left", "link"),
    [(0, "Back to the page"), (1, "See the question that is waiting"), (2, "See the 2 questions that are waiting")],
)
def test_after_an_answer_the_others_are_one_click_away(left: int, link: str) -> None:
    text = outcome_page(Outcome.DENIED, left, path="/secret", nonce="the-nonce", state="the-mark")
    assert f'<a href="/secret">{link}</a>' in text
    assert title(text) == "Denied - Cliniko approvals"
    assert 'data-mark="the-mark" data-idle=""' in text


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_has_a_heading_and_is_not_said_twice(outcome: Outcome) -> None:
    text = outcome_page(outcome, 0, path="/secret", nonce="the-nonce", state="")
    heading = re.findall("<h1 role=status>(.*)</h1>", text)[0]
    assert heading and f"<p>{heading}. " not in text


def test_the_mark_is_short_and_changes_with_the_questions() -> None:
    marks = [mark([]), mark([asked("c1")]), mark([asked("c2")]), mark([asked("c1"), asked("c2")])]
    assert len(set(marks)) == 4
    assert {len(mark) for mark in marks} == {16}


def test_only_what_carries_the_nonce_may_run_and_nothing_comes_from_outside() -> None:
    allowed = policy("the-nonce")
    assert allowed.startswith("default-src 'none'; style-src 'nonce-the-nonce'; script-src 'nonce-the-nonce';")
    assert "form-action 'self'; base-uri 'none'; frame-ancestors 'none'" in allowed
    assert page().count('nonce="the-nonce"') == 2
