"""The approval page, the PIN, and the meeting point with `cliniko-mcp approve`, over real local connections."""

import json
import re
from http.client import HTTPConnection
from urllib.parse import urlencode

import pytest

from cliniko_mcp.approvals.decisions import Outcome
from tests.approvals.desktop import PATIENT, Desktop


def test_nothing_listens_before_the_first_question_or_after_the_end(desktop: Desktop) -> None:
    assert not desktop.folder.exists()
    desktop.page.close()
    desktop.start()
    assert len(list((desktop.folder / "approvals").iterdir())) == 1
    host = desktop.opened[0].split("/")[2]
    desktop.page.close()
    assert list((desktop.folder / "approvals").iterdir()) == []
    with pytest.raises(ConnectionRefusedError):
        HTTPConnection(host, timeout=PATIENT).connect()
    assert desktop.page.invite().startswith("The question is on the approval page"), "it can be started again"
    assert desktop.opened[1] != desktop.opened[0]


def test_a_question_that_has_been_there_for_a_while_is_told_without_an_address(desktop: Desktop) -> None:
    asked = desktop.ask()
    assert desktop.page.again() == "The question is on the approval page already."
    assert desktop.page.address_of(asked.question) == "", "whoever has the address may answer"


def test_after_an_answer_the_page_tells_of_that_question_where_it_is_still_known(desktop: Desktop) -> None:
    asked = desktop.ask()
    desktop.start()
    places: list[str] = []
    for challenge in (asked.question.challenge, "unheard-of"):
        csrf = re.findall(r'name=csrf value="([^"]+)"', desktop.visit("GET", desktop.path)[1])[0]
        form = {"csrf": csrf, "question": challenge, "decision": "deny"}
        response, _ = desktop.visit("POST", desktop.path, urlencode(form), {"Origin": desktop.origin})
        places.append(response.getheader("Location", ""))
    assert places == [
        f"{desktop.path}?question={asked.question.challenge}&outcome=DENIED",
        f"{desktop.path}?outcome=GONE",
    ]


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
    desktop.ask("Ana Lima", "claude-ai")
    desktop.ask("Delete tax GST.")
    desktop.start()
    response, text = desktop.visit("GET", desktop.path)
    assert response.status == 200
    assert "2 questions for you" in text
    assert text.index("Ana Lima") < text.index("Delete tax GST.")
    assert "Claude Desktop asked at 1:00&nbsp;am" in text
    assert "10:00 left" in text


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
    assert "http" not in re.sub(r"charset.*?>|http://www.w3.org/2000/svg|http-equiv=refresh", "", text)
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
    response, text = desktop.visit("GET", f"{desktop.path}?outcome={outcome}")
    assert response.status == 200
    assert f">{outcome.capitalize()}</h1>" in text
    assert Outcome[outcome].value.partition(". ")[2] in text
    told = desktop.visit("GET", f"{desktop.path}?outcome={outcome}&question={asked.question.challenge}")[1]
    assert ("Approved" if verdict == "yes" else "Denied at 1:00 am") in told


def test_after_an_answer_other_questions_are_a_click_away_and_not_under_the_pointer(desktop: Desktop) -> None:
    asked = desktop.ask()
    desktop.ask("Delete tax GST.")
    desktop.start()
    desktop.send(asked)
    text = desktop.visit("GET", f"{desktop.path}?outcome=APPROVED")[1]
    assert "<button" not in text and "Delete tax GST." not in text
    assert "See the question that is waiting" in text


@pytest.mark.long_but_one
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


def test_a_page_that_cannot_start_says_so_and_tries_again(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    from cliniko_mcp.approvals import page

    def taken(*_: object) -> None:
        raise OSError(98, "Address already in use")

    with monkeypatch.context() as patched:
        patched.setattr(page, "_Site", taken)
        assert "could not be started" in desktop.page.invite()
    assert desktop.opened == []
    assert "web browser" in desktop.page.invite()
    assert len(desktop.opened) == 1


def test_a_connection_that_says_nothing_ends_by_itself_and_is_not_talked_about(
    desktop: Desktop, capfd: pytest.CaptureFixture[str]
) -> None:
    import socket

    desktop.start()
    host, port = desktop.origin.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=PATIENT) as connection:
        connection.sendall(b"\x00\xff garbage\r\n\r\n")
        connection.recv(1000)
    with socket.create_connection((host, int(port)), timeout=PATIENT) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\n")
    assert desktop.visit("GET", desktop.path)[0].status == 200
    assert capfd.readouterr().err == ""


