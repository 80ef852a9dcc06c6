"""The approval page, the PIN, and the meeting point with `cliniko-mcp approve`, over real local connections."""

import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import urlencode

import pytest

from cliniko_mcp.guardrails import meeting, peer
from cliniko_mcp.guardrails.decision import Decisions, Outcome
from cliniko_mcp.guardrails.page import ApprovalPage
from cliniko_mcp.guardrails.pin import PAUSE, TRIES, Checked, Pin
from cliniko_mcp.guardrails.questions import Asked, Matter, Questions

from .house import Clock


class Wall:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Desktop:
    """A server's page, and the browser that was sent there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.wall = Wall()
        self.questions = Questions(self.clock, lambda: secrets.token_hex(8))
        self.pin = Pin(folder, self.wall)
        self.opened: list[str] = []
        self.page = ApprovalPage(
            Decisions(self.questions, self.pin),
            folder=folder,
            now=lambda: self.clock().timestamp(),
            token=lambda: secrets.token_urlsafe(32),
            open_browser=self.opened.append,
        )

    def ask(self, preview: str = "Archive patient Ana Lima.", program: str = "Host") -> Asked:
        matter = Matter("local", "archive_patient", preview, "patients/1", preview)
        asked = self.questions.mint(matter, "Archive patient?", preview, program)
        assert self.questions.show(asked)
        return asked

    def start(self) -> str:
        self.page.invite()
        return self.opened[0]

    def visit(
        self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
    ) -> tuple[HTTPResponse, str]:
        host = self.opened[0].split("/")[2]
        connection = HTTPConnection(host, timeout=5)
        connection.putrequest(method, path, skip_host=True)
        sent = {"Host": host, **(headers or {})}
        if body is not None:
            sent.setdefault("Content-Length", str(len(body)))
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        for name, value in sent.items():
            if value:
                connection.putheader(name, value)
        connection.endheaders(body.encode() if body is not None else None)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return response, text

    @property
    def path(self) -> str:
        return "/" + self.opened[0].split("/", 3)[3]

    @property
    def origin(self) -> str:
        return "/".join(self.opened[0].split("/")[:3])

    def send(self, asked: Asked, decision: str = "approve", **changes: str) -> tuple[int, str]:
        """Send the form as a browser does, with these fields or headers changed."""
        csrf = re.findall(r'name=csrf value="([^"]+)"', self.visit("GET", self.path)[1])[0]
        headers = {"Origin": self.origin}
        headers |= {name.replace("_", "-"): value for name, value in changes.items() if name[0].isupper()}
        fields = {"csrf": csrf, "question": asked.question.challenge, "decision": decision}
        fields |= {name: value for name, value in changes.items() if name[0].islower()}
        response, _ = self.visit("POST", self.path, urlencode(fields), headers)
        return response.status, response.getheader("Location", "").rpartition("=")[2]

    def verdict(self, asked: Asked) -> str:
        return asked.verdict.value


@pytest.fixture
def desktop(tmp_path: Path) -> Iterator[Desktop]:
    desktop = Desktop(tmp_path / "state")
    yield desktop
    desktop.page.close()


def test_nothing_listens_before_the_first_question_or_after_the_end(desktop: Desktop) -> None:
    assert not desktop.folder.exists()
    desktop.page.close()
    desktop.start()
    assert len(list((desktop.folder / "approvals").iterdir())) == 1
    host = desktop.opened[0].split("/")[2]
    desktop.page.close()
    assert list((desktop.folder / "approvals").iterdir()) == []
    with pytest.raises(ConnectionRefusedError):
        HTTPConnection(host, timeout=5).connect()


def test_a_page_that_nobody_closed_does_not_keep_the_program_alive(desktop: Desktop) -> None:
    import threading

    desktop.start()
    (serving,) = [thread for thread in threading.enumerate() if thread.name == "approval-page"]
    assert serving.daemon


def test_the_address_is_local_and_has_256_random_bits(desktop: Desktop) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[A-Za-z0-9_-]{43}", desktop.start())


def test_the_address_goes_to_the_browser_alone(desktop: Desktop, capfd: pytest.CaptureFixture[str]) -> None:
    said = desktop.page.invite()
    desktop.visit("GET", desktop.path)
    desktop.visit("GET", "/elsewhere")
    desktop.visit("BREW", "/")
    out, err = capfd.readouterr()
    kept = "".join(path.read_text() for path in (desktop.folder / "approvals").iterdir())
    for place in (said, out, err, kept):
        assert desktop.path.strip("/") not in place
        assert "127.0.0.1" not in place
    assert (out, err) == ("", "")


def test_the_page_shows_every_question_and_who_asks(desktop: Desktop) -> None:
    desktop.ask("Archive patient Ana Lima.", "Claude Desktop")
    desktop.ask("Delete tax GST.")
    desktop.start()
    response, text = desktop.visit("GET", desktop.path)
    assert response.status == 200
    assert "2 questions for you" in text
    assert text.index("Archive patient Ana Lima.") < text.index("Delete tax GST.")
    assert "Asked through Claude Desktop." in text
    assert "Open for 10 more minutes." in text


def test_what_is_shown_cannot_become_markup(desktop: Desktop) -> None:
    desktop.ask("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>')
    desktop.start()
    text = desktop.visit("GET", desktop.path)[1]
    assert "<script>alert" not in text
    assert "<img" not in text


def test_the_answer_says_of_the_program_no_more_than_its_name(desktop: Desktop) -> None:
    desktop.start()
    assert desktop.visit("GET", desktop.path)[0].getheader("Server") == "cliniko-mcp"


def test_the_answer_forbids_everything_from_outside(desktop: Desktop) -> None:
    desktop.ask()
    desktop.start()
    response, text = desktop.visit("GET", desktop.path)
    policy = response.getheader("Content-Security-Policy", "")
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert response.getheader("X-Frame-Options") == "DENY"
    assert response.getheader("Cache-Control") == "no-store"
    assert response.getheader("Referrer-Policy") == "same-origin"
    assert "http" not in re.sub(r"charset.*?>", "", text)
    nonces = set(re.findall(r"nonce-([\w-]+)", policy))
    assert nonces == set(re.findall(r'nonce="([\w-]+)"', text))
    again = desktop.visit("GET", desktop.path)[0].getheader("Content-Security-Policy", "")
    assert nonces.isdisjoint(re.findall(r"nonce-([\w-]+)", again))


@pytest.mark.parametrize(("decision", "verdict", "outcome"), [("approve", "yes", "APPROVED"), ("deny", "no", "DENIED")])
def test_a_person_approves_or_denies(desktop: Desktop, decision: str, verdict: str, outcome: str) -> None:
    asked = desktop.ask()
    desktop.start()
    assert desktop.send(asked, decision) == (303, outcome)
    assert desktop.verdict(asked) == verdict
    assert asked.place == "page"
    response, text = desktop.visit("GET", f"{desktop.path}?said={outcome}")
    assert response.status == 200
    assert Outcome[outcome].value.partition(". ")[2] in text
    assert f">{outcome.capitalize()}</h1>" in text


def test_after_an_answer_other_questions_are_a_click_away_and_not_under_the_pointer(desktop: Desktop) -> None:
    asked = desktop.ask()
    desktop.ask("Delete tax GST.")
    desktop.start()
    desktop.send(asked)
    text = desktop.visit("GET", f"{desktop.path}?said=APPROVED")[1]
    assert "<button" not in text
    assert "See the question that is waiting" in text


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Host": "localhost"}, 403),
        ({"Host": ""}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"csrf": "x"}, 403),
        ({"csrf": ""}, 403),
        ({"decision": "maybe"}, 400),
        ({"decision": ""}, 400),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": "multipart/form-data"}, 415),
        ({"Content_Length": "999999999"}, 413),
        ({"Content_Length": "8193"}, 413),
        ({"Content_Length": "-1"}, 413),
    ],
)
def test_an_answer_from_anywhere_else_is_refused(desktop: Desktop, changes: dict[str, str], status: int) -> None:
    asked = desktop.ask()
    desktop.start()
    assert desktop.send(asked, **changes)[0] == status
    assert desktop.verdict(asked) == "none"
    assert desktop.send(asked) == (303, "APPROVED")


def test_another_path_another_host_or_another_site_sees_nothing(desktop: Desktop) -> None:
    desktop.ask()
    desktop.start()
    for path in ("/", "/favicon.ico", desktop.path[:-1], desktop.path + "x", "/terminal", f"{desktop.path}/"):
        response, text = desktop.visit("GET", path)
        assert (response.status, text) == (404, "404\n"), path
    for headers in (
        {"Host": "evil.example"},
        {"Host": f"localhost:{desktop.origin.rpartition(':')[2]}"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        for path in (desktop.path, f"{desktop.path}/state"):
            response, text = desktop.visit("GET", path, headers=headers)
            assert (response.status, text) == (403, "403\n")
    assert desktop.visit("GET", desktop.path, headers={"Sec-Fetch-Site": "same-origin"})[0].status == 200
    assert desktop.visit("PUT", desktop.path)[0].status == 501


@pytest.mark.parametrize("length", ["8193", "9" * 5_000, "-1", "1e3", "", "²"])
def test_a_length_that_is_too_much_or_none_is_refused(desktop: Desktop, length: str) -> None:
    desktop.start()
    headers = {"Content-Length": length, "Origin": desktop.origin}
    assert desktop.visit("POST", desktop.path, "", headers)[0].status == 413


@pytest.mark.parametrize(
    ("more", "status"),
    [("&a=1" * 7, 303), ("&a=1" * 8, 400), ("&decision=", 400), ("\u00e9", 400)],
    ids=["ten fields", "eleven fields", "one twice though empty", "not ASCII"],
)
def test_an_answer_has_at_most_ten_fields_each_once(desktop: Desktop, more: str, status: int) -> None:
    asked = desktop.ask()
    desktop.start()
    csrf = re.findall(r'name=csrf value="([^"]+)"', desktop.visit("GET", desktop.path)[1])[0]
    body = urlencode({"csrf": csrf, "question": asked.question.challenge, "decision": "deny"}) + more
    headers = {"Origin": desktop.origin, "Content-Length": str(len(body.encode()))}
    assert desktop.visit("POST", desktop.path, body, headers)[0].status == status


def test_the_longest_answer_is_read(desktop: Desktop) -> None:
    desktop.start()
    response, _ = desktop.visit("POST", desktop.path, "x" * 8_192, {"Origin": desktop.origin})
    assert response.status == 403


def test_a_field_given_twice_counts_as_not_given(desktop: Desktop) -> None:
    asked = desktop.ask()
    desktop.start()
    csrf = re.findall(r'name=csrf value="([^"]+)"', desktop.visit("GET", desktop.path)[1])[0]
    fields = [("csrf", csrf), ("question", asked.question.challenge), ("decision", "deny"), ("decision", "approve")]
    response, _ = desktop.visit("POST", desktop.path, urlencode(fields), {"Origin": desktop.origin})
    assert response.status == 400
    assert desktop.verdict(asked) == "none"


def test_an_answer_counts_once_and_only_while_the_question_is_open(desktop: Desktop) -> None:
    asked, late = desktop.ask(), desktop.ask("Delete tax GST.")
    other = desktop.ask("Something else.")
    desktop.start()
    assert desktop.send(asked)[1] == "APPROVED"
    assert desktop.send(asked, "deny")[1] == "GONE"
    assert desktop.verdict(asked) == "yes"
    desktop.clock.pass_(minutes=9)
    newer = desktop.ask("Still open.")
    desktop.clock.pass_(minutes=1)
    assert desktop.send(late)[1] == "GONE"
    assert desktop.verdict(late) == desktop.verdict(other) == "none"
    assert desktop.send(newer)[1] == "APPROVED"


def test_the_browser_is_sent_once_more_only_when_nobody_is_looking(desktop: Desktop) -> None:
    desktop.start()
    desktop.page.invite()
    assert len(desktop.opened) == 2
    response, text = desktop.visit("GET", f"{desktop.path}/state")
    assert response.status == 200
    assert "mark" in json.loads(text)
    desktop.page.invite()
    assert len(set(desktop.opened)) == 1
    assert len(desktop.opened) == 2


def test_the_state_changes_with_the_list_of_questions(desktop: Desktop) -> None:
    desktop.start()
    empty = desktop.visit("GET", f"{desktop.path}/state")[1]
    desktop.ask()
    assert desktop.visit("GET", f"{desktop.path}/state")[1] != empty
    text = desktop.visit("GET", desktop.path)[1]
    assert json.loads(desktop.visit("GET", f"{desktop.path}/state")[1])["mark"] in text


def test_with_a_pin_a_yes_needs_it_and_a_no_does_not(desktop: Desktop) -> None:
    desktop.pin.set("4711")
    asked, other = desktop.ask(), desktop.ask("Delete tax GST.")
    desktop.start()
    assert "type=password" in desktop.visit("GET", desktop.path)[1]
    assert desktop.send(asked)[1] == "WRONG"
    assert desktop.send(asked, pin="4712")[1] == "WRONG"
    assert desktop.verdict(asked) == "none"
    assert desktop.send(asked, pin="4711")[1] == "APPROVED"
    assert desktop.send(other, "deny")[1] == "DENIED"


def test_a_question_that_ends_while_the_pin_is_checked_is_gone(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    desktop.pin.set("4711")
    asked = desktop.ask()

    def check(typed: str) -> Checked:
        desktop.clock.pass_(minutes=10)
        return Checked.RIGHT

    monkeypatch.setattr(desktop.pin, "check", check)
    decisions = Decisions(desktop.questions, desktop.pin)
    assert decisions.decide(asked.question.challenge, True, "4711", "page") is Outcome.GONE
    assert desktop.verdict(asked) == "none"


def test_five_wrong_pins_lock_it_for_a_while_even_for_the_right_one(desktop: Desktop) -> None:
    desktop.pin.set("4711")
    asked = desktop.ask()
    desktop.start()
    answers = [desktop.send(asked, pin="0000")[1] for _ in range(TRIES)]
    assert answers == ["WRONG"] * (TRIES - 1) + ["LOCKED"]
    assert desktop.send(asked, pin="4711")[1] == "LOCKED"
    desktop.wall.now += PAUSE - 1
    assert desktop.send(asked, pin="4711")[1] == "LOCKED"
    desktop.wall.now += 1
    assert desktop.send(asked, pin="4711")[1] == "APPROVED"


def test_wrong_pins_are_counted_across_servers_and_forgotten_after_a_right_one(tmp_path: Path) -> None:
    wall = Wall()
    Pin(tmp_path, wall).set("4711")
    for _ in range(TRIES - 1):
        assert Pin(tmp_path, wall).check("x") is Checked.WRONG
    assert Pin(tmp_path, wall).check("4711") is Checked.RIGHT
    for _ in range(TRIES - 1):
        assert Pin(tmp_path, wall).check("x") is Checked.WRONG
    assert Pin(tmp_path, wall).check("x") is Checked.LOCKED
    assert Pin(tmp_path, wall).check("4711") is Checked.LOCKED
    wall.now += PAUSE
    again = [Pin(tmp_path, wall).check("x") for _ in range(TRIES)]
    assert again == [Checked.WRONG] * (TRIES - 1) + [Checked.LOCKED]


def test_no_pin_is_tried_on_a_question_that_is_not_open(desktop: Desktop) -> None:
    desktop.pin.set("4711")
    decisions = Decisions(desktop.questions, desktop.pin)
    for _ in range(TRIES + 1):
        assert decisions.decide("0" * 64, True, "0000", "page") is Outcome.GONE
    assert desktop.pin.check("4711") is Checked.RIGHT


def test_a_pin_is_kept_as_a_salted_hash_for_its_owner_only(tmp_path: Path) -> None:
    pin = Pin(tmp_path / "state", Wall())
    assert not pin.is_set
    pin.set("471142")
    first = (tmp_path / "state" / "pin.json").read_text()
    pin.set("471142")
    second = (tmp_path / "state" / "pin.json").read_text()
    assert "471142" not in first
    assert json.loads(first)["hash"] != json.loads(second)["hash"]
    if os.name == "posix":
        assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in (tmp_path / "state").iterdir()} == {0o600}


@pytest.mark.parametrize("pin", ["", "123", "1" * 65])
def test_a_pin_has_a_sensible_length(tmp_path: Path, pin: str) -> None:
    with pytest.raises(ValueError, match="4 to 64"):
        Pin(tmp_path, Wall()).set(pin)


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", "nonsense", '{"salt": 1, "hash": 2, "failed": 0, "locked_until": 0}']
)
def test_a_pin_file_that_cannot_be_read_lets_nothing_pass(tmp_path: Path, content: str) -> None:
    pin = Pin(tmp_path, Wall())
    pin.set("4711")
    (tmp_path / "pin.json").write_text(content)
    assert pin.is_set
    assert pin.check("4711") is Checked.BROKEN


@pytest.mark.skipif(os.name != "posix", reason="file modes are a Unix matter")
def test_a_pin_file_that_others_can_write_is_not_trusted(tmp_path: Path) -> None:
    pin = Pin(tmp_path, Wall())
    pin.set("4711")
    (tmp_path / "pin.json").chmod(0o666)
    assert pin.check("4711") is Checked.BROKEN


def test_a_terminal_finds_the_questions_of_every_server_and_answers_them(desktop: Desktop, tmp_path: Path) -> None:
    other = Desktop(desktop.folder)
    first, second = desktop.ask(), other.ask("Delete tax GST.\u202e")
    desktop.start()
    other.start()
    try:
        found = list(meeting.servers(desktop.folder, lambda: secrets.token_hex(8)))
        shown = {each.waiting()[0].preview: (each, each.waiting()[0]) for each in found}
        assert set(shown) == {"Archive patient Ana Lima.", "Delete tax GST."}
        server, waiting = shown["Archive patient Ana Lima."]
        assert (waiting.title, waiting.program, waiting.seconds, waiting.needs_pin) == (
            "Archive patient?",
            "Host",
            600,
            False,
        )
        assert server.decide(waiting.challenge, True) is Outcome.APPROVED
        server, waiting = shown["Delete tax GST."]
        assert server.decide(waiting.challenge, False) is Outcome.DENIED
        assert server.decide(waiting.challenge, True) is Outcome.GONE
    finally:
        other.page.close()
    assert (desktop.verdict(first), desktop.verdict(second)) == ("yes", "no")
    assert first.place == "terminal"


def test_a_terminal_shows_no_more_than_a_person_can_read(desktop: Desktop) -> None:
    matter = Matter("local", "archive_patient", "{}", "patients/1", "facts")
    asked = desktop.questions.mint(matter, "t" * 500, "p" * 9_000, "h" * 500)
    assert desktop.questions.show(asked)
    desktop.start()
    (server,) = meeting.servers(desktop.folder, lambda: secrets.token_hex(8))
    (waiting,) = server.waiting()
    assert [len(text) for text in (waiting.title, waiting.preview, waiting.program)] == [200, 4_000, 60]
    assert waiting.seconds == 600


def test_a_terminal_needs_the_pin_too(desktop: Desktop) -> None:
    desktop.pin.set("4711")
    asked = desktop.ask()
    desktop.start()
    (server,) = meeting.servers(desktop.folder, lambda: "n")
    assert server.waiting()[0].needs_pin
    assert server.decide(asked.question.challenge, True) is Outcome.WRONG
    assert server.decide(asked.question.challenge, True, "4711") is Outcome.APPROVED


def word(desktop: Desktop) -> dict[str, str]:
    (path,) = (desktop.folder / "approvals").iterdir()
    return json.loads(path.read_text())


@pytest.mark.parametrize("proof", ["", "0" * 64, "server", "ünï"])
def test_a_terminal_without_the_secret_is_turned_away(desktop: Desktop, proof: str) -> None:
    asked = desktop.ask()
    desktop.start()
    body = json.dumps({"nonce": "n", "do": "decide", "question": asked.question.challenge, "approve": True})
    if proof == "server":
        proof = meeting.proof(word(desktop)["secret"], "server n", body.encode())
    headers = {"X-Proof": proof.encode().decode("latin-1"), "Content-Type": "application/json"}
    response, _ = desktop.visit("POST", "/terminal", body, headers)
    assert response.status == 404
    assert desktop.verdict(asked) == "none"


def test_a_web_page_cannot_pass_for_a_terminal(desktop: Desktop) -> None:
    asked = desktop.ask()
    desktop.start()
    body = json.dumps({"nonce": "n", "do": "decide", "question": asked.question.challenge, "approve": True})
    proof = meeting.proof(word(desktop)["secret"], "terminal", body.encode())
    assert desktop.visit("POST", "/terminal", body, {"X-Proof": proof, "Origin": desktop.origin})[0].status == 404
    assert desktop.verdict(asked) == "none"
    assert desktop.visit("POST", "/terminal", body, {"X-Proof": proof})[0].status == 200
    assert desktop.verdict(asked) == "yes"


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"nonce": 1}', '{"nonce": 1, "do": "decide"}', "x"])
def test_a_terminal_that_makes_no_sense_is_turned_away(desktop: Desktop, body: str) -> None:
    desktop.start()
    headers = {"X-Proof": meeting.proof(word(desktop)["secret"], "terminal", body.encode())}
    assert desktop.visit("POST", "/terminal", body, headers)[0].status == 404


@pytest.mark.parametrize("approve", [1, "true", None, [True]])
def test_only_true_is_a_yes_at_a_terminal(desktop: Desktop, approve: object) -> None:
    asked = desktop.ask()
    desktop.start()
    body = json.dumps({"nonce": "n", "do": "decide", "question": asked.question.challenge, "approve": approve})
    headers = {"X-Proof": meeting.proof(word(desktop)["secret"], "terminal", body.encode())}
    desktop.visit("POST", "/terminal", body, headers)
    assert desktop.verdict(asked) != "yes"


def test_a_program_that_took_over_a_stale_port_gets_neither_answer_nor_pin(desktop: Desktop, tmp_path: Path) -> None:
    desktop.ask()
    desktop.start()
    port = int(desktop.origin.rpartition(":")[2])
    impostor = meeting.Server(port, "another secret", lambda: "n")
    with pytest.raises(OSError):
        impostor.waiting()
    (path,) = (desktop.folder / "approvals").iterdir()
    path.write_text(json.dumps({"port": port, "secret": "another secret"}))
    assert list(meeting.servers(desktop.folder, lambda: "n")) == []
    assert not path.exists()


def test_a_port_that_something_else_has_taken_is_no_server(tmp_path: Path) -> None:
    import gc
    import socket
    import threading

    with socket.create_server(("127.0.0.1", 0)) as other:
        word = meeting.announce(tmp_path, "stale", other.getsockname()[1], "secret")

        def answer() -> None:
            connection, _ = other.accept()
            with connection:
                connection.recv(10_000)
                connection.sendall(b"220 mail.example ESMTP\r\n\r\n")

        answering = threading.Thread(target=answer)
        answering.start()
        assert list(meeting.servers(tmp_path, lambda: secrets.token_hex(8))) == []
        answering.join()
    assert not word.exists()
    gc.collect()  # a connection that nobody closed would warn


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"port": "x", "secret": ""}', '{"port": 1, "secret": "x"}'])
def test_stale_and_broken_word_is_cleared_away(tmp_path: Path, content: str) -> None:
    from cliniko_mcp.private import private_folder, write_private

    path = private_folder(private_folder(tmp_path / "s") / "approvals") / "x.json"
    write_private(path, content)
    assert list(meeting.servers(tmp_path / "s", lambda: "n")) == []
    assert not path.exists()
    assert list(meeting.servers(tmp_path / "nothing", lambda: "n")) == []


def test_word_that_cannot_be_cleared_away_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "approvals" / "a folder.json").mkdir(parents=True)
    assert list(meeting.servers(tmp_path, lambda: "nonce")) == []


@pytest.mark.skipif(os.name != "posix", reason="file modes are a Unix matter")
def test_a_folder_that_others_could_write_to_is_closed_to_them(tmp_path: Path) -> None:
    (tmp_path / "approvals").mkdir()
    (tmp_path / "approvals").chmod(0o777)
    assert list(meeting.servers(tmp_path, lambda: "nonce")) == []
    assert (tmp_path / "approvals").stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.name != "posix", reason="file modes are a Unix matter")
def test_word_that_others_could_have_left_is_not_believed(desktop: Desktop) -> None:
    desktop.ask()
    desktop.start()
    (path,) = (desktop.folder / "approvals").iterdir()
    path.chmod(0o644)
    assert list(meeting.servers(desktop.folder, lambda: "n")) == []


def test_a_page_that_cannot_start_says_so_and_tries_again(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    from cliniko_mcp.guardrails import page

    def taken(*_: object) -> None:
        raise OSError(98, "Address already in use")

    with monkeypatch.context() as patched:
        patched.setattr(page, "_Site", taken)
        assert "could not be started" in desktop.page.invite()
    assert desktop.opened == []
    assert "web browser" in desktop.page.invite()
    assert len(desktop.opened) == 1


def test_without_a_place_to_leave_word_the_page_works_and_does_not_promise_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file in the way")
    desktop = Desktop(tmp_path / "state")
    try:
        said = desktop.page.invite()
        assert "terminal" not in said
        assert desktop.visit("GET", desktop.path)[0].status == 200
    finally:
        desktop.page.close()


TABLE = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   2: 0100007F:C350 0100007F:1F91 01 00000000:00000000 00:00000000 00000000     77777        0 2
   7: 0100007F:1F91 0100007F:C354 01 00000000:00000000 00:00000000 00000000     77777        0 2
   0: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     {own}        0 1
   1: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     {peer}        0 2
   3: 0200007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     {other}        0 2
   4: 0100007F:1F90 0100007F:C352 01 00000000:00000000 00:00000000 00000000     {own}        0 2
   5: 0100007F:C356 0100007F:1F90 01 cut off too
   6: 0100007F:C357 0100007F:1F90 01 00000000:00000000 00:00000000 00000000
"""
MAPPED = """  sl  local_address                         remote_address                        st and so on
   0: 0000000000000000FFFF00000100007F:C353 0000000000000000FFFF00000100007F:1F90 01 0:0 0:0 0 {peer}
"""


