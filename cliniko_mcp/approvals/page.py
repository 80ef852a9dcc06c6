"""The approval page: a web server on this computer alone, started when the first question needs it.

It runs in threads of its own, so that it stays up between tool calls. It answers only requests that name its own host,
on a path of 256 random bits; what changes something must also come from the page itself (Origin and a token).
"""

import hmac
import json
import logging
import math
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlsplit

from cliniko_mcp.approvals import local_ipc, page_html
from cliniko_mcp.approvals.decisions import Answer, Decisions, Outcome
from cliniko_mcp.approvals.peer_uid import is_foreign
from cliniko_mcp.approvals.questions import Question

_LOG = logging.getLogger(__name__)
_MAX_BODY_BYTES: Final = 8_192
_WATCHED_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.1
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: with that, browsers send "Origin: null" with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class ApprovalPage:
    """The page where a person answers the questions that wait, and the endpoint of `cliniko-mcp approve`."""

    def __init__(
        self,
        decisions: Decisions,
        *,
        folder: Path,
        now: Callable[[], float],
        token: Callable[[], str],
        open_browser: Callable[[str], None],
    ) -> None:
        """`now` is the clock of the questions in Unix seconds; `token` gives 256 random bits as text each time."""
        self._decisions = decisions
        self._folder = folder
        self._now = now
        self._token = token
        self._open_browser = open_browser
        self._site: _Site | None = None
        self._announcement: Path | None = None

    def invite(self) -> str:
        """Call a person to the page, which the first question starts; a sentence that says where to go.

        Where the page cannot be started the sentence says so.
        """
        terminal = "run cliniko-mcp approve in a terminal on this computer"
        site = self._site or self._start()
        if site is None:
            return "The approval page could not be started; whoever runs this server finds the reason in its log."
        if not site.watched:
            self._open_browser(site.address)
        if self._announcement is None:
            return "The question is on the approval page in the web browser on this computer."
        return f"The question is on the approval page in the web browser on this computer; or {terminal}."

    def again(self) -> str:
        """A sentence for a question that is on the page for a while."""
        return "The question is on the approval page already."

    def address_of(self, question: Question) -> str:
        """Empty: who has the page's address may answer."""
        return ""

    def _start(self) -> "_Site | None":
        try:
            site = _Site(self._decisions, self._now, self._token)
        except OSError as problem:
            _LOG.error("the approval page could not be started: %s", problem.strerror)
            return None
        threading.Thread(target=site.serve_forever, args=(_POLL_SECONDS,), name="approval-page", daemon=True).start()
        self._site = site
        try:
            self._announcement = local_ipc.announce(self._folder, self._token(), site.server_port, site.secret)
        except OSError as problem:
            _LOG.warning("cliniko-mcp approve will not find this server: %s", problem.strerror or problem)
        return site

    def close(self) -> None:
        """Take the page down and remove its announcement; nothing where it was never started."""
        if self._announcement is not None:
            with suppress(OSError):
                self._announcement.unlink()
        if self._site is not None:
            self._site.shutdown()
            self._site.server_close()
        self._site = self._announcement = None


class _Site(ThreadingHTTPServer):
    # On Windows, sharing the address would let another program take the port over.
    allow_reuse_address = sys.platform != "win32"

    def __init__(self, decisions: Decisions, now: Callable[[], float], token: Callable[[], str]) -> None:
        self.decisions = decisions
        self.now = now
        self.token = token
        self.path = f"/{token()}"
        self.csrf = token()
        self.secret = token()
        self.seen = -math.inf
        super().__init__(("127.0.0.1", 0), _Visit)
        self.host = f"127.0.0.1:{self.server_port}"
        self.origin = f"http://{self.host}"
        self.address = self.origin + self.path

    @property
    def watched(self) -> bool:
        """Whether the page is open in a browser at this moment."""
        return time.monotonic() - self.seen < _WATCHED_SECONDS

    def handle_error(self, request: Any, client_address: Any) -> None:
        # The inherited one writes the request's address and a traceback to standard error.
        _LOG.warning("the approval page failed to answer: %s", type(sys.exception()).__name__)