def test_all_that_a_person_saw_are_denied_at_once_and_none_that_came_later(desktop: Desktop) -> None:
    asked = [desktop.ask(f"T{number}") for number in range(3)]
    desktop.start()
    csrf = re.findall(r'name=csrf value="([^"]+)"', desktop.visit("GET", desktop.path)[1])[0]
    every = " ".join(pending.question.challenge for pending in asked)
    later = desktop.ask("T3")
    desktop.send(asked[0], "deny")  # in another window
    fields = urlencode({"csrf": csrf, "question": every, "decision": "deny_all"})
    response, _ = desktop.visit("POST", desktop.path, fields, {"Origin": desktop.origin})
    assert (response.status, response.getheader("Location", "")) == (303, f"{desktop.path}?outcome=ALL_DENIED")
    assert [desktop.verdict(pending) for pending in (*asked, later)] == ["no", "no", "no", "none"]
    response, _ = desktop.visit("POST", desktop.path, fields, {"Origin": desktop.origin})
    assert response.getheader("Location", "").endswith("GONE")


def test_nothing_approves_several_at_once(desktop: Desktop) -> None:
    asked = [desktop.ask(f"T{number}") for number in range(2)]
    desktop.start()
    every = " ".join(pending.question.challenge for pending in asked)
    assert desktop.send(asked[0], "approve", question=every) == (303, "GONE")
    assert desktop.send(asked[0], "approve_all", question=every)[0] == 400
    assert [desktop.verdict(pending) for pending in asked] == ["none", "none"]


def test_a_yes_is_taken_back_while_it_is_not_used_and_a_no_is_lifted(desktop: Desktop) -> None:
    used, unused = desktop.ask("T1"), desktop.ask("T2")
    desktop.start()
    for pending in (used, unused):
        desktop.send(pending)
    assert desktop.visit("GET", desktop.path)[1].count("Take it back") == 2
    assert desktop.questions.start(used, "page")
    assert desktop.send(used, "withdraw") == (303, "USED")
    assert desktop.send(unused, "withdraw") == (303, "WITHDRAWN")
    assert not desktop.questions.start(unused, "page")
    assert desktop.questions.denied(unused.matter)
    assert desktop.send(unused, "reopen") == (303, "REOPENED")
    assert not desktop.questions.denied(unused.matter)
    assert desktop.questions.waiting() == [unused]
    assert desktop.send(unused, "reopen") == (303, "GONE")


def test_how_it_ended_is_on_the_page_as_soon_as_it_has_ended(desktop: Desktop) -> None:
    asked = desktop.ask()
    desktop.start()
    desktop.send(asked)
    where = f"{desktop.path}?question={asked.question.challenge}&outcome=APPROVED"
    marks = [desktop.visit("GET", f"{desktop.path}/state")[1]]
    assert "It is about to be carried out." in desktop.visit("GET", where)[1]
    desktop.questions.start(asked, "page")
    marks.append(desktop.visit("GET", f"{desktop.path}/state")[1])
    assert "It is being carried out now." in desktop.visit("GET", where)[1]
    desktop.questions.finish(asked, "done")
    marks.append(desktop.visit("GET", f"{desktop.path}/state")[1])
    assert "Archived at 1:00 am" in desktop.visit("GET", where)[1]
    assert "Archived at 1:00 am" in desktop.visit("GET", desktop.path)[1]
    assert len(set(marks)) >= 2
    desktop.clock.pass_(minutes=10)
    assert "Archived at" not in desktop.visit("GET", desktop.path)[1]
