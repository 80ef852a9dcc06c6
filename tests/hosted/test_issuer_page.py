"""The approvals page for people of an issuer, with a real one: who may see a question, who may answer, and how."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.hosted.issuer_stage import PAGE, SECRET, Assistant, Somebody, clinics_file, csrf_in, token_of, until
from tests.hosted.replicas import (
    META,
    MODERN,
    RING,
    ClinicApart,
    clinic_apart,
    command,
    envelope,
    line_with,
    message_in,
    people_file,
    post,
)
from tests.identity.real_issuer import provider
from tests.journeys.test_issuer import free_port
from tests.shared_state.redis_server import RedisServer

EMAIL = {"CLINIKO_CONTACT_EMAIL": "t@example.org"}
pytestmark = pytest.mark.long


@dataclass
class Stage:
    """A server for three clinics: who asks approves, somebody else does, and who asks with a fresh login."""

    origin: str
    issuer: str
    clinic: ClinicApart
    folder: Path

    def somebody(self, name: str) -> Somebody:
        return Somebody(self.origin, name)

    def assistant(self, name: str, clinic: str) -> Assistant:
        address = f"{self.origin}/mcp"
        return Assistant(f"{address}/{clinic}", token_of(self.issuer, name, address))

    def log(self, clinic: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / f"audit-{clinic}.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, redis: RedisServer) -> Iterator[Stage]:
    folder, port = tmp_path_factory.mktemp("page"), free_port()
    origin = f"http://127.0.0.1:{port}"
    with ExitStack() as stack:
        issuer = stack.enter_context(provider(folder, free_port(), {f"{origin}/mcp": "jwt"}))
        clinic = stack.enter_context(clinic_apart("--rate-limit", "0"))
        people = ["ben", *(f"{issuer}|{name}" for name in ("ana", "eve", "second"))]
        ways: dict[str, dict[str, Any]] = {
            "north": {},
            "south": {"approve_by": "second"},
            "west": {"confirm": "strict"},
        }
        for account in clinics_file(folder / "clinics.toml", clinic.url, people, **ways):
            redis.trusted(account)
        (folder / "hosted.toml").write_text(
            f'public_url = "{origin}/mcp"\nkeys = ["env:RING"]\nclinics = "{folder / "clinics.toml"}"\n'
            f'people = "{people_file(folder, {"ben": {}})}"\n[redis]\nurl = "{redis.url}"\n'
            f'[[issuer]]\nurl = "{issuer}"\n{PAGE}'
        )
        told = ("--hosted", str(folder / "hosted.toml"), "--port", str(port), "--approval-wait", "0")
        told += ("--audit-file", str(folder / "audit.jsonl"))
        process = stack.enter_context(command("serve", *told, RING=RING, **EMAIL, **SECRET))
        line_with(process.stderr, r"listening on (\S+)")
        yield Stage(origin, issuer, clinic, folder)


@pytest.fixture(scope="module")
def ana(stage: Stage) -> Somebody:
    """Ana's browser, logged in."""
    ana = stage.somebody("ana")
    assert "Log in with 127.0.0.1" in ana.get().text
    assert "Nothing is waiting" in ana.log_in().text
    return ana


def asked(stage: Stage, assistant: Assistant, ana: Somebody, number: int = 0) -> tuple[str, str]:
    """A patient whose archiving was asked for, and the question about it that waits on her page."""
    before = ana.questions()
    patient = envelope(assistant.call("list_patients", limit=20))["items"][number]["id"]
    told = envelope(assistant.call("archive_patient", id=patient))
    assert told["code"] == "approval_needed" and f"{stage.origin}/approvals" in told["message"], told
    (question,) = [one for one in ana.questions() if one not in before]
    return patient, question


def ended(assistant: Assistant, patient: str) -> dict[str, Any]:
    told: list[dict[str, Any]] = []

    def code() -> str:
        told.append(envelope(assistant.call("archive_patient", id=patient)))
        return str(told[-1].get("code", ""))

    until(code, gone="approval_needed")
    return told[-1]


