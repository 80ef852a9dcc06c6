"""The built-in login in Firefox with scripts off, as `test_login_browser` has it in Chromium: the answer reaches the
program once, and nothing is refused on the way."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.approvals.chromium import PATIENT
from tests.approvals.firefox import ENTER, Firefox, firefox, missing
from tests.identity.asking import CHALLENGE, KEY
from tests.identity.certificate import certified
from tests.journeys.test_builtin_login import served_login
from tests.journeys.test_login_browser import CLAUDE, CURSOR, program

pytestmark = [pytest.mark.long, pytest.mark.skipif(missing() is not None, reason=missing() or "")]


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served_login(tmp_path_factory.mktemp("login")) as origin:
        yield origin


class Outside:
    """A proxy that stands in for claude.ai, hands on to a program there, and leads nowhere else."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.reached: list[str] = []
        self.came = threading.Event()
        self._context = context
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                wire, _ = self._listening.accept()
                threading.Thread(target=self._tunnel, args=(wire,), daemon=True).start()

    def _tunnel(self, wire: socket.socket) -> None:
        with suppress(OSError), wire:
            if not wire.recv(65_536).startswith(b"CONNECT claude.ai:443 "):
                return
            wire.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            with self._context.wrap_socket(wire, server_side=True) as inner:
                path = inner.recv(65_536).split(b" ")[1].decode()
                if path.startswith("/api/"):
                    self.reached.append(f"https://claude.ai{path}")
                    self.came.set()
                inner.sendall(b"HTTP/1.1 307 On\r\nlocation: claude://connected\r\ncontent-length: 0\r\n\r\n")

    def stop(self) -> None:
        self._listening.close()


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    proxy = Outside(certified(tmp_path_factory.mktemp("claude"), "claude.ai")[0])
    yield proxy
    proxy.stop()


@pytest.fixture(scope="module")
def window(outside: Outside) -> Iterator[Firefox]:
    proxied = {"network__proxy__type": 1, "network__proxy__ssl": "127.0.0.1", "network__proxy__ssl_port": outside.port}
    with firefox(javascript__enabled=False, **proxied) as window:
        yield window


def log_in(window: Firefox, origin: str, client: str, redirect: str) -> None:
    asked = {"response_type": "code", "client_id": client, "redirect_uri": redirect, "state": "s"}
    asked |= {"code_challenge": CHALLENGE, "code_challenge_method": "S256", "scope": "cliniko:read"}
    window.open(f"{origin}/authorize?{urlencode(asked)}")
    window.until("Your Cliniko API key")
    window.type(KEY + ENTER)
    window.until("Is this right?")
    window.press("button[value=yes]")


def refused(window: Firefox) -> list[str]:
    return [
        line for line in window.complaints() if "Content-Security-Policy" in line or "Content Security Policy" in line
    ]


def test_the_answer_reaches_a_program_on_this_computer_once(origin: str, window: Firefox) -> None:
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
        log_in(window, origin, program(origin, redirect), redirect)
        window.until("The program has it")
        server.shutdown()
    assert len(came) == 1
    assert "code=" in came[0]
    assert "iss=" in came[0]
    assert refused(window) == []


def test_the_answer_goes_to_a_program_s_own_scheme(origin: str, window: Firefox) -> None:
    log_in(window, origin, program(origin, CURSOR), CURSOR)
    window.until("You are connected")
    assert window.link("a.button").startswith(f"{CURSOR}?code=")
    assert refused(window) == []


def test_the_answer_reaches_a_site_that_hands_on_to_its_program(origin: str, window: Firefox, outside: Outside) -> None:
    log_in(window, origin, program(origin, CLAUDE), CLAUDE)
    # The window itself is not asked meanwhile: it does not answer while it looks for a program.
    assert outside.came.wait(PATIENT)
    assert len(outside.reached) == 1
    assert outside.reached[0].startswith(f"{CLAUDE}?code=")
    assert refused(window) == []


def test_what_a_page_is_refused_would_be_seen(window: Firefox, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    policy = "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'\">"
    page.write_text(f"<!doctype html><head>{policy}</head><body><style>p {{ color: red }}</style><p>Words</p></body>")
    window.open(page.as_uri())
    window.until("Words")
    assert len(refused(window)) == 1
