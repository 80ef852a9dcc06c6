"""The approvals page of a server on the web: where people are led, and who may say yes unless told otherwise."""

from itertools import count

from cliniko_mcp.approvals.clinic_questions import ClinicQuestions
from cliniko_mcp.approvals.ledger import LocalLedger
from cliniko_mcp.approvals.page_at import PageAt
from cliniko_mcp.approvals.question_table import Questions
from cliniko_mcp.approvals.questions import Matter
from cliniko_mcp.approvals.shown import Preview
from tests.guards.gate import Clock

ADDRESS = "https://mcp.clinic.example/approvals"


def some_questions() -> Questions:
    numbers = count()
    return Questions(Clock(), lambda: f"nonce-{next(numbers)}")


def test_people_are_led_to_the_page_and_to_their_question_on_it() -> None:
    page = PageAt(ADDRESS)
    matter = Matter("ana", "archive_patient", "{}", "patients/1", "f", "removal")
    asked = some_questions().create(matter, Preview(act="Archive", keep="Keep", done="Archived", facts=())).question
    assert page.address_of(asked) == f"{ADDRESS}/{asked.challenge}"
    assert page.invite().endswith(f"which they open themselves: {ADDRESS}")
    assert page.again().endswith(f"already: {ADDRESS}")


def test_unless_the_operator_asks_for_more_any_login_that_may_approve_can_say_yes() -> None:
    questions = ClinicQuestions(LocalLedger(some_questions()))
    assert not questions.strict
    assert not questions.second