@pytest.mark.skipif(sys.platform != "linux" or sys.byteorder != "little", reason="as Linux writes it here")
def test_the_program_of_another_user_is_foreign(tmp_path: Path) -> None:
    tables, mine = (tmp_path / "tcp", tmp_path / "tcp6"), os.geteuid()

    def told(own: int, peer: int, other: int) -> None:
        tables[0].write_text(TABLE.format(own=own, peer=peer, other=other))
        tables[1].write_text(MAPPED.format(peer=peer))

    def foreign(port: int, address: str = "127.0.0.1") -> bool:
        return peer.is_foreign((address, port), 0x1F90, tables)

    told(own=mine, peer=mine + 1, other=mine)
    assert foreign(0xC350) and foreign(0xC353)
    assert not foreign(0xC350, "127.0.0.2")
    told(own=mine + 1, peer=mine, other=mine + 1)
    assert not foreign(0xC350) and not foreign(0xC353)
    assert foreign(0xC350, "127.0.0.2")
    # Nothing is told of the first two; of the third only our own end.
    assert not foreign(0xC351) and not foreign(0xC354) and foreign(0xC352)
    tables[0].unlink()
    assert not foreign(0xC350) and not foreign(0xC353)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says whose a connection is")
@pytest.mark.parametrize("way", ["plain", "from another loopback address", "through IPv6"])
@pytest.mark.parametrize("user", ["the same", "another"])
def test_a_program_is_told_by_its_user_however_it_connects(desktop: Desktop, way: str, user: str) -> None:
    if user == "another" and os.geteuid() != 0:
        pytest.skip("becoming another user needs root")
    desktop.start()
    program = [sys.executable, "-I", "-c", VISITOR, way, user, desktop.origin.rpartition(":")[2], desktop.path]
    ran = subprocess.run(program, capture_output=True, text=True, check=True)
    if ran.stdout.strip() == "no IPv6":
        pytest.skip("this computer has no IPv6")
    assert ran.stdout.strip() == ("403" if user == "another" else "200")


