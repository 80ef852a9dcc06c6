"""The built-in login in a real browser with scripts off: the answer reaches the program once, and nothing is refused on
the way, whether it goes to this computer, to a site that hands on to a program, or to a program's own scheme."""

import json
import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest

from tests.approvals.chromium import PATIENT, RETURN, TAB, Browser, Refused, browser, missing
from tests.identity.asking import CHALLENGE
from tests.journeys.test_builtin_login import served_login

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")
KEY = "demo-au1"
CLAUDE = "https://claude.ai/api/mcp/auth_callback"
CURSOR = "cursor://anysphere.cursor-mcp/oauth/callback"


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served_login(tmp_path_factory.mktemp("login")) as origin:
        yield origin


class Watched:
    """A window with scripts off, whose requests to sites outside are answered here and noted."""

    def __init__(self, window: Browser) -> None:
        self.window = window
        self.reached: list[str] = []
        self.navigations: list[str] = []
        self._note = window._note
        window._note = self.note
        window.do("Emulation.setScriptExecutionDisabled", value=True)
        window.do("Fetch.enable", patterns=[{"urlPattern": "https://claude.ai/*"}])

    def note(self, event: dict[str, Any]) -> None:
        params = event.get("params", {})
        if event.get("method") == "Fetch.requestPaused":
            self.reached.append(params["request"]["url"])
            headers = [{"name": "Location", "value": "claude://connected"}]
            answer = {"requestId": params["requestId"], "responseCode": 307, "responseHeaders": headers}
            message = {"id": 10**9, "method": "Fetch.fulfillRequest", "params": answer}
            message["sessionId"] = self.window._session
            # Not waited for: this is within the wait for another answer.
            os.write(self.window._writes, json.dumps(message).encode() + b"\0")
        if event.get("method") == "Page.frameRequestedNavigation":
            self.navigations.append(params["url"])
        self._note(event)

    def asked(self, script: str) -> Any:
        """What the page gives for this; None where it was just left for the next one."""
        try:
            return self.window.script(script)
        except Refused as gone:
            if "navigated" not in str(gone):
                raise
            return None

    def until(self, words: str) -> None:
        """Wait until the page says so."""
        give_up = time.monotonic() + PATIENT
        while time.monotonic() < give_up:
            if words in str(self.asked("document.body ? document.body.innerText : ''")):
                return
        raise AssertionError(f"the page never said {words}: {self.window.text()}")

    def log_in(self, origin: str, client: str, redirect: str) -> None:
        asked = {"response_type": "code", "client_id": client, "redirect_uri": redirect, "state": "s"}
        asked |= {"code_challenge": CHALLENGE, "code_challenge_method": "S256", "scope": "cliniko:read"}
        self.window.open(f"{origin}/authorize?{urlencode(asked)}")
        self.until("Your Cliniko API key")
        assert self.window.focused() == "INPUT"
        self.window.press(KEY + RETURN)
        self.until("Is this right?")
        self.window.press(TAB + RETURN)


@pytest.fixture
def watched() -> Iterator[Watched]:
    with browser() as window:
        yield Watched(window)


def program(origin: str, *redirects: str) -> str:
    body = {"redirect_uris": list(redirects), "token_endpoint_auth_method": "none"}
    with httpx2.Client(trust_env=False, timeout=PATIENT) as http:
        return str(http.post(f"{origin}/register", json=body).raise_for_status().json()["client_id"])


def refused(window: Browser) -> list[str]:
    """What the browser said against the pages, apart from a scheme that no program here takes."""
    return [text for text in window.complaints() if "Content Security Policy" in text or "Refused" in text]


@pytest.mark.long
def test_the_answer_reaches_a_program_on_this_computer_once(origin: str, watched: Watched) -> None:
    came: list[str] = []

    class Program(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/callback"):
                came.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<p>The program has it</p>")

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Program) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        redirect = f"http://127.0.0.1:{server.server_port}/callback"
        watched.log_in(origin, program(origin, redirect), redirect)
        watched.until("The program has it")
        server.shutdown()
    assert len(came) == 1
    assert "code=" in came[0]
    assert "iss=" in came[0]
    assert refused(watched.window) == []


@pytest.mark.long
def test_the_answer_reaches_a_site_that_hands_on_to_its_program(origin: str, watched: Watched) -> None:
    watched.log_in(origin, program(origin, CLAUDE), CLAUDE)
    give_up = time.monotonic() + PATIENT
    while not watched.reached and time.monotonic() < give_up:
        watched.asked("1")
    assert len(watched.reached) == 1
    assert watched.reached[0].startswith(f"{CLAUDE}?code=")
    assert refused(watched.window) == []


def test_the_answer_goes_to_a_program_s_own_scheme(origin: str, watched: Watched, tmp_path: Path) -> None:
    watched.log_in(origin, program(origin, CURSOR), CURSOR)
    watched.until("You are connected")
    link = watched.window.script("document.querySelector('a.button').href")
    assert link.startswith(f"{CURSOR}?code=")
    give_up = time.monotonic() + PATIENT
    while not any(url.startswith(CURSOR) for url in watched.navigations) and time.monotonic() < give_up:
        watched.asked("1")
    assert [url for url in watched.navigations if url.startswith(CURSOR)] == [link]
    assert refused(watched.window) == []
