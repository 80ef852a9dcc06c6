"""`cliniko-mcp approve` and the servers find each other by word that only their owner could have left."""

import json
import os
import secrets
from dataclasses import replace
from pathlib import Path

import pytest

from cliniko_mcp.approvals import local_ipc
from cliniko_mcp.approvals.decisions import Answer, Outcome
from cliniko_mcp.approvals.questions import Matter
from tests.approvals.desktop import Desktop, seen


def test_a_terminal_finds_the_questions_of_every_server_and_answers_them(desktop: Desktop, tmp_path: Path) -> None:
    other = Desktop(desktop.folder)
    first, second = desktop.ask(), other.ask("Delete tax GST.\u202e")
    desktop.start()
    other.start()
    try:
        found = list(local_ipc.servers(desktop.folder, lambda: secrets.token_hex(8)))
        shown = {peer.waiting()[0].preview: (peer, peer.waiting()[0]) for peer in found}
        ana, gst = (f"Patient: {name}\n\nIt can be brought back." for name in ("Ana Lima", "Delete tax GST."))
        assert set(shown) == {ana, gst}
        server, waiting = shown[ana]
        assert (waiting.title, waiting.act, waiting.keep, waiting.program, waiting.seconds, waiting.needs_pin) == (
            "Archive this patient?",
            "Archive this patient",
            "Keep it",
            "Host",
            600,
            False,
        )
        assert server.decide(waiting.challenge, Answer.APPROVE) is Outcome.APPROVED
        server, waiting = shown[gst]
        assert server.decide(waiting.challenge, Answer.DENY) is Outcome.DENIED
        assert server.decide(waiting.challenge, Answer.APPROVE) is Outcome.GONE
    finally:
        other.page.close()
    assert (desktop.verdict(first), desktop.verdict(second)) == ("yes", "no")
    assert first.place == "terminal"


def test_a_terminal_shows_names_cut_short_and_a_text_whole(desktop: Desktop) -> None:
    matter = Matter("local", "archive_patient", "{}", "patients/1", "facts")
    shown = replace(seen("first\n" + "p" * 9_000, "t" * 500), keep="k" * 500)
    asked = desktop.questions.create(matter, shown, "h" * 500)
    assert desktop.questions.show(asked)
    desktop.start()
    (server,) = local_ipc.servers(desktop.folder, lambda: secrets.token_hex(8))
    (waiting,) = server.waiting()
    assert [len(text) for text in (waiting.title, waiting.act, waiting.keep, waiting.program)] == [200, 100, 100, 60]
    assert f"\n    first\n    {'p' * 9_000}\n" in waiting.preview
    assert waiting.seconds == 600


def test_a_terminal_needs_the_pin_too(desktop: Desktop) -> None:
    desktop.pin.set("4711")
    asked = desktop.ask()
    desktop.start()
    (server,) = local_ipc.servers(desktop.folder, lambda: "n")
    assert server.waiting()[0].needs_pin
    assert server.decide(asked.question.challenge, Answer.APPROVE) is Outcome.WRONG
    assert server.decide(asked.question.challenge, Answer.APPROVE, "4711") is Outcome.APPROVED


def word(desktop: Desktop) -> dict[str, str]:
    (path,) = (desktop.folder / "approvals").iterdir()
    return json.loads(path.read_text())


@pytest.mark.parametrize("proof", ["", "0" * 64, "server", "ünï"])
def test_a_terminal_without_the_secret_is_turned_away(desktop: Desktop, proof: str) -> None:
    asked = desktop.ask()
    desktop.start()
    body = json.dumps({"nonce": "n", "do": "decide", "question": asked.question.challenge, "answer": "approve"})
    if proof == "server":
        proof = local_ipc.proof(word(desktop)["secret"], "server n", body.encode())
    headers = {"X-Proof": proof.encode().decode("latin-1"), "Content-Type": "application/json"}
    response, _ = desktop.visit("POST", "/terminal", body, headers)
    assert response.status == 404
    assert desktop.verdict(asked) == "none"


def test_a_web_page_cannot_pass_for_a_terminal(desktop: Desktop) -> None:
    asked = desktop.ask()
    desktop.start()
    body = json.dumps({"nonce": "n", "do": "decide", "question": asked.question.challenge, "answer": "approve"})
    proof = local_ipc.proof(word(desktop)["secret"], "terminal", body.encode())
    assert desktop.visit("POST", "/terminal", body, {"X-Proof": proof, "Origin": desktop.origin})[0].status == 404
    assert desktop.verdict(asked) == "none"
    assert desktop.visit("POST", "/terminal", body, {"X-Proof": proof})[0].status == 200
    assert desktop.verdict(asked) == "yes"


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"nonce": 1}', '{"nonce": 1, "do": "decide"}', "x"])
def test_a_terminal_that_makes_no_sense_is_turned_away(desktop: Desktop, body: str) -> None:
    desktop.start()
    headers = {"X-Proof": local_ipc.proof(word(desktop)["secret"], "terminal", body.encode())}
    assert desktop.visit("POST", "/terminal", body, headers)[0].status == 404


