"""The approvals page of a server for many: each person answers the questions of their own calls, and sees no other.

Somebody from the file of people comes with a code that is good once; from then on their browser knows them, for thirty
days or until their token is revoked or replaced. The code is not the token, so that what holds the token cannot answer.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol
from urllib.parse import parse_qsl, quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from cliniko_mcp.approvals import page_html
from cliniko_mcp.approvals.decisions import Answer, Outcome
from cliniko_mcp.approvals.ledger import Ledger
from cliniko_mcp.approvals.questions import PendingQuestion
from cliniko_mcp.errors import Unavailable
from cliniko_mcp.identity.bodies import body_within
from cliniko_mcp.identity.metadata import Resource
from cliniko_mcp.identity.people_file import PersonEntry, digest_of
from cliniko_mcp.identity.person import Person
from cliniko_mcp.pages.document import page
from cliniko_mcp.shared_state.keys import KeyRing, Unsealable

PATH: Final = "/approvals"
SESSION_SECONDS: Final = 2_592_000
_PURPOSE: Final = "approvals"
_MAX_FORM_BYTES: Final = 8_192
_DONE: Final = {Answer.APPROVE: Outcome.APPROVED, Answer.DENY: Outcome.DENIED, Answer.OTHER: Outcome.OTHER}

Ledgers = Callable[[Person], Awaitable[Sequence[Ledger]]]
"""The ledgers of the clinics in which a person works."""


class Once(Protocol):
    """What is good for one use."""

    async def first(self, name: str, seconds: float) -> bool:
        """Whether nobody has used this name for so many seconds."""
        ...


class LocalOnce:
    """Uses in this process alone."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    async def first(self, name: str, seconds: float) -> bool:
        """See `Once.first`; it is remembered until the process ends."""
        new = name not in self._used
        self._used.add(name)
        return new


@dataclass(frozen=True, slots=True)
class _Seen:
    """Who a browser is, and what its forms carry."""

    entry: PersonEntry
    cookie: str


