"""What the guards say when they stop a call: the whole error, because an assistant acts on every word of it."""

from pathlib import Path
from typing import Any

import pytest

from cliniko_mcp.approvals.question_table import MAX_KEPT_EACH, MAX_SHOWN_EACH
from cliniko_mcp.approvals.questions import Matter, Verdict
from cliniko_mcp.errors import NotFound, Refused
from cliniko_mcp.guards import confirm_words as words
from cliniko_mcp.guards.audit import Audit
from cliniko_mcp.guards.exclusion import Exclusion
from cliniko_mcp.guards.hash_chain import HashChain
from cliniko_mcp.guards.log import LocalLog
from cliniko_mcp.guards.pipeline import Caller
from cliniko_mcp.guards.read_only import ReadOnly
from tests.approvals.desktop import seen
from tests.guards.gate import App, Form, call, on_its_way, run

ARCHIVE = call("archive_patient", id="1")


def said(app: App, caller: Caller | None = None, *guards: Any) -> dict[str, Any]:
    with pytest.raises(Refused) as refused:
        run(lambda: app.act(ARCHIVE, caller, guards=guards))
    return dict(refused.value.as_json())


def error(code: str, message: str, fix: str) -> dict[str, Any]:
    return {"code": code, "message": message, "fix": fix, "operation": "archive_patient"}


IN_CLINIKO = "Tell the person that this has to be done in Cliniko itself."


def test_what_the_operator_switched_off() -> None:
    assert said(App(policy="block")) == error(
        "not_allowed",
        "Archive patient: archiving, deleting and cancelling are switched off here.",
        IN_CLINIKO,
    )
    assert said(App(), None, Exclusion(lambda _: {"archive_patient"}, set())) == error(
        "not_allowed", "Archive patient: this is switched off here.", IN_CLINIKO
    )
    assert said(App(), None, ReadOnly()) == error(
        "not_allowed",
        "Archive patient: this connection may look things up in Cliniko but not change anything.",
        f"{IN_CLINIKO} Reading works as usual.",
    )


def test_what_cannot_be_written_down(tmp_path: Path) -> None:
    app = App()
    assert said(app, None, Audit(LocalLog(HashChain(tmp_path)), app.clock)) == {
        "code": "not_allowed",
        "message": "Nothing was changed: changes have to be written down first, and the audit log cannot be written "
        "(Is a directory).",
        "fix": "Ask whoever runs this server to make room on the disk or to make the audit log writable.",
        "reason": "audit",
    }


def test_a_no_now_and_later() -> None:
    app = App()
    declined = error(
        "declined",
        "Archive patient: a person was asked and said no. Nothing was changed.",
        "Leave it, in whatever words: for 15 minutes nobody is asked about it again. A person can always do it in "
        "Cliniko itself, or allow the question again on the page or in a terminal.",
    )
    assert said(app, Caller(asker=Form(Verdict.NO))) == declined
    assert said(app) == declined


@pytest.mark.parametrize(
    ("route", "ways"),
    [
        ("stdio", "an assistant that can show questions (form elicitation), or the approval page on this computer"),
        (
            "http",
            "an assistant that can show questions (form elicitation, --confirm auto), or a connection over stdio",
        ),
        ("terminal", "a terminal on which the question can be shown"),
    ],
)
def test_nobody_to_ask(route: Any, ways: str) -> None:
    assert said(App(paged=False), Caller(route=route)) == error(
        "approval_needed",
        "Archive patient: not done. It needs a person's yes, and over this connection nobody can be asked.",
        f"Calling again does not help. A person can do it in Cliniko, or have set up: {ways}.",
    )


def test_a_question_that_waits() -> None:
    app = App()
    fix = (
        "Tell the person, and do not call again before they say that they answered. A yes is carried out at once; the "
        "same call then tells how it ended."
    )
    first = error("approval_needed", "Not done yet: a person has been asked to approve it. It is on the page.", fix)
    assert said(app, Caller(program="Host")) == first
    assert said(app)["message"] == (
        "Not done yet: a person has been asked to approve it. The question is on the approval page already."
    )
    (waiting,) = app.questions.waiting()
    assert (waiting.program, waiting.question.title) == ("Host", "Archive this patient?")


def test_the_program_that_asks_is_named_in_a_form_too() -> None:
    app = App()
    seen: list[str] = []

    class Watching(Form):
        async def ask(self, question: Any) -> Verdict:
            matter = next(iter(app.questions._open.values()))
            seen.append(matter.program)
            return Verdict.NO

    said(app, Caller(asker=Watching(), program="Host"))
    assert seen == ["Host"]