VISITOR = """
import os, socket, sys
way, user, port, path = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
if user == "another":
    os.setuid(65534)
if way == "through IPv6":
    try:
        visit = socket.socket(socket.AF_INET6)
        visit.connect(("::ffff:127.0.0.1", port))
    except OSError:
        sys.exit(print("no IPv6"))
else:
    visit = socket.socket()
    visit.bind(("127.0.0.1" if way == "plain" else "127.0.0.2", 0))
    visit.connect(("127.0.0.1", port))
visit.sendall(f"GET {path} HTTP/1.1\\r\\nHost: 127.0.0.1:{port}\\r\\n\\r\\n".encode())
print(visit.recv(20).split()[1].decode())
"""


def test_a_foreign_program_is_refused(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    from cliniko_mcp.guardrails import page

    desktop.ask()
    desktop.start()
    monkeypatch.setattr(page, "is_foreign", lambda *_: True)
    assert desktop.visit("GET", desktop.path)[0].status == 403


def test_a_connection_that_says_nothing_ends_by_itself_and_is_not_talked_about(
    desktop: Desktop, capfd: pytest.CaptureFixture[str]
) -> None:
    import socket

    desktop.start()
    host, port = desktop.origin.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(b"\x00\xff garbage\r\n\r\n")
        connection.recv(1000)
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\n")
    assert desktop.visit("GET", desktop.path)[0].status == 200
    assert capfd.readouterr().err == ""