class _Visit(BaseHTTPRequestHandler):
    server: _Site  # pyright: ignore[reportIncompatibleVariableOverride]
    timeout = 10
    error_message_format = "%(code)d %(message)s\n"
    error_content_type = "text/plain"

    def version_string(self) -> str:
        return "cliniko-mcp"

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the request line holds the page's secret path."""

    def do_GET(self) -> None:
        """The page, an outcome, or the short state that the page asks for every two seconds."""
        target = urlsplit(self.path)
        if not self._expected() or self.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            return self._refuse(403)
        site = self.server
        shown = self._shown()
        if _same(target.path, f"{site.path}/state"):
            site.seen = time.monotonic()
            return self._send(200, json.dumps({"mark": shown.mark}), "application/json")
        if not _same(target.path, site.path):
            return self._refuse(404)
        query = parse_qs(target.query)
        outcome, challenge = query.get("outcome", [""])[0], query.get("question", [""])[0]
        if outcome in Outcome.__members__:
            page = page_html.outcome_page(Outcome[outcome], site.decisions.find(challenge), shown)
        else:
            page = page_html.questions_page(shown)
        allowed = {"Content-Security-Policy": page_html.policy(shown.nonce)}
        return self._send(200, page, "text/html; charset=utf-8", allowed)

    def _shown(self) -> page_html.Shown:
        site = self.server
        decisions = site.decisions
        return page_html.Shown(
            waiting=decisions.waiting(),
            unused=decisions.unused(),
            recent=decisions.recent(),
            denials=decisions.denials(),
            csrf=site.csrf,
            nonce=site.token(),
            path=site.path,
            needs_pin=decisions.needs_pin,
            now=site.now(),
        )

    def do_POST(self) -> None:
        """An answer, from the page's own form or from a terminal."""
        if not self._expected():
            return self._refuse(403)
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or len(length) > 6 or int(length) > _MAX_BODY_BYTES:
            return self._refuse(413)
        target = urlsplit(self.path).path
        if target == local_ipc.PATH and "Origin" not in self.headers:
            return self._terminal(self.rfile.read(int(length)))
        if not _same(target, self.server.path):
            return self._refuse(404)
        if not _same(self.headers.get("Origin", ""), self.server.origin):
            return self._refuse(403)
        if self.headers.get_content_type() != "application/x-www-form-urlencoded":
            return self._refuse(415)
        return self._form(self.rfile.read(int(length)))

    def _form(self, body: bytes) -> None:
        try:
            fields = parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=10)
        except ValueError:
            return self._refuse(400)
        form = {name: values[0] for name, values in fields.items() if len(values) == 1}
        if not _same(form.get("csrf", ""), self.server.csrf):
            return self._refuse(403)
        decision, challenge = form.get("decision", ""), form.get("question", "")
        decisions = self.server.decisions
        if decision == "deny_all":
            outcome = decisions.deny_all(challenge.split(), "page")
            return self._send(303, "", "text/plain", {"Location": f"{self.server.path}?outcome={outcome.name}"})
        try:
            answer = Answer(decision)
        except ValueError:
            return self._refuse(400)
        outcome = decisions.decide(challenge, answer, form.get("pin", ""), "page")
        known = f"question={quote(challenge)}&" if decisions.find(challenge) is not None else ""
        return self._send(303, "", "text/plain", {"Location": f"{self.server.path}?{known}outcome={outcome.name}"})

    def _terminal(self, body: bytes) -> None:
        site = self.server
        reply = local_ipc.answer(site.decisions, site.secret, body, self.headers.get(local_ipc.PROOF, ""), site.now())
        if reply is None:
            return self._refuse(404)
        text, signature = reply
        return self._send(200, text.decode(), "application/json", {local_ipc.PROOF: signature})

    def _expected(self) -> bool:
        """Whether the request names this very host, which a page of another site cannot (DNS rebinding)."""
        named = self.headers.get_all("Host") == [self.server.host]
        return named and not is_foreign(self.client_address, self.server.server_port)

    def _refuse(self, status: int) -> None:
        self._send(status, f"{status}\n", "text/plain")

    def _send(self, status: int, text: str, content_type: str, headers: dict[str, str] | None = None) -> None:
        body = text.encode()
        self.send_response(status)
        own = {"Content-Type": content_type, "Content-Length": str(len(body))}
        for name, value in {**_HEADERS, **own, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _same(found: str, expected: str) -> bool:
    return hmac.compare_digest(found.encode("utf-8", "replace"), expected.encode())