def test_what_is_gone_already() -> None:
    app = App()
    app.clinic.gone.add(("patients", "1"))
    with pytest.raises(NotFound) as gone:
        run(lambda: app.act(ARCHIVE))
    assert gone.value.as_json() == error(
        "not_found",
        "Archive patient: there is no live record with id 1.",
        "It may be archived, deleted or cancelled already. Otherwise look for the right id in a list.",
    )


def test_too_many_questions() -> None:
    app = App()
    for number in range(MAX_SHOWN_EACH):
        matter = Matter("local", "archive_patient", str(number), f"taxes/{number}", "")
        app.questions.show(app.questions.create(matter, seen()))
    assert said(app) == {
        "code": "approval_needed",
        "message": "Not done: too many questions are waiting for a person already.",
        "fix": "Ask the person to answer those first, then call again with the same arguments.",
    }
    assert len(app.questions.waiting()) == MAX_SHOWN_EACH


def test_what_changed_too_often() -> None:
    app = App()

    def change() -> Verdict:
        notes = app.clinic.records["patients"]["1"]
        notes["notes"] = notes.get("notes", "") + "x"
        return Verdict.YES

    assert said(app, Caller(asker=Form(change, change, change))) == error(
        "approval_needed",
        "Archive patient: not done, because what the person was shown has changed since.",
        "Call again with the same arguments, so that the person is asked about it as it is now.",
    )


def test_the_tables_of_questions_and_denials_are_bounded_and_the_oldest_go_first() -> None:
    app = App()
    matters = [Matter("local", "delete_tax", "", f"taxes/{number}", "") for number in range(MAX_KEPT_EACH + 2)]
    asked = [app.questions.create(matter, seen()) for matter in matters]
    kept = [app.questions.recognise(item.question.challenge, item.matter) is item for item in asked]
    assert kept == [False, False] + [True] * MAX_KEPT_EACH
    for item in asked:
        app.questions.deny(item)
    assert all(app.questions.denied(matter) for matter in matters)
    assert all(app.questions.recognise(item.question.challenge, item.matter) is None for item in asked)


def test_equal_questions_have_challenges_of_their_own_that_say_nothing() -> None:
    app = App()
    matter = Matter("local", "archive_patient", "Ana", "patients/1", "")
    one, other = (app.questions.create(matter, seen()).question for _ in range(2))
    assert one.challenge != other.challenge
    assert set(one.challenge) <= set("0123456789abcdef")
    assert one.expires == app.clock().timestamp() + 600


ENDINGS: list[tuple[Any, bool, str | None]] = [
    ("done", True, "Done: Archived at "),
    (
        "replaced",
        False,
        "Archive patient: not done, because a newer question about the same record has taken its place.",
    ),
    ("denied", False, "Archive patient: a person was asked and said no. Nothing was changed."),
    ("withdrawn", False, "Archive patient: a person was asked and took their yes back. Nothing was changed."),
    ("other", False, "Archive patient: a person was asked and said: not like this. Nothing was changed."),
    (None, True, "Archive patient: a person approved it, and it is being carried out now."),
    (None, False, None),
    ("changed", False, None),
    ("failed", True, None),
]


@pytest.mark.parametrize(("ending", "acting", "told"), ENDINGS, ids=str)
def test_how_a_question_ended_that_somebody_else_answered(ending: Any, acting: bool, told: str | None) -> None:
    app = App()
    pending = app.questions.create(Matter.of("local", ARCHIVE), seen())
    pending.ending, pending.acting = ending, acting
    found = words.ended(on_its_way(ARCHIVE), pending)
    assert found is None if told is None else found is not None and found.message.startswith(told)


def test_what_was_cut_off_after_a_yes_says_how_to_find_out_and_what_failed_says_why() -> None:
    app = App()
    pending = app.questions.create(Matter.of("local", ARCHIVE), seen())
    pending.ending, pending.ended = "failed", app.clock().timestamp()
    found = words.failed(on_its_way(ARCHIVE), pending)
    assert found.as_json() == error(
        "outcome_unknown",
        f"Archive patient: a person approved it at {pending.at}, and it was cut off while it was sent.",
        "Read the record to see whether it took effect before asking for it again.",
    )
    pending.problem = NotFound("Gone.", "Look.")
    assert words.failed(on_its_way(ARCHIVE), pending) is pending.problem