@pytest.mark.parametrize("approve", [1, True, "true", "APPROVE", None, ["approve"]])
def test_only_the_word_itself_is_a_yes_at_a_terminal(desktop: Desktop, approve: object) -> None:
    asked = desktop.ask()
    desktop.start()
    body = json.dumps({"nonce": "n", "do": "decide", "question": asked.question.challenge, "answer": approve})
    headers = {"X-Proof": local_ipc.proof(word(desktop)["secret"], "terminal", body.encode())}
    desktop.visit("POST", "/terminal", body, headers)
    assert desktop.verdict(asked) != "yes"


def test_a_program_that_took_over_a_stale_port_gets_neither_answer_nor_pin(desktop: Desktop, tmp_path: Path) -> None:
    desktop.ask()
    desktop.start()
    port = int(desktop.origin.rpartition(":")[2])
    impostor = local_ipc.Server(port, "another secret", lambda: "n")
    with pytest.raises(OSError):
        impostor.waiting()
    (path,) = (desktop.folder / "approvals").iterdir()
    path.write_text(json.dumps({"port": port, "secret": "another secret"}))
    assert list(local_ipc.servers(desktop.folder, lambda: "n")) == []
    assert not path.exists()


@pytest.mark.long
def test_a_port_that_something_else_has_taken_is_no_server(tmp_path: Path) -> None:
    import gc
    import socket
    import threading

    with socket.create_server(("127.0.0.1", 0)) as other:
        word = local_ipc.announce(tmp_path, "stale", other.getsockname()[1], "secret")

        def answer() -> None:
            connection, _ = other.accept()
            with connection:
                connection.recv(10_000)
                connection.sendall(b"220 mail.example ESMTP\r\n\r\n")

        answering = threading.Thread(target=answer)
        answering.start()
        assert list(local_ipc.servers(tmp_path, lambda: secrets.token_hex(8))) == []
        answering.join()
    assert not word.exists()
    gc.collect()  # a connection that nobody closed would warn


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"port": "x", "secret": ""}', '{"port": 1, "secret": "x"}'])
def test_stale_and_broken_word_is_cleared_away(tmp_path: Path, content: str) -> None:
    from cliniko_mcp.private_files import private_folder, write_private

    path = private_folder(private_folder(tmp_path / "s") / "approvals") / "x.json"
    write_private(path, content)
    assert list(local_ipc.servers(tmp_path / "s", lambda: "n")) == []
    assert not path.exists()
    assert list(local_ipc.servers(tmp_path / "nothing", lambda: "n")) == []


def test_word_that_cannot_be_cleared_away_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "approvals" / "a folder.json").mkdir(parents=True)
    assert list(local_ipc.servers(tmp_path, lambda: "nonce")) == []


@pytest.mark.skipif(os.name != "posix", reason="file modes are a Unix matter")
def test_a_folder_that_others_could_write_to_is_closed_to_them(tmp_path: Path) -> None:
    (tmp_path / "approvals").mkdir()
    (tmp_path / "approvals").chmod(0o777)
    assert list(local_ipc.servers(tmp_path, lambda: "nonce")) == []
    assert (tmp_path / "approvals").stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.name != "posix", reason="file modes are a Unix matter")
def test_word_that_others_could_have_left_is_not_believed(desktop: Desktop) -> None:
    desktop.ask()
    desktop.start()
    (path,) = (desktop.folder / "approvals").iterdir()
    path.chmod(0o644)
    assert list(local_ipc.servers(desktop.folder, lambda: "n")) == []


def test_without_a_place_to_leave_word_the_page_works_and_does_not_promise_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file in the way")
    desktop = Desktop(tmp_path / "state")
    try:
        said = desktop.page.invite()
        assert "terminal" not in said
        assert desktop.visit("GET", desktop.path)[0].status == 200
    finally:
        desktop.page.close()


def test_a_server_that_is_there_and_silent_keeps_its_announcement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    monkeypatch.setattr(local_ipc, "_TIMEOUT_SECONDS", 0.05)
    silent: list[None] = []
    with socket.create_server(("127.0.0.1", 0)) as suspended:
        word = local_ipc.announce(tmp_path, "suspended", suspended.getsockname()[1], "secret")
        assert list(local_ipc.servers(tmp_path, lambda: "n", lambda: silent.append(None))) == []
    assert word.exists() and silent == [None]
    assert list(local_ipc.servers(tmp_path, lambda: "n")) == []
    assert not word.exists()


def test_a_terminal_hears_how_a_question_ended_and_sees_what_can_be_undone(desktop: Desktop) -> None:
    used, unused, denied = (desktop.ask(name) for name in ("T1", "T2", "T3"))
    desktop.start()
    (server,) = local_ipc.servers(desktop.folder, lambda: secrets.token_hex(8))
    for pending, answer in ((used, Answer.APPROVE), (unused, Answer.APPROVE), (denied, Answer.DENY)):
        server.decide(pending.question.challenge, answer)
    assert server.story(used.question.challenge) == ("Approved. It is about to be carried out.", False)
    desktop.questions.start(used, "terminal")
    desktop.questions.finish(used, "done")
    assert server.story(used.question.challenge) == ("Archived at 1:00 am. You can close this page.", True)
    assert server.story("unknown") == ("", True)
    assert [row.challenge for row in server.waiting("unused")] == [unused.question.challenge]
    assert [row.challenge for row in server.waiting("denied")] == [denied.question.challenge]
    assert server.decide(unused.question.challenge, Answer.WITHDRAW) is Outcome.WITHDRAWN
    assert server.decide(denied.question.challenge, Answer.REOPEN) is Outcome.REOPENED
