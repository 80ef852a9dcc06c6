"""How a question stands or ended is told in the same words everywhere."""

from dataclasses import replace
from typing import Any

import pytest

from cliniko_mcp.approvals.questions import PendingQuestion, Question, Verdict
from cliniko_mcp.approvals.shown import NOWHERE
from cliniko_mcp.approvals.story import Story, story_of
from cliniko_mcp.errors import Rejected
from tests.approvals.desktop import seen
from tests.approvals.test_questions import ANA
from tests.guards.gate import START

AT = "1:00 am"


@pytest.mark.parametrize(
    ("how", "heading", "detail", "ended", "done"),
    [
        ({"ending": "done"}, f"Archived at {AT}", "You can close", True, True),
        ({"ending": "failed", "problem": Rejected("Not taken.")}, f"Not done at {AT}", "Not taken.", True, False),
        ({"ending": "failed"}, "Not known whether it was done", f"cut off at {AT}", True, False),
        ({"ending": "denied"}, f"Denied at {AT}", "For 15 minutes", True, False),
        ({"ending": "other"}, f"Not like this, at {AT}", "what should be different", True, False),
        ({"ending": "withdrawn"}, f"Taken back at {AT}", "Nothing was changed", True, False),
        ({"ending": "changed"}, "Not done", "has changed since", True, False),
        ({"ending": "replaced"}, "Not done", "A newer question", True, False),
        ({"acting": True, "verdict": Verdict.YES}, "Approved", "being carried out now", False, False),
        ({"verdict": Verdict.YES}, "Approved", "about to be carried out", False, False),
        ({}, "Waiting for an answer", "Nothing happens without it", False, False),
    ],
)
def test_a_question_is_told_by_how_it_ended_or_stands(
    how: dict[str, Any], heading: str, detail: str, ended: bool, done: bool
) -> None:
    question = Question(seen(), "challenge", 0.0, NOWHERE)
    story = story_of(replace(PendingQuestion(ANA, question, "Host", 0.0), ended=START.timestamp(), **how))
    assert (story.heading, story.ended, story.done) == (heading, ended, done)
    assert detail in story.detail
    assert story.words == f"{story.heading}. {story.detail}"


def test_a_long_reason_keeps_its_lines_and_is_cut() -> None:
    question = Question(seen(), "challenge", 0.0, NOWHERE)
    for length, cut in ((600, False), (601, True)):
        problem = Rejected(("a\n" + "b" * 600)[:length])
        story = story_of(PendingQuestion(ANA, question, "Host", 0.0, ending="failed", problem=problem))
        assert story.detail.startswith("a\nb")
        assert story.detail.endswith("…") is cut


def test_a_story_ends_without_what_was_asked_for_unless_it_says_so() -> None:
    assert (Story("Not done", "").ended, Story("Not done", "").done) == (True, False)