def test_who_asked_answers_and_it_is_done(stage: Stage, ana: Somebody) -> None:
    assistant = stage.assistant("ana", "north")
    patient, question = asked(stage, assistant, ana)
    page = ana.get(f"/approvals/{question}")
    assert page.status_code == 200 and "One question for you" in page.text
    assert "ana of the front desk" in page.text and "Sign out" in page.text
    assert any(word in ana.answer(question, "approve").text for word in ("Approved", "Archived"))
    assert "Archived" in ended(assistant, patient)["done"]
    assert stage.clinic.requests("POST").count(f"/v1/patients/{patient}/archive") == 1
    (line,) = [one for one in stage.log("north") if one["operation"] == "archive_patient" and one["outcome"] == "ok"]
    assert (line["channel"], "approved_by" in line) == ("page", False)


def test_nobody_else_sees_or_answers_it_and_the_call_goes_on_waiting(stage: Stage, ana: Somebody) -> None:
    assistant = stage.assistant("ana", "north")
    patient, question = asked(stage, assistant, ana, 1)
    eve = stage.somebody("eve")
    page = eve.log_in(f"/approvals/{question}")
    assert page.status_code == 403 and "Not yours to answer" in page.text
    assert eve.questions() == []
    for decision in ("approve", "deny", "other", "withdraw", "reopen"):
        assert eve.answer(question, decision).status_code == 403
    assert eve.answer(question, "approve", csrf_in(ana.get())).status_code == 403
    assert envelope(assistant.call("archive_patient", id=patient))["code"] == "approval_needed"
    assert "Denied" in ana.answer(question, "deny").text
    assert envelope(assistant.call("archive_patient", id=patient))["code"] == "declined"
    assert f"/v1/patients/{patient}/archive" not in stage.clinic.requests("POST")


def refused(browser: Somebody, address: str, status: int) -> None:
    answer = browser.fetch(address)
    assert answer.status_code == status, answer.text
    assert "Log in with" in answer.text and "cm-login" not in answer.headers.get("set-cookie", "")
    assert "Nothing is waiting" not in browser.get().text


def test_an_answer_to_another_login_lets_nobody_in(stage: Stage) -> None:
    browser = stage.somebody("ana")
    back = browser.came_back_with(browser.sent_to(browser.get()))
    state = re.findall(r"state=([^&]+)", back)[0]
    refused(stage.somebody("ana"), back, 400)  # which another browser began
    refused(browser, back.replace(state, "another"), 400)
    refused(browser, f"{back}&state={state}", 400)
    other = back.replace("iss=http", "iss=https")
    assert other != back
    refused(browser, other, 403)
    refused(browser, back, 400)  # its attempt is used up


def test_an_id_token_with_another_nonce_lets_nobody_in(stage: Stage) -> None:
    browser = stage.somebody("ana")
    there = browser.sent_to(browser.get())
    assert "code_challenge_method=S256" in there and "resource=" in there
    back = browser.came_back_with(re.sub(r"nonce=[^&]+", "nonce=another", there))
    refused(browser, back, 403)


def test_a_code_that_was_used_or_belongs_to_another_login_lets_nobody_in(stage: Stage, ana: Somebody) -> None:
    browser = stage.somebody("ana")
    back = browser.came_back_with(browser.sent_to(browser.get()))
    code = re.findall(r"code=([^&]+)", back)[0]
    mallory = stage.somebody("eve")
    own = mallory.came_back_with(mallory.sent_to(mallory.get()))
    refused(mallory, re.sub(r"code=[^&]+", f"code={code}", own), 403)


def test_signing_out_ends_the_login_here_for_whoever_holds_the_cookie(stage: Stage) -> None:
    browser = stage.somebody("ana")
    page = browser.log_in()
    kept = browser.cookies["cm-login"]
    assert "." not in kept.removeprefix("i.")  # a name, not a token
    assert browser.post("/login/out", csrf="wrong").status_code == 403
    assert "Nothing is waiting" in browser.get().text
    out = browser.post("/login/out", csrf=csrf_in(page))
    assert "Signed out" in out.text
    thief = stage.somebody("ana")
    thief.cookies.set("cm-login", kept)
    for path in ("/approvals", "/approvals/state"):
        answer = thief.get(path)
        assert "Nothing is waiting" not in answer.text and "data-mark" not in answer.text