class ApprovalPages:
    """The page and its forms."""

    def __init__(
        self,
        people: Callable[[], Sequence[PersonEntry]],
        ledgers: Ledgers,
        ring: KeyRing,
        resource: Resource,
        once: Once,
        *,
        token: Callable[[], str],
        now: Callable[[], float],
    ) -> None:
        """`now` is the time of day in Unix seconds; `token` gives 256 random bits as text."""
        self._people = people
        self._ledgers = ledgers
        self._ring = ring
        self._resource = resource
        self._once = once
        self._token = token
        self._now = now
        secure = resource.origin.startswith("https")
        self._secure, self._cookie = secure, f"{'__Host-' if secure else ''}cm-approvals"

    def routes(self) -> list[Route]:
        """Their addresses."""
        return [
            Route(PATH, self._get, methods=["GET"]),
            Route(PATH, self._post, methods=["POST"]),
            Route(f"{PATH}/state", self._state, methods=["GET"]),
            Route(f"{PATH}/{{question}}", self._led_here, methods=["GET"]),
        ]

    # Who it is

    def _seen(self, request: Request) -> _Seen | None:
        cookie = request.cookies.get(self._cookie, "")
        try:
            sealed = base64.urlsafe_b64decode(cookie.encode("ascii"))
            id, token, until = json.loads(self._ring.unseal(sealed, _PURPOSE))
        except (binascii.Error, ValueError, Unsealable):
            return None
        entry = next((one for one in self._people() if one.id == id and one.token == token), None)
        if entry is None or self._now() >= until or (entry.expires is not None and self._time() >= entry.expires):
            return None
        return _Seen(entry, cookie)

    async def _let_in(self, code: str) -> PersonEntry | None:
        """Whose code this is, from now on used up; None for one that is nobody's, too old, or used."""
        digest = digest_of(code)
        entry = next((one for one in self._people() if one.code == digest), None)
        if entry is None or entry.code_expires is None or self._time() >= entry.code_expires:
            return None
        left = (entry.code_expires - self._time()).total_seconds()
        return entry if await self._once.first(digest, left + 60) else None

    def _time(self) -> datetime:
        return datetime.fromtimestamp(self._now(), UTC)

    def _csrf(self, cookie: str) -> str:
        return hmac.digest(self._ring.derived("approvals form")[0], cookie.encode(), hashlib.sha256).hex()

    # What is asked

    async def _get(self, request: Request) -> Response:
        seen = self._seen(request)
        if seen is None:
            return self._code_page()
        query = request.query_params
        nonce = self._token()
        shown = await self._shown(seen, nonce)
        name, challenge = query.get("outcome", ""), query.get("question", "")
        if name in Outcome.__members__:
            about = await self._own(seen, challenge)
            text = page_html.outcome_page(Outcome[name], about[1] if about else None, shown)
        else:
            text = page_html.questions_page(shown)
        return HTMLResponse(text, headers=_HEADERS | {"Content-Security-Policy": page_html.policy(nonce)})

    async def _led_here(self, request: Request) -> Response:
        """To the questions of the person whose question the address names; 403 for anybody else who is known here."""
        seen = self._seen(request)
        if seen is None or await self._own(seen, request.path_params["question"]) is not None:
            return _back("")
        body = f"""<h1>Not a question for you</h1><p>It was asked by somebody else's assistant, or it is not kept any
more.</p><p><a href="{PATH}">Your own questions</a></p>"""
        return page("Your approvals", body, clinic="Cliniko", demo=False, nonce=self._token(), status=403)

    async def _state(self, request: Request) -> Response:
        seen = self._seen(request)
        if seen is None:
            return JSONResponse({}, 403, headers=_HEADERS)
        return JSONResponse({"mark": (await self._shown(seen)).mark}, headers=_HEADERS)

    async def _shown(self, seen: _Seen, nonce: str = "") -> page_html.Shown:
        kinds: list[list[PendingQuestion]] = [[], [], [], []]
        principal = seen.entry.person.principal
        for ledger in await self._ledgers(seen.entry.person):
            found = await ledger.waiting(), await ledger.unused(), await ledger.recent(), await ledger.denials()
            for own, questions in zip(kinds, found, strict=True):
                own += [one for one in questions if one.matter.principal == principal]
        return page_html.Shown(*kinds, csrf=self._csrf(seen.cookie), nonce=nonce, path=PATH, now=self._now())

    async def _own(self, seen: _Seen, challenge: str) -> tuple[Ledger, PendingQuestion] | None:
        """The question of this challenge with its ledger; None where it is none of this person's."""
        for ledger in await self._ledgers(seen.entry.person):
            found = await ledger.find(challenge)
            if found is not None and found.matter.principal == seen.entry.person.principal:
                return ledger, found
        return None

    # What is answered

    async def _post(self, request: Request) -> Response:
        form = await self._form(request)
        if form is None:
            return self._code_page("This page was opened too long ago. Begin again.", status=403)
        if "code" in form:
            return await self._begin(form["code"].strip())
        seen = self._seen(request)
        if seen is None or not hmac.compare_digest(form.get("csrf", "").encode(), self._csrf(seen.cookie).encode()):
            return self._code_page("This page was opened too long ago. Begin again.", status=403)
        decision, challenge = form.get("decision", ""), form.get("question", "")
        if decision == "deny_all":
            ended = [await self._decided(seen, one, Answer.DENY) for one in challenge.split()]
            outcome = Outcome.ALL_DENIED if Outcome.DENIED in ended else Outcome.GONE
            return _back(f"outcome={outcome.name}")
        if decision not in {answer.value for answer in Answer}:
            return self._code_page("That is no answer.", status=400)
        outcome = await self._decided(seen, challenge, Answer(decision))
        return _back(f"question={quote(challenge)}&outcome={outcome.name}")

    async def _decided(self, seen: _Seen, challenge: str, answer: Answer) -> Outcome:
        own = await self._own(seen, challenge)
        if own is None:
            return Outcome.GONE
        ledger, pending = own
        if answer is Answer.WITHDRAW:
            return Outcome.WITHDRAWN if await ledger.take_back(challenge) else Outcome.USED
        if answer is Answer.REOPEN:
            return Outcome.REOPENED if await ledger.reopen(challenge) else Outcome.GONE
        # A question that is put by a form is answered there alone.
        if not pending.shown or not await ledger.decide(
            challenge, answer is Answer.APPROVE, "page", other=answer is Answer.OTHER
        ):
            return Outcome.GONE
        return _DONE[answer]

    async def _begin(self, code: str) -> Response:
        try:
            entry = await self._let_in(code)
        except Unavailable as problem:
            return self._code_page(problem.message, status=503)
        if entry is None:
            return self._code_page("This code is not good, or was used. Ask for another.", status=422)
        record = json.dumps([entry.id, entry.token, self._now() + SESSION_SECONDS]).encode()
        cookie = base64.urlsafe_b64encode(self._ring.seal(record, _PURPOSE)).decode()
        answer = _back("")
        answer.set_cookie(
            self._cookie, cookie, SESSION_SECONDS, path="/", secure=self._secure, httponly=True, samesite="lax"
        )
        return answer

    async def _form(self, request: Request) -> dict[str, str] | None:
        """The fields of a form that a page of ours sent; None for any other."""
        if request.headers.get("origin") != self._resource.origin:
            return None
        if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
            return None
        body = await body_within(request, _MAX_FORM_BYTES)
        try:
            return None if body is None else dict(parse_qsl(body.decode("ascii"), max_num_fields=10))
        except ValueError:
            return None

    def _code_page(self, wrong: str = "", status: int = 200) -> Response:
        problem = f"<p class=wrong role=alert>{wrong}</p>" if wrong else ""
        body = f"""<h1>Your approvals</h1><p>Here you answer what an assistant that works for you wants to archive,
delete or cancel in Cliniko.</p>{problem}<form method=post class=card><label for=code>Your code</label>
<input type=password id=code name=code autocomplete=one-time-code required autofocus maxlength=100>
<p class=soft>Whoever looks after this server gives you one: it is good once, and for this browser.</p>
<div class=buttons><button class=yes>Continue</button></div></form>"""
        return page("Your approvals", body, clinic="Cliniko", demo=False, nonce=self._token(), status=status)


_HEADERS: Final = {
    "Cache-Control": "no-store",
    # With no-referrer a browser would send our own form with the Origin null.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def _back(query: str) -> RedirectResponse:
    return RedirectResponse(f"{PATH}?{query}" if query else PATH, 303, headers=_HEADERS)
