"""The login of the pages: at an issuer, as its client, or by a code for people of the file.

A page asks `seen` who is logged in on a request, and answers with `page` where nobody is: from there a person logs in
and comes back to it. Its forms are read by `form`. The browser holds a random name, or what only this server can read,
and never a token.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from cliniko_mcp.errors import Unavailable
from cliniko_mcp.identity.bodies import body_within
from cliniko_mcp.identity.metadata import Resource
from cliniko_mcp.identity.people_file import ISSUER
from cliniko_mcp.identity.person import IssuerUnavailable
from cliniko_mcp.identity.relying_party import Attempt, LoginRefused, RelyingParty
from cliniko_mcp.pages.document import hidden, page
from cliniko_mcp.pages.people_codes import SESSION_SECONDS, Once, PeopleCodes
from cliniko_mcp.pages.sessions import IssuerSessions, LoggedIn
from cliniko_mcp.shared_state.keys import KeyRing, Unsealable

PATH: Final = "/login"
CALLBACK: Final = f"{PATH}/callback"
"""Where an issuer sends people back to; it is registered there below the public address's origin."""
ATTEMPT_SECONDS: Final = 600
HEADERS: Final = {
    "Cache-Control": "no-store",
    # With no-referrer a browser would send our own form with the Origin null.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_PURPOSE: Final = "page attempt"
_MAX_FORM_BYTES: Final = 8_192
_BY_CODE, _BY_ISSUER = "p.", "i."
_OWN_PAGE: Final = re.compile(r"/[a-z]+(/[A-Za-z0-9_-]*)?(\?[A-Za-z0-9_=&.-]*)?")
_TOO_LATE: Final = "This login was begun in another browser, or too long ago. Begin again."
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PageLogin:
    """Who is logged in at the pages, and how they log in."""

    issuers: Sequence[RelyingParty]
    people: PeopleCodes | None
    sessions: IssuerSessions
    ring: KeyRing
    resource: Resource
    once: Once
    token: Callable[[], str]
    """Gives 256 random bits as text."""
    now: Callable[[], float]
    """The time of day in Unix seconds."""
    more_scopes: Callable[[], Sequence[str]] = tuple
    """What is asked for beside what assistants ask for."""

    def routes(self) -> list[Route]:
        """The addresses of the login itself."""
        return [
            Route(PATH, self._get, methods=["GET"]),
            Route(PATH, self._code, methods=["POST"]),
            Route(f"{PATH}/start", self._start, methods=["GET"]),
            Route(CALLBACK, self._callback, methods=["GET"]),
            Route(f"{PATH}/out", self._out, methods=["POST"]),
        ]

    # What pages ask

    async def seen(self, request: Request, *, by_hand: bool = True) -> LoggedIn | None:
        """Who is logged in on this request; None for nobody. Only what is done `by_hand` counts against the half hour.

        Raises Unavailable where that cannot be known.
        """
        cookie = request.cookies.get(self._cookie("login"), "")
        kind, value = cookie[:2], cookie[2:]
        if kind == _BY_ISSUER:
            seen = await self.sessions.seen(value, by_hand=by_hand)
            # An issuer that was taken out of the file vouches for nobody any more.
            return seen if seen is not None and self._way_of(seen) is not None else None
        if kind == _BY_CODE and self.people is not None:
            return await self.people.seen(value)
        return None

    async def form(self, request: Request, seen: LoggedIn | None = None) -> dict[str, str] | None:
        """The fields of a form that a page of ours sent; None for any other, and where it was not shown to `seen`."""
        if request.headers.get("origin") != self.resource.origin:
            return None
        if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
            return None
        body = await body_within(request, _MAX_FORM_BYTES)
        try:
            fields = {} if body is None else dict(parse_qsl(body.decode("ascii"), max_num_fields=10))
        except ValueError:
            return None
        if seen is not None and not hmac.compare_digest(fields.get("csrf", "").encode(), self.csrf(seen).encode()):
            return None
        return fields

    def csrf(self, seen: LoggedIn) -> str:
        """What a form that is shown to this person carries as `csrf`."""
        return hmac.digest(self.ring.derived("approvals form")[0], seen.cookie.encode(), hashlib.sha256).hex()

    def page(self, to: str, wrong: str = "", *, status: int = 200, again: LoggedIn | None = None) -> HTMLResponse:
        """The page on which a person logs in, and from which they come back `to` a page of ours, `/approvals`.

        `again` is who has to prove once more that it is them, in the way that they came.
        """
        approvals = to.startswith("/approvals")
        if again is not None:
            heading, lead = (
                "Log in once more",
                "<p>Before you say yes here, show once more that it is you. It counts for five minutes.</p>",
            )
        else:
            heading, lead = (
                "Log in",
                "<p>Here you answer what an assistant that works for you wants to archive, delete or cancel in "
                "Cliniko.</p>"
                if approvals
                else "<p>Show that it is you, to go on.</p>",
            )
        problem = f"<p class=wrong role=alert>{escape(wrong)}</p>" if wrong else ""
        ways = ""
        for number, party in enumerate(self.issuers):
            if again is None or again.person.issuer == party.issuer:
                query = {"issuer": str(number), "to": to} | ({"fresh": "1"} if again is not None else {})
                called = party.page.name or urlsplit(party.issuer).hostname or party.issuer
                link = escape(f"{PATH}/start?{urlencode(query)}")
                ways += f'<p class=buttons><a class="button yes" href="{link}">Log in with {escape(called)}</a></p>'
        if self.people is not None and (again is None or again.person.issuer == ISSUER):
            ways += _code_form(to, alone=not ways)
        title = f"<h1>{heading}</h1>{lead}{problem}<section class=card>{ways}</section>"
        return self._document(heading, title, status, "Your approvals" if approvals else "Connect an assistant")

    # The login itself

    async def _get(self, request: Request) -> Response:
        return self.page(_own(request.query_params.get("to", "")))

    async def _code(self, request: Request) -> Response:
        form = await self.form(request)
        if form is None or self.people is None:
            return self.page("/approvals", _TOO_LATE, status=403)
        to = _own(form.get("to", ""))
        try:
            cookie = await self.people.begin(form.get("code", "").strip())
        except Unavailable as problem:
            return self.page(to, problem.message, status=503)
        if cookie is None:
            return self.page(to, "This code is not good, or was used. Ask for another.", status=422)
        await self._end(request)
        answer = _to(to)
        self._keep(answer, "login", _BY_CODE + cookie, SESSION_SECONDS)
        return answer

    async def _start(self, request: Request) -> Response:
        query = request.query_params
        to, number = _own(query.get("to", "")), query.get("issuer", "")
        if not number.isdecimal() or len(number) > 3 or int(number) >= len(self.issuers):
            return self.page(to, status=404)
        party = self.issuers[int(number)]
        attempt = Attempt(party.issuer, self.token(), self.token(), self.token(), fresh=query.get("fresh") == "1")
        try:
            address = await party.address(attempt, self.more_scopes())
        except IssuerUnavailable:
            return self.page(to, "The login does not answer just now. Try again in a minute.", status=503)
        answer = RedirectResponse(address, 303, headers=HEADERS)
        record = json.dumps({"attempt": asdict(attempt), "to": to, "until": self.now() + ATTEMPT_SECONDS}).encode()
        self._keep(
            answer, "attempt", base64.urlsafe_b64encode(self.ring.seal(record, _PURPOSE)).decode(), ATTEMPT_SECONDS
        )
        return answer

    async def _callback(self, request: Request) -> Response:
        answer = dict(request.query_params.multi_items())
        kept = self._attempt(request)
        party = next((one for one in self.issuers if kept is not None and one.issuer == kept[0].issuer), None)
        if kept is None or party is None or len(answer) < len(request.query_params.multi_items()):
            return self.page("/approvals", _TOO_LATE, status=400)
        attempt, to = kept
        if not hmac.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
            return self.page(to, _TOO_LATE, status=400)
        if not await self.once.first(f"login:{hashlib.sha256(attempt.state.encode()).hexdigest()}", ATTEMPT_SECONDS):
            return self.page(to, _TOO_LATE, status=400)
        try:
            proven = await party.proven(attempt, answer)
        except LoginRefused as refused:
            _LOG.warning("a login at the pages was refused: %s", refused)
            wrong = "You were not let in. Try again, or tell the person who looks after this server."
            return self._forgotten(self.page(to, wrong, status=403))
        except IssuerUnavailable:
            wrong = "The login does not answer just now. Try again in a minute."
            return self._forgotten(self.page(to, wrong, status=503))
        await self._end(request)
        came = _to(to)
        self._keep(came, "login", _BY_ISSUER + await self.sessions.begin(proven), None)
        return self._forgotten(came)

    async def _out(self, request: Request) -> Response:
        seen = await self.seen(request)
        if seen is None or await self.form(request, seen) is None:
            return self.page("/approvals", "This page was opened too long ago. Begin again.", status=403)
        await self._end(request)
        way = self._way_of(seen)
        more = (
            f" Your login at {escape(urlsplit(way.issuer).hostname or '')} itself goes on; on a computer that others "
            "use, log out there too."
            if way is not None
            else ""
        )
        body = (
            f'<h1>Signed out</h1><p>This browser can answer nothing any more.{more}</p><p><a href="{PATH}">Log in</a>'
        )
        answer = self._document("Signed out", f"{body}</p>", 200)
        self._keep(answer, "login", "", 0)
        return answer

    async def _end(self, request: Request) -> None:
        """Whoever was logged in in this browser is so no more."""
        cookie = request.cookies.get(self._cookie("login"), "")
        if cookie.startswith(_BY_ISSUER):
            await self.sessions.end(cookie[2:])
        elif cookie.startswith(_BY_CODE) and self.people is not None and await self.people.seen(cookie[2:]):
            await self.people.end(cookie[2:])  # which is remembered for as long as it would have been good

    def _way_of(self, seen: LoggedIn) -> RelyingParty | None:
        return next((one for one in self.issuers if one.issuer == seen.person.issuer), None)

    def _attempt(self, request: Request) -> tuple[Attempt, str] | None:
        """The login that this browser began, and where it leads back to; None where it began none."""
        try:
            sealed = base64.urlsafe_b64decode(request.cookies.get(self._cookie("attempt"), "").encode("ascii"))
            kept = json.loads(self.ring.unseal(sealed, _PURPOSE))
        except (binascii.Error, ValueError, Unsealable):
            return None
        return (Attempt(**kept["attempt"]), kept["to"]) if self.now() < kept["until"] else None

    # Cookies and documents

    def _cookie(self, what: str) -> str:
        return f"{'__Host-' if self._secure else ''}cm-{what}"

    @property
    def _secure(self) -> bool:
        return self.resource.origin.startswith("https")

    def _keep(self, answer: Response, what: str, value: str, seconds: int | None) -> None:
        """Have the browser hold this; until it is closed for None, no longer for 0."""
        answer.set_cookie(
            self._cookie(what), value, seconds, path="/", secure=self._secure, httponly=True, samesite="lax"
        )

    def _forgotten(self, answer: Response) -> Response:
        self._keep(answer, "attempt", "", 0)
        return answer

    def _document(self, title: str, body: str, status: int, beside: str = "") -> HTMLResponse:
        nonce = self.token()
        return page(title, body, clinic="Cliniko", demo=False, nonce=nonce, status=status, beside=beside)


def _code_form(to: str, *, alone: bool) -> str:
    label = "Your code" if alone else "Or your code"
    return (
        f"<form method=post action={PATH}>{hidden(to=to)}<label for=code>{label}</label>"
        f"<input type=password id=code name=code autocomplete=one-time-code required{' autofocus' if alone else ''} "
        "maxlength=100><p class=soft>Whoever looks after this server gives you one: it is good once, and for this "
        "browser.</p><div class=buttons><button class=yes>Continue</button></div></form>"
    )


def _own(to: str) -> str:
    """This address where it is a page of ours, else that of the approvals."""
    return to if _OWN_PAGE.fullmatch(to) and len(to) < 200 else "/approvals"


def _to(address: str) -> RedirectResponse:
    return RedirectResponse(address, 303, headers=HEADERS)