def test_where_a_second_person_approves_the_yes_of_who_asked_is_not_enough(stage: Stage, ana: Somebody) -> None:
    assistant = stage.assistant("ana", "south")
    patient, question = asked(stage, assistant, ana, 2)
    page = ana.get()
    assert "somebody else approves" in page.text and "value=approve" not in page.text
    assert ana.answer(question, "approve").status_code == 403
    assert envelope(assistant.call("archive_patient", id=patient))["code"] == "approval_needed"
    eve = stage.somebody("eve")  # of the same clinic, and no approver
    assert "Nothing is waiting" in eve.log_in().text
    second = stage.somebody("second")
    shown = second.log_in()
    assert "ana of the front desk, with older, asked" in shown.text and "value=approve" in shown.text
    assert any(word in second.answer(question, "approve").text for word in ("Approved", "Archived"))
    assert "Archived" in ended(assistant, patient)["done"]
    (line,) = [one for one in stage.log("south") if one["operation"] == "archive_patient" and one["outcome"] == "ok"]
    assert line["approved_by"].startswith("person:") and line["approved_by"] != line["principal"]


def test_a_second_persons_no_is_not_lifted_by_who_asked(stage: Stage, ana: Somebody) -> None:
    assistant = stage.assistant("ana", "south")
    patient, question = asked(stage, assistant, ana, 3)
    second = stage.somebody("second")
    second.log_in()
    assert "Denied" in second.answer(question, "deny").text
    assert "No longer open" in ana.answer(question, "reopen").text
    assert envelope(assistant.call("archive_patient", id=patient))["code"] == "declined"


def asked_by_form(stage: Stage, clinic: str, patient: str) -> bool:
    """Whether an assistant of the newer era, which shows forms, is asked to show one."""
    params = {"name": "archive_patient", "arguments": {"id": patient}, "_meta": META}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    headers = {"mcp-protocol-version": MODERN, "mcp-method": "tools/call", "mcp-name": "archive_patient"}
    token = token_of(stage.issuer, "ana", f"{stage.origin}/mcp")
    told = {"authorization": f"Bearer {token}", "host": stage.origin.removeprefix("http://")}
    found = message_in(post(f"{stage.origin}/mcp/{clinic}", "", message, **headers, **told))["result"]
    return "inputRequests" in found


def test_nobody_is_asked_by_a_form_where_a_second_person_approves_also_from_now_on(stage: Stage) -> None:
    patient = envelope(stage.assistant("ana", "south").call("list_patients", limit=20))["items"][4]["id"]
    assert not asked_by_form(stage, "south", patient)
    assert asked_by_form(stage, "north", patient)
    file = stage.folder / "clinics.toml"
    before = file.read_text()
    file.write_text(before.replace('id = "north"', 'id = "north"\napprove_by = "second"'))
    until(lambda: str(asked_by_form(stage, "north", patient)), gone="True")
    file.write_text(before)


def test_a_strict_clinic_wants_a_fresh_login_before_a_yes(stage: Stage, ana: Somebody) -> None:
    assistant = stage.assistant("ana", "west")
    patient, question = asked(stage, assistant, ana, 5)
    again = ana.answer(question, "approve")
    assert again.status_code == 403 and "Log in once more" in again.text
    there = ana.sent_to(again)
    assert "prompt=login" in there and "max_age=300" in there
    back = ana.came_back_with(there)
    answer = ana.fetch(back)
    assert answer.headers["location"] == f"/approvals/{question}"
    assert any(word in ana.answer(question, "approve").text for word in ("Approved", "Archived"))
    assert "Archived" in ended(assistant, patient)["done"]


def test_people_of_the_file_log_in_beside_them_and_sign_out(stage: Stage) -> None:
    ben = stage.somebody("ben")
    assert "Or your code" in ben.get().text
    assert ben.post("/login", code="code of nobody").status_code == 422
    page = ben.post("/login", code="code of ben", to="/approvals")
    assert "Nothing is waiting" in page.text
    kept = ben.cookies["cm-login"]
    assert "Signed out" in ben.post("/login/out", csrf=csrf_in(page)).text
    thief = stage.somebody("ben")
    thief.cookies.set("cm-login", kept)
    assert "Nothing is waiting" not in thief.get().text
    assert thief.post("/login", code="code of ben").status_code == 422  # which was used
